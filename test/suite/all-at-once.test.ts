import { expect, test } from 'vitest';
import { openTempProject } from '../support/temp-project.ts';
import { problemsAt } from './load-fixture.ts';

/** What is said of a suite: `line:column code: message | hint`, in the order of their places. */
async function said(suite: string, files: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const project = openTempProject();
  for (const [path, text] of Object.entries({ 'a.eval.yaml': suite, ...files })) project.write(path, text);
  const problems = await problemsAt(project.root, ['a.eval.yaml']);
  return problems.map(({ code, message, hint, at }) => {
    const file = at?.file === 'a.eval.yaml' ? '' : `${at?.file}:`;
    return `${file}${at?.line}:${at?.column} ${code}: ${message}${hint === undefined ? '' : ` | ${hint}`}`;
  });
}

/** A suite that is right but for its providers or judges. */
function withProviders(providers: string): string {
  return `${providers}\nprompts: [{ id: p, text: hi }]\ncases: [{ id: a, assert: [contains: hi] }]\n`;
}

/** A suite that is right but for its prompt and its one case. */
function withCase(prompt: string, rest: string): string {
  return `providers: [openai:m]\nprompts: [{ id: p, ${prompt} }]\ncases: [{ id: a, ${rest} }]\n`;
}

/** The same, with an assertion that is not. */
function withAssertion(assertion: string): string {
  return withCase('text: hi', `assert: [${assertion}]`);
}

test('a missing use hides no other mistake of a provider or judge', async () => {
  for (const key of ['providers', 'judges']) {
    const noun = key.slice(0, -1);
    const others = key === 'judges' ? '\nproviders: [openai:n]' : '';
    expect(await said(withProviders(`${key}: [{ id: q, usee: "openai:m", parms: {}, limts: {} }]${others}`))).toEqual([
      expect.stringMatching(
        new RegExp(`^1:\\d+ unknown-key: unknown key "usee" in a ${noun} \\| did you mean "use"\\?$`),
      ),
      expect.stringMatching(/unknown key "parms" .* \| did you mean "params"\?$/),
      expect.stringMatching(/unknown key "limts" .* \| did you mean "limits"\?$/),
    ]);
  }
});

test('an unknown adapter hides no mistyped key, and what only that adapter could know is left to it', async () => {
  expect(await said(withProviders('providers: [{ id: q, use: "opnai:m", parms: {} }]'))).toEqual([
    '1:27 unknown-adapter: unknown adapter "opnai" in "opnai:m" | did you mean "openai"?',
    '1:38 unknown-key: unknown key "parms" in a provider | did you mean "params"?',
  ]);
  expect(await said(withProviders('providers: [{ id: q, use: "elsewhere:m", region: x, parms: {} }]'))).toEqual([
    expect.stringContaining('unknown adapter "elsewhere"'),
    expect.stringContaining('"parms"'),
  ]);
  expect(await said(withProviders('providers: [{ id: q, parms: {} }]'))).toEqual([
    '1:13 invalid-value: provider needs "use"',
    '1:22 unknown-key: unknown key "parms" in a provider | did you mean "params"?',
  ]);
});

test('a key of another tool gets a hint where its part belongs here', async () => {
  expect(await said(withProviders('providers: [{ id: q, use: "exec:node a.mjs", comand: node }]'))).toEqual([
    '1:46 unknown-key: unknown key "comand" in a provider | write the command under use: exec:node answer.mjs',
  ]);
});

test('a mistyped id of the config is known by its nearest', async () => {
  const config = 'providers: [{ id: "my:local", use: "openai:m" }]\n';
  expect(await said(withProviders('providers: ["my:lcoal"]'), { 'llmcheck.config.yaml': config })).toEqual([
    '1:13 unknown-adapter: unknown adapter "my" in "my:lcoal" | did you mean "my:local"?',
  ]);
});

test('every variable that a text misses is named, each at its place', async () => {
  const names = (problems: readonly string[]) =>
    problems.map((line) => /^(\S+) missing-variable: .*variable "(\S+)"/.exec(line)?.slice(1).join(' ') ?? line);
  const check = 'assert: [contains: hi]';
  expect(names(await said(withCase('text: "{{ foo }} and {{ bar }} and {{ foo }}"', check)))).toEqual([
    '2:27 foo',
    '2:41 bar',
  ]);
  expect(
    names(
      await said(withCase('file: p.md', check), { 'p.md': 'Of {{ foo }}\nand {{ bar.x }}:\n{{ baz | upcase }}\n' }),
    ),
  ).toEqual(['p.md:1:7 foo', 'p.md:2:8 bar', 'p.md:3:4 baz']);
  expect(names(await said(withAssertion('contains: "{{ foo }}, {{ bar }}"')))).toEqual(['3:38 foo', '3:49 bar']);
  expect(names(await said(withAssertion('not: { containsAny: ["{{ foo }}", "{{ bar }} {{ baz }}"] }')))).toEqual([
    '3:49 foo',
    '3:62 bar',
    '3:72 baz',
  ]);
  expect(
    names(await said(withCase('text: hi', 'turns: [{ user: "{{ foo }} {{ bar }}", assert: [contains: hi] }]'))),
  ).toEqual(['3:35 foo', '3:45 bar']);
  const prompty = '---\nname: p\n---\nuser:\n{{ foo }} {{ bar }}\n';
  expect(names(await said(withCase('file: p.prompty', check), { 'p.prompty': prompty }))).toEqual([
    'p.prompty:5:4 foo',
    'p.prompty:5:14 bar',
  ]);
});

