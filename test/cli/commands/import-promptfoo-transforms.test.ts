import { expect, test } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import { describeImport, importConfig } from '../../support/import-config.ts';
import { plannedTrialsOf } from '../../support/temp-project.ts';

type Row = readonly [
  options: object,
  assert: readonly object[],
  answer: string,
  verdict: 'passed' | 'failed' | 'errored',
];

const eq = (value: string) => ({ type: 'equals', value });

/** Each verdict on an answer is the one of promptfoo 0.121.20; errored is an error there. */
const rows: readonly Row[] = [
  [{ transform: 'output.split(" ").reverse().join(" ")' }, [eq('b a')], 'a b', 'passed'],
  [
    { transform: 'const parts = output.split(",");\nreturn parts[1];' },
    [eq('b'), { type: 'icontains', value: 'B' }],
    'a,b',
    'passed',
  ],
  [
    { transform: 'output.toUpperCase()' },
    [
      { type: 'javascript', value: 'output === "AB"' },
      { type: 'python', value: "output == 'AB'" },
    ],
    'ab',
    'passed',
  ],
  [
    { transform: 'JSON.parse(output).a + 1' },
    [eq('3'), { type: 'javascript', value: 'output === 3' }, { type: 'contains', value: '3' }],
    '{"a":2}',
    'passed',
  ],
  [
    { transform: '({ n: output.length })' },
    [
      { type: 'javascript', value: 'output.n === 3' },
      { type: 'is-json' },
      eq('{"n":3}'),
      { type: 'equals', value: { n: 3 } },
    ],
    'abc',
    'passed',
  ],
  [{ transform: 'output.none.none' }, [eq('x')], 'abc', 'errored'],
  [{ transform: 'undefined' }, [eq('x')], 'abc', 'errored'],
  [{ transform: '[1].find(() => false) ?? null' }, [{ type: 'not-equals', value: 'x' }], 'abc', 'errored'],
  [{ transform: 'Promise.resolve(output + "!")' }, [eq('abc!')], 'abc', 'passed'],
  [{ transform: 'context.vars.mark + output' }, [eq('?abc')], 'abc', 'passed'],
  [{ transform: 'file://lib/shout.cjs' }, [eq('ABC?')], 'abc', 'passed'],
  [{ transform: 'file://lib/shout.cjs:first' }, [eq('abc')], 'abc d', 'passed'],
  [
    { transform: 'file://lib/strip.py' },
    [eq('x y'), { type: 'word-count', value: 2 }],
    'z <answer> x y </answer>',
    'passed',
  ],
  [
    { transform: 'file://lib/strip.py:count' },
    [
      { type: 'javascript', value: 'output.words === 2 && output.mark === "?"' },
      { type: 'python', value: "output['words'] == 2" },
      { type: 'contains', value: '"words"' },
    ],
    'a b',
    'passed',
  ],
  [{ postprocess: 'output.slice(1)' }, [eq('bc')], 'abc', 'passed'],
  [{ postprocess: 'output.slice(1)', transform: 'output.slice(2)' }, [eq('c')], 'abc', 'passed'],
  [{ transform: 'output.slice(1)' }, [{ ...eq('c'), transform: 'output.slice(1)' }, eq('bc')], 'abc', 'passed'],
  [{ transform: 'output.trim()' }, [{ ...eq('C'), transform: 'output.slice(2).toUpperCase()' }], ' abc ', 'passed'],
  [
    {},
    [
      { ...eq('AB'), transform: 'output.toUpperCase()' },
      { ...eq('ab'), transform: 'output.toLowerCase()' },
      { ...eq('2'), transform: 'output.length' },
    ],
    'aB',
    'passed',
  ],
  [
    {},
    [
      { type: 'contains-json', transform: 'output + "{}"' },
      { type: 'regex', value: '^B', transform: 'output.slice(1)' },
      { type: 'starts-with', value: 'B', transform: 'output.slice(1)' },
    ],
    'aB',
    'passed',
  ],
  [
    {},
    [
      { type: 'levenshtein', value: 'ba', threshold: 0, transform: 'output.split("").reverse().join("")' },
      { type: 'not-contains', value: 'ab', transform: 'output.split("").reverse().join("")' },
    ],
    'ab',
    'passed',
  ],
  [
    {},
    [
      { type: 'contains-any', value: ['x', 'ba'], transform: 'output.split("").reverse().join("")' },
      { type: 'is-json', value: { type: 'object', required: ['q'] }, transform: '({ q: output })' },
      { type: 'is-json', value: { type: 'object', required: ['z'] }, transform: '({ q: output })' },
    ],
    'ab',
    'failed',
  ],
  [{ transform: 'output.match(/<b>(.*?)<\\/b>/)?.[1] ?? output' }, [eq('x')], 'a <b>x</b>', 'passed'],
  [{ transform: 'if (output.length > 2) {\n  return "long";\n}\nreturn "short";\n' }, [eq('long')], 'abc', 'passed'],
  [{ transform: '// comment\nreturn output.length;' }, [eq('3')], 'abc', 'passed'],
  [{ transform: 'output.toUpperCase();' }, [eq('ABC')], 'abc', 'passed'],
  [{ transform: 'true' }, [eq('true'), { type: 'javascript', value: 'output === true' }], 'abc', 'passed'],
  [{ transform: '""' }, [eq(''), { type: 'not-contains', value: 'a' }], 'abc', 'passed'],
  [{ transform: '[output]' }, [eq('["abc"]'), { type: 'javascript', value: 'Array.isArray(output)' }], 'abc', 'passed'],
  [{ transform: '`${output}`' }, [eq('abc')], 'abc', 'passed'],
];

