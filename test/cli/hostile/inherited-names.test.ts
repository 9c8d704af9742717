import { describe, expect, test } from 'vitest';
import { toZodSchema } from '../../../src/json/to-zod-schema.ts';
import { fitParams } from '../../../src/plan/swap-gaps.ts';
import { readAiSdkSteps } from '../../../src/providers/code/transcripts/read-messages.ts';
import { chatStream } from '../../../src/providers/streams/fold-openai.ts';
import { compileTemplate, loadTemplateEngine, renderValue } from '../../../src/templates/template.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** Names that every object of JavaScript inherits, and an ordinary one. */
const names = ['ordinary', 'toString', '__proto__'];

/** What a case asks and checks. N stands for the name. */
const rows: readonly (readonly [
  place: string,
  word: string,
  check: string,
  status: 'passed' | 'failed',
  more?: string,
])[] = [
  ['a path, absent', '{"a": 1}', 'jsonPath: { path: $.N, exists: true }', 'failed'],
  ['a path, there', '{"N": 1}', 'jsonPath: { path: $.N, value: 1 }', 'passed'],
  ['a path at any depth, absent', '{"a": {"b": 1}}', 'jsonPath: { path: $..N, exists: true }', 'failed'],
  ['a filter, absent', '[{"a": 1}]', 'jsonPath: { path: "$[?@.N]", exists: true }', 'failed'],
  ['a schema, absent', '{}', 'jsonSchema: { required: [N] }', 'failed'],
  ['a schema, there', '{"N": 1}', 'jsonSchema: { required: [N] }', 'passed'],
  ['a value, absent', '{}', '{ equals: { N: 1 }, select: { json: true } }', 'failed'],
  ['a value, there', '{"N": 1}', '{ equals: { N: 1 }, select: { json: true } }', 'passed'],
  ['a value, too many', '{"N": 1}', '{ equals: {}, select: { json: true } }', 'failed'],
  [
    'a variable of the check',
    '{"N": 1}',
    'contains: "{{ N }}"',
    'passed',
    'vars: { word: "x {\\"N\\": 1}", N: "x {" }',
  ],
  ['a call, another', 'CALL find {}', 'toolCalls: [{ name: N }]', 'failed'],
  ['a call', 'CALL N {}', 'toolCalls: [{ name: N }]', 'passed'],
  ['an argument, absent', 'CALL find {}', 'toolCalls: [{ name: find, args: { N: 1 } }]', 'failed'],
  ['an argument, another', 'CALL find {"N": 2}', 'toolCalls: [{ name: find, args: { N: 1 } }]', 'failed'],
  ['an argument, there', 'CALL find {"N": 1}', 'toolCalls: [{ name: find, args: { N: 1 } }]', 'passed'],
  ['a forbidden call', 'CALL N {}', 'trajectory: { never: [N] }', 'failed', 'tools: { N: { returns: a } }'],
  ['an order of calls', 'CALL N {}', 'trajectory: { after: { N: [find] } }', 'failed', 'tools: { N: { returns: a } }'],
  ['a count of calls', 'CALL N {}', 'trajectory: { counts: { N: 0 } }', 'failed', 'tools: { N: { returns: a } }'],
  ['a stub', 'CALL N {"a": 1}', 'contains: done', 'passed', 'tools: { N: { returns: done } }'],
  ['no stub', 'CALL N {"a": 1}', 'contains: done', 'failed', 'tools: { find: { returns: done } }'],
  [
    'a stub by argument',
    'CALL find {}',
    'contains: other',
    'passed',
    'tools: { find: [{ when: { N: 1 }, returns: one }, { returns: other }] }',
  ],
];

const agent = `export default ({ messages }) => {
  const last = messages.at(-1);
  if (last.role === 'tool') return 'got ' + last.content;
  const [, name, args] = /^CALL (\\S+) (.*)$/.exec(last.content) ?? [];
  return name === undefined ? last.content : { text: '', toolCalls: [{ id: 't', name, arguments: args }] };
};`;

