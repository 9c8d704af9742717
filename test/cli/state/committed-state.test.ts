import { cpSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareRecords, runSuites } from '../../../src/index.ts';
import { sha256Hex } from '../../../src/text/sha256.ts';
import { commitAll, gitEnv, initRepository, runGit } from '../../support/git.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const ci = { env: { ...gitEnv, CI: 'true' } };
const atHome = { env: gitEnv };

/** A branch that commits stored answers. Its program says something else by now. */
async function openChange(config = ''): Promise<TempProject> {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', config);
  project.write('truth.txt', 'good');
  project.write(
    'answer.mjs',
    "import { readFileSync } from 'node:fs';\nconsole.log(readFileSync(`../truth.${'txt'}`, 'utf8'));\n",
  );
  project.write(
    'evals/echo.eval.yaml',
    `suite: echo
prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: program, use: "exec:node ../answer.mjs" }]
gate: { confirm: { budget: 0 } }
cases: [{ id: one, vars: { word: one }, assert: [{ contains: good }] }]
`,
  );
  initRepository(project.root);
  runGit(project.root, 'checkout', '-q', '-b', 'change');
  await project.run(['run', '--no-baseline'], atHome);
  project.write('truth.txt', 'worse');
  return project;
}

const run = ['run', '--no-baseline'];

describe('under CI, committed answers are named and not read', () => {
  test('a committed cache', async () => {
    const project = await openChange();
    commitAll(project.root);
    expect((await project.report(run, atHome)).report.totals).toMatchObject({ passed: 1, cached: 1 });
    const { code, stderr, report } = await project.report(run, ci);
    expect(code).toBe(4);
    expect(report.totals).toMatchObject({ failed: 1, cached: 0 });
    expect(stderr.split('\n')[0]).toMatch(
      /^warning file-unreadable: 3 files in \.llmcheck are committed and not read: \.llmcheck\/answers\//,
    );
    expect(stderr).toContain('cache: { trusted: true }');
    expect(report.notes[0]).toMatch(/^3 files in \.llmcheck are committed and not read/);
  });

  test('nor does the library read them', async () => {
    const project = await openChange();
    await project.run(run, atHome);
    commitAll(project.root);
    const notes: string[] = [];
    const running = runSuites({ cwd: project.root, baseline: false, ...ci });
    for await (const event of running) if (event.type === 'note') notes.push(event.message);
    const report = await running;
    expect([report.exitCode, report.totals.cached]).toEqual([4, 0]);
    expect(notes[0]).toContain('files in .llmcheck are committed and not read');
    expect(report.notes[0]).toContain('files in .llmcheck are committed and not read');
    const [first = '', second = ''] = project.files('.llmcheck/runs');
    await expect(compareRecords({ cwd: project.root, baseline: first, candidate: second, ...ci })).rejects.toThrow(
      'is committed, so it is not read here',
    );
  });

  test.each(['.llmcheck/answers', '.llmcheck'])(
    'a committed link in the place of %s',
    { tags: 'slow' },
    async (name) => {
      const project = await openChange();
      mkdirSync(project.path('kept'));
      renameSync(project.path(name), project.path('kept/state'));
      symlinkSync(name === '.llmcheck' ? 'kept/state' : '../kept/state', project.path(name));
      commitAll(project.root);
      const { code, report } = await project.report(run, ci);
      expect([code, report.totals.cached]).toEqual([4, 0]);
    },
  );

  test('an answer that the job itself stored is read', { tags: 'slow' }, async () => {
    const project = await openChange();
    commitAll(project.root);
    project.write('truth.txt', 'good again');
    await project.run(run, ci);
    runGit(project.root, 'rm', '-rq', '--cached', '.llmcheck');
    expect((await project.report(run, ci)).report.totals).toMatchObject({ passed: 1, cached: 1 });
  });

  test.each([
    ['list', 'runs'],
    ['cache', 'list'],
    ['cache', 'export'],
    ['report', 'latest'],
    ['compare', 'latest', 'latest'],
    ['baseline', 'accept'],
    ['run', '--last-failed'],
    ['ci', 'github', '--run', 'latest', '--no-summary', '--no-annotations'],
  ])('%s %s reads none', { tags: 'slow' }, async (...argv) => {
    const project = await openChange();
    commitAll(project.root);
    const { stdout, stderr } = await project.run(argv, argv[0] === 'ci' ? atHome : ci);
    expect(stderr).toContain('are committed and not read');
    expect(stdout).not.toMatch(/"key"|good|program|\d{8}-\d{6}/);
  });

  test('a committed record that is named is refused', async () => {
    const project = await openChange();
    commitAll(project.root);
    const [record = ''] = project.files('.llmcheck/runs');
    const { code, stderr } = await project.run(['report', record], ci);
    expect(code).toBe(2);
    expect(stderr).toContain(`${record} is committed, so it is not read here`);
  });

  test('in a repository that git does not read, nothing is trusted', { tags: 'slow' }, async () => {
    const project = await openChange();
    project.write('.git/HEAD', 'damaged');
    const { code, stderr } = await project.run(run, ci);
    expect(stderr).toContain('Nothing in .llmcheck is read: git can');
    expect(code).toBe(4);
  });
});

