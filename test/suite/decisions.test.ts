import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findPlaceFault } from '../../src/files/project-boundary.ts';
import type { JsonObject } from '../../src/json/json.ts';
import type { UsedSnapshot } from '../../src/model/suite/agent.ts';
import {
  createFindServers,
  findDeclaredTools,
  namesIn,
  noteStubs,
  type StubUse,
  warnOfUndeclared,
} from '../../src/suite/cases/suite-tools.ts';
import { createProblems, type Located } from '../../src/suite/documents/locate.ts';
import { openProjectFiles } from '../../src/suite/files/project-files.ts';
import { displayPath, findProject } from '../../src/suite/files/project-place.ts';
import { buildProvider } from '../support/build-case.ts';
import { loadAt, onlySuite, placeOf, problemsAt } from './load-fixture.ts';

function openFolder(files: Readonly<Record<string, string>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-suite-')));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const user = '{ id: v1, text: "Say {{ a }}" }';
const instructions = '{ id: v2, messages: [{ role: developer, content: "Be kind to {{ a }}." }] }';

/** A suite of one case in YAML. */
function suiteOf(parts: { prompts?: string; cases?: string; more?: string } = {}): string {
  const { prompts = user, cases = '[{ id: one, vars: { a: x }, assert: [{ contains: a }] }]', more = '' } = parts;
  return `prompts: [${prompts}]\nproviders: [openai:m]\ncases: ${cases}\n${more}`;
}

async function warningsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { warnings } = await loadAt(openFolder(files), []);
  return warnings.map(({ code, message }) => `${code}: ${message}`);
}

test.each([
  ['asked before its turns', user, 1, true],
  ['asked before its turns, with enough steps', user, 2, false],
  ['asked with its first turn', instructions, 1, false],
  ['of which one is asked before', `${user}, ${instructions}`, 1, true],
  ['of which one is asked before, in the other order', `${instructions}, ${user}`, 1, true],
])('an agent has a step for each answer of a prompt: %s', async (_title, prompts, maxSteps, isRefused) => {
  const tools = 'tools: { find: { returns: "1" } }';
  const cases = `[{ id: one, vars: { a: x }, ${tools}, maxSteps: ${maxSteps}, turns: [{ user: Go on, assert: [{ contains: a }] }] }]`;
  const root = openFolder({ 'evals/a.eval.yaml': suiteOf({ prompts, cases }) });
  const problems = isRefused ? await problemsAt(root) : (await loadAt(root)).warnings;
  const expected = 'case "one" needs 2 answers for its turns, and maxSteps allows 1 answer';
  expect(problems.map(({ message }) => message)).toEqual(isRefused ? [expected] : []);
});

test('a variable that only checks of a file or the classes read is not unused', async () => {
  const rows = '{"id":"one","vars":{"a":"x","word":"w","queue":"q"}}\n';
  const cases = (part: string) => `[{ file: rows.jsonl, assert: [{ contains: ${part} }] }]`;
  const unused = (name: string) => `unused-variable: no template reads the variable "${name}"`;
  const found = (part: string, more = '') =>
    warningsOf({ 'evals/a.eval.yaml': suiteOf({ cases: cases(part), more }), 'evals/rows.jsonl': rows });
  expect(await found('x')).toEqual([unused('word'), unused('queue')]);
  expect(await found('"{{ word }}"')).toEqual([unused('queue')]);
  expect(await found('"{{ word }}"', 'classes: { truth: "{{ queue }}", found: text }\n')).toEqual([]);
});

test.each([
  ['{ id: m, use: "module:answer.mjs", vars: [word] }', []],
  ['{ id: m, use: "exec:node answer.mjs", vars: [word] }', []],
  ['{ id: m, use: http:m, baseURL: "http://127.0.0.1:9", REQUEST, response: { text: $ } }', []],
  ['{ id: m, use: "module:answer.mjs" }', ['word']],
])('a variable that only a provider is sent is not unused: %s', async (provider, unused) => {
  const suite = `prompts: [${user}]
providers: [${provider.replace('REQUEST', 'request: { q: "{{ prompt }}", w: "{{ vars.word }}" }')}]
cases: [{ id: one, vars: { a: x, word: w }, assert: [{ contains: a }] }]
`;
  const warnings = await warningsOf({ 'evals/a.eval.yaml': suite, 'evals/answer.mjs': '' });
  expect(warnings).toEqual(unused.map((name) => `unused-variable: no template reads the variable "${name}"`));
});

