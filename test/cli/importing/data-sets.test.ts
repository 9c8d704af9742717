import { writeFileSync } from 'node:fs';
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
    // inspect.aisi.org.uk/reference/inspect_ai.log.html, EvalSample, 2026-11-27
    tool: 'a log of Inspect',
    file: 'log.json',
    text: JSON.stringify({
      version: 2,
      status: 'success',
      eval: { task: 'cities' },
      samples: [1, 2].flatMap((epoch) =>
        Object.entries(capital).map(([input, target], index) => ({
          id: index + 1,
          epoch,
          input,
          target,
          messages: [
            { role: 'user', content: input },
            { role: 'assistant', content: target },
          ],
          output: { model: 'm', choices: [{ message: { role: 'assistant', content: target } }] },
          scores: { match: { value: 'C', answer: target } },
          events: [{ event: 'model', output: target }],
        })),
      ),
    }),
    answers: capital,
  },
  {
    // promptfoo.dev/docs/configuration/outputs; EvaluateResult in its src/types, 2026-11-27
    tool: 'results of promptfoo',
    file: 'output.json',
    text: JSON.stringify({
      evalId: 'eval-1',
      results: {
        version: 3,
        prompts: [{ raw: '{{q}}', label: '{{q}}' }],
        results: Object.entries(capital).flatMap(([q, value]) =>
          [0, 1].map((promptIdx) => ({
            promptIdx,
            testIdx: 0,
            testCase: { vars: { q }, assert: [{ type: 'equals', value }] },
            prompt: { raw: q, label: '{{q}}' },
            vars: { q },
            response: { output: value },
            success: true,
            gradingResult: { pass: true, reason: value },
          })),
        ),
      },
      config: { tests: [{ assert: [{ type: 'equals', value: 'Paris!' }] }] },
    }),
    answers: capital,
  },
  {
    tool: 'results of promptfoo, a line each',
    file: 'output.jsonl',
    text: lines(
      ...Object.entries(capital).map(([q, value]) => ({
        promptIdx: 0,
        testIdx: 0,
        testCase: { vars: { q, expected: value }, assert: [{ type: 'equals', value: '{{expected}}' }] },
        vars: { q, expected: value },
        response: { output: value },
      })),
    ),
    answers: capital,
  },
  {
    // github.com/stanford-crfm/helm, benchmark/scenarios/scenario.py, Instance: instances.json, 2026-11-27
    tool: 'HELM instances',
    file: 'instances.json',
    text: JSON.stringify(
      Object.entries(capital).map(([input, text], index) => ({
        input: { text: input },
        references: [{ output: { text }, tags: ['correct'] }],
        split: 'test',
        id: `id${index}`,
      })),
      null,
      2,
    ),
    answers: capital,
  },
  {
    tool: 'HELM request states',
    file: 'scenario_state.json',
    text: JSON.stringify({
      adapter_spec: { method: 'generation' },
      request_states: Object.entries(capital).map(([input, text], index) => ({
        instance: { input: { text: input }, references: [{ output: { text }, tags: ['correct'] }], id: `id${index}` },
        request: { prompt: `An example: ${text}` },
        result: { completions: [{ text }] },
      })),
    }),
    answers: capital,
  },
  {
    // github.com/confident-ai/deepeval, dataset.py, save_as: the columns of its CSV, 2026-11-27
    tool: 'deepeval goldens in CSV',
    file: 'goldens.csv',
    text: `input,actual_output,expected_output,retrieval_context,context,name,comments,source_file,tools_called,expected_tools,additional_metadata,custom_column_key_values
capital of France,Paris!,Paris!,"a|b",,,,a.md,"[{""name"": ""x""}]",,"{""golden"": ""Paris!""}",
"capital
of Peru",,Lima!,,,,,,,,,
`,
    answers: { 'capital of France': 'Paris!', 'capital\\nof Peru': 'Lima!' },
  },
  {
    // github.com/langfuse/langfuse, getDatabaseReadStream.ts and transformStreamToCsv.ts, 2026-11-27
    tool: 'Langfuse dataset items in CSV',
    file: 'items.csv',
    text: `"id","projectId","datasetId","status","input","expectedOutput","metadata","sourceTraceId","createdAt","validFrom","datasetName","htmlSourcePath"
"i1","p","d","ACTIVE","{""q"":""capital of France""}","{""answer"":""Paris!""}","{""golden"":""Paris!""}","","2026-01-01","2026-01-01","cities",""
"i2","p","d","ACTIVE","{""q"":""capital of Peru""}","Lima!","","","2026-01-01","2026-01-01","cities",""
`,
    answers: capital,
  },
  {
    // docs.databricks.com/mlflow3/genai/eval-monitor/concepts/eval-datasets, 2026-11-27
    tool: 'MLflow evaluation records',
    file: 'records.jsonl',
    text: lines(
      ...Object.entries(capital).map(([question, answer], index) => ({
        dataset_record_id: `r${index}`,
        inputs: { question },
        expectations: { expected_response: answer, expected_facts: [answer], guidelines: [`say ${answer}`] },
        source: { document: { content: answer } },
        tags: { of: answer },
      })),
    ),
    answers: capital,
  },
  {
    // arize.com/docs/phoenix, dataset examples: input, output, metadata, 2026-11-27
    tool: 'Phoenix examples',
    file: 'examples.jsonl',
    text: lines(
      ...Object.entries(capital).map(([question, answer]) => ({
        id: `e-${question}`,
        input: { question },
        output: { answer },
        metadata: { answer },
      })),
    ),
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
    // huggingface.co/datasets/rajpurkar/squad, 2026-11-27
    tool: 'SQuAD',
    file: 'squad.jsonl',
    text: lines(
      ...Object.entries(capital).map(([question, answer], index) => ({
        id: `q${index}`,
        question,
        answers: { text: [answer, answer], answer_start: [1, 5] },
      })),
    ),
    answers: capital,
  },
  {
    tool: 'pairs of preferences',
    file: 'pairs.jsonl',
    text: lines(
      ...Object.entries(capital).map(([content, chosen]) => ({
        prompt: [{ role: 'user', content }],
        chosen: [{ role: 'assistant', content: chosen }],
        rejected: [{ role: 'assistant', content: `${chosen} or not` }],
      })),
    ),
    answers: capital,
  },
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

