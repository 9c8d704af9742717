import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { findProgram } from '../../support/find-program.ts';
import { importConfig } from '../../support/import-config.ts';
import { plannedTrialsOf } from '../../support/temp-project.ts';

/** Each verdict on an answer is the one that promptfoo 0.121.20 gives. */
const verdicts: readonly (readonly [assertion: string, answer: string, pass: boolean])[] = [
  ['{ type: javascript, value: "output.length > 2" }', 'abc', true],
  ['{ type: javascript, value: "output.length > 2" }', 'ab', false],
  ['{ type: javascript, value: "output.length > 2;" }', 'abc', true],
  ['{ type: javascript, value: "output.includes(\'b\')" }', 'abc', true],
  ['{ type: javascript, value: "!output.includes(\'B\')" }', 'abc', true],
  ['{ type: javascript, value: "output.toLowerCase().includes(\'bc\')" }', 'ABC', true],
  ['{ type: javascript, value: "output.toLowerCase().includes(\'B\')" }', 'ABC', false],
  ['{ type: javascript, value: "output.trim() === \'a b\'" }', ' a b ', true],
  ['{ type: javascript, value: "output === \'a b\'" }', ' a b ', false],
  ['{ type: javascript, value: "output.startsWith(\'a\')" }', 'abc', true],
  ['{ type: javascript, value: "output.endsWith(\'a\')" }', 'abc', false],
  ['{ type: javascript, value: "JSON.parse(output).a[0].b === 1" }', '{"a":[{"b":1.0}]}', true],
  ['{ type: javascript, value: "JSON.parse(output).a === \'1\'" }', '{"a":1}', false],
  ['{ type: javascript, value: "JSON.parse(output).a === true" }', 'no JSON', false],
  ['{ type: javascript, value: "JSON.parse(output).a.length === 3" }', '{"a":"abc"}', true],
  ['{ type: javascript, value: "output.length / 4" }', 'abc', true],
  ['{ type: javascript, value: "output.length - 3" }', 'abc', false],
  ['{ type: javascript, value: "output.length / 4", threshold: 0.8 }', 'abc', false],
  ['{ type: javascript, value: "output.length", threshold: 3 }', 'abc', true],
  ['{ type: not-javascript, value: "output.length > 2" }', 'abc', false],
  ['{ type: not-javascript, value: "output.length / 4", threshold: 0.8 }', 'abc', true],
  // What throws is failed, inverted or not.
  ['{ type: javascript, value: "output.none.none" }', 'abc', false],
  ['{ type: not-javascript, value: "output.none.none" }', 'abc', false],
  // So is what is no verdict.
  ['{ type: javascript, value: "output" }', 'true', false],
  ['{ type: javascript, value: "({ pass: true })" }', 'abc', false],
  ['{ type: javascript, value: "0 / 0" }', 'abc', false],
  ['{ type: javascript, value: "({ pass: true, score: 5, reason: \'\' })" }', 'abc', true],
  ['{ type: javascript, value: "({ pass: false, score: 1, reason: \'no\' })", threshold: 0.5 }', 'abc', false],
  ['{ type: javascript, value: "Promise.resolve(output === \'abc\')" }', 'abc', true],
  ['{ type: javascript, value: "const s = output; s === \'a;b\'" }', 'a;b', true],
  ['{ type: javascript, value: "let n = output.length; n += 1; n === 4;" }', 'abc', true],
  ['{ type: javascript, value: "if (output) {\\n  return true;\\n}\\nreturn false;" }', 'abc', true],
  ['{ type: javascript, value: "const a = `x\\ny`;\\nreturn a.length === 3;" }', 'abc', true],
  ['{ type: javascript, value: "output.length > 2 // long" }', 'abc', true],
  ['{ type: javascript, value: "output.length, false" }', 'abc', false],
  // It runs outside strict mode.
  [
    '{ type: javascript, value: "const self = this;\\nreturn self.none === undefined && output === context.vars.q;" }',
    'abc',
    true,
  ],
  [
    '{ type: javascript, value: "size = output.length;\\nfor (one of output) size -= 1;\\nreturn size === 0;" }',
    'abc',
    true,
  ],
  ['{ type: javascript, value: output === 4, transform: "size = output.length;\\nreturn size + 1;" }', 'abc', true],
  ['{ type: javascript, value: "output === context.vars.q" }', 'abc', true],
  ['{ type: javascript, value: "context.vars.none === undefined" }', 'abc', true],
  ['{ type: javascript, value: "Object.keys(context.vars).length === 2 && context.vars.n > 0" }', 'abc', true],
  ['{ type: javascript, value: "context.config.min < output.length", config: { min: 2 } }', 'abc', true],
  ['{ type: javascript, value: "output === 7", transform: JSON.parse(output).a }', '{"a":7}', true],
  // Names of variables are filled in before the code is read.
  ['{ type: javascript, value: "output === \'{{q}}\' && {{ n }} > 0" }', 'abc', true],
  ['{ type: javascript, value: "const w = \'{{q}}\'; output !== w" }', 'abc', false],
  ['{ type: javascript, value: "output === \'{{q}}{{none}}\'" }', 'abc', true],
  ['{ type: javascript, value: "output === \'{{q}}\'" }', "a'b", false],
  ['{ type: not-javascript, value: "output === \'{{q}}\'" }', "a'b", false],
  ['{ type: javascript, value: "output === `{{q}}`" }', 'a\nb', false],
  ['{ type: javascript, value: "const w = `{{q}}`;\\nreturn output === w;" }', 'a\nb', true],
  ['{ type: javascript, value: file://checks/whole.cjs }', 'abc', true],
  ['{ type: javascript, value: file://checks/whole.cjs }', 'ab', false],
  ['{ type: javascript, value: "file://checks/named.cjs:isShort" }', 'abc', true],
  ['{ type: javascript, value: "file://checks/module.mjs:isShort" }', 'abcdef', false],
  ['{ type: javascript, value: file://checks/typed.ts }', 'abc', true],
  [
    '{ type: equals, value: a, transform: \'output.replace(/^.{3}(?:json)?\\s*/i, "").replace(/x+$/, "").trim()\' }',
    '~~~JSON\n a xx',
    true,
  ],
  ['{ type: equals, value: c-c, transform: \'output.replace(/a+/g, "c")\' }', 'aa-aaa', true],
  ['{ type: equals, value: c-aaa, transform: \'output.replace(/a+/, "c")\' }', 'aa-aaa', true],
  ['{ type: equals, value: b, transform: "output.split(\' \')[0].trim()" }', 'b c', true],
  ['{ type: contains, value: ab, transform: String(output).toLowerCase() }', 'xABx', true],
  ['{ type: not-contains, value: ab, transform: output.toLowerCase() }', 'xABx', false],
  [
    '{ type: equals, value: a, transform: "const m = output.match(/<b>([^<]*)<.b>/);\\nreturn m ? m[1].trim() : output.trim();" }',
    'x <b> a\n</b> y',
    true,
  ],
  [
    '{ type: equals, value: a b, transform: "const m = output.match(/<b>(.)|<c>/);\\nreturn m ? m[1].trim() : output.trim();" }',
    ' a b ',
    true,
  ],
  [
    "{ type: is-json, transform: \"let t = output.trim();\\nif (t.startsWith('~~json')) t = t.slice(6);\\nelse if (t.startsWith('~~')) t = t.slice(2);\\nif (t.endsWith('~~')) t = t.slice(0, -2);\\nreturn t.trim();\" }",
    ' ~~json\n{}\n~~',
    true,
  ],
  ['{ type: javascript, value: output.length === 2, transform: "output.replace(/x/g, \'\')" }', 'axxb', true],
  ['{ type: contains-json }', 'so: {"a": 1}.', true],
  ['{ type: contains-json, value: { required: [b] } }', 'so: {"a": 1}.', false],
  ['{ type: word-count, value: 2 }', 'a  b', true],
  ['{ type: not-word-count, value: { max: 3 } }', 'a b', false],
  ['{ type: python, value: "len(output) > 2" }', 'abc', true],
  ['{ type: not-python, value: "len(output) > 2" }', 'abc', false],
  ['{ type: python, value: "len(output) / 4", threshold: 0.8 }', 'abc', false],
  ['{ type: python, value: "\'True\'" }', 'abc', true],
  ['{ type: python, value: "json.loads(output)[\'a\'] == 1" }', '{"a":1.0}', true],
  ['{ type: not-python, value: "output.none" }', 'abc', false],
  ['{ type: python, value: "None" }', 'abc', false],
  ['{ type: python, value: "float(\'nan\')" }', 'abc', false],
  ['{ type: python, value: "\'0.5 of it\'" }', 'abc', true],
  ["{ type: python, value: \"{'pass': True, 'score': 5, 'reason': ''}\" }", 'abc', true],
  ["{ type: python, value: \"{'pass': True, 'score': 0.2, 'reason': ''}\", threshold: 0.5 }", 'abc', false],
  ["{ type: python, value: \"{'pass_': True, 'score': 1, 'reason': ''}\" }", 'abc', true],
  ["{ type: python, value: \"{'pass': True, 'score': 1}\" }", 'abc', false],
  ['{ type: python, value: "[True]" }', 'abc', false],
  ["{ type: python, value: \"if context['vars']['q'] == output:\\n    return True\\nreturn False\" }", 'abc', true],
  ["{ type: python, value: \"context.get('config')['min'] < context['vars']['n']\", config: { min: 2 } }", 'abc', true],
  ["{ type: python, value: \"output == '{{q}}' and {{ n }} > 1 and not '{{none}}'\" }", 'abc', true],
  ['{ type: python, value: "word = \'{{q}}\'\\nreturn word == output" }', 'abc', true],
  ['{ type: python, value: "output == \'{{q}}\'" }', "a'b", false],
  ['{ type: not-python, value: "output == \'{{q}}\'" }', "a'b", false],
  ["{ type: python, value: \"output == '''{{q}}'''\" }", 'a\nb', false],
  ['{ type: python, value: file://checks/whole.py }', 'abc', true],
  ['{ type: python, value: "file://checks/whole.py:Checks.is_short" }', 'abcdef', false],
];

