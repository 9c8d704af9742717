import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { describeImport, importBase, importConfig } from '../../support/import-config.ts';

/** A prompt, its variables and what promptfoo 0.121 sends. */
const sent: readonly (readonly [prompt: string, vars: Readonly<Record<string, unknown>>, text: string])[] = [
  ['Hi {{q}}', { q: '{{name}} is {{ name }}', name: 'Ada' }, 'Hi Ada is Ada'],
  ['Hi {{q}}', { q: '{{unknown}} and {{name}}', name: 'Ada' }, 'Hi {{unknown}} and {{name}}'],
  ['Hi {{q}}', { q: "{{ 'x' | upper }}" }, 'Hi X'],
  ['Hi {{q}}', { q: "Mark {{ '{{type}}' }}" }, "Hi Mark {{ '{{type}}' }}"],
  ['Hi {{q}}', { q: '{# note #}b' }, 'Hi b'],
  ['Hi {{q}}', { q: '{% raw %}{{x}}{% endraw %}' }, 'Hi {% raw %}{{x}}{% endraw %}'],
  ['Hi {{q}}', { q: '{% raw %}x{% endraw %}' }, 'Hi x'],
  ['Hi {{q}}', { q: 'an open {{ brace' }, 'Hi an open {{ brace'],
  ['Hi {{q}}', { q: 'a\n' }, 'Hi a'],
  ['Hi {{q}}', { q: null }, 'Hi '],
  ['Hi {{q}} {{\nx }}', { q: 'a' }, 'Hi {{q}} {{\nx }}'],
  ['Hi {# several\nlines #} {{q}}', { q: 'a' }, 'Hi {# several\nlines #} {{q}}'],
  ['{"a": "{{q}}", "n": [1, "x"]}', { q: 'say "hi"' }, '{\n  "a": "say \\"hi\\"",\n  "n": [\n    1,\n    "x"\n  ]\n}'],
  ['[{"role": "user", "content": "{{q}}"}]', { q: "{{ 'x' | upper }}" }, "{{ 'x' | upper }}"],
  ['[{"role": "user", "content": {{ q | dump }}}]', { q: 'say "hi"\nnow' }, 'say "hi"\nnow'],
  ['- role: user\n  content: Hi {{q}}', { q: 'a' }, 'Hi a'],
  ['{{u.name}} {{u.age}} {{v.a.b | upper}}.', { u: { name: 'Ada' } }, 'Ada  .'],
  ['{{u.name}}.', {}, '.'],
  ['- role: user\n  content: {{q}}', { q: 'a' }, 'a'],
  ["{{a|default('')}} {{text|default(other|default(''))}}{{ 'x|y' }}", { other: 'b' }, ' bx|y'],
  ['{% if q %}yes{% else %}no{% endif %}', { q: '' }, 'no'],
  ['{% if q %}yes{% else %}no{% endif %}', { q: 0 }, 'no'],
  ['{% if q %}yes{% else %}no{% endif %}', { q: 'a' }, 'yes'],
  ['{% if absent %}yes{% else %}no{% endif %}{{q}}', { q: 'a' }, 'noa'],
  ['{% if not q %}no{% elif q == 5 %}five{% else %}other{% endif %}', { q: '5' }, 'five'],
  ['{% if not q %}no{% elif q == "5" %}five{% else %}other{% endif %}', { q: 5 }, 'five'],
  ['{% if q != "a" and r %}x{% else %}y{% endif %}', { q: 'b', r: 'c' }, 'x'],
  ['{% if q == "a" or r == "c" %}x{% else %}y{% endif %}', { q: 'b', r: 'c' }, 'x'],
  ['{% if q | length > 2 %}long{% else %}short{% endif %}', { q: 'abc' }, 'long'],
  [
    '{% for one in list %}{{ loop.index }}. {{ one.n }}{% if not loop.last %}\n{% endif %}{% endfor %}',
    { list: [{ n: 'a' }, { n: 'b' }] },
    '1. a\n2. b',
  ],
  ['{% for one in list -%}  {{ one.n }}{% endfor %}{{q}}', { q: 'a', list: [] }, 'a'],
  ['{% set who = q | upper %}Hi {{ who }}', { q: 'ada' }, 'Hi ADA'],
  ['Hi {{q}}', { q: '{% if name == "Ada" %}you{% endif %}', name: 'Ada' }, 'Hi you'],
];

