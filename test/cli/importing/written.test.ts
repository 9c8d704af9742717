import { expect, test } from 'vitest';
import { describeImport } from '../../support/import-config.ts';
import { openTempProject } from '../../support/temp-project.ts';

const lines = (...rows: readonly unknown[]) =>
  rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n');
const json = (value: unknown) => JSON.stringify(value, undefined, 1);

type Import = readonly [format: string, file: string, text: string, flags?: readonly string[]];

/** What each of these imports says and writes, one after the other. */
async function describeAll(imports: Readonly<Record<string, Import>>): Promise<string> {
  const all: string[] = [];
  for (const [name, [format, file, text, flags = []]] of Object.entries(imports)) {
    const project = openTempProject();
    project.write(file, text);
    const result = await project.run(['import', format, file, '-o', 'evals/x.eval.yaml', '--partial', ...flags]);
    all.push(`##### ${name}\n${describeImport({ ...result, project })}`);
  }
  return all.join('\n');
}

const system = { role: 'system', content: 'Be brief.' };
const user = (content: unknown) => ({ role: 'user', content });

const dataSets: Readonly<Record<string, Import>> = {
  'one field and its answer': ['jsonl', 'a.jsonl', lines({ q: 'a', answer: 'b' }, { q: 'c', answer: null })],
  'several golden fields': ['jsonl', 'a.jsonl', lines({ q: 'a', answer: 'b', target: 'c' })],
  'a golden field by name': ['jsonl', 'a.jsonl', lines({ q: 'a', x: 'b', answer: 'c' }), ['--expected', 'x']],
  'a golden field that is not there': ['jsonl', 'a.jsonl', lines({ q: 'a' }), ['--expected', 'x']],
  'no golden field': ['jsonl', 'a.jsonl', lines({ q: 'a', answer: 'b', prediction: 'c' }), ['--no-expected']],
  'no field that is known': ['jsonl', 'a.jsonl', lines({ q: 'a' })],
  'a field that may be one': ['jsonl', 'a.jsonl', lines({ q: 'a', sentiment: 'good', answer_format: 'word' })],
  'what a model answered': ['jsonl', 'a.jsonl', lines({ q: 'a', output: 'b', predicted: 'c' })],
  'the same answer twice': [
    'jsonl',
    'a.jsonl',
    lines({ q: 'a', answer: 'b', copy: 'b' }, { q: 'c', answer: 'd', copy: 'd' }),
  ],
  'an answer within': [
    'jsonl',
    'a.jsonl',
    lines({ q: 'a', answer: 'b', more: [{ text: 'b', is_correct: true }] }, { q: 'c', answer: 'd', more: [] }),
  ],
  'an answer of several fields': ['jsonl', 'a.jsonl', lines({ inputs: { q: 'a' }, outputs: { x: 'b', y: 'c' } })],
  expectations: [
    'jsonl',
    'a.jsonl',
    lines({ inputs: { q: 'a' }, expectations: { expected_response: 'b', guidelines: ['c'] }, outputs: { z: 'd' } }),
  ],
  'what tools keep': [
    'jsonl',
    'a.jsonl',
    lines({ id: 1, input: 'a', expected: 'b', tags: ['x'], metadata: { k: 1 }, split: 'test', source: { f: 1 } }),
  ],
  'archived rows': [
    'jsonl',
    'a.jsonl',
    lines({ datasetId: 'd', status: 'ARCHIVED', input: 'a', expectedOutput: 'b' }, { input: 'c', expectedOutput: 'd' }),
  ],
  'archived rows alone': ['jsonl', 'a.jsonl', lines({ datasetName: 'd', status: 'ARCHIVED', input: 'a' })],
  'no rows': ['jsonl', 'a.json', '[]'],
  'rows that are none': ['jsonl', 'a.jsonl', lines({ q: 'a', answer: 'b' }, '{"q":', '3', {})],
  ids: [
    'jsonl',
    'a.jsonl',
    lines(
      { id: 'a', q: '1' },
      { id: 'a', q: '2' },
      { id: ' ', q: '3' },
      { id: 'x\ny', q: '4' },
      { q: '1' },
      { q: '1' },
    ),
  ],
  'names that templates read': [
    'jsonl',
    'a.jsonl',
    lines(
      { first: 'a', 'a b': 'c', 'a-b': 'd', '1st': 'e', a_b: 'f', list: ['x', 1], map: { y: 1 }, expected: 'z' },
      {
        expected: 'z',
      },
      { first: 'b', expected: 'z' },
    ),
  ],
  chats: [
    'jsonl',
    'a.jsonl',
    lines(
      { messages: [system, user('a'), { role: 'assistant', content: 'b' }] },
      { messages: [system, user('c'), { role: 'assistant', content: 'd' }] },
      { messages: [user('e')] },
      { messages: [user('f'), user('g')], answer: 'h' },
    ),
  ],
  'a chat beside an answer': [
    'jsonl',
    'a.jsonl',
    lines({
      messages: [
        { ...user('a'), name: 'ann' },
        { role: 'assistant', content: 'b' },
      ],
      target: 'c',
      user: 'u',
    }),
  ],
  'messages that prompts can not have': [
    'jsonl',
    'a.jsonl',
    lines(
      { messages: [user([{ type: 'image', url: 'x' }])], answer: 'b' },
      { messages: [{ role: 'tool', content: 'x' }], answer: 'b' },
      { messages: ['no', 'message'], answer: 'b' },
    ),
  ],
  'choices by letters': [
    'jsonl',
    'a.jsonl',
    lines({ q: 'a', choices: ['x', 'y'], target: 'B' }, { q: 'b', choices: ['x', 3], target: 'A' }),
  ],
  'answers in wrappers': [
    'jsonl',
    'a.jsonl',
    lines(
      { q: 'a', answer: { text: 'b' } },
      { q: 'c', answer: { text: ['d', 'd', 'e'], answer_start: [1, 2, 3] } },
      { q: 'f', answer: { role: 'assistant', content: 'g' } },
      { q: 'h', answer: [user('i'), { role: 'assistant', content: 'j' }] },
      { q: 'k', answer: { text: { deep: 1 } } },
      { q: 'l', answer: { odd: 'm' } },
      { q: 'n', answer: ['o', 'p'] },
      { q: 'q', answer: '' },
    ),
  ],
  'a table': ['jsonl', 'a.csv', 'q,answer\n"a, b",c\n"[1, ""x""]",\n'],
  'a table of other separators': ['jsonl', 'a.csv', 'q;answer\na;b\n'],
  'a table of tabs': ['jsonl', 'a.csv', 'q\tanswer\na\tb\n'],
  'a table with a column twice': ['jsonl', 'a.csv', 'q, q\na,b\n'],
  'a table with a short row': ['jsonl', 'a.csv', 'q,answer\na\n'],
  'a table with an open quote': ['jsonl', 'a.csv', 'q,answer\n"a,b\n'],
  'a list in a wrapper': ['jsonl', 'a.json', json({ examples: [{ q: 'a', answer: 'b' }, { q: 'c' }], name: 'n' })],
  'two lists in a wrapper': ['jsonl', 'a.json', json({ examples: [{ q: 'a' }], rows: [{ q: 'b' }] })],
  'a list with other items': ['jsonl', 'a.json', json([3, { q: 'a', answer: 'b' }])],
  'a document that is cut': ['jsonl', 'a.json', '[{"q": "a"},\n'],
  'results of promptfoo': [
    'jsonl',
    'a.json',
    json({
      results: {
        results: [
          { promptIdx: 0, vars: { q: 'a' }, testCase: { assert: [{ type: 'equals', value: 'b' }] } },
          { promptIdx: 0, vars: { q: 'c' }, testCase: { assert: [{ type: 'equals', value: '{{q}}' }] } },
          { promptIdx: 0, vars: { q: 'd' }, testCase: { assert: [{ type: 'equals', value: 1 }, { type: 'equals' }] } },
          { response: {}, vars: { q: 'e' }, testCase: {} },
        ],
      },
    }),
  ],
  'instances of HELM': [
    'jsonl',
    'a.json',
    json([
      {
        id: 'h1',
        input: { text: 'a' },
        references: [
          { output: { text: 'x' }, tags: [] },
          { output: { text: 'y' }, tags: ['correct'] },
        ],
      },
      { instance: { input: { messages: [user('b')] }, references: [{ output: { text: 'z' }, tags: ['correct'] }] } },
      {
        input: { text: 'c' },
        references: [
          { output: { text: 'x' }, tags: ['correct'] },
          { output: { text: 'y' }, tags: ['correct'] },
        ],
      },
      { input: { text: 'd' }, references: [] },
    ]),
  ],
  'samples of Inspect': [
    'jsonl',
    'a.json',
    json([
      { id: 1, epoch: 1, input: 'a', target: 'b', choices: ['x'], scores: {} },
      { id: 1, epoch: 2, input: 'a', target: 'b' },
    ]),
  ],
  'numbers that no double keeps': ['jsonl', 'a.jsonl', '{"q": 12345678901234567890, "answer": 1.0}'],
  ...Object.fromEntries(
    (
      [
        { resourceSpans: [] },
        { attributes: {}, spanId: 's' },
        { run_type: 'llm', inputs: {} },
        { traceId: 't', type: 'x', input: 'y' },
        { vars: {}, assert: [] },
        { skill_name: 's', evals: [] },
        { testing_criteria: [] },
      ] as const
    ).map((row, at): [string, Import] => [`no data set, ${at + 1}`, ['jsonl', 'a.jsonl', lines(row)]]),
  ),
};

