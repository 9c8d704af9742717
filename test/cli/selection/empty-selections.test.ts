import { describe, expect, test } from 'vitest';
import { reporters } from '../../../src/reports/index.ts';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const suiteOf = (cases: string) =>
  `prompts: [{ id: v1, text: "Say: {{ word }}" }, { id: v2, text: "Say: {{ word }}" }]\nproviders: ["openai:gpt-4o-mini"]\ncases: ${cases}\n`;
const inlineCase = (id: string, more = '') =>
  `{ id: ${id}, vars: { word: ${id} }, tags: [${id}], assert: [{ contains: ${id} }]${more} }`;

function openProject(): TempProject {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  project.write('evals/a.eval.yaml', suiteOf(`[${inlineCase('red')}]`));
  project.write('evals/b.eval.yaml', suiteOf(`[${inlineCase('blue', ', prompts: [v1]')}]`));
  return project;
}

// `gitlab` lists failed cases alone, and `swap` compares models.
const names = Object.keys(reporters).filter((name) => name !== 'gitlab' && name !== 'swap');

/** Runs with every reporter; the code, and the warnings that all of them show. */
async function runWith(project: TempProject, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const server = await startEchoServer();
  const flags = names.flatMap((name) => ['-r', `${name}=out/${name}`]);
  const { code, stdout, stderr } = await project.run(['run', ...argv, ...flags], { env: { ...server.env, ...env } });
  const { decision } = JSON.parse(project.read('out/json')) as { decision: { warnings: string[] } };
  for (const name of names) {
    const shown = project.read(`out/${name}`);
    for (const warning of decision.warnings) expect(shown).toContain(warning.slice(0, 12));
  }
  for (const warning of decision.warnings) expect(stdout.replaceAll(/\s+/g, ' ')).toContain(warning);
  return { code, warnings: decision.warnings, stdout, stderr };
}

test('a run that finds all that it was asked for warns of nothing', async () => {
  const { code, warnings } = await runWith(openProject(), [
    '-t',
    'red',
    '-t',
    'blue',
    '--tag',
    'red,blue',
    '--prompt',
    'v1,v2',
  ]);
  expect(warnings).toEqual([]);
  expect(code).toBe(0);
});

describe('one of several selections that selects nothing is a warning in every report', () => {
  test.each([
    [['-t', 'red', '-t', 'gone'], '--filter gone selects no case'],
    [['-t', 'red', '-t', 'go*'], '--filter go* selects no case'],
    [['--tag', 'red,gone'], '--tag gone selects no case'],
    [['-t', 'red', '-t', 'blue', '--tag', 'red'], '--filter blue selects no case'],
    [['-t', 'blue', '--prompt', 'v1,v2'], '--prompt v2 selects no case'],
    [['evals/a.eval.yaml', 'evals/c*.eval.yaml'], 'no suite was found under evals/c*.eval.yaml'],
    [['evals', 'none'], 'no suite was found under none'],
    [['-t', 'red', '-t', 'gone', '--shard', '1/1'], '--filter gone selects no case'],
    [['-t', 'red', '-t', 'gone', '--sample', '1'], '--filter gone selects no case'],
  ])('%j', async (argv, warning) => {
    const project = openProject();
    project.write('none/keep', '');
    const { code, warnings } = await runWith(project, argv);
    expect(warnings).toEqual([warning]);
    expect(code).toBe(0);
  });

  test('from the environment and from the config', { tags: ['slow'] }, async () => {
    const project = openProject();
    expect((await runWith(project, [], { LLMCHECK_FILTER: 'red,gone' })).warnings).toEqual([
      '--filter gone selects no case',
    ]);
    project.write(
      'llmcheck.config.yaml',
      'run: { tag: [red, gone] }\nsuites: ["evals/*.eval.yaml", "more/*.eval.yaml"]\n',
    );
    const { code, warnings } = await runWith(project, []);
    expect(warnings).toEqual(['suites: no file matches more/*.eval.yaml', '--tag gone selects no case']);
    expect(code).toBe(0);
    const validated = await project.run(['validate']);
    expect(validated.code).toBe(0);
    expect(validated.stderr).toContain('llmcheck.config.yaml:2:9');
    expect(validated.stderr).toContain('--tag gone selects no case');
    for (const argv of [
      ['list', 'suites'],
      ['baseline', 'list'],
      ['contract', 'check'],
    ]) {
      expect((await project.run(argv)).stderr).toContain('suites: no file matches more/*.eval.yaml');
    }
  });

  test('a file of cases that a pattern brings and that is empty', async () => {
    const project = openProject();
    project.write('evals/b.eval.yaml', suiteOf('[{ file: "cases/*.jsonl" }]'));
    project.write(
      'evals/cases/one.jsonl',
      JSON.stringify({ id: 'blue', vars: { word: 'blue' }, assert: [{ contains: 'blue' }] }),
    );
    project.write('evals/cases/two.jsonl', '\n');
    const { code, warnings, stderr } = await runWith(project, []);
    expect(warnings).toEqual(['suite b: evals/cases/two.jsonl holds no case']);
    expect(stderr).toContain('evals/b.eval.yaml:3:17');
    expect(code).toBe(0);
  });
});

