import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, statusesOf, type TempProject } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();

const suiteOf = (cases: string) =>
  `prompts: [{ id: v1, text: "Say: {{ word }}" }]\nproviders: ["openai:gpt-4o-mini"]\ncases: ${cases}\n`;
const inlineCase = (id: string) => `[{ id: ${id}, vars: { word: ${id} }, assert: [{ contains: ${id} }] }]`;
const row = (id: string) => `${JSON.stringify({ id, vars: { word: id }, assert: [{ contains: id }] })}\n`;

function openProject(): TempProject {
  const project = openTempProject();
  mkdirSync(project.path('.git'));
  project.write('evals/a.eval.yaml', suiteOf(inlineCase('red')));
  return project;
}

function link(project: TempProject, target: string, path: string): void {
  symlinkSync(target, project.path(path));
}

async function casesOf(project: TempProject, paths: readonly string[] = []): Promise<readonly string[]> {
  const { env } = await startEchoServer();
  const { code, report } = await project.report(['run', ...paths], { env });
  expect(code).toBe(0);
  return report.suites.flatMap(({ suite, cases }) => cases.map(({ caseId }) => `${suite}/${caseId}`)).sort();
}

describe('a pattern follows links inside the project', () => {
  test('to suites, as a file and in a folder', { tags: ['slow'] }, async () => {
    const project = openProject();
    project.write('shared/b.eval.yaml', suiteOf(inlineCase('blue')));
    project.write('more/deep/c.eval.yaml', suiteOf(inlineCase('green')));
    link(project, '../shared/b.eval.yaml', 'evals/b.eval.yaml');
    link(project, '../more', 'evals/more');
    const all = ['a/red', 'b/blue', 'c/green'];
    expect(await casesOf(project)).toEqual(all);
    expect(await casesOf(project, ['evals'])).toEqual(all);
    expect(await casesOf(project, ['evals/**/*.eval.yaml'])).toEqual(all);
    project.write('llmcheck.config.yaml', 'suites: "{evals,none}/**/*.eval.yaml"\n');
    expect(await casesOf(project)).toEqual(all);
  });

  test('to files of cases', async () => {
    const project = openProject();
    project.write('evals/a.eval.yaml', suiteOf('[{ file: "cases/**/*.jsonl" }]'));
    project.write('evals/cases/one.jsonl', row('red'));
    project.write('data/two.jsonl', row('blue'));
    project.write('data/deep/three.jsonl', row('green'));
    link(project, '../../data/two.jsonl', 'evals/cases/two.jsonl');
    link(project, '../../data/deep', 'evals/cases/deep');
    expect(await casesOf(project)).toEqual(['a/blue', 'a/green', 'a/red']);
  });

  test('and comes to an end where they lead back; what several lead to is taken once', async () => {
    const project = openProject();
    project.write('evals/deep/b.eval.yaml', suiteOf(inlineCase('blue')));
    for (const name of ['one', 'two', 'three']) link(project, '.', `evals/${name}`);
    for (const name of ['four', 'five']) link(project, '..', `evals/deep/${name}`);
    link(project, 'self', 'evals/self');
    link(project, 'a.eval.yaml', 'evals/z.eval.yaml');
    expect(await casesOf(project)).toEqual(['a/red', 'b/blue']);
    project.write('llmcheck.config.yaml', 'suites: "evals/{deep/b*,deep/four/a*}.eval.yaml"\n');
    expect(await casesOf(project)).toEqual(['a/red', 'b/blue']);
  });
});