test.each<[file: string, text: string, hint: string, followed: string]>([
  [
    'p.prompty',
    '---\nname: p\n---\nuser:\n{{ foo }}',
    `add it to the cases' vars, or write {{ foo | default("…") }}`,
    '---\nname: p\n---\nuser:\n{{ foo | default("…") }}',
  ],
  [
    'p.prompt',
    '---\nmodel: m\n---\n{{foo}}',
    "add it to the cases' vars, or under input.default of the file",
    '---\nmodel: m\ninput: { default: { foo: x } }\n---\n{{foo}}',
  ],
  [
    'p.prompt.yml',
    'messages: [{ role: user, content: "{{foo}}" }]',
    "add it to the cases' vars",
    'messages: [{ role: user, content: foo }]',
  ],
])('the advice for a variable that %s misses is in the language of the file', async (file, text, hint, followed) => {
  const suite = withCase(`file: ${file}`, 'assert: [contains: hi]');
  const [problem = '', ...others] = await said(suite, { [file]: text });
  expect([problem.slice(problem.indexOf(' | ') + 3), others]).toEqual([hint, []]);
  await expect(said(suite, { [file]: followed })).rejects.toThrow('The suites were loaded');
});

test('what a template would have set itself, and the branch that is not taken, is not missing', async () => {
  const text =
    '{% capture x %}{{ foo }}{% endcapture %}{{ x }}{% if m %}{{ q }}{% endif %}{% for d in ds %}{{ d }}{% endfor %}';
  expect(await said(withCase(`text: "${text}"`, 'assert: [contains: hi]'))).toEqual([
    expect.stringContaining('"foo"'),
    expect.stringContaining('"ds"'),
  ]);
});

test('unknown filters hide neither each other nor a missing variable', async () => {
  const all = [
    expect.stringContaining('undefined filter: upcas'),
    expect.stringMatching(/variable "foo", which no case supplies/),
    expect.stringContaining('undefined filter: nope'),
    expect.stringContaining('undefined filter: jsn'),
  ];
  const text = '{{ foo | upcas }} {{ m | nope | jsn }}';
  expect(await said(withCase(`text: "${text}"`, 'vars: { m: { x: 1 } }, assert: [contains: hi]'))).toEqual(all);
  expect(await said(withCase('text: hi', `vars: { m: { x: 1 } }, assert: [contains: "${text}"]`))).toEqual(all);
});

test('nothing that is wrong in an assertion hides another part of it', async () => {
  const wrong = 'regex: { value: "(", flags: q }, select: { regex: "[" }, weight: -1';
  const each = [
    expect.stringContaining('invalid-regex: regex.value'),
    expect.stringContaining('regex.flags: flags are letters of'),
    expect.stringContaining('invalid-regex: select.regex'),
    expect.stringContaining('weight must be a number'),
  ];
  expect(await said(withAssertion(`{ ${wrong} }`))).toEqual(each);
  expect(await said(withAssertion(`{ ${wrong}, nme: x }`))).toEqual([
    ...each,
    expect.stringMatching(/unknown key "nme" beside "regex" \| did you mean "name"\?/),
  ]);
  expect(await said(withAssertion('{ regex: { value: "(", flag: i }, select: { regex: "[", flgs: i } }'))).toEqual([
    expect.stringContaining('invalid-regex: regex.value'),
    expect.stringMatching(/unknown key "flag" .* "flags"/),
    expect.stringContaining('invalid-regex: select.regex'),
    expect.stringMatching(/unknown key "flgs" .* "flags"/),
  ]);
});

test('a pattern that needs its flags is refused only without them', async () => {
  expect(await said(withAssertion('{ regex: { value: "[a&&[b]]", flags: v }, regx: 1 }'))).toEqual([
    expect.stringContaining('unknown key "regx"'),
  ]);
  expect(await said(withAssertion(String.raw`regex: { value: "(?<n>a)\\k<m>", flags: u }`))).toEqual([
    expect.stringContaining('Invalid named capture referenced'),
  ]);
});