function writeRows(name: string): string {
  const cases = rows.map(([place, word, check, , more = ''], index) => {
    const written = check.startsWith('{') ? check : `{ ${check} }`;
    const vars = more.startsWith('vars:') ? '' : `vars: { word: ${JSON.stringify(word)} }, `;
    return `  - { id: row-${index}, description: "${place}", ${vars}${more === '' ? '' : `${more}, `}assert: [${written}] }`;
  });
  const text = `suite: rows
prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: agent, use: "module:agent.mjs" }]
cases:
${cases.join('\n')}
`;
  return text.replaceAll(/\bN\b/g, () => name);
}

describe.each(names)('the name %s', (name) => {
  test('is looked for among what an answer, a call and a stub have themselves', { tags: ['slow'] }, async () => {
    const project = openTempProject();
    project.write('evals/rows.eval.yaml', writeRows(name));
    project.write('evals/agent.mjs', agent);
    const { report } = await project.report(['run', '--confirm-budget', '0']);
    const found = report.suites[0]?.cases.map(({ caseId, status }) => [rows[Number(caseId.slice(4))]?.[0], status]);
    expect(new Map(found as [string, string][])).toEqual(new Map(rows.map(([place, , , status]) => [place, status])));
  });

  test('is the name of all that a suite names', async () => {
    const project = openTempProject();
    const withName = (text: string) => text.replaceAll(/\bN\b/g, () => name);
    project.write(
      'evals/named.eval.yaml',
      withName(`suite: N
prompts:
  - { id: N, text: "Say {{ N }} to {{ other }}: {{ N | upcase }}" }
providers: [{ id: N, use: "echo:N", headers: { N: a } }]
defaults: { assert: [{ contains: Say, name: N }] }
cases:
  - { id: N, tags: [N], group: N, vars: { N: hello, other: all } }
  - { file: rows.csv, vars: { other: them } }
  - { file: rows.jsonl, vars: { N: hey } }
`),
    );
    project.write('evals/rows.csv', withName('id,N\nfirst,good day\n'));
    project.write(
      'evals/rows.jsonl',
      withName('{"id":"second","vars":{"other":"you"}}\n{"vars":{"N":"bye","other":"me"}}\n'),
    );
    expect((await project.run(['run', '--tag', name])).stdout).toContain('1 passed');
    expect((await project.run(['run'])).code).toBe(0);
    expect((await project.run(['baseline', 'accept'])).code).toBe(0);
    const { report, code } = await project.report(['run']);
    const outputs = report.suites[0]?.cases.map(({ trials }) => trials[0]?.output);
    expect(new Set(outputs)).toEqual(
      new Set(
        ['hello to all', 'good day to them', 'hey to you', 'bye to me'].map((text) => {
          const [greeting = ''] = text.split(' to ');
          return `Say ${text}: ${greeting.toUpperCase()}`;
        }),
      ),
    );
    expect([code, report.totals.cached]).toEqual([0, 4]);
  });

  test('is a usage error where it names nothing', { tags: ['slow'] }, async () => {
    const project = openTempProject();
    project.write('llmcheck.config.yaml', `run: { ${name}: 1 }\n`);
    expect((await project.run(['validate'])).stderr).toContain(`run.${name} of the config file is no flag of run`);
    project.write('llmcheck.config.yaml', '{}\n');
    const suite = (prompt: string, provider: string) =>
      `prompts: [${prompt}]\nproviders: [${provider}]\ncases: [{ id: c, vars: { word: { a: 1 } }, assert: [{ contains: a }] }]\n`;
    const text = '{ id: v1, text: "{{ word | json }}" }';
    const mistakes: readonly (readonly [prompt: string, provider: string, code: string])[] = [
      [`{ id: v1, text: "{{ ${name} }}{{ word | json }}" }`, 'echo:x', 'missing-variable'],
      [`{ id: v1, text: "{{ word.${name} }}" }`, 'echo:x', 'missing-variable'],
      [`{ id: v1, text: "{% for x in word %}{{ forloop.${name} }}{% endfor %}" }`, 'echo:x', 'missing-variable'],
      [text, `{ id: p, use: "openai:x", headers: { ${name}: 5 } }`, 'invalid-value'],
      [text, `{ id: p, use: "${name}:x" }`, 'unknown'],
      [text, name, 'unknown'],
      [`{ id: v1, module: build.mjs, export: ${name} }`, 'echo:x', 'exports no function'],
    ];
    project.write('evals/build.mjs', 'export default () => "a";');
    for (const [prompt, provider, code] of mistakes) {
      project.write('evals/wrong.eval.yaml', suite(prompt, provider));
      const { code: exitCode, stderr } = await project.run(['validate']);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(code)]);
    }
  });

  test('is no variable of the environment', async () => {
    const project = openTempProject();
    project.write('evals/agent.mjs', 'console.log("red");');
    project.write(
      'evals/env.eval.yaml',
      `prompts: [{ id: v1, text: "a" }]
providers: [{ id: agent, use: "exec:node agent.mjs", env: [${name}] }, { id: key, use: "openai:x", apiKeyEnv: ${name} }]
cases: [{ id: c, assert: [{ contains: red }] }]
`,
    );
    const { code, report } = await project.report(['run']);
    const messages = report.suites[0]?.cases.map(({ trials }) => trials[0]?.error?.message);
    expect([code, messages]).toEqual([
      3,
      [expect.stringContaining(`${name} is not set`), expect.stringContaining(name)],
    ]);
  });
});