test('a variable that only stubs read is not unused, be they those of a file of cases or of the suite', async () => {
  const rows = '{"id":"one","vars":{"a":"x","word":"w"},"assert":[{"contains":"x"}]}\n';
  const stubs = (name: string) => `tools: { find: [{ returns: "{{ ${name} }}" }] }`;
  const found = (part: string, more = '') =>
    warningsOf({
      'evals/a.eval.yaml': suiteOf({ cases: `[{ file: rows.jsonl, ${part} }]`, more }),
      'evals/rows.jsonl': rows,
    });
  expect(await found(stubs('a'))).toEqual(['unused-variable: no template reads the variable "word"']);
  expect(await found(stubs('word'))).toEqual([]);
  expect(await found('tags: [t]', `${stubs('word')}\n`)).toEqual([]);
});

test('flags within a pattern get a hint where they belong', async () => {
  const cases = '[{ id: one, vars: { a: x }, assert: [{ regex: "(?i)a+" }] }]';
  const problems = await problemsAt(openFolder({ 'evals/a.eval.yaml': suiteOf({ cases }) }));
  expect(problems.map(({ code, hint }) => [code, hint])).toEqual([
    ['invalid-regex', 'write { value: "a+", flags: i }'],
  ]);
});

const regexCase = (pattern: string) =>
  suiteOf({
    cases: `[{ id: one, vars: { a: x }, assert: [{ not: { regex: ${pattern} } }] }]`,
  });

test.each<[pattern: string, hint: string]>([
  ["'/a+/i'", 'write { value: "a+", flags: i }; if the answer has these slashes, write \\/ for the first'],
  [String.raw`'/\d+/'`, String.raw`write "\\d+"; if the answer has these slashes, write \/ for the first`],
  ["'/orders/u'", 'write { value: "orders", flags: u }; if the answer has these slashes, write \\/ for the first'],
])('a regex between slashes is refused, since it would look for them: %s', async (pattern, hint) => {
  const problems = await problemsAt(openFolder({ 'evals/a.eval.yaml': regexCase(pattern) }));
  expect(problems.map((problem) => [problem.code, problem.hint])).toEqual([['invalid-value', hint]]);
});

test.each([String.raw`'\/orders/u'`, "'/api/v1/'", "'/a+'"])('a regex of a path is accepted: %s', async (pattern) => {
  expect(await warningsOf({ 'evals/a.eval.yaml': regexCase(pattern) })).toEqual([]);
});

test.each<[check: string, column?: number]>([
  ["regex: 'x*'", 54],
  ["regex: { flags: i, value: '.*' }", 73],
  ["regex: '^.*'", 54],
  ["regex: '(ok|)$'", 54],
  ["regex: '{{ a }}*'", 54],
  ["anyOf: [{ regex: 'x*' }]", 64],
  [String.raw`regex: '[$\]]*\^?\$*^'`, 54],
  ["regex: 'x+'"],
  ["regex: '^.*$'"],
  ["regex: { value: 'x*$', flags: y }"],
  [String.raw`regex: 'x*\b'`],
  [String.raw`regex: 'x*\B'`],
  ["regex: '(?!x).*'"],
  ["regex: '(?<=x*)'"],
  ["not: { regex: 'x*' }"],
  ["regex: 'x*', select: { jsonPath: $.a }"],
])('a regex that matches every text is a warning: %s', async (check, column) => {
  const cases = `[{ id: one, vars: { a: x }, assert: [{ ${check} }] }]`;
  const { warnings } = await loadAt(openFolder({ 'evals/a.eval.yaml': suiteOf({ cases }) }));
  const said = warnings.map(({ at, message }) => `${at?.line}:${at?.column} ${message.replace(/\/.*\/i?/, '/…/')}`);
  expect(said).toEqual(column === undefined ? [] : [`3:${column} regex: /…/ matches every text, also an empty one`]);
});

