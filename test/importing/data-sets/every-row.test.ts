// oxlint-disable vitest/expect-expect -- expectFile asserts.
import { expect, test } from 'vitest';
import { importDataSet } from '../../../src/importing/data-sets/data-set.ts';
import { LeftOut } from '../../../src/importing/draft.ts';
import type { Problem } from '../../../src/model/problem.ts';

type Expected = string | false | undefined;

function describeProblem({ message, hint, at }: Problem): string {
  return `${at === undefined ? '' : `${at.line}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;
}

const write = (_: string, value: unknown): unknown =>
  value instanceof LeftOut ? `LEFT OUT ${value.at.line}: ${value.reason}: ${JSON.stringify(value.value)}` : value;

/** What becomes of a file: its prompts, defaults and cases, what is noted and what is refused. */
function describeImport(file: string, text: string, expected?: Expected): string {
  const found = importDataSet(file, text, expected);
  const said = expected === undefined ? '' : ` expected=${expected}`;
  const title = `== ${file}${said} ${JSON.stringify(text)}`;
  if ('problems' in found) return [title, ...found.problems.map((one) => `! ${describeProblem(one)}`)].join('\n');
  const { prompts, cases, defaults } = found.suite;
  return [
    title,
    `prompts ${JSON.stringify(prompts)}`,
    ...(defaults === undefined ? [] : [`defaults ${JSON.stringify(defaults)}`]),
    ...(Array.isArray(cases) ? cases : []).map((one) => `  ${JSON.stringify(one, write)}`),
    ...found.notes.map((one) => `note ${describeProblem(one)}`),
    ...found.refused.map((one) => `refused ${describeProblem(one)}`),
  ].join('\n');
}

const jsonl = (...rows: readonly object[]): readonly [string, string] => [
  'rows.jsonl',
  rows.map((row) => JSON.stringify(row)).join('\n'),
];
const json = (value: unknown): readonly [string, string] => ['rows.json', JSON.stringify(value)];
const csv = (...lines: readonly string[]): readonly [string, string] => ['rows.csv', lines.join('\n')];
const user = (content: unknown, more = {}) => ({ role: 'user', content, ...more });
const system = (content: unknown) => ({ role: 'system', content });
const said = (content: unknown) => ({ role: 'assistant', content });

async function expectFile(
  name: string,
  files: readonly (readonly [file: string, text: string, expected?: Expected])[],
): Promise<void> {
  const lines = files.map((args) => describeImport(...args));
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`../snapshots/rows-${name}.txt`);
}

test('the golden answer is found by the name of its field, or is asked for', async () => {
  const row = { q: 'a', answer: 'x' };
  await expectFile('golden', [
    jsonl(row),
    jsonl({ question: 'a', 'Expected Output': 'x' }, { question: 'b', 'Expected Output': '' }),
    jsonl({ q: 'a', output: 'x' }),
    jsonl({ q: 'a', expected: [user('x'), said('first'), user('y'), said('last')] }),
    jsonl({ q: 'a', output: 'y', answer: 'x', prediction: 'z' }),
    jsonl({ q: 'a', output: 'y', completion: 'z' }),
    jsonl({ q: 'a', answer: 'x', target: 'y' }),
    [...jsonl({ q: 'a', answer: 'x', target: 'y' }), 'target'],
    [...jsonl({ q: 'a', answer: 'x', rationale: 'since' }), false],
    [...jsonl({ q: 'a', answer: 'x', actual_output: 'since' }), false],
    jsonl({ q: 'a', actual: 'x' }),
    jsonl({ q: 'a', sentiment: 'x' }),
    jsonl({ q: 'a', my_rationale: 'x', actual: 'y' }),
    jsonl({ q: 'a', answer_format: 'x', label_url: 'y' }),
    jsonl({ q: 'a', expected_discount: 'x', answerFormat: 'y', ANSWER_ID: 'z' }),
    jsonl({ q: 'a', truth: 'x' }),
    jsonl({ q: 'a', truth: 'x', answer: 'y' }),
    [...jsonl({ q: 'a', sentiment: 'x' }), 'sentiment'],
    jsonl({ q: 'a', my_rationale: 'x', answer: 'y', answer_type: 'z', unit_tests: 'u' }),
    jsonl({ a: 1, b: 2 }),
    jsonl({ q: 'a', answer: { text: ['x', 'x', 'y'], answer_start: [1, 2, 3] } }),
    jsonl({ q: 'a', answer: { text: 'x' } }, { q: 'b', answer: { value: { deep: 1 } } }, { q: 'c', answer: { x: 1 } }),
    jsonl({ q: 'a', answer: [] }, { q: 'b', answer: ['x', 'y'] }, { q: 'c', answer: ['x', 1] }, { q: 'd', answer: 5 }),
    jsonl({ q: 'a', answer: said('x') }, { q: 'b', answer: [user('q'), said('x'), user('y')] }),
    jsonl({ q: 'a', answer: null }, { q: 'b', answer: 'x' }),
    jsonl({ q: 'a', answer: '' }, { q: 'b' }),
    jsonl({ q: 'a', choices: ['one', 'two'], answer: 'B' }, { q: 'b', choices: ['one', 'two'], answer: ['A', 'B'] }),
    jsonl({ q: 'a', choices: ['one', 'two'], answer: 'two' }, { q: 'b', choices: 'x', answer: 'A' }),
  ]);
});

