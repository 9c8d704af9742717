import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemErrorCode } from '../../src/files/write-files.ts';
import { checkAnswer, compareRecords, renderReport, runSuites, UserError } from '../../src/index.ts';
import { startEchoServer } from '../support/chat-server.ts';
import { openTempProject } from '../support/temp-project.ts';

const rounds = 8;

async function openProject() {
  const project = openTempProject();
  const server = await startEchoServer();
  project.write('llmcheck.config.yaml', '');
  project.write(
    'evals/echo.eval.yaml',
    `suite: echo
prompts: [{ id: v1, text: "Say: {{ word }}" }, { id: v2, text: "Please say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
defaults: { assert: [{ contains: one }] }
cases: [{ id: one, vars: { word: one } }, { id: two, vars: { word: two } }]
`,
  );
  return { project, options: { cwd: project.root, env: server.env } };
}

const openFiles = '/proc/self/fd';

/** Files of the project that this process has open, 0 where the system lists none. Other tests share the process. */
function countOpenFiles(root: string): number {
  if (!existsSync(openFiles)) return 0;
  return readdirSync(openFiles).filter((name) => isBelow(join(openFiles, name), root)).length;
}

function isBelow(link: string, root: string): boolean {
  try {
    return readlinkSync(link).startsWith(root);
  } catch (error) {
    // It was closed since it was listed.
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** How many more files are open after many calls, one after the other, than after the first. */
async function countLeft(root: string, call: () => Promise<unknown>): Promise<number> {
  await call();
  const before = countOpenFiles(root);
  for (let round = 0; round < rounds; round += 1) await call();
  return countOpenFiles(root) - before;
}

const read = async (report: Parameters<typeof renderReport>[0]) => [...(await renderReport(report, 'json'))].length;

async function refusal(call: () => PromiseLike<unknown>): Promise<void> {
  const error: unknown = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
}

describe('no file stays open', () => {
  test('after runs whose reports were read, and after runs that were refused', { tags: 'slow' }, async () => {
    const { project, options } = await openProject();
    expect(await countLeft(options.cwd, async () => read(await runSuites(options)))).toBeLessThan(rounds / 2);
    expect(await countLeft(options.cwd, () => refusal(() => runSuites({ ...options, timeout: 'soon' })))).toBeLessThan(
      rounds / 2,
    );
    project.write('evals/echo.baseline.jsonl', 'damaged\n');
    expect(await countLeft(options.cwd, () => refusal(() => runSuites(options)))).toBeLessThan(rounds / 2);
  });

  test('after comparisons of records, and after those that were refused', async () => {
    const { options } = await openProject();
    await runSuites(options);
    const compare = (candidate: string) => compareRecords({ ...options, baseline: 'v1', candidate });
    expect(await countLeft(options.cwd, async () => read(await compare('v2')))).toBeLessThan(rounds / 2);
    expect(await countLeft(options.cwd, () => refusal(() => compare('v3')))).toBeLessThan(rounds / 2);
  });

  test('after runs against a large baseline, beyond those that are kept for its answers', {
    tags: ['slow'],
  }, async () => {
    const { project, options } = await openProject();
    await runSuites({ ...options, updateBaseline: true, maxErrors: '100%' });
    await project.run(['baseline', 'accept', '--force']);
    const text = project.read('evals/echo.baseline.jsonl');
    const [header = '', ...rows] = text.trimEnd().split('\n');
    const copies = Array.from({ length: 250 }, (_, index) =>
      rows.flatMap((row) => (row.includes('"type":"case"') ? [row.replace('"caseId":"', `"caseId":"c${index}-`)] : [])),
    ).flat();
    project.write('evals/echo.baseline.jsonl', `${[header, ...rows, ...copies].join('\n')}\n`);
    expect(project.read('evals/echo.baseline.jsonl').length).toBeGreaterThan(1 << 18);
    expect(await countLeft(options.cwd, async () => read(await runSuites(options)))).toBeLessThan(rounds + 8);
  });

  test('after checks of single answers', async () => {
    const { options } = await openProject();
    expect(await countLeft(options.cwd, () => checkAnswer('one', [{ contains: 'one' }], options))).toBeLessThan(
      rounds / 2,
    );
    const wrong = { contain: 'one' } as unknown as { contains: string };
    expect(await countLeft(options.cwd, () => refusal(() => checkAnswer('one', [wrong], options)))).toBeLessThan(
      rounds / 2,
    );
  });
});

test('a report is rendered by a reporter of your own, and under no name that there is not', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const report = await runSuites({ cwd: project.root, env: server.env });
  const own = { render: (_: unknown, style: object) => [JSON.stringify(style)] };
  const style = { color: false, width: 80, verbose: true, quiet: false };
  expect([...(await renderReport(report, own, { verbose: true }))]).toEqual([JSON.stringify(style)]);
  await expect(renderReport(report, 'toString')).rejects.toThrow(
    /^there is no reporter "toString"; there are: .*\bjunit\b/,
  );
});