test('a program may leave a file of any name', { tags: ['slow'] }, async () => {
  const project = openTempProject();
  project.write('evals/files/a.txt', 'a');
  const written = `for (const name of ${JSON.stringify(names)}) writeFileSync(name, 'made');`;
  project.write('evals/agent.mjs', `import { writeFileSync } from 'node:fs'; ${written} console.log('red');`);
  const checks = names.map((name) => `{ contains: made, select: { file: ${name} } }`);
  project.write(
    'evals/files.eval.yaml',
    `prompts: [{ id: v1, text: "a" }]
providers: [{ id: agent, use: "exec:node agent.mjs", workspace: files }]
cases: [{ id: c, assert: [${checks.join(', ')}] }]
`,
  );
  expect((await project.run(['run'])).code).toBe(0);
});

describe('Liquid reads no member of its own objects, and each variable of the case', () => {
  const render = async (source: string) => {
    await loadTemplateEngine();
    return renderValue(compileTemplate(source), { list: [{ a: 1 }], toString: 'own' });
  };

  test.each([
    '{% for x in list %}{{ forloop.toString }}{% endfor %}',
    '{% tablerow x in list %}{{ tablerowloop.valueOf }}{% endtablerow %}',
    '{{ empty.toString }}',
  ])('%s', async (source) => {
    await expect(render(source)).rejects.toThrow('is missing');
  });

  test.each([
    ['{% for x in list %}{{ forloop.index }}{{ forloop.last }}{{ toString }}{% endfor %}', '1trueown'],
    ['{% assign found = list | where_exp: "x", "toString == \'own\'" %}{{ found.size }}', '1'],
  ])('%s', async (source, expected) => {
    expect(await render(source)).toBe(expected);
  });
});

describe('a plug-in, a provider and an API', () => {
  const schemaOf = (name: string) =>
    JSON.parse(`{"type":"object","properties":{"a":{"type":"object","properties":{"${name}":{"type":"string"}}}}}`);

  test.each(['toString', '__proto__'])('have no option named %s, and are told so', (name) => {
    expect(toZodSchema(schemaOf('ordinary')).safeParse({ a: {} }).success).toBe(true);
    expect(() => toZodSchema(schemaOf(name))).toThrow(`"${name}", which every object has: choose another name`);
  });

  test('end an answer for no inherited reason', () => {
    expect(readAiSdkSteps([{ text: 'a', finishReason: 'toString' }]).finishReason).toBe('other');
  });

  test('have no inherited parameter in place of another', () => {
    const params = JSON.parse('{"toString":1,"maxTokens":2}');
    expect(Object.entries(fitParams({ adapter: 'anthropic', model: 'm' }, [params]))).toEqual([
      ['maxTokens', 'max_tokens'],
    ]);
  });

  test('send members of an answer that are none of its own', () => {
    const fold = chatStream.open();
    fold.add({ data: JSON.parse('{"__proto__":{"usage":{"prompt_tokens":1}},"choices":[]}') });
    expect(fold.body()['usage']).toBeUndefined();
    expect(Object.keys(fold.body())).toEqual(['__proto__', 'choices']);
  });
});