test('a field that gives the answer away is no variable', async () => {
  await expectFile('hidden', [
    jsonl({ q: 'a', answer: 'x', copy: 'x' }, { q: 'b', answer: 'y', copy: 'y' }),
    jsonl({ q: 'a', answer: 'x', copy: 'x' }, { q: 'b', answer: 'y', copy: 'z' }),
    jsonl({ q: 'a', answer: 'x', copy: 'x' }, { q: 'b', answer: 'y' }),
    jsonl({
      q: 'a',
      answer: 'x',
      options: [
        { text: 'x', is_correct: true },
        { text: 'y', is_correct: false },
      ],
    }),
    jsonl({ q: 'a', answer: 'x', deep: { answer: 'x' } }, { q: 'b', answer: 'y', deep: { other: 1 } }),
    jsonl({ q: 'a', answer: 'x', deep: { answer: 'z' } }),
    jsonl({ q: 'a', answer: 'x', metadata: { a: 1 }, source: 'text', tags: ['t'] }),
    jsonl({ inputs: { q: 'a' }, outputs: { answer: 'x' }, metadata: { a: 1 }, tags: ['t'], split: 'test' }),
    jsonl({ inputs: { q: 'a' }, outputs: { answer: 'x', more: 'y' } }),
    [...jsonl({ inputs: { q: 'a' }, outputs: { answer: 'x', more: 'y' } }), 'outputs'],
    [...jsonl({ inputs: { q: 'a' }, outputs: { answer: 'x', more: 'y' } }), false],
    jsonl({ inputs: { q: 'a' }, expectations: { expected_response: 'x', facts: ['f'] } }),
    jsonl({ inputs: { q: 'a', id: 7 }, outputs: { whatever: 'x' }, id: 'r1' }),
    jsonl({ input: { role: 'user', content: 'hi' }, expected: 'x' }),
    jsonl({ input: { q: 'a', empty: null }, expected: 'x', nothing: null }),
  ]);
});

