import { describe, expect, test } from 'vitest';
import { commitAll, gitEnv, initRepository } from '../../support/git.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** An agent that reads a file of a flag, and imports a plug-in by a name that it makes up. */
const agent = `import { readFileSync } from 'node:fs';
const path = process.argv.find((word) => word.startsWith('--config='))?.slice('--config='.length);
const name = path === undefined ? 'polite' : JSON.parse(readFileSync(path, 'utf8')).plugin;
process.stdout.write((await import(\`./plugins/\${name}.mjs\`)).answer);
`;

function openAgent(provider: object, text = agent) {
  const project = openTempProject();
  const suite = (more: object) =>
    project.write(
      'evals/a.eval.yaml',
      JSON.stringify({
        prompts: [{ id: 'v1', text: 'Hi' }],
        providers: [{ id: 'app', use: 'exec:node agent.mjs', ...provider, ...more }],
        cases: [{ id: 'one', assert: [{ contains: 'hello' }] }],
      }),
    );
  suite({});
  project.write('.gitignore', '.llmcheck/\n');
  project.write('llmcheck.config.yaml', '{}\n');
  project.write('evals/agent.mjs', text);
  project.write('evals/agent.json', '{"plugin": "polite"}');
  project.write('evals/plugins/polite.mjs', "export const answer = 'hello';\n");
  const run = async (...argv: string[]) => {
    const { report, code } = await project.report(['run', ...argv], { env: gitEnv });
    return { code, cached: report.totals.cached, notes: report.notes };
  };
  return { project, suite, run };
}

test("a program that can't be followed is asked each time, which the report says once", {
  tags: ['slow'],
}, async () => {
  const { run, project } = openAgent({});
  const first = await run();
  expect(first.notes).toEqual([
    "The answers of provider app are not stored, because its code reads what can't be followed: evals/agent.mjs:4: " +
      'import(`./plugins/${…}.mjs`). Write the whole name there, or name the files in inputs of the provider, such as ' +
      'inputs: ["lib/*.mjs"].',
  ]);
  project.write('evals/plugins/polite.mjs', "export const answer = 'bye';\n");
  expect(await run()).toMatchObject({ code: 1, cached: 0, notes: first.notes });
  const replayed = await project.run(['run', '--cache', 'replay']);
  expect(replayed.stdout).toContain('are not stored, because its code reads');
});

test("inputs name what can't be followed: its answers are stored, until one of the files changes", {
  tags: ['slow'],
}, async () => {
  const { run, project, suite } = openAgent({ inputs: ['plugins/*.mjs'] });
  expect(await run()).toMatchObject({ code: 0, cached: 0, notes: [] });
  expect(await run()).toMatchObject({ code: 0, cached: 1, notes: [] });
  project.write('evals/plugins/other.mjs', '');
  expect(await run()).toMatchObject({ code: 0, cached: 0 });
  project.write('evals/plugins/polite.mjs', "export const answer = 'bye';\n");
  expect(await run()).toMatchObject({ code: 1, cached: 0 });
  // Files of another folder do not stand for the plug-ins.
  suite({ inputs: ['*.json'] });
  expect((await run()).notes).toHaveLength(1);
});

test("--changed takes a suite whose code can't be followed, and one whose inputs changed", {
  tags: ['slow'],
}, async () => {
  const { project, suite } = openAgent({ inputs: ['plugins/*.mjs'] });
  initRepository(project.root);
  const look = async () => (await project.run(['run', '--changed', '--dry-run'], { env: gitEnv })).stderr;
  expect(await look()).toContain('skip  a');
  project.write('evals/plugins/other.mjs', '');
  expect(await look()).toContain('evals/plugins/other.mjs was added');
  suite({ inputs: ['*.json'] });
  commitAll(project.root);
  expect(await look()).toContain("can't be followed, so it may have changed");
});

test('a file of a flag is a part of the program', { tags: ['slow'] }, async () => {
  const text =
    "import { readFileSync } from 'node:fs';\nprocess.stdout.write(readFileSync(process.argv[2].slice(9)));\n";
  const { run, project } = openAgent({ use: 'exec:node agent.mjs --config=agent.json' }, text);
  project.write('evals/agent.json', 'hello');
  expect([await run(), await run()]).toMatchObject([{ cached: 0 }, { cached: 1 }]);
  project.write('evals/agent.json', 'bye');
  expect(await run()).toMatchObject({ code: 1, cached: 0 });
});

test("an answer of code that can't be followed is marked in the record", async () => {
  const { run, project } = openAgent({});
  await run();
  const record = project.files('.llmcheck/runs').find((path) => path.endsWith('.jsonl')) ?? '';
  const header = JSON.parse(project.read(record).split('\n')[0] ?? '') as { suites: { variants: object[] }[] };
  expect(header.suites[0]?.variants[0]).toMatchObject({
    isContentUnknown: true,
    adapterVersion: expect.stringContaining('part-'),
  });
});

describe('inputs that match nothing, or lead out of the project, have their place', () => {
  const head = 'prompts:\n  - { id: v1, text: Hi }\nproviders: [echo:a]\ncases:\n';
  test.each([
    [
      'a provider',
      'prompts:\n  - { id: v1, text: Hi }\nproviders:\n  - id: app\n    use: exec:cat\n    inputs: ["a.txt", INPUT]\ncases:\n  - { id: one }\n',
      '6:23',
    ],
    ['a check', `${head}  - id: one\n    assert:\n      - exec: { value: cat, inputs: [INPUT] }\n`, '7:38'],
    [
      'a selection',
      `${head}  - id: one\n    assert:\n      - { contains: a, select: { module: a.mjs, inputs: [INPUT] } }\n`,
      '7:58',
    ],
    [
      'a prompt',
      `prompts:\n  - { id: v1, exec: cat, inputs: [INPUT] }\nproviders: [echo:a]\ncases:\n  - { id: one }\n`,
      '2:35',
    ],
  ])('%s', async (_, suite, place) => {
    const project = openTempProject();
    project.write('llmcheck.config.yaml', '{}\n');
    project.write('evals/a.txt', '');
    project.write('evals/a.mjs', 'export default () => "";\n');
    const validate = async (input: string) => {
      project.write('evals/a.eval.yaml', suite.replace('INPUT', JSON.stringify(input)));
      return project.run(['validate']);
    };
    const missing = await validate('lib/*.txt');
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toContain(`evals/a.eval.yaml:${place}`);
    expect(missing.stderr).toContain('inputs: "lib/*.txt" matches no file');
    const outside = await validate('../../*.txt');
    expect(outside.stderr).toContain(`evals/a.eval.yaml:${place}`);
    expect(outside.stderr).toContain('inputs: "../../*.txt" leads out of the project');
  });

  test('a prompt without code, an empty list', async () => {
    const project = openTempProject();
    project.write(
      'evals/a.eval.yaml',
      'prompts: [{ id: v1, text: Hi, inputs: [a] }]\nproviders: [{ id: a, use: exec:cat, inputs: [] }]\ncases: [{ id: one }]\n',
    );
    const { stderr } = await project.run(['validate']);
    expect(stderr).toContain('inputs without module or exec');
    expect(stderr).toMatch(/inputs/);
  });
});