test.each([
  ['{ type: objct }', undefined, [['invalid-schema', 3, 'found "objct"']]],
  ['{ requird: [a] }', undefined, [['unknown-key', 3, '"requird" is not a keyword']]],
  ['args.json', '{\n"type": "objct" }', [['invalid-schema', 2, 'found "objct"']]],
  ['{ type: object }', undefined, []],
])('the schema of a stub is checked as others are: %s', async (schema, file, expected) => {
  const cases = `[{ id: one, vars: { a: x }, tools: { find: { schema: ${schema}, returns: y } }, assert: [{ contains: x }] }]`;
  const root = openFolder({ 'evals/a.eval.yaml': suiteOf({ cases }), ...(file && { 'evals/args.json': file }) });
  const isRefused = expected.some(([code]) => code === 'invalid-schema');
  const found = isRefused ? await problemsAt(root) : (await loadAt(root)).warnings;
  expect(found.map(({ code, at, message }) => [code, at?.line, message])).toEqual(
    expected.map(([code, line, words]) => [code, line, expect.stringContaining(String(words))]),
  );
});

test.each([
  ['[{ returns: x }, { when: { id: 7 }, never: true }]', 1],
  ['[{ when: {}, returns: x }, { fails: y }, { fails: z }]', 1],
  ['[{ compare: exact, returns: x }, { fails: y }]', 1],
  ['[{ when: { id: 7 }, never: true }, { returns: x }]', 0],
  ['[{ schema: { required: [id] }, returns: x }, { returns: y }]', 0],
  ['[{ when: {}, compare: exact, returns: x }, { returns: y }]', 0],
])('a stub that no call reaches is a warning: %s', async (stubs, count) => {
  const cases = `[{ id: one, vars: { a: x }, tools: { find: ${stubs} }, assert: [{ contains: x }] }]`;
  const { warnings } = await loadAt(openFolder({ 'evals/a.eval.yaml': suiteOf({ cases }) }));
  expect(warnings.map(({ code, at, message }) => [code, at?.line, message])).toEqual(
    Array.from({ length: count }, () => [
      'invalid-value',
      3,
      'no call reaches this stub of the tool "find": one before it answers every call',
    ]),
  );
});

test.each([
  ['toolCalls: { name: find, schema: { requird: [a] } }', ['requird']],
  ['toolCalls: { value: [find, { name: find, schema: { requird: [a] } }] }', ['requird']],
  ['not: { trajectory: { calls: find, never: [{ name: pay, schema: { propertis: {} } }] } }', ['propertis']],
  ['trajectory: { after: { pay: { name: find, schema: { requird: [a] } } } }', ['requird']],
  ['trajectory: { calls: { name: find, args: { schema: { requird: 1 } }, schema: { required: [a] } } }', []],
])('a keyword that looks misspelt in the schema of a call is a warning: %s', async (check, keywords) => {
  const cases = `[{ id: one, vars: { a: x }, assert: [{ ${check} }] }]`;
  const { warnings } = await loadAt(openFolder({ 'evals/a.eval.yaml': suiteOf({ cases }) }));
  expect(warnings.map(({ code, at, message }) => [code, at?.line, message])).toEqual(
    keywords.map((keyword) => ['unknown-key', 3, expect.stringContaining(`"${keyword}" is not a keyword`)]),
  );
});

test('a file of stubs may name a module, and each turn of a conversation adds a step', async () => {
  const root = openFolder({
    'evals/a.eval.yaml': suiteOf({
      cases: `
  - { id: one, vars: { a: x }, tools: { file: tools.yaml }, assert: [{ contains: x }] }
  - { id: two, vars: { a: x }, tools: tools.yaml, turns: [{ user: Go on }, { user: Go }], assert: [{ contains: x }] }`,
    }),
    'evals/tools.yaml': 'module: tools.mjs\nfind: [{ returns: none }]\n',
    'evals/tools.mjs': 'export const tools = {};\n',
  });
  const [suite] = (await loadAt(root)).project.suites;
  const agents = [...(suite?.cases() ?? [])].map(({ agent }) => agent);
  expect(agents.map((agent) => [agent?.module?.file, agent?.stubs.map(({ name }) => name)])).toEqual(
    Array.from({ length: 2 }, () => [join(root, 'evals/tools.mjs'), ['find']]),
  );
  const [alone, inTurns] = agents.map((agent) => agent?.maxSteps ?? 0);
  expect(inTurns).toBe((alone ?? 0) + 2);
});

