import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const suite = `prompts:
  - id: v1
    messages:
      - { role: system, content: "Route for {{ team }}." }
      - { role: user, content: "Ticket: {{ ticket }}\\nTone: {{ tone }}" }
  - { id: v2, text: "{% if ticket %}{{ ticket }}{% endif %}" }
providers: [replay:x]
cases:
  - { vars: { team: a, ticket: b, tone: c }, observe: true }
  - file: cases/*.jsonl
`;

function openSuite(): TempProject {
  const project = openTempProject();
  project.write('evals/s.eval.yaml', suite);
  project.write(
    'evals/cases/own.jsonl',
    `${JSON.stringify({ vars: { team: 'x', ticket: 'own', tone: 'y' }, observe: true })}\n`,
  );
  return project;
}

const text = (value: unknown) => ({ stringValue: typeof value === 'string' ? value : JSON.stringify(value) });
const attributes = (map: Readonly<Record<string, unknown>>) =>
  Object.entries(map).map(([key, value]) => ({ key, value: text(value) }));
const event = (name: string, map: Readonly<Record<string, unknown>>) => ({ name, attributes: attributes(map) });

const system = 'Route for billing.';
const user = 'Ticket: paid twice\nTone: kind';
const parts = (content: string) => [{ type: 'text', content }];

interface Span {
  readonly attributes?: unknown;
  readonly events?: unknown;
}

function otlp(...spans: readonly Span[]) {
  const whole = spans.map((span, index) => ({
    traceId: `t${index + 1}`,
    spanId: 's1',
    startTimeUnixNano: '1767225600000000000',
    ...span,
  }));
  return { resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: {}, spans: whole }] }] };
}

const casesOf = (project: TempProject, file = 'evals/cases/prod.jsonl') =>
  project
    .read(file)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const span = (ticket: string, tone = 'kind'): Span => ({
  attributes: attributes({
    'gen_ai.input.messages': [
      { role: 'system', parts: parts(system) },
      { role: 'user', parts: parts(`Ticket: ${ticket}\nTone: ${tone}`) },
    ],
    'gen_ai.output.messages': [{ role: 'assistant', parts: parts('billing'), finish_reason: 'stop' }],
  }),
});

const importFile = (project: TempProject, format: string, content: string, flags: readonly string[] = []) => {
  project.write('export.json', content);
  return project.run(['import', format, 'export.json', '--prompt', 'v1', ...flags]);
};