const files = {
  'lib/shout.cjs':
    "module.exports = (output, context) => `${output.toUpperCase()}${context.vars.mark}`;\nmodule.exports.first = (output) => output.split(' ')[0];\n",
  'lib/strip.py': `def get_transform(output, context):
    print("noise")
    return output.split("<answer>")[1].split("</answer>")[0].strip()

def count(output, context):
    return {"words": len(output.split()), "mark": context["vars"]["mark"]}
`,
};

function importRows() {
  const tests = rows.map(([options, assert, q], index) =>
    JSON.stringify({ description: `t${index}`, vars: { q, mark: '?' }, options, assert }),
  );
  return importConfig(
    `prompts: ["{{q}}"]\nproviders: [echo]\ntests:\n${tests.map((one) => `  - ${one}\n`).join('')}`,
    [],
    files,
  );
}

test('transforms are written as functions of modules', async () => {
  await expect(describeImport(await importRows())).toMatchFileSnapshot('snapshots/import-transforms.txt');
});

test('each transform leaves what promptfoo gives to its checks', { tags: ['slow'] }, async () => {
  const { project, code, stderr } = await importRows();
  expect([code, stderr.includes(' error ')]).toEqual([0, false]);
  const { report } = await project.report(['run', '--no-baseline']);
  const found = new Map(plannedTrialsOf(report).map(({ caseId, status }) => [caseId, status]));
  expect(rows.map((row, index) => [row[0], row[2], found.get(`t${index}`)])).toEqual(
    rows.map(([options, , q, verdict]) => [options, q, verdict]),
  );
});

test('a transform of the providers goes first, and judges see what is left and what code finds as the context', {
  tags: 'slow',
}, async () => {
  const judge = await startServer({
    body: { choices: [{ message: { content: '{"reason":"","pass":true,"score":1}' }, finish_reason: 'stop' }] },
  });
  const { project, text } = await importConfig(
    `prompts: ["{{q}}"]
providers: [{ id: echo, transform: "output.split('|')[1]" }]
defaultTest: { options: { transform: "output + '!'" } }
tests:
  - vars: { q: a|b }
    assert:
      - { type: equals, value: B!, transform: output.toUpperCase() }
      - { type: llm-rubric, value: is short, provider: &judge { id: openai:m, config: { apiBaseUrl: "${judge.url}" } } }
      - { type: context-recall, value: b, threshold: 0.5, contextTransform: "[output, context.vars.q]", provider: *judge }
`,
  );
  expect(text.match(/module: checks\/x.mjs/g)).toHaveLength(3);
  const { report } = await project.report(['run', '--no-baseline'], { env: { OPENAI_API_KEY: 'k' } });
  expect(plannedTrialsOf(report)).toMatchObject([{ status: 'passed' }]);
  const [rubric, context] = judge.requests.map((one) => one.body);
  expect(rubric).toContain('b!');
  expect(context).toContain(String.raw`Context:\nb\n\na|b\n\nAnswer:\nb!`);
});