test('a case puts files only into a workspace that one of its own providers has', async () => {
  const files = (own: string) => ({
    'evals/a.eval.yaml': suiteOf({
      cases: `[{ id: one, vars: { a: x }, workspace: { rules.md: rules.md }, ${own} assert: [{ contains: x }] }]`,
    }).replace('[openai:m]', '["openai:m", { id: agent, use: "exec:node agent.mjs", workspace: shop }]'),
    'evals/agent.mjs': '',
    'evals/rules.md': 'ship',
    'evals/shop/order.json': '{}',
  });
  expect(await warningsOf(files(''))).toEqual([]);
  expect(await warningsOf(files('providers: [agent], '))).toEqual([]);
  expect((await problemsAt(openFolder(files('providers: ["openai:m"], ')))).map(({ message }) => message)).toEqual([
    'case "one" puts files into a workspace, and none of its providers has one',
  ]);
});

test('a rule of a contract may be one on the parameters or results of tools', async () => {
  const files = (rule: string) => ({
    'evals/a.eval.yaml': suiteOf({ more: `contract: { overrides: { ${rule}: info } }\n` }),
  });
  for (const rule of ['type-changed', 'tool-parameter-type-changed', 'tool-result-type-changed']) {
    expect(await warningsOf(files(rule))).toEqual([]);
  }
  expect((await problemsAt(openFolder(files('tool-type-changed')))).map(({ code }) => code)).toEqual(['unknown-id']);
});

test('a tool of the API itself is sent as it is, whatever its members are', async () => {
  const tools = [{ type: 'mcp', mcp: 'gone.json' }];
  const provider = { id: 'p', use: 'openai:m', params: { tools } };
  const root = openFolder({ 'evals/a.eval.yaml': suiteOf().replace('openai:m', JSON.stringify(provider)) });
  expect((await loadAt(root)).project.suites[0]?.providers[0]?.params).toEqual({ tools });
});

test('the cases of a suite are not read where its contract alone is wanted', async () => {
  const cases = '[{ file: gone.jsonl }, { id: one, vars: 1 }]';
  const root = openFolder({ 'evals/a.eval.yaml': suiteOf({ cases }) });
  expect((await problemsAt(root)).map(({ code }) => code)).toEqual(['file-unreadable', 'invalid-value']);
  const [suite] = (await loadAt(root, [], undefined, { contractOnly: true })).project.suites;
  expect([suite?.prompts.map(({ id }) => id), [...(suite?.cases() ?? [])]]).toEqual([['v1'], []]);
});

test('the labels of each judge are those of its own file', async () => {
  const row = (answer: string) => `${JSON.stringify({ id: 1, answer, label: true })}\n`;
  const judge = (id: string) => `{ id: ${id}, use: "openai:${id}", labels: labels/${id}.jsonl }`;
  const check = (id: string) => `{ rubric: { value: Is kind., judge: ${id} } }`;
  const root = openFolder({
    'evals/a.eval.yaml': suiteOf({
      cases: `[{ id: one, vars: { a: x }, assert: [${check('j1')}, ${check('j2')}] }]`,
      more: `judges: [${judge('j1')}, ${judge('j2')}]\n`,
    }),
    'evals/labels/j1.jsonl': row('a'),
    'evals/labels/j2.jsonl': row('b'),
  });
  const [suite] = (await loadAt(root)).project.suites;
  expect(suite?.labels.map(({ id, answer, criterion }) => [id, answer, criterion.judge.id])).toEqual([
    ['1', 'a', 'j1'],
    ['1', 'b', 'j2'],
  ]);
});