const output = '{{ sample.output_text }}';
const check = (more: object) => ({ type: 'string_check', input: output, reference: 'a', operation: 'eq', ...more });
const run = (more: object, criteria: readonly object[] = [check({})]) =>
  json({
    eval: { name: 'n', testing_criteria: criteria },
    run: {
      data_source: {
        model: 'm',
        input_messages: { template: [{ role: 'user', content: 'Say {{ item.q }}' }] },
        source: { content: [{ item: { q: 'a', deep: { q: 'x' } } }, { q: 'b', deep: { q: 'y' } }, 3] },
        ...more,
      },
    },
  });

const evals: Readonly<Record<string, Import>> = {
  criteria: [
    'openai-evals',
    'a.json',
    run({}, [
      check({ name: 'same' }),
      check({ operation: 'ne', reference: '{{item.deep.q}}' }),
      check({ operation: 'like', reference: '{{ item.q }}' }),
      check({ operation: 'ilike' }),
      check({ operation: 'gt' }),
      check({ input: 'x' }),
      check({ reference: 3 }),
      check({ reference: '{% if x %}' }),
      check({ reference: '{{ sample.x | y }}' }),
      { type: 'label_model' },
    ]),
  ],
  'nothing that judges': ['openai-evals', 'a.json', run({}, [{ type: 'python' }])],
  'a template of a developer': [
    'openai-evals',
    'a.json',
    run({ input_messages: { template: [{ role: 'developer', content: { text: 'Be {{item.q}}.' } }] } }),
  ],
  template: [
    'openai-evals',
    'a.json',
    run({
      model: 3,
      input_messages: {
        template: [
          { role: 'developer', content: { text: 'Be {{item.tone}}.' } },
          { role: 'tool', content: 'x' },
        ],
      },
    }),
  ],
  'no template and no items': ['openai-evals', 'a.json', run({ input_messages: {}, source: {} })],
  'the eval alone': [
    'openai-evals',
    'a.json',
    json({ testing_criteria: [check({})], data_source_config: { model: 'm' }, name: 3 }),
  ],
  'no eval': ['openai-evals', 'a.json', '{}'],
  'a data set': ['openai-evals', 'a.jsonl', lines({ q: 'a', answer: 'b' }, { q: 'c', answer: 'd' })],
  'no JSON': ['openai-evals', 'a.json', '{'],
};

test.each([
  ['data-sets', dataSets],
  ['openai-evals', evals],
])('what imports of %s write is written in full', async (name, imports) => {
  await expect(await describeAll(imports)).toMatchFileSnapshot(`snapshots/${name}.txt`);
});