/** opentelemetry.io/docs/specs/semconv/gen-ai, and the names that instrumentations wrote before it; 2026-11-27. */
const conventions: readonly (readonly [name: string, span: Span])[] = [
  ['gen_ai.input.messages', span('paid twice')],
  [
    'gen_ai.input.messages, structured, with instructions',
    {
      attributes: [
        { key: 'gen_ai.system_instructions', value: text(parts(system)) },
        {
          key: 'gen_ai.input.messages',
          value: {
            arrayValue: {
              values: [
                {
                  kvlistValue: {
                    values: [
                      { key: 'role', value: text('user') },
                      {
                        key: 'parts',
                        value: {
                          arrayValue: {
                            values: [{ kvlistValue: { values: attributes({ type: 'text', content: user }) } }],
                          },
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        },
        ...attributes({ 'gen_ai.output.messages': [{ role: 'assistant', parts: parts('billing') }] }),
      ],
    },
  ],
  [
    'gen_ai.prompt.N',
    {
      attributes: attributes({
        'gen_ai.prompt.0.role': 'system',
        'gen_ai.prompt.0.content': system,
        'gen_ai.prompt.1.role': 'user',
        'gen_ai.prompt.1.content': JSON.stringify([{ type: 'text', text: user }]),
        'gen_ai.completion.0.role': 'assistant',
        'gen_ai.completion.0.content': 'billing',
      }),
    },
  ],
  [
    'llm.input_messages.N',
    {
      attributes: attributes({
        'llm.input_messages.0.message.role': 'system',
        'llm.input_messages.0.message.content': system,
        'llm.input_messages.1.message.role': 'user',
        'llm.input_messages.1.message.content': user,
        'llm.output_messages.0.message.role': 'assistant',
        'llm.output_messages.0.message.content': 'billing',
      }),
    },
  ],
  [
    'gen_ai.content.prompt',
    {
      events: [
        event('gen_ai.content.prompt', {
          'gen_ai.prompt': [
            { role: 'system', content: system },
            { role: 'user', content: user },
          ],
        }),
        event('gen_ai.content.completion', { 'gen_ai.completion': [{ role: 'assistant', content: 'billing' }] }),
      ],
    },
  ],
  [
    'gen_ai.user.message',
    {
      events: [
        event('gen_ai.system.message', { content: system }),
        event('gen_ai.user.message', { content: user }),
        event('gen_ai.choice', { message: { role: 'assistant', content: 'billing' } }),
      ],
    },
  ],
  [
    'gen_ai.client.inference.operation.details',
    {
      events: [
        event('gen_ai.client.inference.operation.details', {
          'gen_ai.input.messages': [
            { role: 'system', parts: parts(system) },
            { role: 'user', parts: parts(user) },
          ],
          'gen_ai.output.messages': [{ role: 'assistant', parts: parts('billing') }],
        }),
      ],
    },
  ],
  [
    'gen_ai.input.messages with what the model thought',
    {
      attributes: attributes({
        'gen_ai.input.messages': [
          { role: 'system', parts: parts(system) },
          { role: 'user', parts: parts(user) },
        ],
        'gen_ai.output.messages': [
          {
            role: 'assistant',
            parts: [
              { type: 'reasoning', content: 'hm' },
              { type: 'text', content: 'billing' },
            ],
          },
        ],
      }),
    },
  ],
  [
    'llm.input_messages.N.message.contents.N',
    {
      attributes: attributes({
        'openinference.span.kind': 'LLM',
        'llm.input_messages.0.message.role': 'system',
        'llm.input_messages.0.message.contents.0.message_content.type': 'text',
        'llm.input_messages.0.message.contents.0.message_content.text': system,
        'llm.input_messages.1.message.role': 'user',
        'llm.input_messages.1.message.contents.0.message_content.type': 'text',
        'llm.input_messages.1.message.contents.0.message_content.text': user,
        'llm.output_messages.0.message.content': 'billing',
      }),
    },
  ],
  [
    'input.value of OpenInference',
    {
      attributes: attributes({
        'openinference.span.kind': 'LLM',
        'input.value': {
          messages: [
            { role: 'system', content: system },
            { role: 'user', content: user },
          ],
        },
        'output.value': { choices: [{ message: { role: 'assistant', content: 'billing' } }] },
      }),
    },
  ],
  [
    'ai.prompt.messages of the AI SDK',
    {
      attributes: attributes({
        'ai.prompt.messages': [
          { role: 'system', content: system },
          { role: 'user', content: parts(user).map(({ type, content }) => ({ type, text: content })) },
        ],
        'ai.response.text': 'billing',
      }),
    },
  ],
  [
    'ai.prompt of the AI SDK',
    { attributes: attributes({ 'ai.prompt': { system, prompt: user }, 'ai.response.text': 'billing' }) },
  ],
  [
    'gen_ai.prompt as JSON',
    {
      attributes: attributes({
        'gen_ai.operation.name': 'chat',
        'gen_ai.prompt': {
          messages: [
            { role: 'system', content: system },
            { role: 'user', content: user },
          ],
        },
        'gen_ai.completion': { role: 'assistant', content: 'billing' },
      }),
    },
  ],
  [
    'gen_ai.event.content of Azure',
    {
      events: [
        event('gen_ai.system.message', { 'gen_ai.event.content': { role: 'system', content: system } }),
        event('gen_ai.user.message', { 'gen_ai.event.content': { role: 'user', content: user } }),
        event('gen_ai.choice', { 'gen_ai.event.content': { message: { content: 'billing' }, index: 0 } }),
      ],
    },
  ],
  [
    'events of Pydantic AI',
    {
      attributes: attributes({
        events: [
          { 'event.name': 'gen_ai.system.message', role: 'system', content: system },
          { 'event.name': 'gen_ai.user.message', role: 'user', content: user },
          { 'event.name': 'gen_ai.choice', index: 0, message: { role: 'assistant', content: 'billing' } },
        ],
      }),
    },
  ],
  [
    'langfuse.observation.input',
    {
      attributes: attributes({
        'langfuse.observation.type': 'generation',
        'langfuse.observation.input': [
          { role: 'system', content: system },
          { role: 'user', content: user },
        ],
        'langfuse.observation.output': 'billing',
      }),
    },
  ],
];

test.each(conventions)('messages as %s become a case with its origin', async (_name, call) => {
  const project = openSuite();
  const { code, stdout, stderr } = await importFile(project, 'otel', JSON.stringify(otlp(call)));
  expect([code, stdout, stderr]).toEqual([
    0,
    'wrote evals/cases/prod.jsonl: cases 1; left out: exact duplicates 0, near duplicates 0, others 0\n',
    '',
  ]);
  expect(casesOf(project)).toEqual([
    {
      id: expect.stringMatching(/^prod-[0-9a-f]{16}$/) as string,
      description: 'trace t1, span s1, 2026-01-01T00:00:00.000Z',
      tags: ['production'],
      observe: true,
      vars: { team: 'billing', ticket: 'paid twice', tone: 'kind' },
      expected: 'billing',
    },
  ]);
});

/** A log record of a span, with its message as the body has it. */
const record = (name: string, body: Readonly<Record<string, unknown>>, spanId = 's1', nanos = 0) => ({
  timeUnixNano: String(1767225600000000000n + BigInt(nanos)),
  ...(spanId === '' ? {} : { traceId: 't1', spanId }),
  eventName: name,
  body: { kvlistValue: { values: attributes(body) } },
});
const logs = (...logRecords: readonly unknown[]) => JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
const asked = (ticket: string, spanId = 's1', nanos = 0) => [
  record('gen_ai.system.message', { content: system }, spanId, nanos),
  record('gen_ai.user.message', { content: `Ticket: ${ticket}\nTone: kind` }, spanId, nanos + 1),
  record('gen_ai.choice', { index: 0, message: { content: 'billing' } }, spanId, nanos + 2),
];

describe('log records', () => {
  test('those of a span make one call, in the order of their times and among those of others', async () => {
    const project = openSuite();
    const [first, second] = [asked('one'), asked('two', 's2')];
    const mixed = [second[2], first[1], second[0], first[2], first[0], second[1]];
    const details = {
      ...record('gen_ai.client.inference.operation.details', {}, 's3'),
      attributes: span('three').attributes,
    };
    const call = { traceId: 't1', spanId: 's1', attributes: attributes({ 'gen_ai.operation.name': 'chat' }) };
    const plain = asked('four', 's4').map((one) => {
      const [content] = (one.body.kvlistValue.values as readonly { key: string; value: unknown }[]).slice(-1);
      return one.eventName === 'gen_ai.choice' ? { ...one, body: text('billing') } : { ...one, body: content?.value };
    });
    const lines = [JSON.stringify(otlp(call)), ...mixed.map((one) => logs(one)), logs(details), logs(...plain)].join(
      '\n',
    );
    const { code, stderr } = await importFile(project, 'otel', lines);
    expect([code, stderr]).toEqual([0, '']);
    expect(casesOf(project).map(({ vars, expected }) => [(vars as { ticket: string }).ticket, expected])).toEqual([
      ['three', 'billing'],
      ['one', 'billing'],
      ['two', 'billing'],
      ['four', 'billing'],
    ]);
  });

  test('those that name no span, or are far from the others of their span, are counted', { tags: 'slow' }, async () => {
    const project = openSuite();
    const far = Array.from({ length: 2001 }, (_, index) => record('gen_ai.choice', { index: 0 }, `x${index}`));
    const [begin, ...rest] = asked('late', 'late');
    const lines = [
      logs(...asked('one')),
      logs(begin),
      logs(...far),
      logs(...rest),
      logs(record('gen_ai.choice', {}, '')),
    ];
    const { stdout, stderr } = await importFile(project, 'otel', lines.join('\n'));
    expect(stdout).toContain('cases 1;');
    expect(stderr).toContain('left out 1: its log records are far apart in the file (first at export.json:4)');
    expect(stderr).toContain('left out 1: its messages are in log records that name no span (first at export.json:5)');
  });
});

test('spans of other writers: the console exporter, Tempo, a list, a pretty-printed document', {
  tags: 'slow',
}, async () => {
  const ids = { context: { trace_id: 't1', span_id: 's1' }, start_time: '2026-01-01' };
  const flat = Object.fromEntries(
    (span('paid twice').attributes as readonly { key: string; value: { stringValue: string } }[]).map(
      ({ key, value }) => [key, value.stringValue],
    ),
  );
  const spans = [{ ...span('paid twice'), traceId: 't1', spanId: 's1' }];
  const sent = {
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ],
  };
  const forms = [
    JSON.stringify({ name: 'chat', ...ids, attributes: flat }, null, 4).repeat(2),
    JSON.stringify([{ name: 'chat', ...ids, attributes: flat }]),
    JSON.stringify({ ...ids, span_kind: 'LLM', attributes: { input: { value: sent }, output: { value: 'billing' } } }),
    JSON.stringify({
      ...ids,
      attributes: {
        llm: {
          input_messages: sent.messages.map((message) => ({ message })),
          output_messages: [{ message: { role: 'assistant', content: 'billing' } }],
        },
      },
    }),
    JSON.stringify(
      otlp({
        attributes: attributes({
          'gen_ai.system.instructions': parts(system),
          'gen_ai.input.messages': user,
          'gen_ai.output.messages': 'billing',
        }),
      }),
    ),
    JSON.stringify({ batches: [{ resource: {}, scopeSpans: [{ spans }] }] }),
    JSON.stringify({ trace: { resourceSpans: [{ scopeSpans: [{ spans }] }] } }, null, 2),
    `\ufeff${JSON.stringify([otlp(span('paid twice'))])}`,
    JSON.stringify(otlp(span('paid twice')))
      .concat('\r\n')
      .repeat(2),
  ];
  for (const form of forms) {
    const project = openSuite();
    const { code, stderr } = await importFile(project, 'otel', form);
    expect([code, stderr, form]).toEqual([0, '', form]);
    expect(casesOf(project)).toMatchObject([{ vars: { ticket: 'paid twice' }, expected: 'billing' }]);
  }
});

describe('calls of tools', () => {
  const given = { id: '7', note: 'write to ann@shop.example' };
  const answered: readonly (readonly [name: string, map: Readonly<Record<string, unknown>>])[] = [
    [
      'gen_ai.output.messages',
      {
        'gen_ai.output.messages': [
          { role: 'assistant', parts: [{ type: 'tool_call', id: 'c', name: 'find_order', arguments: given }] },
        ],
      },
    ],
    [
      'gen_ai.completion.N',
      {
        'gen_ai.completion.0.role': 'assistant',
        'gen_ai.completion.0.tool_calls.0.id': 'c',
        'gen_ai.completion.0.tool_calls.0.name': 'find_order',
        'gen_ai.completion.0.tool_calls.0.arguments': given,
      },
    ],
    [
      'llm.output_messages.N',
      {
        'llm.output_messages.0.message.role': 'assistant',
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'find_order',
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments': given,
      },
    ],
    ['ai.response.toolCalls', { 'ai.response.toolCalls': [{ toolCallId: 'c', toolName: 'find_order', input: given }] }],
  ];

  test.each(answered)('an answer of calls as %s is a check, with what is personal masked', async (name, map) => {
    const project = openSuite();
    const inputs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      'gen_ai.output.messages': { 'gen_ai.input.messages': [system, user].map(asPart) },
      'gen_ai.completion.N': numbered('gen_ai.prompt', ''),
      'llm.output_messages.N': numbered('llm.input_messages', 'message.'),
      'ai.response.toolCalls': { 'ai.prompt.messages': [system, user].map(asContent) },
    };
    const { code, stderr } = await importFile(
      project,
      'otel',
      JSON.stringify(otlp({ attributes: attributes({ ...inputs[name], ...map }) })),
    );
    expect([code, stderr]).toEqual([0, '']);
    const args = { id: '7', note: 'write to [email]' };
    expect(casesOf(project)).toMatchObject([
      { observe: true, assert: [{ toolCalls: { value: [{ name: 'find_order', args }], order: 'exact' } }] },
    ]);
    expect(casesOf(project).some((row) => 'expected' in row)).toBe(false);
  });

  const asPart = (content: string, index: number) => ({ role: ['system', 'user'][index], parts: parts(content) });
  const asContent = (content: string, index: number) => ({ role: ['system', 'user'][index], content });
  const numbered = (prefix: string, inner: string) => ({
    [`${prefix}.0.${inner}role`]: 'system',
    [`${prefix}.0.${inner}content`]: system,
    [`${prefix}.1.${inner}role`]: 'user',
    [`${prefix}.1.${inner}content`]: user,
  });

  test('a later step of an agent goes on after the prompt', async () => {
    const project = openSuite();
    const later = [
      ...[system, user].map(asPart),
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'c', name: 'find_order', arguments: {} }] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c', response: { state: 'shipped' } }] },
    ];
    const call = { attributes: attributes({ 'gen_ai.input.messages': later }) };
    const { stderr } = await importFile(project, 'otel', JSON.stringify(otlp(span('x'), call)));
    expect(stderr).toBe('left out 1: the conversation goes on after the prompt (first at export.json:1)\n');
  });
});

/** The same call as other tools export it. */
const messages = [
  { role: 'system', content: system },
  { role: 'user', content: user },
];
const kwargs = (name: string, content: string) => ({
  lc: 1,
  type: 'constructor',
  id: ['langchain', name],
  kwargs: { content },
});
const exported: readonly (readonly [name: string, format: string, rows: unknown])[] = [
  [
    'Langfuse observations of the API',
    'langfuse',
    {
      data: [
        {
          id: 'o',
          traceId: 't',
          type: 'GENERATION',
          startTime: '2026-01-01',
          input: messages,
          output: { role: 'assistant', content: 'billing' },
        },
        { id: 'p', type: 'SPAN', input: 'x' },
      ],
    },
  ],
  [
    'Langfuse, exported from its storage',
    'langfuse',
    [
      {
        id: 'o',
        trace_id: 't',
        type: 'GENERATION',
        start_time: '2026-01-01',
        input: JSON.stringify(messages),
        output: '"billing"',
      },
    ],
  ],
  [
    'Langfuse, a trace',
    'langfuse',
    {
      trace: { id: 't' },
      observations: [
        { id: 'o', traceId: 't', type: 'GENERATION', startTime: '2026-01-01', input: { messages }, output: 'billing' },
      ],
    },
  ],
  [
    'LangSmith runs',
    'langsmith',
    [
      {
        id: 'o',
        trace_id: 't',
        run_type: 'llm',
        start_time: '2026-01-01',
        inputs: { messages: [[kwargs('SystemMessage', system), kwargs('HumanMessage', user)]] },
        outputs: { generations: [[{ text: 'billing', message: kwargs('AIMessage', 'billing') }]] },
      },
      { id: 'p', run_type: 'tool', inputs: { input: 'x' } },
    ],
  ],
  [
    'LangSmith, with its variables',
    'langsmith',
    {
      runs: [
        {
          id: 'o',
          trace_id: 't',
          run_type: 'chain',
          start_time: '2026-01-01',
          inputs: { team: 'billing', ticket: 'paid twice', tone: 'kind', more: 1 },
          outputs: { output: 'billing' },
        },
      ],
    },
  ],
  [
    // github.com/langfuse/langfuse, langfuse-js openai integration: input and output of a generation, 2026-11-27
    'Langfuse, a call with tools',
    'langfuse',
    [
      {
        id: 'o',
        traceId: 't',
        type: 'GENERATION',
        startTime: '2026-01-01',
        input: { messages, tools: [{ type: 'function', function: { name: 'x' } }], tool_choice: 'auto' },
        output: { role: 'assistant', content: 'billing', tool_calls: null },
      },
    ],
  ],
  [
    // langfuse.com/docs/observability/sdk, observe decorator: the arguments of the function, 2026-11-27
    'Langfuse, the arguments of a function',
    'langfuse',
    [
      { id: 'o', traceId: 't', type: 'SPAN', startTime: '2026-01-01', input: 'x', output: 'y' },
      {
        id: 'o',
        traceId: 't',
        type: 'GENERATION',
        startTime: '2026-01-01',
        input: { args: [], kwargs: { team: 'billing', ticket: 'paid twice', tone: 'kind' } },
        output: 'billing',
      },
    ],
  ],
  [
    // docs.langchain.com/langsmith/run-data-format; wrapOpenAI keeps the API's answer, 2026-11-27
    'LangSmith, a call of an API',
    'langsmith',
    [
      {
        id: 'o',
        trace_id: 't',
        run_type: 'llm',
        start_time: '2026-01-01',
        dotted_order: '20260101T000000Zo',
        inputs: { messages, model: 'm', temperature: 0 },
        outputs: {
          id: 'c',
          choices: [{ index: 0, message: { role: 'assistant', content: 'billing', tool_calls: [] } }],
        },
      },
      {
        id: 'q',
        trace_id: 't',
        run_type: 'prompt',
        inputs: { team: 'other', ticket: 'x', tone: 'y' },
        outputs: { output: { messages } },
      },
    ],
  ],
  [
    // docs.langchain.com/langsmith/data-export: inputs and outputs are JSON in a text, times are numbers, 2026-11-27
    'LangSmith, rows of a bulk export',
    'langsmith',
    [
      {
        id: 'o',
        trace_id: 't',
        run_type: 'llm',
        start_time: Date.UTC(2026, 0, 1),
        inputs: JSON.stringify({ messages }),
        outputs: JSON.stringify({ output: { type: 'ai', content: 'billing' } }),
      },
    ],
  ],
];

test.each(exported)('%s: one document, and JSON lines', async (_name, format, rows) => {
  const found: unknown[] = [];
  for (const content of [
    JSON.stringify(rows),
    JSON.stringify(rows, null, 2),
    ...(Array.isArray(rows) ? [rows.map((row) => JSON.stringify(row)).join('\n')] : []),
  ]) {
    const project = openSuite();
    const { code, stderr } = await importFile(project, format, content);
    expect([code, stderr]).toEqual([0, '']);
    found.push(...casesOf(project));
  }
  for (const one of found)
    expect(one).toMatchObject({
      description: expect.stringMatching(/^trace t, (?:observation|run) o, 2026-01-01/) as string,
      vars: { team: 'billing', ticket: 'paid twice', tone: 'kind' },
      expected: 'billing',
    });
  expect(found.length).toBeGreaterThan(1);
});

test('an answer in JSON stays JSON, and the field of a function is read', async () => {
  const json = '{"queue":"billing","answer":"yes"}';
  const row = (id: string, input: unknown, output: unknown) => ({
    id,
    traceId: 't',
    type: 'GENERATION',
    input,
    output,
  });
  const vars = (ticket: string) => ({ team: 'a', ticket, tone: 'c' });
  const chat = (ticket: string) => [messages[0], { role: 'user', content: `Ticket: ${ticket}\nTone: kind` }];
  const rows = [
    row('1', chat('one'), json),
    row('2', chat('two'), JSON.parse(json)),
    row('3', chat('three'), { content: 'text' }),
    row('4', vars('four'), { reply: 'text' }),
    row('5', chat('five'), null),
    row('6', chat('six'), { queue: 'billing' }),
  ];
  const project = openSuite();
  await importFile(project, 'langfuse', JSON.stringify(rows));
  expect(casesOf(project).map(({ expected }) => expected)).toEqual([
    json,
    json,
    'text',
    'text',
    undefined,
    '{"queue":"billing"}',
  ]);
});

test('CSV of the UI: quoted fields with line breaks, JSON in a field, and rows that are broken', async () => {
  // github.com/langfuse/langfuse, transformStreamToCsv.ts: every field is quoted, 2026-11-27
  const quote = (value: unknown) =>
    `"${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '""')}"`;
  const line = (...fields: readonly unknown[]) => fields.map(quote).join(',');
  const pretty = JSON.stringify(messages, null, 2);
  const rows = [
    line('id', 'traceId', 'type', 'startTime', 'input', 'output', 'name'),
    line('o', 't', 'GENERATION', '2026-01-01', pretty, { role: 'assistant', content: 'billing' }, ''),
    line('p', 't', 'SPAN', '2026-01-01', 'x', 'y', ''),
    '"short"',
  ];
  const project = openSuite();
  const { code, stderr } = await importFile(project, 'langfuse', `${rows.join('\r\n')}\r\n`);
  expect([code, casesOf(project).length]).toEqual([0, 1]);
  expect(casesOf(project)).toMatchObject([{ vars: { ticket: 'paid twice' }, expected: 'billing' }]);
  expect(stderr).toContain(`first at export.json:${pretty.split('\n').length + 3}`);
});

test('duplicates are removed, and what is unclear is counted with its reason and place', async () => {
  const project = openSuite();
  const long = 'I was charged two times for the same order last week and want the money back as soon as you can please';
  const rows = [
    span('paid twice'),
    span('Paid  twice!'),
    span(long),
    span(`${long} now`),
    span('own', 'y'),
    span('a\nTone: b'),
    { attributes: attributes({ 'gen_ai.input.messages': [{ role: 'user', parts: parts('other') }] }) },
    { attributes: attributes({ 'gen_ai.input.messages': [{ role: 'user', parts: [{ type: 'blob' }] }] }) },
    { attributes: attributes({ 'gen_ai.operation.name': 'chat' }) },
    { attributes: attributes({ 'http.route': '/' }) },
  ];
  const lines = rows.map((row) => JSON.stringify(otlp(row))).join('\n');
  const { code, stdout, stderr } = await importFile(project, 'otel', lines);
  expect([code, stdout]).toEqual([
    0,
    'wrote evals/cases/prod.jsonl: cases 3; left out: exact duplicates 1, near duplicates 1, others 4\n',
  ]);
  expect(stderr.split('\n')).toEqual([
    'left out 1: two readings fit: a value holds the text that separates variables, or is the default of one (first at export.json:6)',
    'left out 1: it is not from this prompt: its messages have other roles (first at export.json:7)',
    'left out 1: a message is not only text (first at export.json:8)',
    'left out 1: no messages were recorded (first at export.json:9)',
    '',
  ]);
});

test.each(['cases/prod.jsonl', 'cases/p*.jsonl'])(
  'a suite may name %s before it is there, and it is replaced with --force',
  async (named) => {
    const project = openTempProject();
    project.write('evals/s.eval.yaml', `${suite.slice(0, suite.indexOf('  - file'))}  - file: ${named}\n`);
    const content = JSON.stringify(otlp(span('paid twice')));
    expect(await importFile(project, 'otel', content)).toMatchObject({ code: 0, stderr: '' });
    project.write('evals/cases/prod.jsonl', '{"vars": broken\n');
    expect(await importFile(project, 'otel', content, ['--force'])).toMatchObject({ code: 0, stderr: '' });
    expect(casesOf(project)).toHaveLength(1);
  },
);

describe('nothing is written', () => {
  test.each<[content: string, flags: readonly string[], message: string]>([
    [JSON.stringify(otlp(span('x'))), ['--prompt', 'v2'], 'the prompt has logic ({% if %}), which can not be'],
    [JSON.stringify(otlp(span('x'))), ['--prompt', 'v3'], 'no suite has a prompt "v3"\n  hint: did you mean "v1"?'],
    [
      JSON.stringify(otlp(span('x'))),
      ['--prompt', 'other'],
      'no suite has a prompt "other"\n  hint: `llmcheck list suites` shows the prompts of each suite',
    ],
    [JSON.stringify(otlp(span('x'))).slice(0, -4), [], 'the JSON ends in the middle of a value'],
    ['{}', [], 'the file holds no call of a model'],
  ])('%s %j', async (content, flags, message) => {
    const project = openSuite();
    const { code, stderr } = await importFile(project, 'otel', content, flags);
    expect([code, project.files('evals/cases')]).toEqual([2, ['evals/cases/own.jsonl']]);
    expect(stderr).toContain(message);
  });
});

describe('planted keys and personal data reach no file, no message and no terminal', () => {
  const secret = ['sk', 'proj', 'Ab1cD2eF3gH4iJ5kL6mN7oP8'].join('-');
  const email = 'ann.smith@mail.example.org';
  const encoded = Buffer.from(`the key is ${secret}`).toString('base64');
  const planted = [secret, email, encoded, email.replace('@', '%40')];
  const all = planted.join(' ');
  const keyed = Object.fromEntries(planted.map((one) => [one, { [one]: [one] }]));
  const sent = { role: 'user', content: `T: ${all} J: ${JSON.stringify(keyed)}` };
  const run = { id: all, trace_id: all, run_type: 'llm', name: all, start_time: all, extra: keyed, tags: planted };

  const expectClean = async (format: string, content: string, template: string, count: number) => {
    const project = openTempProject();
    const own = { id: 'own', vars: { t: 'own', j: 'own', user: 'own', host: 'own' }, observe: true };
    project.write(
      'evals/s.eval.yaml',
      JSON.stringify({ prompts: [{ id: 'v1', text: template }], providers: ['replay:x'], cases: [own] }),
    );
    const name = `of ${email}.json`;
    project.write(name, content);
    const { stdout, stderr } = await project.run(['import', format, name, '--prompt', 'v1']);
    const files = project.files().filter((file) => file !== name);
    const found = [stdout, stderr, ...files.flatMap((file) => [file, project.read(file)])].join('\n');
    for (const one of [...planted, 'Ab1cD2eF3gH4', 'ann.smith'])
      expect([one, found.includes(one)]).toEqual([one, false]);
    expect(stdout).toContain(`cases ${count};`);
    return stderr;
  };

  test('in every field and key of spans', async () => {
    const span = {
      name: all,
      traceId: all,
      spanId: all,
      startTimeUnixNano: all,
      status: { message: all },
      events: [event(all, { [all]: all })],
      attributes: attributes({
        [all]: all,
        'gen_ai.request.model': all,
        'gen_ai.input.messages': [{ role: 'user', parts: parts(sent.content) }],
        'gen_ai.output.messages': [
          { role: 'assistant', parts: [...parts(all), { type: 'tool_call', name: all, arguments: keyed }] },
        ],
      }),
    };
    const broken = { ...span, attributes: attributes({ 'gen_ai.input.messages': [{ role: all, parts: all }] }) };
    const document = {
      resourceSpans: [{ resource: { attributes: attributes(keyed) }, scopeSpans: [{ spans: [span, broken] }] }],
    };
    const stderr = await expectClean('otel', JSON.stringify(document), 'T: {{ t }} J: {{ j | json }}', 1);
    expect(stderr).toContain('left out 1: a message is not only text (first at of [email]');
  });

  test('in every field and key of runs and observations, and in the rows that are left out', async () => {
    const output = { role: 'assistant', content: all, [all]: all };
    const other = { messages: [{ role: 'user', content: all, [all]: all }] };
    const runs = [
      { ...run, inputs: { messages: [sent] }, outputs: output },
      { ...run, inputs: other, outputs: keyed },
    ];
    const ofRuns = await expectClean('langsmith', JSON.stringify(runs), 'T: {{ t }} J: {{ j | json }}', 1);
    expect(ofRuns).toContain('left out 1: ');
    const observations = [
      { ...run, type: 'GENERATION', model: all, input: [sent], output },
      { id: all, name: all, input: { t: all, j: keyed, [all]: all }, output: keyed },
      { ...run, type: 'GENERATION', input: other, output: all },
    ];
    const ofObservations = await expectClean(
      'langfuse',
      JSON.stringify(observations),
      'T: {{ t }} J: {{ j | json }}',
      1,
    );
    expect(ofObservations).toContain('left out 1: ');
  });

  test('spread over variables, or over parts of a message', async () => {
    const [user = '', host = ''] = email.split('@');
    const messages = [{ role: 'user', content: [user, `@${host}`].map((part) => ({ type: 'text', text: part })) }];
    const rows = [
      { id: 'a', type: 'GENERATION', input: messages, output: 'x' },
      { id: 'b', type: 'GENERATION', input: 'ann@[host]', output: 'x' },
    ];
    const stderr = await expectClean('langfuse', JSON.stringify(rows), '{{ user }}@{{ host }}', 1);
    expect(stderr).toContain('left out 1: a key or personal data is spread over several variables');
  });
});

test('planted keys and personal data reach no file', async () => {
  const project = openSuite();
  const canaries = [
    ['sk', 'proj', 'Ab1cD2eF3gH4iJ5kL6mN7oP8'].join('-'),
    ['AKIA', 'IOSFODNN7EXAMPLE'].join(''),
    'ann.smith+x@mail.example.org',
    '4111 1111 1111 1111',
    'DE89 3704 0044 0532 0130 00',
    '+49 151 23456789',
    '078-05-1120',
    'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC',
  ];
  const [, , , , , , , inner = ''] = canaries;
  const key = `-----BEGIN PRIVATE KEY-----\n${inner}\nshort\n-----END PRIVATE KEY-----`;
  const rows = canaries.map((canary) => ({
    ...span(`it is ${canary === inner ? key : canary}, really`, canary === inner ? key : canary),
    traceId: canary === inner ? 't' : canary,
    events: [],
  }));
  const answers = canaries.map((canary) => ({
    attributes: [
      ...(span('s').attributes as readonly { readonly key: string }[]).filter(
        (one) => one.key === 'gen_ai.input.messages',
      ),
      ...attributes({
        'gen_ai.output.messages': [{ role: 'assistant', parts: parts(`see ${canary === inner ? key : canary}.`) }],
      }),
    ],
  }));
  const { code } = await importFile(project, 'otel', JSON.stringify(otlp(...rows, ...answers)));
  expect(code).toBe(0);
  const written = project.files().filter((file) => file !== 'export.json');
  const all = written.map((file) => project.read(file)).join('\n');
  expect(casesOf(project).length).toBeGreaterThan(3);
  for (const canary of canaries) expect([canary, all.includes(canary)]).toEqual([canary, false]);
  expect(all).toContain('[email]');
  expect(all).not.toContain('short\\n-----END');
});

test("a prompt of system messages alone is asked with the user's message, as it was", async () => {
  const project = openTempProject();
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: v1, messages: [{ role: system, content: "You help {{ shop }}." }] }]
providers: [openai:m]
cases:
  - { id: own, vars: { shop: own }, turns: [{ user: Hi }], observe: true }
  - { file: cases/prod.jsonl }
`,
  );
  const asked = (...texts: readonly string[]) => ({
    attributes: attributes({
      'gen_ai.system_instructions': parts('You help Ann.'),
      'gen_ai.input.messages': texts.map((content, index) => ({
        role: index % 2 === 0 ? 'user' : 'assistant',
        parts: parts(content),
      })),
    }),
  });
  const imported = await importFile(
    project,
    'otel',
    JSON.stringify(otlp(asked('What is {{ x }}?'), asked('a', 'b', 'c'))),
  );
  expect(imported).toMatchObject({
    code: 0,
    stderr: 'left out 1: the conversation goes on after the prompt (first at export.json:1)\n',
  });
  const seen: unknown[] = [];
  const server = await startChatServer(({ body }) => {
    seen.push(body['messages']);
    return 'x';
  });
  // Under observe, nothing is judged.
  expect((await project.run(['run'], { env: server.env })).code).toBe(4);
  expect(seen).toContainEqual([
    { role: 'system', content: 'You help Ann.' },
    { role: 'user', content: 'What is {{ x }}?' },
  ]);
});

describe('filters', () => {
  const importWith = async (template: string, ...texts: readonly string[]) => {
    const project = openTempProject();
    const own = { id: 'own', vars: { x: ['own'], y: 'own' }, observe: true };
    project.write(
      'evals/s.eval.yaml',
      JSON.stringify({ prompts: [{ id: 'v1', text: template }], providers: ['replay:x'], cases: [own] }),
    );
    const calls = texts.map((content) => ({
      attributes: attributes({ 'gen_ai.input.messages': [{ role: 'user', parts: parts(content) }] }),
    }));
    const { code, stderr } = await importFile(project, 'otel', JSON.stringify(otlp(...calls)));
    return { code, stderr, vars: code === 0 ? casesOf(project).map(({ vars }) => vars) : [] };
  };

  test.each<[template: string, text: string, vars: unknown]>([
    ['X: {{ x | json }} Y: {{ y }}', 'X: {"a": 1} Y: z', undefined],
    ['X: {{ x | json }} Y: {{ y }}', 'X: {"a":["b Y: c",2]} Y: z', { x: { a: ['b Y: c', 2] }, y: 'z' }],
    ['{{ x | json }}{{ y }}', '[1]', { x: [1], y: '' }],
    ['{{ y | append: "!" }}', 'hey!', { y: 'hey' }],
    ["{{ y | prepend: 'Q: ' | append: '?' }}", 'Q: who?', { y: 'who' }],
    ['{{ y | default: "none" }}', 'some', { y: 'some' }],
  ])('%s of %s', async (template, text, vars) => {
    expect((await importWith(template, text)).vars).toEqual(vars === undefined ? [] : [vars]);
  });

  test.each<[template: string, text: string, reason: string]>([
    ['{{ x | join: ", " }}', 'a, b', 'the prompt has the filter "join", which can not be turned around'],
    ['{{ y | upcase }}', 'A', 'the prompt has the filter "upcase"'],
    ['{{ y | strip | append: "!" }}', 'A!', 'the prompt has the filter "strip"'],
    ['{{ y | default: "none" }}', 'none', 'two readings fit'],
    ['{% for i in x %}{{ i }}{% endfor %}', 'a', 'the prompt has logic ({% for %})'],
    ['{{ x[0] }}', 'a', 'the prompt reads items of a list'],
  ])('%s of %s is refused in words', async (template, text, reason) => {
    const { code, stderr } = await importWith(template, text);
    expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
  });
});

test('texts become the numbers that contract.input asks for, and what breaks it is left out', async () => {
  const project = openTempProject();
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: v1, text: "{{ order.id }}: {{ n }}" }]
providers: [replay:x]
contract: { input: { type: object, properties: { n: { type: integer } } } }
cases: [{ vars: { order: { id: a }, n: 1 }, observe: true }]
`,
  );
  const call = (content: string) => ({
    attributes: attributes({ 'gen_ai.input.messages': [{ role: 'user', parts: parts(content) }] }),
  });
  const { code, stderr } = await importFile(project, 'otel', JSON.stringify(otlp(call('A7: 42'), call('B: many'))));
  expect([code, casesOf(project).map(({ vars }) => vars)]).toEqual([0, [{ order: { id: 'A7' }, n: 42 }]]);
  expect(stderr).toContain('left out 1: its variables break contract.input');
  expect(stderr).toContain('add to the cases of evals/s.eval.yaml: - file: cases/prod.jsonl');
});

describe('files that are not what they should be', () => {
  const good = JSON.stringify(otlp(span('paid twice')));
  const attempt = async (format: string, content: string | Uint8Array) => {
    const project = openSuite();
    writeFileSync(project.path('export.json'), content);
    const { code, stdout, stderr } = await project.run(['import', format, 'export.json', '--prompt', 'v1']);
    const written = project.files('evals/cases').includes('evals/cases/prod.jsonl');
    return { code, output: `${stdout}${stderr}`, cases: written ? casesOf(project).length : 0 };
  };

  test.each<readonly [name: string, format: string, content: string | Uint8Array, message: string]>([
    ['empty', 'otel', '', 'the file holds no call of a model'],
    ['blank', 'langfuse', ' \n\n', 'the file holds no call of a model'],
    ['an empty list', 'langsmith', '[]', 'the file holds no call of a model'],
    ['text', 'otel', 'hello\nworld\n', 'the file holds no call of a model'],
    ['compressed', 'otel', gzipSync(good), 'export.json is compressed (gzip)'],
    ['Parquet', 'langsmith', Buffer.from('PAR1xx'), 'export.json is a Parquet file'],
    ['UTF-16', 'otel', Buffer.from(`\ufeff${good}`, 'utf16le'), 'export.json is not UTF-8 text'],
    ['not UTF-8', 'otel', Buffer.concat([Buffer.from(good), Buffer.from([0x0a, 0xff, 0xfe])]), 'not UTF-8 text'],
    ["Langfuse's", 'otel', JSON.stringify([{ traceId: 't', type: 'GENERATION', input: 'x', output: 'y' }]), 'langfuse'],
    ["LangSmith's", 'langfuse', JSON.stringify([{ id: 'r', run_type: 'llm', inputs: {}, outputs: {} }]), 'langsmith'],
    ["OpenTelemetry's", 'langsmith', good, 'it looks like one for llmcheck import otel'],
    ['metrics', 'otel', JSON.stringify({ resourceMetrics: [{ scopeMetrics: [] }] }), 'no call of a model'],
    ['cut in a document', 'otel', JSON.stringify(otlp(span('x')), null, 2).slice(0, -30), 'the export is not whole'],
    ['cut in a string', 'otel', `{\n"resourceSpans": [{"a": "b\n${good}`, 'export.json:2:1'],
    ['CSV with an open quote', 'langfuse', 'id,input\n1,"x\n', 'its JSON is broken'],
  ])('%s: nothing is written', async (_name, format, content, message) => {
    const { code, output, cases } = await attempt(format, content);
    expect([code, cases]).toEqual([2, 0]);
    expect(output).toContain(message);
  });

  test('a file whose calls are left out is not said to be of another tool', async () => {
    const other = { projectId: 'p', input: 'x', attributes: attributes({ 'gen_ai.request.model': 'm' }) };
    const { code, output } = await attempt('otel', JSON.stringify(otlp(other)));
    expect(code).toBe(2);
    expect(output).toContain('1 left out: no messages were recorded');
    expect(output).not.toContain('the file holds no call');
  });

  test.each<readonly [name: string, content: string, cases: number, left: string]>([
    ['a line that is cut', `${good.slice(0, 90)}\n${good}\n`, 1, 'left out 1: its JSON is broken'],
    ['the last line cut', `${good}\n${good.slice(0, 90)}`, 1, 'first at export.json:2'],
    ['text between the lines', `${good}\nINFO exported\n\n${good}\n`, 1, 'exact duplicates 1'],
    ['two documents in a line', `${good}${JSON.stringify(otlp(span('other')))}`, 2, 'others 0'],
    ['no line breaks but those of old Macs', `${good}\r${JSON.stringify(otlp(span('other')))}`, 2, 'others 0'],
  ])('%s: the others are cases', async (_name, content, count, left) => {
    const { code, output, cases } = await attempt('otel', content);
    expect([code, cases]).toEqual([0, count]);
    expect(output).toContain(left);
  });
});