test.each([
  ['output === process.env.HOME', 'environment'],
  ['context.prompt.raw', 'context.prompt'],
  ['(output) => output + 1', 'promptfoo does not call this function'],
  ['return output + 1', 'promptfoo fails on it'],
  ['output + 1 }; (() => { 1', 'promptfoo fails on it'],
  ['file://none.js', 'none.js'],
  ['file://a.rb', 'no JavaScript or Python file'],
])('the transform %s is refused', async (transform, reason) => {
  const { code, stderr } = await importConfig(
    `prompts: ["{{q}}"]\nproviders: [echo]\ntests: [{ vars: { q: a }, options: { transform: ${JSON.stringify(transform)} }, assert: [{ type: is-json }] }]\n`,
  );
  expect([code, stderr]).toEqual([2, expect.stringContaining('promptfooconfig.yaml:3:49 ')]);
  expect(stderr).toContain(reason);
});

test('a transform of some providers alone is refused', async () => {
  const { code, stderr } = await importConfig(
    `prompts: ["{{q}}"]\nproviders: [{ id: echo, transform: output.trim() }, openai:m]\ntests: [{ vars: { q: a } }]\n`,
  );
  expect(code).toBe(2);
  expect(stderr).toContain('a transform of some providers');
});

const spell = 'module.exports = (vars) => ({ ...vars, more: `${vars.q.toUpperCase()}!` });\n';

test('transformVars of the defaults changes what prompts are made of', { tags: ['slow'] }, async () => {
  const { project, code, suite } = await importConfig(
    `prompts: ["{{q}} {{more}}{{none}}", '[{"role":"system","content":"s"},{"role":"user","content":"{{q}} {{more}}"}]', file://lib/prompt.cjs]
providers: [echo]
defaultTest: { options: { transformVars: file://lib/spell.cjs }, assert: [{ type: contains, value: A! }] }
tests: [{ vars: { q: a } }]
`,
    [],
    { 'lib/spell.cjs': spell, 'lib/prompt.cjs': 'module.exports = ({ vars }) => `${vars.q} ${vars.more}`;\n' },
  );
  expect(code).toBe(0);
  expect(suite?.['prompts']).toMatchObject([
    { export: 'prompt1' },
    { export: 'prompt2' },
    { module: 'prompts/x.mjs', export: 'prompt4' },
  ]);
  const { report } = await project.report(['run', '--no-baseline']);
  expect(plannedTrialsOf(report).map(({ status }) => status)).toEqual(['passed', 'passed', 'passed']);
});

test.each([
  ['"({ ...vars, id: context.uuid })"', '{ q: a }', 'is code'],
  ['file://lib/spell.cjs', '{ q: a }, assert: [{ type: javascript, value: "context.vars.q" }]', 'for prompts alone'],
  ['file://lib/spell.cjs', '{ q: a }, assert: [{ type: contains, value: "{{more}}" }]', 'for prompts alone'],
  ['file://lib/spell.cjs', '{ q: file://lib/spell.cjs }', 'names a file and that "transformVars" reads'],
])('transformVars %s of the test %s is refused', async (change, rest, reason) => {
  const { code, stderr } = await importConfig(
    `prompts: ["{{q}}"]\nproviders: [echo]\ndefaultTest: { options: { transformVars: ${change} } }\ntests: [{ vars: ${rest} }]\n`,
    [],
    { 'lib/spell.cjs': spell },
  );
  expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
});
