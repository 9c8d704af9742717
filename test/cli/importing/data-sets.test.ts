import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject, plannedTrialsOf } from '../../support/temp-project.ts';

const lines = (...rows: readonly unknown[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;

interface DataSet {
  readonly tool: string;
  readonly file: string;
  readonly text: string;
  /** What a request holds, and the golden answer to it, which no request may hold. */
  readonly answers: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

const capital = { 'capital of France': 'Paris!', 'capital of Peru': 'Lima!' };

/** In the forms that the tools document, with their place and date. */
const dataSets: readonly DataSet[] = [
  {
    // github.com/openai/evals, docs/build-eval.md, 2026-11-27
    tool: 'OpenAI evals',
    file: 'samples.jsonl',
    text: lines(
      {
        input: [
          { role: 'system', content: 'Name the city.' },
          { role: 'user', content: 'capital of France' },
        ],
        ideal: 'Paris!',
      },
      {
        input: [
          { role: 'system', content: 'Name the city.' },
          { role: 'user', content: 'capital of Peru' },
        ],
        ideal: ['Lima!', 'LIMA!'],
      },
      { input: 'capital of Chile', ideal: 'Santiago!' },
    ),
    answers: { ...capital, 'capital of Chile': 'Santiago!' },
  },
  {
    // docs.langchain.com/langsmith/example-data-format, 2026-11-27
    tool: 'LangSmith examples',
    file: 'examples.json',
    text: JSON.stringify(
      [
        {
          id: 'a1',
          inputs: { question: 'capital of France', docs: [{ page: 1 }] },
          outputs: { reply: 'Paris!' },
          metadata: { dataset_split: ['base'] },
          dataset_id: 'd1',
        },
        { id: 'a2', inputs: { question: 'capital of Peru' }, outputs: { reply: 'Lima!' }, created_at: '2026-01-01' },
      ],
      null,
      2,
    ),
    answers: capital,
  },
  {
    tool: 'LangSmith examples with chats',
    file: 'chats.jsonl',
    text: lines({
      inputs: { messages: [[{ lc: 1, id: ['langchain', 'HumanMessage'], kwargs: { content: 'capital of France' } }]] },
      outputs: { message: { type: 'ai', content: 'Paris!' } },
    }),
    answers: { 'capital of France': 'Paris!' },
  },
  {
    // js.reference.langfuse.com, ApiDatasetItem, 2026-11-27
    tool: 'Langfuse dataset items',
    file: 'items.json',
    text: JSON.stringify({
      data: [
        {
          id: 'i1',
          status: 'ACTIVE',
          input: { text: 'capital of France', tags: ['x', 'y'] },
          expectedOutput: { answer: 'Paris!' },
          metadata: { golden: 'Paris!' },
          sourceTraceId: null,
          datasetName: 'cities',
        },
        { id: 'i2', status: 'ACTIVE', input: { text: 'capital of Peru' }, expectedOutput: 'Lima!', metadata: null },
      ],
      meta: { page: 1 },
    }),
    answers: capital,
  },
  {
    // braintrust.dev/docs, datasets: input, expected, metadata, tags, 2026-11-27
    tool: 'Braintrust',
    file: 'dataset.jsonl',
    text: lines(
      {
        id: 'b1',
        input: 'capital of France',
        expected: 'Paris!',
        metadata: { why: 'Paris!' },
        tags: ['eu'],
        _xact_id: '1',
      },
      { id: 'b2', input: { q: 'capital of Peru' }, expected: 'Lima!', output: 'Lima!', scores: { exact: 1 } },
    ),
    answers: capital,
  },
  {
    // deepeval.com/docs/evaluation-datasets, goldens, 2026-11-27
    tool: 'deepeval goldens',
    file: 'goldens.json',
    text: JSON.stringify([
      {
        input: 'capital of France',
        actual_output: 'Paris!',
        expected_output: 'Paris!',
        context: ['France is in Europe'],
        retrieval_context: ['Its capital has {{ 2 }} million people'],
        name: null,
        comments: null,
        source_file: 'a.md',
      },
      {
        input: 'capital of Peru',
        actual_output: null,
        expected_output: 'Lima!',
        context: null,
        retrieval_context: null,
      },
    ]),
    answers: capital,
  },
  {
    // inspect.aisi.org.uk/datasets.html, Sample, 2026-11-27
    tool: 'Inspect samples',
    file: 'samples.json',
    text: JSON.stringify([
      { id: 1, input: 'capital of France', target: 'Paris!', metadata: { source: 'x' } },
      { id: 2, input: [{ role: 'user', content: 'capital of Peru' }], target: ['Lima!', 'lima!'] },
    ]),
    answers: capital,
  },
  {
    tool: "OpenAI's fine-tuning chats",
    file: 'train.jsonl',
    text: lines(
      {
        messages: [
          { role: 'user', content: 'capital of France' },
          { role: 'assistant', content: 'Paris!' },
        ],
      },
      {
        messages: [
          { role: 'user', content: 'capital of Peru' },
          { role: 'assistant', content: 'Lima!' },
        ],
      },
    ),
    answers: capital,
  },
  ...['ground_truth', 'expected_answer', 'reference', 'expectedOutput', 'outputs', 'Reference Answer', 'label'].map(
    (name): DataSet => ({
      tool: `a field ${name}`,
      file: 'data.jsonl',
      text: lines(
        { question: 'capital of France', [name]: 'Paris!' },
        { question: 'capital of Peru', [name]: 'Lima!' },
      ),
      answers: capital,
    }),
  ),
  {
    tool: 'a field that is named',
    file: 'data.jsonl',
    text: lines({ question: 'capital of France', city: 'Paris!' }, { question: 'capital of Peru', city: 'Lima!' }),
    answers: capital,
    flags: ['--expected', 'city'],
  },
  {
    tool: 'a copy of the golden field',
    file: 'data.jsonl',
    text: lines(
      { question: 'capital of France', answer: 'Paris!', town: 'Paris!' },
      { question: 'capital of Peru', answer: 'Lima!', town: 'Lima!' },
    ),
    answers: capital,
  },
];

test.each(dataSets)('$tool: loads, asks and judges, and no request holds the golden answer', async (set) => {
  const { file, text, answers, flags = [] } = set;
  const project = openTempProject();
  project.write(file, text);
  const imported = await project.run(['import', 'jsonl', file, '-o', 'evals/x.eval.yaml', ...flags]);
  expect([imported.code, imported.stderr.includes('error')]).toEqual([0, false]);
  const seen: string[] = [];
  const isRight = { now: true };
  const server = await startChatServer(({ body }) => {
    const asked = JSON.stringify(body['messages']);
    seen.push(asked);
    const answer = Object.entries(answers).find(([part]) => asked.includes(part))?.[1] ?? 'not asked for';
    return isRight.now ? answer : 'wrong';
  });
  const count = Object.keys(answers).length;
  const right = await project.report(['run', '--cache', 'off'], { env: server.env });
  expect([right.code, plannedTrialsOf(right.report).map(({ status }) => status)]).toEqual([
    0,
    Array.from({ length: count }, () => 'passed'),
  ]);
  isRight.now = false;
  const wrong = await project.report(['run', '--cache', 'off'], { env: server.env });
  expect(plannedTrialsOf(wrong.report).map(({ status }) => status)).toEqual(
    Array.from({ length: count }, () => 'failed'),
  );
  for (const golden of Object.values(answers)) expect(seen.filter((asked) => asked.includes(golden))).toEqual([]);
});

describe('a golden field that is unclear is asked for', () => {
  test.each<[row: Readonly<Record<string, unknown>>, message: string]>([
    [{ question: 'q', answer: 'a', label: 'b' }, '"answer" and "label" may each hold the golden answer'],
    [{ inputs: { q: 'x' }, outputs: { a: '1', b: '2' } }, '"outputs.a" and "outputs.b" may each hold'],
    [{ question: 'q', my_answer_text: 'a' }, '"my_answer_text" may hold the golden answer'],
    [{ text: 'q', category: 'a' }, '"category" may hold the golden answer'],
  ])('%j', async (row, message) => {
    const project = openTempProject();
    project.write('data.jsonl', lines(row));
    const asked = await project.run(['import', 'jsonl', 'data.jsonl']);
    expect([asked.code, project.files('evals')]).toEqual([2, []]);
    expect(asked.stderr).toContain(message);
    expect(asked.stderr).toContain('the fields are ');
    expect(asked.stderr).toContain('--expected FIELD');
    expect((await project.run(['import', 'jsonl', 'data.jsonl', '--no-expected'])).code).toBe(0);
    const { cases } = parse(project.read('evals/data.eval.yaml')) as { cases: { observe?: boolean }[] };
    expect(cases.map(({ observe }) => observe)).toEqual([true]);
  });

  test('a field that no row has', async () => {
    const project = openTempProject();
    project.write('data.jsonl', lines({ question: 'q', answer: 'a' }));
    const { code, stderr } = await project.run(['import', 'jsonl', 'data.jsonl', '--expected', 'anwser']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no row has the field "anwser"')]);
  });
});

test('lists, objects and missing fields render in every row', async () => {
  const project = openTempProject();
  const rows = [
    { q: 'one', tags: ['x', 'y'], order: { id: 1 }, mixed: 'text', answer: 42 },
    { q: 'two', tags: 'z', order: [{ a: 1 }], mixed: [1, { b: 2 }], answer: true },
    { q: 'three', answer: { a: [1] }, order: null },
  ];
  project.write('data.jsonl', lines(...rows));
  expect((await project.run(['import', 'jsonl', 'data.jsonl'])).code).toBe(0);
  const seen: string[] = [];
  const server = await startChatServer(({ text }) => {
    seen.push(text);
    return text.includes('one') ? '42' : text.includes('two') ? 'true' : '{"a": [1]}';
  });
  const { code, report } = await project.report(['run'], { env: server.env });
  expect([code, plannedTrialsOf(report).map(({ status }) => status)]).toEqual([0, ['passed', 'passed', 'passed']]);
  expect(seen.sort()).toEqual([
    'q: one\ntags: x\ny\norder: {"id":1}\nmixed: "text"',
    'q: three\ntags: \norder: {}\nmixed: {}',
    'q: two\ntags: z\norder: [{"a":1}]\nmixed: [1,{"b":2}]',
  ]);
});

test('a lettered answer goes with lettered choices', async () => {
  const project = openTempProject();
  project.write('data.json', JSON.stringify([{ input: 'Which?', choices: ['red', 'blue'], target: 'B' }]));
  expect((await project.run(['import', 'jsonl', 'data.json'])).code).toBe(0);
  const { prompts, cases } = parse(project.read('evals/data.eval.yaml')) as Record<string, unknown>;
  expect([prompts, cases]).toMatchObject([
    [{ text: 'input: {{ input }}\nchoices: {{ choices | join: "\\n" }}' }],
    [{ vars: { input: 'Which?', choices: ['A) red', 'B) blue'] }, expected: 'B' }],
  ]);
});

test('what can be no case is refused with its line', async () => {
  const project = openTempProject();
  const call = { role: 'assistant', content: null, tool_calls: [{ id: 'c' }] };
  project.write(
    'data.jsonl',
    `${lines({ q: 'a', answer: '1' }, [1], { answer: '2' }, { input: [call], answer: '3' })}{"q"\n`,
  );
  const { code, stderr } = await project.run(['import', 'jsonl', 'data.jsonl']);
  expect([code, project.files('evals')]).toEqual([2, []]);
  for (const found of [':2:1 ', ':3:1 ', ':4:1 ', ':5:1 ']) expect(stderr).toContain(`data.jsonl${found}error`);
});

test('rows with the same id are told apart, names that templates take are changed, long numbers keep their digits', async () => {
  const project = openTempProject();
  project.write(
    'data.jsonl',
    '{"id":"a","size":"1","First Name":"Ann","n":12345678901234567890,"answer":"x"}\n{"id":"a","size":"2","answer":"y"}\n',
  );
  const { code, stderr } = await project.run(['import', 'jsonl', 'data.jsonl']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('another row has the id "a"')]);
  expect(parse(project.read('evals/data.eval.yaml'))).toMatchObject({
    defaults: { vars: { First_Name: '', n: '' } },
    cases: [
      { id: 'a', vars: { size_2: '1', First_Name: 'Ann', n: '12345678901234567890' } },
      { id: 'a-2', vars: { size_2: '2' } },
    ],
  });
  expect((await project.run(['validate'])).code).toBe(0);
});