describe('where all of a named file or suite is gone, the run is incomplete', () => {
  test.each([
    ['cases: []', '[]', 'suite b: the suite has no case'],
    ['an empty JSONL file', `[${inlineCase('blue')}, { file: rows.jsonl }]`, 'suite b: evals/rows.jsonl holds no case'],
    ['an empty CSV file', `[${inlineCase('blue')}, { file: rows.csv }]`, 'suite b: evals/rows.csv holds no case'],
    ['an empty YAML list', `[${inlineCase('blue')}, { file: rows.yaml }]`, 'suite b: evals/rows.yaml holds no case'],
  ])('%s', { tags: ['slow'] }, async (_, cases, warning) => {
    const project = openProject();
    project.write('evals/b.eval.yaml', suiteOf(cases));
    project.write('evals/rows.jsonl', '');
    project.write('evals/rows.csv', 'id,word\n');
    project.write('evals/rows.yaml', '[]\n');
    const { code, warnings } = await runWith(project, []);
    expect(warnings).toEqual([warning]);
    expect(code).toBe(4);
    expect((await project.run(['validate'])).code).toBe(4);
    expect((await runWith(project, ['--shard', '1/2'])).code).toBe(4);
    expect((await runWith(project, ['--allow-empty'])).code).toBe(0);
    expect((await runWith(project, ['-t', 'red'])).code).toBe(0);
  });

  test('a file that the config names', async () => {
    const project = openProject();
    project.write('llmcheck.config.yaml', 'suites: [evals/a.eval.yaml, evals/c.eval.yaml]\n');
    const { code, warnings, stdout } = await runWith(project, []);
    expect(warnings).toEqual(['suites: no file matches evals/c.eval.yaml']);
    expect(stdout).toContain('INCOMPLETE  a file, a suite or a slice of its gate has no case left');
    expect(code).toBe(4);
  });

  test('an empty shard is no mistake', async () => {
    expect((await runWith(openProject(), ['--shard', '3/3'])).code).toBe(0);
  });
});

test('a baseline that loses more than half of its cases says so in the headline', { tags: ['slow'] }, async () => {
  const project = openProject();
  const ids = ['one', 'two', 'three', 'four', 'five'];
  const write = (kept: readonly string[]) =>
    project.write('evals/a.eval.yaml', suiteOf(`[${kept.map((id) => inlineCase(id)).join(', ')}]`));
  write(ids);
  await runWith(project, []);
  expect((await project.run(['baseline', 'accept'])).code).toBe(0);
  write(ids.slice(0, 3));
  expect((await runWith(project, [])).stdout).not.toContain('are missing');
  write(ids.slice(0, 2));
  expect((await runWith(project, [])).stdout).toMatch(
    /^PASSED {2}.*; 3\s+of\s+5\s+cases\s+of\s+the\s+baseline\s+of\s+a\s+are\s+missing\n/ms,
  );
  expect((await runWith(project, ['-t', 'one'])).stdout).not.toContain('are missing');
});