const files = {
  'checks/whole.cjs':
    'module.exports = (output, { vars }) => ({ pass: output.length > 2 && vars.n > 0, score: 0.5, reason: "length" });\n',
  'checks/named.cjs':
    'const isShort = (output) => output.length < 5;\nmodule.exports = Object.assign({}, { isShort });\n',
  'checks/module.mjs': 'export function isShort(output) {\n  return output.length < 5;\n}\n',
  'checks/words.py': 'LIMIT = 5\n',
  'checks/whole.py': `from words import LIMIT

def get_assert(output, context):
    print("noise")
    return {"pass": len(output) > 2 and context["vars"]["n"] > 0, "score": 0.5, "reason": "length"}

class Checks:
    @staticmethod
    def is_short(output, context):
        return len(output) < LIMIT
`,
  'checks/typed.ts': 'export default (output: string): number => output.length / 3;\n',
};

test('each assertion that is code gives the verdict that promptfoo gives', { tags: ['slow'] }, async () => {
  const tests = verdicts.map(
    ([assertion, answer], index) =>
      `  - { description: "t${index}", vars: { q: ${JSON.stringify(answer)}, n: ${index + 1} }, assert: [${assertion}] }`,
  );
  const { project, code, stderr, text } = await importConfig(
    `prompts: ["{{q}}"]\nproviders: [echo]\ntests:\n${tests.join('\n')}\n`,
    [],
    files,
  );
  expect(code).toBe(0);
  expect(stderr).not.toContain(' error ');
  // What fails fails again.
  project.write('evals/x.eval.yaml', `${text}gate: { confirm: { budget: 0 } }\n`);
  const { report } = await project.report(['run', '--no-baseline']);
  const found = new Map(plannedTrialsOf(report).map(({ caseId, status }) => [caseId, status]));
  const wrong = verdicts.filter(([, , pass], index) => found.get(`t${index}`) !== (pass ? 'passed' : 'failed'));
  expect(wrong).toEqual([]);
});