const importSent = () =>
  importConfig(
    stringify({
      prompts: sent.map(([raw], index) => ({ raw, label: `p${index}` })),
      providers: ['echo'],
      tests: sent.map(([, vars], index) => ({ vars, prompts: [`p${index}`] })),
    }),
  );

test('prompts and variables are written as templates of a suite', async () => {
  await expect(describeImport(await importSent())).toMatchFileSnapshot('snapshots/import-prompts.txt');
});

test('a prompt gets each value as promptfoo fills it in', { tags: ['slow'] }, async () => {
  const { code, stderr, project } = await importSent();
  expect([code, stderr.match(/error.*/g)]).toEqual([0, null]);
  const run = await project.run(['run', 'evals', '--allow-empty']);
  expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
  const record = project.files('.llmcheck/runs').find((path) => path.endsWith('.jsonl')) ?? '';
  const rows = project
    .read(record)
    .split('\n')
    .filter((line) => line.includes('"type":"cell"'))
    .map((line) => JSON.parse(line) as { readonly prompt: string; readonly output: string });
  const outputs = Object.fromEntries(rows.map(({ prompt, output }) => [prompt, output]));
  expect(outputs).toEqual(Object.fromEntries(sent.map(([, , text], index) => [`p${index}`, text])));
});

const one = 'tests: [{ vars: { q: a }, assert: [{ type: contains, value: a }] }]';