test.each<[rows: readonly unknown[], warning: string, cases: number]>([
  [
    [
      { input: 'a', expectedOutput: 'b', status: 'ACTIVE', datasetName: 'd' },
      { input: 'c', expectedOutput: 'd', status: 'ARCHIVED', datasetName: 'd' },
    ],
    'archived rows are no cases: 1',
    1,
  ],
  [
    [
      {
        input: [
          { role: 'system', name: 'example_user', content: 'a' },
          { role: 'user', content: 'b' },
        ],
        ideal: 'c',
      },
    ],
    'the "name" of a message is left out',
    1,
  ],
])('a warning names what no case of %j has', async (rows, warning, count) => {
  const project = openTempProject();
  project.write('data.jsonl', lines(...rows));
  const { code, stderr } = await project.run(['import', 'jsonl', 'data.jsonl']);
  expect([code, stderr]).toEqual([0, expect.stringContaining(warning)]);
  expect((parse(project.read('evals/data.eval.yaml')) as { cases: unknown[] }).cases).toHaveLength(count);
});

describe('a golden field that is unclear is asked for', () => {
  test.each<[row: Readonly<Record<string, unknown>>, message: string]>([
    [{ question: 'q', answer: 'a', label: 'b' }, '"answer" and "label" may each hold the golden answer'],
    [{ inputs: { q: 'x' }, outputs: { a: '1', b: '2' } }, '"outputs.a" and "outputs.b" may each hold'],
    [{ question: 'q', my_answer_text: 'a' }, '"my_answer_text" may hold the golden answer'],
    [{ text: 'q', category: 'a' }, '"category" may hold the golden answer'],
    [{ article: 'q', summary: 'a' }, '"summary" may hold the golden answer'],
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

test('choices of HELM are lettered, and the answer is a letter', async () => {
  const project = openTempProject();
  const references = ['red', 'blue'].map((text) => ({ output: { text }, tags: text === 'blue' ? ['correct'] : [] }));
  project.write('instances.json', JSON.stringify([{ id: 'i', input: { text: 'Which?' }, references }]));
  expect((await project.run(['import', 'jsonl', 'instances.json'])).code).toBe(0);
  expect(parse(project.read('evals/instances.eval.yaml'))).toMatchObject({
    cases: [{ vars: { input: 'Which?', choices: ['A) red', 'B) blue'] }, expected: 'B' }],
  });
});

test.each<[file: string, text: string | Uint8Array, message: string]>([
  ['data.jsonl', '', 'data.jsonl has no rows'],
  ['data.tsv', 'q\tanswer\na\tb\n', 'data.tsv:1:1 error syntax: the columns are separated by tabs, not by commas'],
  ['data.xlsx', Uint8Array.of(0x50, 0x4b, 3, 4, 0xff), 'data.xlsx is a ZIP archive or an Excel workbook'],
  ['data.jsonl', Uint8Array.of(0x50, 0xff), 'data.jsonl is not UTF-8 text'],
  ['data.json', '[]', 'data.json has no rows'],
  ['data.csv', 'q,answer\n', 'data.csv has no rows'],
  ['data.csv', 'q;answer\na;b\n', 'separated by ";", not by commas'],
  ['data.csv', 'q,answer\n"a,b\n', 'a quote is not closed'],
  ['data.csv', 'q,answer\na,b\nWhat is 1, 2?,3\n', 'data.csv:3:1 error syntax: the row has 3 fields, the header 2'],
  ['data.csv', 'q,answer\na\n', 'data.csv:2:1 error syntax: the row has 1 fields, the header 2'],
  ['data.csv', 'q,answer,answer\na,b,c\n', 'data.csv:1:1 error syntax: two columns are named "answer"'],
  ['data.json', '[{"q": "a", "answer": "b"}, {"q"', 'ends in the middle of a value'],
  ['data.jsonl', lines({ q: 'a', answer: 'b' }).concat('{"q": "b", "ans'), 'data.jsonl:2:1'],
  ['data.jsonl', lines({ resourceSpans: [{}] }), 'use llmcheck import otel'],
  ['data.json', JSON.stringify([{ run_type: 'llm', inputs: {}, outputs: {} }]), 'use llmcheck import langsmith'],
  ['data.json', JSON.stringify([{ traceId: 't', type: 'SPAN', input: 'x' }]), 'use llmcheck import langfuse'],
  ['data.json', JSON.stringify({ prompts: ['x'], tests: [{ vars: {}, assert: [] }] }), 'use llmcheck import promptfoo'],
])('%s %j is refused', async (file, text, message) => {
  const project = openTempProject();
  writeFileSync(project.path(file), text);
  const { code, stderr } = await project.run(['import', 'jsonl', file]);
  expect([code, project.files('evals')]).toEqual([2, []]);
  expect(stderr).toContain(message);
});

test('rows without a golden answer are imported with a note', async () => {
  const project = openTempProject();
  project.write('data.jsonl', lines({ question: 'a', town: 'b' }));
  const { code, stderr } = await project.run(['import', 'jsonl', 'data.jsonl']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('the prompt shows question, town')]);
  expect((await project.run(['import', 'jsonl', 'data.jsonl', '--no-expected', '--force'])).stderr).toBe('');
});

test.each<[field: string, rows: readonly Readonly<Record<string, unknown>>[], vars: readonly string[]]>([
  ['doc', [{ q: 'a', doc: { text: 't', gold: { answer: 'b' } }, answer: 'b' }], ['q']],
  [
    'choices',
    [
      {
        q: 'a',
        choices: [
          { text: 'b', is_correct: true },
          { text: 'c', is_correct: false },
        ],
        answer: 'b',
      },
    ],
    ['q'],
  ],
  ['grading_notes', [{ q: 'a', grading_notes: 'say b', answer: 'b' }], ['q']],
  ['test', [{ prompt: 'def f():', canonical_solution: 'return 1', test: 'assert f() == 1' }], ['prompt']],
  // An earlier answer that is the same by chance.
  ['', [1, 2].map((n) => ({ q: 'a', history: [{ q: 'c', answer: `no ${n}` }], answer: 'no 1' })), ['q', 'history']],
  ['', [{ q: 'a', choices: { label: ['A', 'B'], text: ['b', 'c'] }, answer: 'A' }], ['q', 'choices']],
  ['', [{ 问题: 'a', 答案: 'b' }], ['问题']],
  ['', [{ вопрос: 'a', ответ: 'b' }], ['вопрос']],
  ['', [{ question: 'a', réponse: 'b' }], ['question']],
])('%j that may give the answer of %j away is no variable', async (field, rows, vars) => {
  const project = openTempProject();
  project.write('data.jsonl', lines(...rows));
  const { code, stderr } = await project.run(['import', 'jsonl', 'data.jsonl']);
  expect(code).toBe(0);
  expect(stderr).toMatch(field === '' ? /^$/ : new RegExp(`"${field}" may give the answer away`));
  const { cases } = parse(project.read('evals/data.eval.yaml')) as { cases: { vars: object }[] };
  expect(cases.map((one) => Object.keys(one.vars))).toEqual(rows.map(() => vars));
});

test('rows without a golden answer beside others are counted', async () => {
  const project = openTempProject();
  project.write('data.jsonl', lines({ q: 'a', answer: '1' }, { q: 'b', answer: '' }, { q: 'c', answer: null }));
  const { code, stderr } = await project.run(['import', 'jsonl', 'data.jsonl']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('data.jsonl:2:1 warning')]);
  expect(stderr).toContain('rows without a golden answer are shown and not judged: 2 of 3');
});

test('a byte order mark and line breaks of Windows are no part of a row', async () => {
  const project = openTempProject();
  project.write(
    'data.jsonl',
    `\ufeff${lines({ q: 'a', answer: 'b' }, { q: 'c', answer: 'd' }).replaceAll('\n', '\r\n')}`,
  );
  expect(await project.run(['import', 'jsonl', 'data.jsonl'])).toMatchObject({ code: 0, stderr: '' });
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

test('rows with the same id are distinguished, names that templates use are changed, long numbers keep their digits', async () => {
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