const one = (assertion: string) =>
  `prompts: ["{{q}}"]\nproviders: [echo]\ntests: [{ vars: { q: abc }, assert: [${assertion}] }]\n`;

test('code is written as functions of one module, each once', async () => {
  const { project, suite, stdout } = await importConfig(
    one(
      `{ type: javascript, value: "output.length > 2" }, { type: javascript, value: "output.length > 2", metric: again },
    { type: javascript, value: "output.length > 9", threshold: 0.5 }, { type: javascript, value: "file://a/b.js:f" }`,
    ),
    [],
    { 'a/b.js': 'exports.f = () => true;\n' },
  );
  expect(stdout).toContain('wrote evals/checks/x.mjs');
  expect(project.read('evals/checks/x.mjs')).toBe(`// Imported from promptfooconfig.yaml (promptfoo).
import { promptfooCheck, promptfooFile } from 'llmcheck/promptfoo';
import * as file1 from "../../a/b.js";

// Line 3.
export const check1 = promptfooCheck((output, context) => output.length > 2);

// Line 4.
export const check2 = promptfooCheck((output, context) => output.length > 9, {"threshold":0.5});

// Line 4.
export const check3 = promptfooFile(file1, "f");
`);
  const [written] = (suite?.['cases'] ?? []) as readonly { assert: unknown }[];
  expect(written?.assert).toEqual([
    { module: { value: 'checks/x.mjs', export: 'check1' } },
    { module: { value: 'checks/x.mjs', export: 'check1' }, name: 'again' },
    { module: { value: 'checks/x.mjs', export: 'check2' } },
    { module: { value: 'checks/x.mjs', export: 'check3', args: { vars: { q: '{{ q }}' } } } },
  ]);
});

