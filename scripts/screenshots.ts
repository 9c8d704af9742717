// Takes the pictures of docs/images from the demo and from this project's own evals: npm run build && npm run screenshots
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromiumPath, openBrowser } from '../test/support/open-browser.ts';
import { runCli } from '../test/support/run-cli.ts';

const shots = [
  { name: 'broken-pull-request', report: 'demo', route: '', width: 1280, height: 860, colorScheme: 'light' },
  { name: 'html-overview', report: 'evals', route: '', width: 1280, height: 860, colorScheme: 'light' },
  {
    name: 'html-cases',
    report: 'evals',
    route: 'cases?suite=support-triage',
    width: 1280,
    height: 720,
    colorScheme: 'light',
  },
  {
    name: 'html-case',
    report: 'evals',
    route: 'case/support-triage/injected-instruction/v2/mini',
    width: 1280,
    height: 860,
    colorScheme: 'dark',
  },
] as const;

if (chromiumPath === undefined) throw new Error('there is no Chromium here: apt-get install chromium');
const images = resolve('docs/images');
mkdirSync(images, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'llmcheck-shots-'));
try {
  const reports = { demo: playDemo(), evals: await writeReport() };
  const browser = await openBrowser();
  for (const { name, report, route, width, height, colorScheme } of shots) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    await page.goto(`${pathToFileURL(reports[report]).href}#/${route}`);
    await page.locator('h1').first().waitFor();
    await page.screenshot({ path: join(images, `${name}.png`) });
    await page.close();
  }
  await browser.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The page of the demo's broken pull request. */
function playDemo(): string {
  const env = { ...process.env, TMPDIR: folder };
  const { stdout } = spawnSync(process.execPath, ['examples/pull-request/demo.mjs'], { encoding: 'utf8', env });
  const [, page] = /^The page: (.+)$/m.exec(stdout) ?? [];
  if (page === undefined) throw new Error(`the demo made no page:\n${stdout}`);
  return page;
}

/** Three runs, so that there is something to be seen of their history. */
async function writeReport(): Promise<string> {
  cpSync('evals', join(folder, 'evals'), { recursive: true });
  cpSync('fixtures/recordings', join(folder, 'fixtures/recordings'), { recursive: true });
  for (const minute of [0, 1, 2]) {
    const now = () => new Date(Date.UTC(2026, 10, 24, 9, 30 + minute));
    const { code, stderr } = await runCli(['run', '-q', '-r', 'html=report.html'], { cwd: folder, now });
    if (code !== 0) throw new Error(stderr);
  }
  return join(folder, 'report.html');
}
