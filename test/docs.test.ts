import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { findFences, listPages, normalize, renderPage } from '../scripts/docs-pages.ts';
import { renderRegion } from '../scripts/docs-regions.ts';
import { assertions } from '../src/assertions/index.ts';
import { breachCodes } from '../src/model/gate.ts';
import { problemCodes } from '../src/model/problem.ts';
import { runCli } from './support/run-cli.ts';

const root = join(import.meta.dirname, '..');
const pages = listPages(root);
const read = (page: string) => readFileSync(join(root, page), 'utf8');
const render = (text: string) => renderPage(text, root, (name) => renderRegion(name, root));

describe('what the pages show', () => {
  // Every `$` line of a console block is run in this process, and every generated table rendered, as of today.
  // Two things may differ and are normalised: how long a run took, and the version in "llmcheck 1.2.3".
  it.each(pages)('%s is what the program prints and declares today', async (page) => {
    const text = read(page);
    expect(normalize(await render(text)), `${page} is stale: run \`npm run docs\``).toBe(normalize(text));
  });

  it('finds an output that is not what the command prints', async () => {
    const page = ['```console', '$ llmcheck run -q --tag hostile --prompt v2', 'PASSED (exit code 1)', '```'].join(
      '\n',
    );
    const rendered = await render(page);
    expect(rendered).not.toBe(page);
    expect(rendered).toContain('PASSED (exit code 0)');
  });

  it('keeps a measured time and takes everything else as it is', () => {
    expect(normalize('spent $0; took 35 ms')).toBe(normalize('spent $0; took 1.2 s'));
    expect(normalize('p50 35 ms')).not.toBe(normalize('p50 36 ms'));
  });

  it('refuses a command that it can not run instead of leaving it out', async () => {
    await expect(render(['```console', '$ rm -rf .llmcheck', '```'].join('\n'))).rejects.toThrow('use a sh fence');
  });

  it('finds a generated table that was changed by hand', async () => {
    const page = '<!-- generated: reporters -->\n| name |\n<!-- end of reporters -->';
    expect(await render(page)).toContain('`junit`');
  });
});

const parts = pages.flatMap((page) =>
  findFences(read(page))
    .filter(({ info }) => info === 'yaml part')
    .map(({ lines, start }) => ({ place: `${page}:${start + 1}`, text: lines.join('\n') })),
);

describe('the parts of suites that the pages show', () => {
  const base = {
    suite: 'part',
    prompts: [{ id: 'v1', text: '{{ email }}' }],
    providers: ['openai:gpt-4o-mini'],
    cases: [{ id: 'a', vars: { email: 'Hello' }, assert: [{ contains: 'Hello' }] }],
  };

  it.each(parts)('the part at $place makes a valid suite of the rest', async ({ text }) => {
    const folder = mkdtempSync(join(tmpdir(), 'llmcheck-docs-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    cpSync(join(root, 'evals'), join(folder, 'evals'), { recursive: true });
    const suite = { ...base, ...(parse(text) as object) };
    writeFileSync(join(folder, 'evals/part.eval.yaml'), stringify(suite));
    const { code, stderr } = await runCli(['validate', 'evals/part.eval.yaml'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr });
  });
});

describe('what the pages must name', () => {
  it('every problem code has a section of its own with an example', () => {
    const text = read('docs/problems.md');
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, code]) => code)).toEqual([...problemCodes]);
    const shown = findFences(text).filter(({ info }) => info.startsWith('console'));
    expect(shown.map(({ heading }) => heading)).toEqual([...problemCodes]);
  });

  it('the example of a problem shows that problem', () => {
    const shown = findFences(read('docs/problems.md')).filter(({ info }) => info.startsWith('console'));
    for (const { heading, lines } of shown) {
      // That nothing was found is said without a code.
      const wanted = heading === 'no-suite' ? 'no suite was found' : ` ${heading}: `;
      expect(lines.join('\n')).toContain(wanted);
    }
  });

  it('every breach code is explained', () => {
    const text = read('docs/reports.md');
    expect(breachCodes.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  });

  it('every assertion has its section', () => {
    const headings = [...read('docs/assertions.md').matchAll(/^### (.+)$/gm)].map(([, name]) => name ?? '');
    expect(headings.toSorted()).toEqual(Object.keys(assertions).toSorted());
  });

  it('every folder of the source has its line in the architecture', () => {
    const text = read('docs/architecture.md');
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => !text.includes(`| \`${name}/\` |`))).toEqual([]);
  });
});

describe('links', () => {
  it.each(pages)('%s links to files and headings that exist', (page) => {
    const text = read(page).replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '');
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target) && !isThere(page, target));
    expect(broken).toEqual([]);
  });

  it('the commands that set up a clone are those of the package', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const readme = read('README.md');
    expect(readme).toContain('\nnpm ci && node bin/llmcheck.js run\nnpm ci && npm run test:all\n');
    expect(scripts['prepare']).toBe('npm run build');
    const named = pages.flatMap((page) => [...read(page).matchAll(/`npm run ([\w:]+)/g)].map(([, name = '']) => name));
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

function isThere(page: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page : join(dirname(page), file);
  if (!existsSync(join(root, path))) return false;
  if (anchor === undefined) return true;
  const headings = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
  return headings.includes(anchor);
}

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