describe('a baseline without a suite beside it', () => {
  const left = (file: string) =>
    `${file} has no suite beside it, so no run reads it; give it the suite's new name, or remove it`;

  test('is a warning in every report of a whole run, and of validate', { tags: ['slow'] }, async () => {
    const project = openProject();
    await runWith(project, []);
    expect((await project.run(['baseline', 'accept'])).code).toBe(0);
    project.write('evals/more/old.baseline.jsonl', '');
    project.write('evals/renamed.baseline.jsonl', project.read('evals/b.baseline.jsonl'));
    const warnings = [left('evals/more/old.baseline.jsonl'), left('evals/renamed.baseline.jsonl')];
    const whole = await runWith(project, []);
    expect(whole).toMatchObject({ code: 0, warnings });
    expect((await runWith(project, ['--shard', '1/2'])).warnings).toEqual(warnings);
    const validated = await project.run(['validate']);
    expect(validated.code).toBe(0);
    expect(validated.stderr).toContain('evals/renamed.baseline.jsonl has no suite beside it');
    project.write('evals/more/old.baseline.jsonl', project.read('evals/a.baseline.jsonl'));
    const listed = await project.run(['baseline', 'list', '--json']);
    expect(JSON.parse(listed.stdout)).toEqual([
      expect.objectContaining({ suite: 'a', baseline: 'evals/a.baseline.jsonl' }),
      expect.objectContaining({ suite: 'b', baseline: 'evals/b.baseline.jsonl' }),
      expect.objectContaining({
        suite: 'none: removed or renamed',
        baseline: 'evals/more/old.baseline.jsonl',
        cases: 1,
      }),
      expect.objectContaining({
        suite: 'none: removed or renamed',
        baseline: 'evals/renamed.baseline.jsonl',
        cases: 1,
      }),
    ]);
    expect(JSON.parse((await project.run(['baseline', 'list', 'evals/a.eval.yaml', '--json'])).stdout)).toHaveLength(1);
    // What asks for a part says nothing of the rest.
    for (const part of [['-t', 'red'], ['--tag', 'red'], ['--prompt', 'v1'], ['evals/a.eval.yaml']]) {
      expect((await runWith(project, part)).warnings).toEqual([]);
    }
  });

  test.each([
    ['suites: ["evals/*.eval.yaml"]', [left('evals/old.baseline.jsonl')]],
    ['suites: ["evals/*.yaml"]', [left('evals/old.baseline.jsonl')]],
    ['suites: ["evals/a*.eval.yaml", "evals/b*.eval.yaml"]', []],
  ])('is looked for where suites are looked for: %s', async (config, warnings) => {
    const project = openProject();
    project.write('llmcheck.config.yaml', `${config}\n`);
    project.write('evals/old.baseline.jsonl', '');
    expect(await runWith(project, [])).toMatchObject({ code: 0, warnings });
  });
});

describe('commands that read suites beside a run', () => {
  test.each([
    'baseline accept',
    'review',
    'plan-size',
    'calibrate',
    'assertions check',
    'list suites',
    'contract check',
  ])('%s warns of a path without a suite', async (command) => {
    const argv = command.split(' ');
    const project = openProject();
    project.write('none/keep', '');
    await runWith(project, []);
    const { stderr } = await project.run([...argv, 'evals', 'none']);
    expect(stderr).toContain('warning selects-nothing: no suite was found under none');
  });

  test('contract check ends with 4 or 2 where a named path selects nothing', async () => {
    const project = openProject();
    project.write('none/keep', '');
    const check = async (...paths: readonly string[]) =>
      (await project.run(['contract', 'check', ...paths, '-r', 'terminal', '-r', 'markdown=out/summary.md'])).code;
    expect(await check('none')).toBe(4);
    expect(await check('evals/c*.eval.yaml')).toBe(4);
    expect(await check('evals', 'none')).toBe(4);
    expect(project.read('out/summary.md')).toContain('a path that was named has no suite');
    expect(await check('evals', 'gone.eval.yaml')).toBe(2);
    expect(await check('evals')).toBe(0);
    project.write('llmcheck.config.yaml', 'suites: ["evals/a.eval.yaml", "more/*.eval.yaml"]\n');
    expect(await check()).toBe(0);
    project.write('llmcheck.config.yaml', 'suites: [evals/a.eval.yaml, evals/c.eval.yaml]\n');
    expect(await check()).toBe(4);
  });
});