describe('what a pattern leads to and can not be read is a usage error', () => {
  /** What `run` says of a project that it refuses, as `validate` does. */
  async function refusalOf(project: TempProject): Promise<string> {
    const [run, validated] = [await project.run(['run']), await project.run(['validate'])];
    expect([run.code, validated.code]).toEqual([2, 2]);
    expect(run.stderr).toBe(validated.stderr);
    return run.stderr;
  }

  test('a link that leads nowhere, and one that leads to itself', async () => {
    const project = openProject();
    link(project, 'gone', 'evals/gone.eval.yaml');
    link(project, 'loop.eval.yaml', 'evals/loop.eval.yaml');
    const said = await refusalOf(project);
    expect(said).toContain('evals/gone.eval.yaml does not exist: it is a link to a file that is not there');
    expect(said).toContain('it leads to gone: restore that, or remove the link');
    expect(said).not.toContain('did you mean');
    const named = await project.run(['run', 'evals/gone.eval.yaml']);
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining('a link to a file that is not there')]);
    const baseline = await project.run(['run', 'evals/a.eval.yaml', '--baseline', 'evals/gone.eval.yaml']);
    expect([baseline.code, baseline.stderr]).toEqual([
      2,
      expect.stringContaining('is a link to a file that is not there'),
    ]);
    expect(baseline.stderr).not.toContain('did you mean');
    expect(said).toContain("evals/loop.eval.yaml can't be read");
    expect((await project.run(['run', 'evals/*.eval.yaml'])).code).toBe(2);
  });

  test('a link out of the project, to a file and to a folder', async () => {
    const outside = openTempProject();
    outside.write('b.eval.yaml', suiteOf(inlineCase('blue')));
    const project = openProject();
    link(project, outside.path('b.eval.yaml'), 'evals/b.eval.yaml');
    link(project, outside.root, 'evals/out');
    const said = await refusalOf(project);
    expect(said).toContain('evals/b.eval.yaml lies outside the project');
    expect(said).toContain('evals/out lies outside the project');
  });

  test('for files of cases, at its place', async () => {
    const project = openProject();
    project.write('evals/a.eval.yaml', suiteOf('[{ file: "cases/*.jsonl" }]'));
    project.write('evals/cases/one.jsonl', row('red'));
    link(project, 'gone', 'evals/cases/two.jsonl');
    const said = await refusalOf(project);
    expect(said).toContain('evals/a.eval.yaml:3:17');
    expect(said).toContain('evals/cases/two.jsonl does not exist');
  });

  test('a folder without permission', { tags: 'slow' }, async () => {
    const project = openProject();
    project.write('evals/private/b.eval.yaml', suiteOf(inlineCase('blue')));
    project.write('evals/a.eval.yaml', suiteOf('[{ file: "cases/**/*.jsonl" }]'));
    project.write('evals/cases/one.jsonl', row('red'));
    project.write('evals/cases/private/two.jsonl', row('blue'));
    project.write('evals/files/c.eval.yaml', suiteOf(inlineCase('green')));
    project.write('secret/deep/d.eval.yaml', suiteOf(inlineCase('pink')));
    link(project, '../secret/deep', 'evals/linked');
    chmodSync(project.path('secret'), 0);
    chmodSync(project.path('evals/private'), 0);
    chmodSync(project.path('evals/cases/private'), 0);
    chmodSync(project.path('evals/files/c.eval.yaml'), 0);
    chmodSync(project.root, 0o755);
    const { code, stderr } = await spawnCli(['run'], { cwd: project.root, isUnprivileged: true }).ended;
    chmodSync(project.path('secret'), 0o755);
    for (const path of ['evals/linked', 'evals/private', 'evals/cases/private', 'evals/files/c.eval.yaml']) {
      chmodSync(project.path(path), 0o755);
      expect(stderr).toContain(`${path} can't be read: permission denied`);
    }
    expect(stderr).toContain('evals/a.eval.yaml:3:17');
    expect(code).toBe(2);
  });
});