test('prompt files run on the models that they name, unless others are named', async () => {
  const promptFile = (model: string) => `model: openai/${model}
messages: [{ role: user, content: "Say {{a}}" }]
testData: [{ a: x }]
evaluators: [{ name: says, string: { contains: x } }]
`;
  const files = {
    'evals/one.prompt.yml': promptFile('m1'),
    'evals/two.prompt.yml': promptFile('m2'),
    'evals/three.prompt.yml': promptFile('m1'),
    'evals/a.eval.yaml': suiteOf({
      prompts: '{ id: p1, file: one.prompt.yml }, { id: p2, file: two.prompt.yml }, { id: p3, file: three.prompt.yml }',
    }).replace('providers: [openai:m]\n', ''),
  };
  const found = async (path: string, more: Readonly<Record<string, string>> = {}) => {
    const [suite] = (await loadAt(openFolder({ ...files, ...more }), [path])).project.suites;
    return [suite?.providers.map(({ id }) => id), suite?.prompts.map(({ providers }) => providers)];
  };
  const all = ['openai:m1', 'openai:m2'];
  expect(await found('evals/a.eval.yaml')).toEqual([all, [['openai:m1'], ['openai:m2'], ['openai:m1']]]);
  const config = { 'llmcheck.config.yaml': 'providers: [openai:other]\n' };
  expect(await found('evals/a.eval.yaml', config)).toEqual([['openai:other'], [undefined, undefined, undefined]]);
  expect(await found('evals/two.prompt.yml', config)).toEqual([['openai:m2'], [['openai:m2']]]);
});

test('params hold a system message where the prompt has none, and ask for one answer', async () => {
  const suite = (prompts: string, params: string) =>
    suiteOf({ prompts }).replace('openai:m', `{ id: c, use: "anthropic:m", params: { ${params} } }`);
  const files = (...parts: Parameters<typeof suite>) => ({ 'evals/a.eval.yaml': suite(...parts) });
  expect(await warningsOf(files(user, 'max_tokens: 9, system: Be kind, n: 1'))).toEqual([]);
  expect(await warningsOf(files(user, 'max_tokens: 9, n: 2'))).toEqual([
    expect.stringContaining('n asks for 2 answers at once'),
  ]);
  expect(
    (await problemsAt(openFolder(files(instructions, 'max_tokens: 9, system: Be kind')))).map(({ message }) => message),
  ).toEqual(['params: system and the system message of the prompt "v2" exclude each other']);
});

test('suites that the config takes out are not loaded, and what is no suite never is', async () => {
  const root = openFolder({
    'llmcheck.config.yaml': 'suites: ["evals/*.eval.yaml", "!evals/b.eval.yaml"]\n',
    'evals/a.eval.yaml': suiteOf(),
    'evals/b.eval.yaml': suiteOf(),
    'evals/notes.txt': 'not a suite',
  });
  const pathsAt = async (...paths: string[]) => (await loadAt(root, paths)).project.suites.map(({ path }) => path);
  expect(await pathsAt()).toEqual(['evals/a.eval.yaml']);
  expect(await pathsAt('evals/*')).toEqual(['evals/a.eval.yaml', 'evals/b.eval.yaml']);
});

test.each<[name: string, meant?: string]>([
  ['temprature', 'temperature'],
  ['temperatrue', 'temperature'],
  ['max_token', 'max_tokens'],
  ['frequency_penaltyy', 'frequency_penalty'],
  ['topK'],
  ['Temperature'],
  ['min_tokens'],
  ['top_n'],
  ['think'],
])('a parameter that looks misspelt is a warning: %s', async (name, meant) => {
  const of = (use: string) =>
    loadAt(
      openFolder({
        'evals/a.eval.yaml': suiteOf().replace('[openai:m]', `[{ id: m, use: "${use}", params: { ${name}: 1 } }]`),
      }),
    );
  const { warnings } = await of('openai:m');
  expect(warnings.map((problem) => `${placeOf(problem)} ${problem.message}: ${problem.hint}`)).toEqual(
    meant === undefined
      ? []
      : [`evals/a.eval.yaml:2:49 unknown-key params: no API is known to take "${name}": did you mean "${meant}"?`],
  );
  expect((await of('exec:cat')).warnings).toEqual([]);
});