describe('cache.trusted counts at the commit that a change starts from', () => {
  test.each<[where: string, atBase: string, inChange: string, baseline: string, cached: number]>([
    ['at the base', 'cache: { trusted: true }', '', 'git:main', 1],
    ['in the change alone', '', 'cache: { trusted: true }', 'git:main', 0],
    ['in the change, without a base', '', 'cache: { trusted: true }', '', 0],
    ['as another value', 'cache: { trusted: false }', 'cache: { trusted: true }', 'git:main...', 0],
  ])('%s', { tags: 'slow' }, async (_where, atBase, inChange, baseline, cached) => {
    const project = await openChange(atBase);
    project.write('llmcheck.config.yaml', inChange === '' ? atBase : inChange);
    commitAll(project.root);
    const flags = baseline === '' ? [] : ['--baseline', baseline];
    const { report, stderr } = await project.report(['run', ...flags], ci);
    expect(report.totals.cached).toBe(cached);
    expect(stderr.includes('are committed and not read')).toBe(cached === 0);
  });

  test('a command of CI reads it at the merge base', { tags: 'slow' }, async () => {
    const project = await openChange('cache: { trusted: true }');
    commitAll(project.root);
    const { stderr } = await project.run(['ci', 'github', '--baseline', 'git:main...', '--no-summary'], ci);
    expect(stderr).not.toContain('are committed and not read');
  });
});

describe('an answer of a cache entry from an unknown writer is counted', () => {
  const foreign = (report: { readonly notes: readonly string[] }) =>
    report.notes.filter((note) => note.includes('neither this machine nor its shared cache wrote'));

  test('not one that this machine wrote', async () => {
    const project = await openChange();
    const { report } = await project.report(run, atHome);
    expect([report.totals.cached, foreign(report)]).toEqual([1, []]);
  });

  test('one that came with files, although the key of its writer came too', async () => {
    const [writer, reader] = [await openChange(), await openChange()];
    cpSync(writer.path('.llmcheck'), reader.path('.llmcheck'), { recursive: true });
    const { report } = await reader.report(run, atHome);
    expect([report.totals.cached, foreign(report)]).toEqual([
      1,
      ['1 answer from cache entries that neither this machine nor its shared cache wrote'],
    ]);
  });

  test('one that was imported', async () => {
    const [writer, reader] = [await openChange(), await openChange()];
    await writer.run(['cache', 'export', 'answers.jsonl'], atHome);
    await reader.run(['cache', 'clear'], atHome);
    await reader.run(['cache', 'import', writer.path('answers.jsonl')], atHome);
    const { report } = await reader.report(run, atHome);
    expect([report.totals.cached, foreign(report).length]).toEqual([1, 1]);
  });

  test('one whose answer was changed and signed again', async () => {
    const project = await openChange();
    const [path = ''] = project.files('.llmcheck/answers');
    const [, mark = '', entry = ''] = /"mark":"(.*?)","entry":(.*)\}$/.exec(project.read(path).trim()) ?? [];
    const body = entry.replace('"good"', '"good, they say"');
    const signed = `{"format":2,"checksum":"${sha256Hex(body)}","mark":"${mark}","entry":${body}}\n`;
    expect(signed).toContain('they say');
    writeFileSync(project.path(path), signed);
    const { report } = await project.report(run, atHome);
    expect([report.totals.cached, foreign(report).length]).toEqual([1, 1]);
  });
});

test('nothing is said of a state that is not committed', async () => {
  const project = await openChange();
  const { report, stderr } = await project.report(run, ci);
  expect([report.totals.cached, stderr.includes('committed')]).toEqual([1, false]);
});