test.each([
  ['"output === context.prompt"', 'context.prompt'],
  ['"context.test.assert.length > 1"', 'context.test.assert'],
  ['"process.mainModule.require(\'fs\')"', 'process.mainModule'],
  ['"output === \'{{q | upper}}\'"', 'template'],
  ['"output === \'{{env.HOME}}\'"', 'template'],
  ['"output ==="', 'promptfoo fails it'],
  ['"true }); globalThis.ran = (function () { return 1"', 'promptfoo fails it'],
  ['file://none.js', 'none.js'],
  ['file://env.js', 'process.mainModule'],
])('%s is refused', async (value, reason) => {
  const { code, stderr, project } = await importConfig(one(`{ type: javascript, value: ${value} }`), [], {
    'env.js': 'module.exports = () => process.mainModule;\n',
  });
  expect(code).toBe(2);
  expect(stderr).toContain(reason);
  expect(project.files().filter((file) => file.startsWith('evals'))).toEqual([]);
});

test('code is given what the test says of itself', { tags: 'slow' }, async () => {
  const { project, code, suite } = await importConfig(
    `prompts: ["{{q}}"]
providers: [echo]
defaultTest: { metadata: { team: a, kind: b } }
tests:
  - id: t7
    description: one
    vars: { q: abc }
    metadata: { kind: "{{c}}" }
    assert:
      - { type: javascript, value: "context.test.id + context.test.description + context.test.metadata.team === 't7onea'" }
      - { type: javascript, value: "context.test.metadata.kind.length === 5 && context.test.vars.q === output" }
      - { type: javascript, value: file://test.cjs }
      - { type: javascript, value: "/b/.test(output)" }
`,
    [],
    { 'test.cjs': "module.exports = (output, { test }) => test.metadata.team === 'a' && !test.threshold;\n" },
  );
  expect(code).toBe(0);
  const [written] = (suite?.['cases'] ?? []) as readonly { assert: readonly { module: { args?: object } }[] }[];
  expect(written?.assert.map(({ module }) => Object.keys(module.args ?? {}))).toEqual([
    ['vars', 'test'],
    ['vars', 'test'],
    ['vars', 'test'],
    [],
  ]);
  const { report } = await project.report(['run', '--no-baseline']);
  expect(plannedTrialsOf(report)).toMatchObject([{ status: 'passed' }]);
});