test('the name of an assertion, its frame, its parameters and its variables are judged each for themselves', async () => {
  expect(await said(withAssertion('{ contians: a, weight: -1 }'))).toEqual([
    expect.stringContaining('unknown assertion "contians"'),
    expect.stringContaining('weight must be'),
  ]);
  expect(await said(withAssertion('{ contains: { value: "{{ foo }}", ignorCase: true }, wieght: 2 }'))).toEqual([
    expect.stringContaining('variable "foo"'),
    expect.stringContaining('unknown key "ignorCase"'),
    expect.stringContaining('unknown key "wieght"'),
  ]);
  expect(
    await said(
      withAssertion('{ allOf: [contains: "{{ foo }}", contians: a, regex: { value: "{{ bar }}", flags: q }] }'),
    ),
  ).toEqual([
    expect.stringContaining('variable "foo"'),
    expect.stringContaining('"contians"'),
    expect.stringContaining('variable "bar"'),
    expect.stringContaining('regex.flags'),
  ]);
});

test('a near name is suggested for words, parts of variables and names that are cut short', async () => {
  for (const [assertion, meant] of [
    ['finishReason: stopp', 'stop'],
    ['finishReason: tool_calls', 'toolCalls'],
    ['finishReason: lenght', 'length'],
    ['finishReason: [stopp]', 'stop'],
    ['sql: { dialect: postgre }', 'postgresql'],
  ] as const) {
    const suggestion = expect.stringContaining(`| did you mean "${meant}"?`);
    expect([assertion, await said(withAssertion(assertion))]).toEqual([assertion, [suggestion]]);
  }
  for (const text of ['{{ order.totl }}', '{{ order.totl | upcase }}']) {
    expect(await said(withCase(`text: "${text}"`, 'vars: { order: { total: 3 } }, assert: [contains: hi]'))).toEqual([
      expect.stringContaining('| did you mean "order.total"?'),
    ]);
  }
  expect(await said(withCase('text: "{{ docs[5] }}"', 'vars: { docs: [a] }, assert: [contains: hi]'))).toEqual([
    expect.not.stringContaining('did you mean'),
  ]);
});

const wrongSchema = '{ type: strng, minLength: -1, properties: { a: { type: nmber }, b: { type: [strng, string] } } }';

test('every mistake of a schema is named once, of an assertion as of a contract', async () => {
  const check = 'assert: [contains: hi]';
  const own = await said(withAssertion(`jsonSchema: ${wrongSchema}`));
  expect(own).toEqual([
    expect.stringMatching(/at \$\.type: .* \| did you mean "string"\?$/),
    expect.stringMatching(/at \$\.minLength: must be >= 0$/),
    expect.stringMatching(/at \$\.properties\.a\.type: .* \| did you mean "number"\?$/),
    expect.stringMatching(/at \$\.properties\.b\.type\[0\]: .* \| did you mean "string"\?$/),
  ]);
  const named = await said(`contract: { output: ${wrongSchema} }\n${withCase('text: hi', check)}`);
  expect(named).toEqual([
    expect.stringMatching(/^1:23 invalid-schema: "type" must be one of .* "strng"\. \| did you mean "string"\?$/),
    expect.stringMatching(/^1:36 invalid-schema: "minLength" must be/),
    expect.stringMatching(/^1:70 invalid-schema: "type" must be one of .* "nmber"\./),
    expect.stringMatching(/^1:90 invalid-schema: "type" must be one of/),
  ]);
  const broken = '{ allOf: [{ $ref: "#/nowhere" }, { $ref: "#/$defs/none" }, 5], items: [], anyOf: [] }';
  expect(await said(`contract: { output: ${broken} }\n${withCase('text: hi', check)}`)).toEqual([
    expect.stringContaining('"#/nowhere" leads nowhere'),
    expect.stringContaining('"#/$defs/none" leads nowhere'),
    expect.stringContaining('found 5'),
    expect.stringContaining('"anyOf" must be'),
  ]);
  const tool = `params: { tools: [{ function: { name: f, parameters: ${wrongSchema} } }] }`;
  expect(await said(withProviders(`providers: [{ id: q, use: "openai:m", ${tool} }]`))).toHaveLength(4);
});

test("every way in which a case's vars break the input contract is named, alternatives once", async () => {
  const input =
    '{ type: object, required: [email, name], properties: { m: { type: integer }, n: { anyOf: [{ type: string }, { $ref: "#/$defs/t" }] } }, $defs: { t: { type: boolean } } }';
  const suite = withCase('text: "{{ m }} {{ n }}"', 'vars: { m: x, n: 3 }, assert: [contains: hi]');
  expect(await said(`contract: { input: ${input} }\n${suite}`)).toEqual([
    expect.stringContaining("vars must have required property 'email'"),
    expect.stringContaining("vars must have required property 'name'"),
    expect.stringMatching(/^4:29 contract-input: .*vars\.m must be integer$/),
    expect.stringMatching(
      /^4:35 contract-input: .*vars\.n must match a schema in anyOf; of the first alternative, \$\.n must be string$/,
    ),
  ]);
});

test('recordings that are a folder are named where the suite names them', async () => {
  expect(await said(`recordings: .\n${withCase('text: hi', 'assert: [contains: hi]')}`)).toEqual([
    '1:13 file-unreadable: . is not a file',
  ]);
});