test('a conversation becomes messages, and what all rows share is a part of the prompt', async () => {
  const same = system('Be kind.');
  await expectFile('chats', [
    jsonl({ messages: [same, user('a'), said('x')] }, { messages: [same, user('b'), said('y')] }),
    jsonl({ messages: [same, user('a')], answer: 'x' }, { messages: [system('Other.'), user('b')], answer: 'y' }),
    jsonl({ messages: [same, user('a'), said('w'), user('c')], answer: 'x' }),
    jsonl({ messages: [user('a')], answer: 'x' }, { messages: [same, user('a')], answer: 'y' }),
    jsonl(
      { messages: [system('{{ x }}'), user('a')], answer: 'x' },
      { messages: [system('{{ x }}'), user('b')], answer: 'y' },
    ),
    jsonl({ system: 's', messages: [user('a'), said('x')] }, { system: 't', messages: [user('b'), said('y')] }),
    jsonl({ system: 's', messages: [system('t'), user('a'), said('x')] }),
    jsonl({ messages: [user('a'), said('w')], answer: 'x' }),
    jsonl({ messages: [user('a', { name: 'Ada' })], answer: 'x' }),
    jsonl({ messages: [user('a')], user: 'u', topic_id: 't', answer: 'x' }),
    jsonl({ messages: [{ role: 'tool', content: 'a' }], answer: 'x' }, { messages: [user('b')], answer: 'x' }),
    jsonl({ messages: [user([{ type: 'image_url' }])], answer: 'x' }),
    jsonl({ inputs: { chat_history: [user('a')] }, outputs: { answer: 'x' } }),
    jsonl({ input: [user('a')], expected: 'x' }),
    jsonl({ prompt: ['a', 'b'], answer: 'x' }),
    jsonl({
      conversations: [
        { from: 'human', value: 'a' },
        { from: 'gpt', value: 'x' },
      ],
    }),
  ]);
});

test('variables have names that templates can read, and filters for what is no text', async () => {
  await expectFile('variables', [
    jsonl({ 'my field': 'a', 'my-field': 'b', 'my.field': 'c', answer: 'x' }),
    jsonl({ '1st': 'a', true: 'b', size: 'c', expected_x: 'd', answer: 'x' }),
    jsonl(
      { list: ['a', 1], map: { a: 1 }, mixed: 'x', answer: 'x' },
      { list: 'b', map: 'text', mixed: { b: 1 }, answer: 'y' },
    ),
    jsonl({ a: '1', answer: 'x' }, { b: '2', answer: 'y' }),
    jsonl({ a: ['1'], m: { x: 1 }, answer: 'x' }, { b: '2', answer: 'y' }),
    jsonl({ id: 'one', q: 'a', answer: 'x' }, { id: 'one', q: 'b', answer: 'x' }, { id: ' ', q: 'c', answer: 'x' }),
    jsonl(
      { id: 'a\u2028b', q: 'a', answer: 'x' },
      { id: 7, q: 'b', answer: 'x' },
      { id: { x: 1 }, q: 'c', answer: 'x' },
    ),
    jsonl({ q: 'a', answer: 'x' }, { q: 'a', answer: 'y' }, { id: 'c', q: 'a', answer: 'z' }),
    jsonl({ answer: 'x' }, { q: 'a', answer: 'x' }),
    ['rows.jsonl', '{"n":12345678901234567890,"m":1.0,"answer":"x"}'],
  ]);
});

test('rows are read from lines, lists, wrappers and tables', async () => {
  const row = { q: 'a', answer: 'x' };
  await expectFile('files', [
    ['rows.jsonl', '{"q":"a","answer":"x"}\n\nbroken\n5\n{"q":"b","answer":"y"}\r\n'],
    ['rows.jsonl', 'broken\n{"q":"b","answer":"y"}'],
    jsonl({ q: 'a', answer: 'x', instances: [{ b: 1 }] }, { q: 'b', answer: 'y', instances: [{ b: 2 }] }),
    ['rows.json', '[\n{"q":"a","answer":"x"},\n{"q":"b",\n"answer":"y"},\n5]'],
    ['rows.json', '{"data":[{"q":"a","answer":"x"}],\n"more":[]}'],
    ['rows.json', '[{"q":'],
    ['rows.json', ''],
    json({ examples: [row], items: [row] }),
    json({ data: [], rows: [row] }),
    json({
      results: {
        results: [{ promptIdx: 0, vars: { q: 'a' }, testCase: { assert: [{ type: 'equals', value: 'x' }] } }],
      },
    }),
    json([]),
    json(5),
    csv('q,answer', 'a,x', '"b, c",y'),
    csv('q;answer', 'a;x'),
    csv('q\tanswer', 'a\tx'),
    csv('q|answer', 'a|x'),
    csv('q', 'a;b'),
    csv('q,q', 'a,b'),
    csv('q,answer', 'a'),
    csv(' q , answer', 'a,', ',x', '[1],"{""a"": 1}"', '[1,x'),
    csv('q,answer', '"a'),
  ]);
});