test.each<[provider: string, place?: string, hint?: string]>([
  ['{ id: m, use: "module:answer.mjs", vars: [word] }', 'evals/a.eval.yaml:2:13', 'did you mean "words"?'],
  [
    `{ id: m, use: http:m, baseURL: "http://127.0.0.1:9", request: { a: "{{ vars.word }}" } }`,
    'evals/a.eval.yaml:2:13',
    'did you mean "words"?',
  ],
  ['{ id: m, use: "module:answer.mjs", vars: [a, words, kind, mood] }'],
])('a variable that a provider is sent and no case has is a warning: %s', async (provider, place, hint) => {
  const cases =
    '[{ id: one, vars: { a: x, words: y }, assert: [{ contains: a }] }, { file: rows.jsonl, vars: { mood: z } }]';
  const suite = suiteOf({ cases, more: 'defaults: { vars: { kind: x } }' }).replace('openai:m', provider);
  const files = {
    'evals/a.eval.yaml': suite,
    'evals/answer.mjs': '',
    'evals/rows.jsonl': '{"id":"two","vars":{"a":"x"},"assert":[{"contains":"a"}]}\n',
  };
  const { warnings } = await loadAt(openFolder(files));
  const missing = warnings.filter(({ code }) => code === 'missing-variable');
  expect(missing.map((problem) => `${placeOf(problem)} ${problem.message}: ${problem.hint}`)).toEqual(
    place === undefined
      ? []
      : [`${place} missing-variable no case has the variable "word", which provider "m" is sent: ${hint}`],
  );
});

test('a provider of the config may be sent variables that another suite has', async () => {
  const files = {
    'llmcheck.config.yaml': 'providers: [{ id: m, use: "module:answer.mjs", vars: [word] }]\n',
    'answer.mjs': '',
    'evals/a.eval.yaml': suiteOf().replace('openai:m', 'm'),
  };
  expect(await warningsOf(files)).toEqual([]);
});

test.each([
  ['one', 'b.jsonl', false],
  ['two', 'a.jsonl', false],
  ['one', 'a.jsonl', true],
])('suites that record cases of one id into one file are a warning: %s in %s', async (id, file, isTold) => {
  const suite = (caseId: string, recordings: string) =>
    suiteOf({
      cases: `[{ id: ${caseId}, vars: { a: x }, assert: [{ contains: a }] }]`,
      more: `recordings: ${recordings}`,
    });
  const { warnings } = await loadAt(
    openFolder({ 'evals/a.eval.yaml': suite('one', 'a.jsonl'), 'evals/b.eval.yaml': suite(id, file) }),
  );
  expect(warnings.map((problem) => `${placeOf(problem)} ${problem.message.slice(0, 44)}`)).toEqual(
    isTold ? ['evals/b.eval.yaml:4:13 recording b and a record their case "one" in one file:'] : [],
  );
});

test('a fingerprint of digits alone needs no quotes', async () => {
  const files = (approved: string) => ({
    'evals/a.eval.yaml': suiteOf({ more: `contract: { approved: [${approved}] }` }),
  });
  const { contract } = onlySuite(await loadAt(openFolder(files('012345678901, 998877665544'))));
  expect(contract.approved).toEqual(['012345678901', '998877665544']);
  const problems = await problemsAt(openFolder(files('true')));
  expect(problems.map(({ message }) => message)).toEqual([
    'contract.approved[0] must be the fingerprint of a finding, in quotes, not true',
  ]);
});

test.each([
  ['evals/a.eval.yaml', 'evals/a.eval.yaml:4:19'],
  ['llmcheck.config.yaml', 'llmcheck.config.yaml:1:19'],
])('a slice of %s has no name that would be lost', async (file, place) => {
  const gate = 'gate: { slices: { __proto__: { passRate: { min: 1 } } } }\n';
  const cases = '[{ id: one, tags: [__proto__], vars: { a: x }, assert: [{ contains: a }] }]';
  const files = { 'evals/a.eval.yaml': suiteOf({ cases }), 'llmcheck.config.yaml': '' };
  const problems = await problemsAt(openFolder({ ...files, [file]: `${files[file as keyof typeof files]}${gate}` }));
  expect(problems.map((problem) => `${placeOf(problem)} ${problem.message}`)).toEqual([
    `${place} invalid-value a slice can not have the name "__proto__"`,
  ]);
});

test('a limit of a class whose name would be lost is refused', async () => {
  const limits = 'gate: { recall: { __proto__: { min: 1 } }, precision: { __proto__: { min: 1 } } }';
  const more = `classes: { truth: "{{ expected }}", found: text, ${limits} }`;
  const cases = '[{ id: one, expected: __proto__, vars: { a: x }, assert: [{ contains: a }] }]';
  const problems = await problemsAt(openFolder({ 'evals/a.eval.yaml': suiteOf({ cases, more }) }));
  const message = 'a class with a limit can not have the name "__proto__"';
  expect(problems.map((problem) => problem.message)).toEqual([message, message]);
});

