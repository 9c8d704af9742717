import { describe, expect, test } from 'vitest';
import { openTempProject, statusesOf, trialsOf } from '../support/temp-project.ts';

const suite = (assertion: string) => `suite: own
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [replay:recorded]
recordings: answers.jsonl
cases:
  - { id: a, vars: { word: hello }, assert: [${assertion}] }
`;

const polite = `
interface Params { readonly words: readonly string[]; readonly least?: number }
export const polite = {
  kind: 'assertion',
  name: 'polite',
  summary: 'has polite words',
  main: 'words',
  params: {
    type: 'object',
    required: ['words'],
    properties: { words: { type: 'array', items: { type: 'string' } }, least: { type: 'integer', default: 1 } },
  },
  check({ text, params }: { text: string; params: Params }) {
    const found = params.words.filter((word) => text.includes(word));
    const most = Math.max(params.words.length, params.least ?? 1);
    return { pass: found.length >= (params.least ?? 1), score: found.length / most, reason: \`found \${found.join()}\` };
  },
};
`;

function open(assertion: string, plugin = polite, config = 'plugins: [./plugins/polite.ts]\n') {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', config);
  project.write('plugins/polite.ts', plugin);
  project.write('evals/own.eval.yaml', suite(assertion));
  const completion = { text: 'hello, please', toolCalls: [], finishReason: 'stop' };
  project.write(
    'evals/answers.jsonl',
    `${JSON.stringify({ format: 1, prompt: 'v1', provider: 'replay:recorded', caseId: 'a', trial: 0, completion })}\n`,
  );
  return project;
}

describe('plug-ins of a config', () => {
  test('an assertion is named, parameterised and reported like a built-in one', async () => {
    const project = open('{ polite: [please, thanks] }, { not: { polite: { words: [please], least: 2 } } }');
    await project.run(['cache', 'import', 'evals/answers.jsonl']);
    const { code, report } = await project.report(['run']);
    expect(trialsOf(report)[0]?.checks).toMatchObject([
      { assertion: 'polite', pass: true, score: 0.5, reason: 'found please' },
      { assertion: 'not', pass: true },
    ]);
    expect([code, statusesOf(report)]).toEqual([0, { a: 'passed' }]);
    expect((await project.run(['list', 'assertions'])).stdout).toContain('has polite words');
  });

  test.each([
    ['an unknown parameter', '{ polite: { words: [a], leest: 2 } }', 'unknown key "leest"'],
    ['a wrong type', '{ polite: { words: 3 } }', 'polite.words must be a list'],
    ['a name that is nearly right', '{ pollite: [a] }', 'did you mean "polite"?'],
  ])('%s is a usage error with its place', async (_, assertion, message) => {
    const { code, stderr } = await open(assertion).run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toMatch(/evals\/own\.eval\.yaml:6:\d+/);
  });

  test.each([
    ['a file that is not there', 'plugins: [./no.ts]', polite, 'no.ts'],
    ['a file outside the project', 'plugins: [../../no.ts]', polite, 'outside'],
    ['a package that is not installed', 'plugins: [no-such-package]', polite, 'is not installed'],
    ['a module without one', 'plugins: [./plugins/polite.ts]', 'export const polite = 1;', 'exports no plug-in'],
    ['one that throws', 'plugins: [./plugins/polite.ts]', 'throw new Error("no luck");', 'no luck'],
    [
      'a name that is taken',
      'plugins: [./plugins/polite.ts]',
      polite.replace("'polite',", "'equals',"),
      'an assertion "equals" already',
    ],
    [
      'an impossible name',
      'plugins: [./plugins/polite.ts]',
      polite.replace("'polite',", "'select',"),
      `"select" can't name a plug-in`,
    ],
    [
      'a schema that is none',
      'plugins: [./plugins/polite.ts]',
      polite.replace("type: 'object'", "type: 'array'"),
      'type: "object"',
    ],
  ])('%s is a usage error at its entry', async (_, config, plugin, message) => {
    const { code, stderr } = await open('{ polite: [please] }', plugin, `${config}\n`).run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toMatch(/llmcheck\.config\.yaml:1:\d+/);
  });

  test.each([
    ['throws', "throw new Error('no luck')", 'polite threw Error: no luck', 60_000],
    ['loops', 'for (;;) {}', 'took longer than 50 ms', 50],
    ['never settles', 'return new Promise(() => {})', 'took longer than 50 ms', 50],
    ['gives no verdict', 'return { passed: true }', 'gave no verdict', 60_000],
  ])('a check that %s is errored, and the run goes on', async (_, body, message, timeoutMs) => {
    const plugin = polite
      .replace(/const found = [^]*?\n {2}\},\n/, `${body}\n  },\n`)
      .replace("main: 'words',", `main: 'words', timeoutMs: ${timeoutMs},`);
    const project = open('{ polite: [please] }', plugin);
    await project.run(['cache', 'import', 'evals/answers.jsonl']);
    const { code, report } = await project.report(['run']);
    expect(code).toBe(3);
    expect(trialsOf(report)[0]).toMatchObject({
      status: 'errored',
      checks: [{ reason: expect.stringContaining(message) }],
    });
  });

  test('a change of its source makes its cases new ones', { tags: ['slow'] }, async () => {
    const caseHashOf = async (plugin: string) => {
      const project = open('{ polite: [please] }', plugin);
      await project.run(['cache', 'import', 'evals/answers.jsonl']);
      await project.run(['run']);
      await project.run(['baseline', 'accept', '--force']);
      return /"caseHash":"([\w.]+)"/.exec(project.read('evals/own.baseline.jsonl'))?.[1];
    };
    const [first, same, changed] = [
      await caseHashOf(polite),
      await caseHashOf(polite),
      await caseHashOf(`${polite}// other`),
    ];
    expect(first).toMatch(/^[\da-f]+\.[\da-f]+$/);
    expect(same).toBe(first);
    expect(changed).not.toBe(first);
  });

  test('a reporter is taken by name, in run and report', async () => {
    const reporter = `export const lines = {
      kind: 'reporter', name: 'lines', summary: 'a line a suite', extension: 'txt',
      *render(report) { for (const { suite } of report.suites) yield \`suite \${suite}\\n\`; },
    };`;
    const project = open('{ equals: "hello, please" }', reporter);
    await project.run(['cache', 'import', 'evals/answers.jsonl']);
    expect(await project.run(['run', '-r', 'lines'])).toMatchObject({ code: 0, stdout: 'suite own\n' });
    expect((await project.run(['report', '-r', 'lines'])).stdout).toBe('suite own\n');
    expect((await project.run(['list', 'reporters'])).stdout).toContain('a line a suite');
    expect((await project.run(['run', '-r', 'linez'])).stderr).toContain('did you mean "lines"?');
  });
});