test('rows that other tools wrote about a run are read once, without what the model said', async () => {
  const inspect = { id: 1, input: 'a', target: 'x', epoch: 1, choices: ['x'], output: 'y', scores: {} };
  const promptfoo = { promptIdx: 0, vars: { q: 'a' }, response: { output: 'y' } };
  const checks = (...asserts: readonly object[]) => ({ ...promptfoo, testCase: { assert: asserts } });
  const equals = (value: unknown) => ({ type: 'equals', value });
  const reference = (text: string, ...tags: readonly string[]) => ({ output: { text }, tags });
  const helm = (references: readonly object[], more = {}) => ({ id: 'h', input: { text: 'a' }, references, ...more });
  await expectFile('runs', [
    jsonl(inspect, { ...inspect, epoch: 2 }),
    jsonl({ q: 'a', answer: 'x', epoch: 2 }, { q: 'b', answer: 'x', epoch: 1 }, { q: 'c', answer: 'x' }),
    jsonl(checks(equals('x')), checks(equals('x')), checks(equals('y'))),
    jsonl(checks(equals('x'), { type: 'contains', value: 'z' })),
    jsonl(checks(equals('x'), equals('y'))),
    jsonl(checks(equals('{{ x }}'))),
    jsonl(checks()),
    jsonl({ vars: { q: 'a' }, response: 1, testCase: {} }),
    jsonl({ vars: { q: 'a' }, testCase: {} }),
    jsonl(helm([reference('x', 'correct'), reference('y')])),
    jsonl(helm([reference('x', 'correct'), reference('y', 'correct')])),
    jsonl(helm([reference('x')])),
    jsonl({ instance: helm([reference('x', 'correct')], { input: { messages: [user('a')] } }), result: 'z' }),
    jsonl({ ...helm([{ output: 'x', tags: [] }]), answer: 'x' }),
    jsonl({ status: 'ARCHIVED', datasetId: 'd', input: 'a', expected: 'x' }),
    jsonl(
      { status: 'ARCHIVED', datasetName: 'd', input: 'a', expected: 'x' },
      { status: 'ACTIVE', datasetName: 'd', input: 'b', expected: 'x' },
    ),
    jsonl({ status: 'ARCHIVED', input: 'a', expected: 'x' }),
  ]);
});

test('files of other kinds are named with the command that reads them', async () => {
  const objects = [
    { resourceSpans: [] },
    { resourceLogs: [] },
    { attributes: {}, spanId: 'x' },
    { attributes: {}, context: {} },
    { attributes: {}, answer: 'x' },
    { run_type: 'llm', inputs: { q: 1 } },
    { run_type: 'llm', answer: 'x' },
    { traceId: 'x', type: 'y', input: 'z' },
    { trace_id: 'x', type: 'y', input: 'z' },
    { traceId: 'x', type: 'y', answer: 'x' },
    { vars: { q: 1 }, assert: [] },
    { vars: 'x', assert: 'y', answer: 'x' },
    { skill_name: 'x', evals: [] },
    { testing_criteria: [], answer: 'x' },
  ];
  await expectFile(
    'others',
    objects.map((one) => jsonl(one)),
  );
});

test('tools of a fine-tuning file are noted, since the prompt shows them as text', () => {
  const tools = [{ type: 'function', function: { name: 'find' } }];
  const [file, text] = jsonl(
    { messages: [user('a'), said('b')] },
    { messages: [user('c'), said('d')], tools },
    { messages: [user('e'), said('f')], tools },
  );
  expect(describeImport(file, text)).toContain(
    'note 2: the prompt shows "tools" as text: write them into params.tools (2 rows)',
  );
});