test('a slice of the config without a case is reported where all suites are loaded', async () => {
  const files = {
    'llmcheck.config.yaml': 'gate: { slices: { vip: { passRate: { min: 0.9 } } } }\n',
    'evals/a.eval.yaml': suiteOf(),
  };
  const root = openFolder(files);
  const found = async (...paths: string[]) => (await loadAt(root, paths)).project.emptySelections;
  expect(await found()).toEqual([{ message: 'slice vip: no case has this tag', isNamed: true }]);
  expect(await found('evals/a.eval.yaml')).toBeUndefined();
  expect(
    (await loadAt(openFolder({ 'llmcheck.config.yaml': files['llmcheck.config.yaml'] }))).project.emptySelections,
  ).toBeUndefined();
});

test('the params of a suite come before those of a prompt file', async () => {
  const root = openFolder({
    'evals/p.prompt': '---\nconfig: { temperature: 0, topP: 0.5 }\n---\nSay {{a}}',
    'evals/a.eval.yaml': suiteOf({ prompts: '{ id: v1, file: p.prompt, params: { temperature: 1 } }' }),
  });
  const [suite] = (await loadAt(root)).project.suites;
  expect(suite?.prompts[0]?.params).toEqual({ temperature: 1, top_p: 0.5 });
});

test('the config of a folder above the repository is another project’s', () => {
  const root = openFolder({ 'llmcheck.config.yaml': '', 'repo/.git/HEAD': '', 'repo/evals/a.yaml': '' });
  const repo = join(root, 'repo');
  expect(findProject(join(repo, 'evals'))).toEqual({ root: repo, boundary: repo });
  writeFileSync(join(repo, 'llmcheck.config.yaml'), '');
  expect(findProject(join(repo, 'evals'))).toEqual({
    root: repo,
    boundary: repo,
    configPath: join(repo, 'llmcheck.config.yaml'),
  });
});

test('what lies beside the project, or in the folder of git, is refused', () => {
  const root = openFolder({
    'repo/a.txt': '',
    'repo/.GIT/config': '',
    'repo/.github/b.txt': '',
    'repository/c.txt': '',
  });
  symlinkSync(join(root, 'repository'), join(root, 'repo/link'));
  const codeOf = (path: string) => findPlaceFault(join(root, path), join(root, 'repo'), path)?.message;
  expect(['repo', 'repo/a.txt', 'repo/.github/b.txt', 'repo/new/d.txt'].map(codeOf)).toEqual(Array(4).fill(undefined));
  expect(codeOf('repo/.GIT/config')).toContain('lies in the folder .git');
  for (const path of ['repository/c.txt', 'repo/link/c.txt', 'repo/link/new.txt']) {
    expect(codeOf(path)).toContain('lies outside the project');
  }
});

test('a path is shown from the working folder where that is shorter', () => {
  expect(displayPath('/shop/repo/a.txt', '/shop/repo')).toBe('a.txt');
  expect(displayPath('/shop/a.txt', '/shop/repo')).toBe('../a.txt');
  expect(displayPath('/a.txt', '/shop/repo/evals')).toBe('/a.txt');
  expect(displayPath('/shop/repo', '/shop/repo')).toBe('.');
});

test.each<[string, JsonObject, readonly (string | undefined)[]]>([
  ['none', {}, []],
  ['OpenAI', { tools: [{ type: 'function', function: { name: 'a' } }] }, ['a']],
  ['OpenAI Responses', { tools: [{ type: 'function', name: 'a' }, { type: 'web_search' }] }, ['a']],
  ['custom', { tools: [{ type: 'custom', custom: { name: 'a' } }] }, ['a']],
  ['functions', { functions: [{ name: 'a' }, { name: 'b' }] }, ['a', 'b']],
  ['Gemini', { tools: [{ functionDeclarations: [{ name: 'a' }, { name: 'b' }] }] }, ['a', 'b']],
  ['Gemini over REST', { tools: [{ function_declarations: [{ name: 'a' }] }] }, ['a']],
  ['Bedrock', { toolConfig: { tools: [{ toolSpec: { name: 'a' } }] } }, ['a']],
  ['without a name', { tools: [{ type: 'function', function: {} }, {}, 'a'] }, [undefined, undefined, undefined]],
])('the names of tools are read in the form of each API: %s', (_title, params, names) => {
  expect(namesIn(params)).toEqual(names);
});