test.each<[part: string, message: string, files?: Readonly<Record<string, string>>]>([
  [
    "tests: [{ vars: { q: '{{ 1 | upper }}' }, assert: [{ type: contains, value: '{{q}}' }] }]",
    '3:22 error not-carried-over: the variable "q" is a template of its own',
  ],
  [
    "tests: [{ vars: { q: a }, options: { storeOutputAs: x } }, { vars: { q: 'b {{x}}' } }]",
    '3:73 error not-carried-over: the variable "q" reads the answer of another test',
  ],
  ['tests: file://make.py:cases', 'import make; print(json.dumps(make.cases()))" > tests.json'],
  ['tests: [{ path: "file://make.ts", config: { n: 1 } }]', `under tests: node -e "import('./make.ts')`],
  ['tests: [{ vars: { q: "file://q.py" } }]', 'file://q.py is code'],
  [
    `tests: [{ vars: { q: "file://a.txt\\nand ${'more '.repeat(50)}" } }]`,
    'error not-carried-over: no file of the project matches file://a.txt…\n',
  ],
  [`${one}\nextensions: [file://hook.js:beforeEach]`, '4:14 error not-carried-over: the extension file://hook.js:bef'],
  [
    `${one}\nextensions: [file://hook.py:hook]`,
    'may change tests',
    { 'hook.py': 'def hook(name, context):\n  if name == "beforeAll": pass\n' },
  ],
  ['tests: [{ file: t.yaml }]', '3:9 error not-carried-over: promptfoo takes no test without assert'],
  [
    'tests: [{ vars: { q: a }, providers: [{ id: openai:n }] }]',
    '3:39 error not-carried-over: promptfoo takes nothing but labels',
  ],
  [
    'tests: [{ vars: { q: a }, assert: [{ type: llm-rubric, value: kind, threshold: 3.5 }] }]',
    '3:80 error not-carried-over: a rubric is scored from 0 to 1 here',
  ],
  [
    'tests: [{ vars: { q: a }, assert: { type: contains, value: a } }]',
    '3:35 error not-carried-over: assert must be a list',
  ],
  [`${one}\ndefaultTest: { assert: "contains: a" }`, '4:24 error not-carried-over: assert must be a list'],
  ['scenarios: [{ config: { vars: { q: a } }, tests: [] }]', '3:23 error not-carried-over: config must be a list'],
  ['tests: { a: 1 }', '3:8 error not-carried-over: tests must be a list'],
  [
    'tests: [file://t.yaml]',
    't.yaml:1:1 error not-carried-over: promptfoo takes no test',
    { 't.yaml': 'tests: [{ vars: { q: a } }]\n' },
  ],
  ['redteam: { plugins: [pii] }', '3:10 error not-carried-over: "redteam" makes its tests with a service'],
])('%s is refused', async (part, message, files) => {
  const { code, stderr } = await importConfig(`${importBase}${part}\n`, [], files);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test.each<[part: string, note: string, files?: Readonly<Record<string, string>>]>([
  [`${one}\nextensions: [file://hook.js:afterAll]`, 'file://hook.js:afterAll is left out: it decides no verdict'],
  [
    `${one}\nextensions: [file://log.js:log]`,
    'file://log.js:log is left out',
    { 'log.js': 'module.exports = { log: (name) => console.log(name) };\n' },
  ],
  [`${one}\nredteam: { plugins: [pii] }`, '"redteam" is left out'],
])('%s is left out with a note', async (part, note, files) => {
  const { code, stderr } = await importConfig(`${importBase}${part}\n`, [], files);
  expect(code).toBe(0);
  expect(stderr).toContain(note);
});

test.each([
  ["{{q | default('none')}}", '""', true],
  ["{{q | default('none')}}", 'a', false],
  ["{{q | default('none', true)}}", '""', false],
  ["{{q | default('')}}", '""', false],
])('the default of %s beside the value %s is noted: %s', async (prompt, value, isNoted) => {
  const tests = `tests: [{ vars: { q: ${value} }, assert: [{ type: contains, value: a }] }]`;
  const { code, stderr } = await importConfig(`prompts: ["Hi ${prompt}"]\nproviders: [openai:gpt-4o-mini]\n${tests}\n`);
  expect([code, stderr.includes('the default of q is for empty values too here')]).toEqual([0, isNoted]);
});

test.each([
  ['{ planner: { id: p, raw: "Plan {{q}}" } }', '1:21 error not-carried-over: promptfoo takes no map'],
  ['["- role: user\\n  content: {{q}}"]', '3:22 error not-carried-over: "q" has several lines'],
])('the prompts %s are refused', async (prompts, message) => {
  const { code, stderr } = await importConfig(`prompts: ${prompts}
providers: [echo]
tests: [{ vars: { q: "a\\nb" } }]
`);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test.each(['tests: []', 'tests: none.csv'])('%s asks each prompt once', async (part) => {
  const { code, suite } = await importConfig(`${importBase}defaultTest: { vars: { q: a } }\n${part}\n`, [], {
    'none.csv': 'q\n',
  });
  expect([code, suite?.['cases']]).toEqual([0, [{ vars: { q: 'a' }, observe: true }]]);
});

test('a config without providers replays answers, and one without anything is refused', async () => {
  const without = await importConfig(`prompts: ["{{q}}"]\n${one}\n`);
  expect([without.code, without.suite?.['providers']]).toEqual([0, ['replay:imported']]);
  expect(without.stderr).toContain('there are no providers, as promptfoo eval takes them from --providers');
  const nothing = await importConfig('description: see the README\n');
  expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('no providers, no prompts and no tests')]);
});

test('cells of a CSV name any assertion, and a threshold', async () => {
  const { code, stderr, suite } = await importConfig(`${importBase}tests: t.csv\n`, [], {
    't.csv': [
      'q,__expected1,__expected2,__config:__expected2:threshold,__metadata:topic',
      'a,"yes: it is",levenshtein(3): abc,2,x',
      'b,grade: is kind,latency(500),,y',
      'c,python: len(output) < 9,"contains-any: x, y",,',
    ].join('\n'),
  });
  expect([code, stderr]).toEqual([0, expect.stringContaining('the column __metadata:topic is left out')]);
  expect(suite?.['cases']).toMatchObject([
    { vars: { q: 'a' }, assert: [{ equals: { value: 'yes: it is' } }, { levenshtein: { value: 'abc', max: 2 } }] },
    { vars: { q: 'b' }, assert: [{ rubric: { value: ' is kind' } }, { latency: {} }] },
    { vars: { q: 'c' }, assert: [{ exec: {} }, { containsAny: { value: ['x', 'y'] } }] },
  ]);
});

test('scenarios and their parts may be in files, and names of files may be written for Windows', async () => {
  const { code, stderr, suite } = await importConfig(`${importBase}scenarios: file://scenarios.yaml\n`, [], {
    'scenarios.yaml': '- config: [{ vars: { lang: de } }, { vars: { lang: fr } }]\n  tests: file://parts/t.yaml\n',
    'parts/t.yaml': "- { vars: { q: 'file://parts\\one.txt' }, assert: [{ type: contains, value: a }] }\n",
    'parts/one.txt': 'one\n',
  });
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('not-carried-over')]);
  expect(suite?.['cases']).toMatchObject([{ vars: { q: 'one', lang: 'de' } }, { vars: { q: 'one', lang: 'fr' } }]);
  const single = await importConfig(`${importBase}tests: [file://parts/t.yaml]\n`, [], {
    'parts/t.yaml': 'vars: v.yaml\n',
    'parts/v.yaml': 'q: two\n',
  });
  expect(single.suite?.['cases']).toMatchObject([{ vars: { q: 'two' } }]);
});