test('code is given the variables of the environment that it needs', { tags: ['slow'] }, async () => {
  const { project, stderr, suite } = await importConfig(
    one(`{ type: javascript, value: "output === process.env.WORD" }, { type: javascript, value: file://env.cjs }`),
    [],
    { 'env.cjs': "module.exports = (output) => output === process.env.WORD && (process.env.MORE || 'x') === 'x';\n" },
  );
  expect(stderr).toContain('add MORE where they are set');
  expect(suite?.['cases']).toMatchObject([{ assert: [{ module: { env: ['WORD'] } }, { module: { env: ['WORD'] } }] }]);
  const statusWith = async (env: Readonly<Record<string, string>>) =>
    plannedTrialsOf((await project.report(['run', '--no-baseline'], { env })).report).map(({ status }) => status);
  expect(await statusWith({ WORD: 'abc' })).toEqual(['passed']);
  expect(await statusWith({ WORD: 'other' })).toEqual(['failed']);
  expect(await statusWith({})).toEqual(['errored']);
});

test('Python code of the config learns which environment variables it and its imports may read', async () => {
  const value = JSON.stringify(
    'import os, sys\nsys.path.insert(0, os.getcwd() + "/lib")\nfrom judge import ask\nreturn ask() or os.getenv("MODE") is None',
  );
  const { stderr, suite } = await importConfig(one(`{ type: python, value: ${value} }`), [], {
    'lib/judge.py': 'import os\nfrom .keys import KEY\ndef ask():\n    return not KEY or os.environ["URL"]\n',
    'lib/keys.py': 'import os\nKEY = os.environ.get("KEY")\n',
  });
  expect(stderr).toContain('the code of the check sees only the variables under env; add MODE, KEY where they are set');
  expect(suite?.['cases']).toMatchObject([
    { assert: [{ exec: { env: ['URL'], files: ['../lib/judge.py', '../lib/keys.py'] } }] },
  ]);
});

test('code that reads what is not known here makes its check errored, even if it catches that', {
  tags: 'slow',
}, async () => {
  const { project } = await importConfig(one('{ type: javascript, value: "file://a.cjs" }'), [], {
    'a.cjs': 'module.exports = (output, c) => { try { return c.provider.id.length > 0; } catch { return true; } };\n',
  });
  const { report } = await project.report(['run', '--no-baseline']);
  expect(plannedTrialsOf(report).map(({ status }) => status)).toEqual(['errored']);
  expect(JSON.stringify(report)).toContain('context.provider of promptfoo is not given here');
});

test('nothing of the code runs at import', async () => {
  const { project, code } = await importConfig(
    one(
      `{ type: javascript, value: "require('fs').writeFileSync('ran', '')" }, { type: javascript, value: file://a.cjs }`,
    ),
    [],
    { 'a.cjs': "require('node:fs').writeFileSync('ran', '');\nmodule.exports = () => true;\n" },
  );
  expect(code).toBe(0);
  expect(project.files().some((file) => file.endsWith('ran'))).toBe(false);
});

test('code gets the JSON of an answer where promptfoo parses it', async () => {
  const schema = '{ response_format: { type: json_schema, json_schema: { name: a, schema: { type: object } } } }';
  const { suite, project } = await importConfig(
    `prompts: ["{{q}}"]\nproviders: [{ id: openai:m, config: ${schema} }]\ntests: [{ vars: { q: a }, assert: [{ type: javascript, value: "output.a > 1" }] }]\n`,
  );
  expect(suite).not.toBeNull();
  expect(project.read('evals/checks/x.mjs')).toContain('{"json":true}');
});

const paths = (process.env['PATH'] ?? '').split(delimiter);
const rubyPath = findProgram(
  'ruby',
  paths.map((folder) => join(folder, 'ruby')),
);