test('the tools of a suite are those of all its prompts and providers, where each has a name', () => {
  const params = (...names: string[]) => ({ tools: names.map((name) => ({ name })) });
  const found = (prompt: JsonObject, one = buildProvider()) => {
    const tools = findDeclaredTools([{ params: prompt }, { params: {} }], [one, buildProvider()]);
    return tools === undefined ? undefined : [...tools];
  };
  expect(found(params('a', 'b'), buildProvider({ params: params('b', 'c') }))).toEqual(['a', 'b', 'c']);
  expect(found({})).toBeUndefined();
  expect(found({ tools: [{ name: 'a' }, {}] })).toBeUndefined();
  expect(found(params('a'), buildProvider({ adapter: 'exec' }))).toBeUndefined();
  const ofProviders = new Map([['p', params('d')]]);
  expect([...(findDeclaredTools([{ params: {}, paramsByProvider: ofProviders }], [buildProvider()]) ?? [])]).toEqual([
    'd',
  ]);
});

/** A value of no file. */
function placed(value: unknown): Located {
  const at = () => ({ file: 'a.yaml', line: 1, column: 1 });
  return { value, path: [], source: { file: 'a.yaml', folder: '/', at, within: at } };
}

test('a stub of an undeclared tool is reported, unless it only guards', () => {
  const warningsFor = (...stubs: readonly (readonly [string, 'never' | 'returns'])[]) => {
    const used: StubUse = new Map();
    for (const [name, kind] of stubs) {
      noteStubs([{ name, answer: kind === 'never' ? { kind } : { kind, content: '' } }], placed({}), used);
    }
    const problems = createProblems();
    warnOfUndeclared(used, new Set(['refund', 'search']), problems);
    return problems.list().map(({ message, hint }) => `${message.split('"')[1]}: ${hint?.slice(0, 12)}`);
  };
  expect(warningsFor(['refund', 'returns'], ['search', 'never'])).toEqual([]);
  expect(warningsFor(['remove', 'returns'])).toEqual(['remove: declare it u']);
  expect(warningsFor(['remove', 'never'])).toEqual([]);
  expect(warningsFor(['refnd', 'never'])).toEqual(['refnd: did you mean']);
  // One that answers is no guard, whatever comes before or after it.
  expect(warningsFor(['remove', 'never'], ['remove', 'returns'])).toEqual(['remove: declare it u']);
  expect(warningsFor(['remove', 'returns'], ['remove', 'never'])).toEqual(['remove: declare it u']);
});

test('live tools have one server each, and are not asked where recordings answer a run', () => {
  const snapshot = (file: string, source: string, ...sent: string[]): UsedSnapshot => ({
    file,
    sent,
    snapshot: { server: { source, folder: '/' }, info: { name: 's', version: '1' }, tools: [] },
  });
  const files = openProjectFiles({ root: '/', boundary: '/' }, '/');
  const find = (snapshots: readonly UsedSnapshot[], use: 'run' | 'record', hasRecordings = false) => {
    const problems = createProblems();
    const servers = createFindServers(snapshots, { problems, hasRecordings, files })(placed('live'), use);
    return servers === undefined ? problems.list().map(({ message }) => message.split(',')[0]) : [...servers.keys()];
  };
  const [a, again, other] = [snapshot('a', 'x', 'one'), snapshot('b', 'x', 'one'), snapshot('c', 'y', 'one', 'two')];
  expect(find([a, again], 'run')).toEqual(['one']);
  expect(find([a, other], 'run')).toEqual([expect.stringContaining('two servers have a tool "one"')]);
  expect(find([], 'run')).toEqual([expect.stringContaining('asks the servers of the tools that are sent')]);
  expect(find([a], 'run', true)).toEqual([expect.stringContaining('asks a server')]);
  expect(find([a], 'record', true)).toEqual(['one']);
});