const chat = `[
  {"role": "system", "content": {{ s | dump }}},
  {% for turn in _conversation %}
  {"role": "user", "content": {{ turn.input | dump }}},
  {"role": "assistant", "content": {{ turn.output | dump }}},
  {% endfor %}
  {"role": "user", "content": {{ q | dump }}}
]`;

test('tests of one conversation are the turns of a case', async () => {
  const turn = (q: string, conversationId?: string, more: object = {}) => ({
    vars: { q },
    metadata: { conversationId },
    assert: [{ type: 'contains', value: q }],
    ...more,
  });
  const config = {
    prompts: ['file://chat.json'],
    providers: ['echo'],
    defaultTest: { vars: { s: 'Be brief.' } },
    tests: [turn('one', 'a'), turn('alone', 'b'), turn('two', 'a'), turn('say {{it}}', 'a', { assert: [] })],
  };
  const { code, stderr, suite, project } = await importConfig(stringify(config), [], { 'chat.json': chat });
  expect([code, stderr]).toEqual([0, expect.stringContaining('the turns of one case')]);
  const contains = (value: string) => [{ contains: { value } }];
  expect(suite?.['cases']).toEqual([
    {
      vars: { s: 'Be brief.', q: 'one' },
      turns: [
        { assert: contains('one') },
        { user: 'two', assert: contains('two') },
        { user: 'say {% raw %}{{{% endraw %}it}}' },
      ],
    },
    { vars: { s: 'Be brief.', q: 'alone' }, assert: contains('alone') },
  ]);
  expect((await project.run(['validate', 'evals'])).code).toBe(0);
  const changed = stringify({
    ...config,
    tests: [turn('one', 'a'), turn('two', 'a', { assert: [{ type: 'contains', value: '{{q}}' }] })],
  });
  const refused = await importConfig(changed, [], { 'chat.json': chat });
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('reads the variable "q", which changes')]);
});

test('transformVars may add variables that are written out', async () => {
  const { suite } =
    await importConfig(`${importBase}defaultTest: { options: { transformVars: "{ ...vars, url: 'http://a/', n: 2, }" } }
tests: [{ vars: { q: "ask {{url}}", url: other }, assert: [{ type: contains, value: "{{n}}" }] }]
`);
  expect(suite?.['cases']).toMatchObject([{ vars: { q: 'ask http://a/', url: 'http://a/', n: 2 } }]);
});

test('references name parts of the config and of other files', async () => {
  const { code, stderr, suite } = await importConfig(
    `${importBase}parts: { up: { type: contains, value: A }, loop: { $ref: "#/parts/loop" } }
tests:
  - { vars: { q: a }, assert: [{ $ref: "#/parts/up" }, { $ref: "#/parts/up", value: B }] }
  - $ref: more.yaml#/one
  - $ref: more.yaml#/100%
`,
    ['--partial'],
    { 'more.yaml': 'one: { $ref: "#/two" }\ntwo: { vars: { q: c }, assert: [{ type: equals, value: c }] }\n' },
  );
  expect([code, stderr]).toEqual([0, expect.stringContaining('7:11 warning not-carried-over: "$ref" of a test')]);
  expect(suite?.['cases']).toMatchObject([
    { vars: { q: 'a' }, assert: [{ contains: { value: 'A' } }, { contains: { value: 'B' } }] },
    { vars: { q: 'c' }, assert: [{ equals: { value: 'c' } }] },
  ]);
});

test('providers and tests name prompts by a label, its beginning or a star', async () => {
  const { code, suite } = await importConfig(`prompts:
  - { raw: "A {{q}}", label: "team:a" }
  - { raw: "B {{q}}", label: "team:b" }
  - { raw: "C {{q}}", label: other }
providers: [{ id: openai:m, prompts: [team] }, { id: openai:n, prompts: ["oth*", "team:a"] }, echo]
tests: [{ vars: { q: a }, prompts: [team], assert: [{ type: contains, value: a }] }]
`);
  expect(code).toBe(0);
  expect(suite?.['prompts']).toEqual([
    { id: 'team-a', text: 'A {{ q }}' },
    { id: 'team-b', text: 'B {{ q }}', providers: ['openai:m', 'echo:prompt'] },
    { id: 'other', text: 'C {{ q }}', providers: ['openai:n', 'echo:prompt'] },
  ]);
  expect(suite?.['cases']).toMatchObject([{ prompts: ['team-a', 'team-b'] }]);
});