/** What promptfoo calls a failed execution is errored, inverted or not: the check has given no verdict. */
const rubyVerdicts: readonly (readonly [assertion: string, status: 'passed' | 'failed' | 'errored'])[] = [
  ['{ type: ruby, value: "output.length > 2" }', 'passed'],
  ['{ type: ruby, value: "output.length > 3 # long" }', 'failed'],
  ['{ type: not-ruby, value: "output.length > 2" }', 'failed'],
  ['{ type: not-ruby, value: "output.length / 4.0", threshold: 0.8 }', 'passed'],
  ['{ type: ruby, value: "\'0.5 of it\'", threshold: 0.6 }', 'failed'],
  ['{ type: ruby, value: "{ pass: true, score: 5, reason: \'#{output}\' }" }', 'passed'],
  ["{ type: ruby, value: \"{ 'pass_' => true, 'score' => 0.2, 'reason' => '' }\", threshold: 0.5 }", 'failed'],
  [
    `{ type: ruby, value: "# Ü\\nif context['vars']['q'] == output\\n  puts 'noise'\\n  return output.start_with?('ä')\\nend\\nfalse" }`,
    'passed',
  ],
  ['{ type: ruby, value: file://checks/whole.rb, config: { min: 2 } }', 'passed'],
  ['{ type: ruby, value: file://checks/whole.rb, config: { min: 3 } }', 'failed'],
  ['{ type: ruby, value: "file://checks/whole.rb:short?" }', 'failed'],
  ['{ type: ruby, value: "file://checks/whole.rb:Checks::Length.even" }', 'failed'],
  ['{ type: ruby, value: "file://checks/whole.rb:missing" }', 'errored'],
  ['{ type: not-ruby, value: "output.none" }', 'errored'],
  ['{ type: ruby, value: "nil" }', 'errored'],
  ['{ type: ruby, value: "exit" }', 'errored'],
  ['{ type: ruby, value: "context.key?(\'prompt\') || true" }', 'errored'],
];

test.skipIf(rubyPath === undefined)(
  'ruby assertions are red on false, and errored on what raises',
  {
    tags: ['slow'],
  },
  async () => {
    const tests = rubyVerdicts.map(
      ([assertion], index) => `  - { description: "t${index}", vars: { q: äbc, n: ${index} }, assert: [${assertion}] }`,
    );
    const { project, code, stderr, text } = await importConfig(
      `prompts: ["{{q}}"]\nproviders: [echo]\ntests:\n${tests.join('\n')}\n`,
      [],
      {
        'checks/length.rb':
          'module Checks\n  module Length\n    def self.even(output, _)\n      output.size.even?\n    end\n  end\nend\n',
        'checks/whole.rb': `require_relative "length"
File.write("ran", "")
def check(*)
  raise "a helper of the same name"
end
def short?(output, context)
  output.size < 3
end
def get_assert(output, context)
  puts "noise"
  { "pass" => output.size > context["config"]["min"], "score" => 0.5, "reason" => "length" }
end
`,
      },
    );
    expect([code, stderr.includes(' error ')]).toEqual([0, false]);
    expect(text).toMatch(/checks\/whole.rb\n.*checks\/length.rb/);
    expect((await project.run(['validate'])).code).toBe(0);
    expect(project.files()).not.toContain('ran');
    const { report } = await project.report(['run', '--no-baseline']);
    const found = new Map(plannedTrialsOf(report).map(({ caseId, status }) => [caseId, status]));
    expect(project.files()).toContain('ran');
    expect(rubyVerdicts.map(([assertion], index) => [assertion, found.get(`t${index}`)])).toEqual(rubyVerdicts);
    expect(JSON.stringify(report)).toContain('the check raised NoMethodError: undefined method');
  },
);

test.each([
  ['"output == \'{{q}}\'"', 'template'],
  ['"return true"', 'remove the return'],
  ['file://none.rb', 'none.rb'],
  ['file://checks.txt', 'no Ruby file'],
])('ruby %s is refused', async (value, reason) => {
  const { code, stderr } = await importConfig(one(`{ type: ruby, value: ${value} }`));
  expect(code).toBe(2);
  expect(stderr).toContain(reason);
});

test('ruby code is given what it reads of the environment', { tags: 'slow' }, async () => {
  const { project, stderr, text } = await importConfig(
    one(`{ type: ruby, value: "output == ENV.fetch('WORD') + ENV['END'].to_s" }`),
  );
  expect(stderr).toContain('sees only the variables under env; add END');
  expect(text).toMatch(/env:\s*(?:- |\[ ?)WORD/);
  if (rubyPath === undefined) return;
  const statusOf = async (word: string) => {
    const { report } = await project.report(['run', '--no-baseline'], { env: { WORD: word } });
    return plannedTrialsOf(report)[0]?.status;
  };
  expect([await statusOf('abc'), await statusOf('b')]).toEqual(['passed', 'failed']);
});