describe('a hostile pattern is refused or matched at once', () => {
  const stars = `${'*a'.repeat(19)}b`;
  const tooMany = `${'*a'.repeat(40)}b`;
  const long = 'a'.repeat(200);

  test.each([
    ['{1..100000000}.eval.yaml', 'make more than 1000 names'],
    [tooMany, 'more than 20 stars'],
  ])('%.30s', async (pattern, words) => {
    const project = openProject();
    await project.run(['run'], { env: (await startEchoServer()).env });
    const outcomes = [
      await project.run(['run', pattern]),
      await project.run(['validate', `evals/${pattern}`]),
      await project.run(['run', '-t', pattern]),
      await project.run(['run'], { env: { LLMCHECK_FILTER: pattern } }),
      await project.run(['review', '-t', pattern]),
      await project.run(['history', pattern]),
    ];
    project.write('llmcheck.config.yaml', `suites: ${JSON.stringify(pattern)}\n`);
    const config = await project.run(['run']);
    project.write('llmcheck.config.yaml', `run: { filter: [${JSON.stringify(pattern)}] }\n`);
    const filter = await project.run(['run']);
    project.write('llmcheck.config.yaml', '');
    project.write('evals/a.eval.yaml', suiteOf(`[{ file: ${JSON.stringify(pattern)} }]`));
    const file = await project.run(['run']);
    for (const { code, stderr } of [...outcomes, config, filter, file]) {
      expect(stderr).toContain(words);
      expect(code).toBe(2);
    }
    expect(config.stderr).toContain('llmcheck.config.yaml:1:9');
    expect(filter.stderr).toContain('llmcheck.config.yaml:1:16');
    expect(file.stderr).toContain('evals/a.eval.yaml:3:17');
  });

  test('over 2000 long ids', { tags: 'slow' }, async () => {
    const project = openProject();
    project.write('evals/cases.jsonl', Array.from({ length: 2000 }, (_, n) => row(`${'a'.repeat(290)}${n}`)).join(''));
    project.write('evals/a.eval.yaml', suiteOf('[{ file: cases.jsonl }]'));
    const { env } = await startEchoServer();
    for (const pattern of [`${'*a'.repeat(19)}b`, '*{a,aa}*{a,aa}*x']) {
      const { code, stderr } = await project.run(['run', '-t', pattern], { env });
      expect(stderr).toContain('takes longer than 500 ms');
      expect(code).toBe(2);
    }
    expect((await project.run(['run', '-t', '*a1234'], { env })).code).toBe(0);
  });

  test('over many names', { tags: 'slow' }, async () => {
    const project = openProject();
    for (let index = 0; index < 50; index += 1) writeFileSync(join(project.root, 'evals', `${long}${index}`), '');
    project.write('evals/cases.jsonl', Array.from({ length: 50 }, (_, index) => row(`${long}${index}`)).join(''));
    project.write('evals/a.eval.yaml', suiteOf('[{ file: cases.jsonl }]'));
    const { env } = await startEchoServer();
    for (const pattern of [stars, '{a,aa}'.repeat(40)]) {
      for (const argv of [[`evals/${pattern}`], ['-t', pattern]]) {
        const { code, stderr } = await project.run(['run', ...argv], { env });
        expect(stderr).toMatch(/takes longer than \d+ ms|make more than 1000 names/);
        expect(code).toBe(2);
      }
    }
  });
});

test('a name that looks like a pattern names itself', async () => {
  const project = openProject();
  project.write('evals/b[1].eval.yaml', suiteOf(inlineCase('blue')));
  project.write('llmcheck.config.yaml', 'suites: ["evals/b[1].eval.yaml"]\n');
  expect(await casesOf(project)).toEqual(['b[1]/blue']);
  expect(await casesOf(project, ['evals/b[1].eval.yaml'])).toEqual(['b[1]/blue']);
  // As a pattern it would be refused.
  project.write('evals/b (2 (new)).eval.yaml', suiteOf(inlineCase('blue')));
  project.write('llmcheck.config.yaml', 'suites: ["evals/b (2 (new)).eval.yaml"]\n');
  expect(await casesOf(project)).toEqual(['b (2 (new))/blue']);
});

test('a pattern of the config that begins with "!" takes suites away', async () => {
  const project = openProject();
  project.write('evals/drafts/b.eval.yaml', suiteOf(inlineCase('blue')));
  project.write('llmcheck.config.yaml', 'suites: ["evals/**/*.eval.yaml", "!evals/drafts/**"]\n');
  expect(await casesOf(project)).toEqual(['a/red']);
  project.write('llmcheck.config.yaml', 'suites: ["./evals/**/*.eval.yaml", "!./evals/drafts"]\n');
  expect(await casesOf(project)).toEqual(['a/red']);
  const { report } = await project.report(['run', '--cache', 'replay']);
  expect(Object.keys(statusesOf(report))).toEqual(['red']);
});
