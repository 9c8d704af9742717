// oxlint-disable vitest/expect-expect, unicorn/no-thenable -- expectLines asserts; `then` is a keyword of JSON Schema.
import { expect, test } from 'vitest';
import type { HttpReply } from '../../src/http/client.ts';
import { HttpError } from '../../src/http/http-error.ts';
import type { JsonObject, JsonValue } from '../../src/json/json.ts';
import * as answers from '../../src/providers/answer.ts';
import {
  type ExecOutput,
  execOutputs,
  readExecOutput,
  readFailedTranscript,
} from '../../src/providers/code/answer-object.ts';
import {
  classifyAbort,
  classifyError,
  classifyReply,
  describeUnreadable,
  kindOfApiError,
} from '../../src/providers/failures/classify-failure.ts';
import { readApiError } from '../../src/providers/failures/read-api-error.ts';
import { fitSchema } from '../../src/providers/fit-schema.ts';
import { schemaModes } from '../../src/providers/schema-modes.ts';
import { anthropicStream, bedrockStream } from '../../src/providers/streams/fold-blocks.ts';
import { geminiStream } from '../../src/providers/streams/fold-gemini.ts';
import { chatStream, responsesStream } from '../../src/providers/streams/fold-openai.ts';
import { readStream, timeWhole } from '../../src/providers/streams/read-stream.ts';

const show = (value: unknown) => JSON.stringify(value) ?? 'undefined';
const url = 'https://api.example.com:8443/v1/chat';
const nowMs = Date.parse('2026-03-01T12:00:00Z');

async function expectLines(name: string, lines: readonly string[]): Promise<void> {
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`snapshots/${name}.txt`);
}

const named = (message: string, code: string | null = null, more: object = {}) =>
  JSON.stringify({ error: { message, code, ...more } });

test('each status and body of a refusal has its kind and its words', async () => {
  const statuses = [
    299, 300, 301, 399, 400, 401, 402, 403, 404, 405, 407, 408, 409, 413, 418, 424, 425, 429, 498, 499, 500, 502, 503,
    504, 529, 599,
  ];
  const bodies: readonly (readonly [text: string, headers?: HttpReply['headers']])[] = [
    [''],
    ['<html>'],
    ['plain words'],
    ['{"error"'],
    ['[]'],
    ['"quoted"'],
    [named('down', 'server_error')],
    [named('slow', 'rate_limit_exceeded')],
    [named('Requests: tokens per day', 'rate_limit_exceeded')],
    [named('busy', 'overloaded_error')],
    [named('The server is overloaded')],
    [named('no money', 'insufficient_quota')],
    [named('no', 'invalid_prompt')],
    [named('it violates our usage policies', 'invalid_prompt')],
    [named("Item with id 'rs_1' not found.")],
    [named('Request too large for gpt')],
    ['', { 'x-amzn-errortype': 'ThrottlingException:http://internal.amazon.com/' }],
    ['{"message":"x"}', { 'x-amzn-errortype': 'ModelErrorException' }],
    ['', { location: '/other' }],
    ['', { 'x-should-retry': 'false' }],
    ['', { 'x-should-retry': 'true', 'retry-after': '2' }],
    ['', { 'retry-after': ' 1.5 ' }],
    ['', { 'retry-after': 'soon' }],
    ['', { 'retry-after': 'Sun, 01 Mar 2026 12:00:30 GMT' }],
    ['', { 'retry-after': 'Sun, 01 Mar 2026 11:00:30 GMT', date: 'Sun, 01 Mar 2026 11:00:00 GMT' }],
    ['', { 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }],
    ['', { 'retry-after-ms': '120', 'retry-after': '9' }],
    ['', { 'retry-after-ms': '-1' }],
    [named('Please try again in 1m2.5s')],
    [named('Please retry after 9 seconds')],
    [named('try again in 5 fortnights')],
    [named('x'.repeat(3000))],
  ];
  const lines = bodies.flatMap(([text, headers = {}]) => [
    `${text.slice(0, 80)} ${show(headers)}`,
    ...statuses.map((status) => {
      const { message, ...rest } = classifyReply({ status, headers, text }, url, nowMs);
      const isShown = [301, 400, 404, 429, 500].includes(status);
      return `  ${status}: ${show(rest)}${isShown ? ` ${message.slice(0, 160)}${message.length > 160 ? message.length : ''}` : ''}`;
    }),
  ]);
  await expectLines('refusals', lines);
});

test('what an error object says under a successful status', async () => {
  const bodies: readonly JsonValue[] = [
    {},
    { error: null },
    { error: 'down' },
    { error: 5 },
    { error: {} },
    { error: { message: 'm' } },
    { error: { message: 'm', code: 399 } },
    { error: { message: 'm', code: 400 } },
    { error: { message: 'm', code: 429 } },
    { error: { message: 'm', code: 503 } },
    { error: { message: 'm', status: 404 } },
    { error: { message: 'm', type: 'api_error' } },
    { error: { message: 'm', details: [{ reason: 'API_KEY_INVALID' }, { retryDelay: '37.5s' }, 'x'] } },
    { error: { message: 'm', details: [{ violations: [{ quotaId: 'PerDay' }, 5, {}] }, { retryDelay: 5 }] } },
    { error: { message: 'm', details: [{ violations: 'x', reason: 5 }, { retryDelay: '5m' }] } },
    { error: { error: { message: 'inner', type: 'overloaded_error' } } },
    { message: 'plain', type: 'x' },
    { detail: 'a detail' },
    { detail: [{ msg: 'one', loc: ['a'] }] },
    { errors: ['one'] },
    { error: { message: 'Please try again in 2h3m.', code: 'rate_limit_exceeded' } },
    { error: { message: 'Please try again in 120 ms', code: 'rate_limit_exceeded' } },
  ];
  await expectLines(
    'errors',
    bodies.flatMap((body) => {
      const said = readApiError(body);
      return [
        show(body),
        `  ${show(said)} ${said === undefined ? '' : kindOfApiError(said)}`,
        `  ${show(answers.readErrorUnderSuccess(body as JsonObject))}`,
      ];
    }),
  );
});

const codes =
  'ECONNREFUSED ENOTFOUND EAI_AGAIN CERT_HAS_EXPIRED DEPTH_ZERO_SELF_SIGNED_CERT ECONNRESET ETIMEDOUT UND_ERR_SOCKET ERR_INVALID_URL UND_ERR_INVALID_ARG EPROTO UNABLE_TO_VERIFY_LEAF_SIGNATURE'.split(
    ' ',
  );

test('what broke a request on its way', async () => {
  const abortedBy = (reason: unknown) => {
    const controller = new AbortController();
    controller.abort(reason);
    return controller.signal;
  };
  const timeout = (message: string) => Object.assign(new Error(message), { name: 'TimeoutError' });
  await expectLines('broken', [
    ...codes.flatMap((code) =>
      ['it broke', ''].map(
        (message) => `${code}: ${show(classifyError(Object.assign(new Error(message), { code }), url))}`,
      ),
    ),
    ...(['body-too-large', 'body-unreadable', 'broken-off', 'not-http', 'proxy'] as const).map(
      (code) => `${code}: ${show(classifyError(new HttpError(code, 'it broke'), url))}`,
    ),
    show(classifyError('text', url)),
    show(classifyError(new Error('no code'), url)),
    ...[timeout('it took 5 s'), timeout(''), new Error('x'), 'x'].map((reason) =>
      show(classifyAbort(abortedBy(reason))),
    ),
    ...['', '{"a": [1', '{"a": "[1}"}', '["a\\"', '<p>no</p>', '{"a": 1} x', 'x'.repeat(200), '  [{]'].flatMap((text) =>
      [{}, { 'content-type': 'text/html' }].map((headers) =>
        show(describeUnreadable({ status: 200, headers, text }, url)),
      ),
    ),
  ]);
});

test('the parts of an answer', () => {
  const call = answers.buildToolCall(5, 'f', ' ');
  expect([call, answers.buildToolCall('', 'f', undefined), answers.buildToolCall('i', 'f', '{"a":1')]).toEqual([
    { name: 'f', arguments: {}, rawArguments: ' ' },
    { name: 'f', arguments: {}, rawArguments: '{}' },
    { id: 'i', name: 'f', arguments: undefined, rawArguments: '{"a":1' },
  ]);
  const reasons = { stop: 'stop' } as const;
  expect(
    [
      [undefined, []],
      [undefined, [call]],
      ['stop', [call]],
      ['toString', []],
      ['odd', []],
    ].map(([raw, calls]) => answers.mapFinishReason(reasons, raw as string | undefined, calls as [])),
  ).toEqual([undefined, 'toolCalls', 'stop', 'other', 'other']);
  expect([0, 5, -1, 1.5, '5', null, 2 ** 53].map(answers.count)).toEqual([0, 5, ...Array.from({ length: 5 })]);
  expect(['a', '', 5, null].map(answers.text)).toEqual(['a', undefined, undefined, undefined]);
  expect(
    [
      [undefined, ''],
      ['a', undefined, 'b', ''],
    ].map(answers.joinReasoning),
  ).toEqual([undefined, 'a\n\nb']);
  const totals = { inputTokens: 5, outputTokens: 4 };
  expect(answers.readTotals({ ...totals, cachedInputTokens: 6, reasoningTokens: 4, cacheWriteTokens: null })).toEqual({
    ...totals,
    cachedInputTokens: 5,
    reasoningTokens: 4,
  });
  expect([answers.readTotals({ inputTokens: 5 }), answers.readTotals({ outputTokens: 4 })]).toEqual([
    undefined,
    undefined,
  ]);
  expect(
    ['x', [], ['x'], [{ text: 5 }], [{ text: null }, { text: 'a' }, {}]].map((parts) =>
      answers.findUnreadable(parts as JsonValue, 'its "parts"'),
    ),
  ).toMatchInlineSnapshot(`
    [
      "its "parts" is a string",
      undefined,
      "its "parts" holds a string",
      "a "text" in its "parts" is a number",
      undefined,
    ]
  `);
  expect(
    [undefined, 'x', [], [{ index: 1 }, { index: 0 }], [{ a: 1 }, { index: 0 }], ['x']].map((list) => [
      answers.firstByIndex(list as JsonValue) ?? null,
      answers.findIndexFault(list as JsonValue) ?? null,
    ]),
  ).toMatchInlineSnapshot(`
    [
      [
        null,
        null,
      ],
      [
        null,
        null,
      ],
      [
        null,
        null,
      ],
      [
        {
          "index": 0,
        },
        null,
      ],
      [
        {
          "a": 1,
        },
        null,
      ],
      [
        "x",
        null,
      ],
    ]
  `);
});

test('a transcript that a failed program left may say why', () => {
  const events = [
    '{"type":"system","subtype":"init","session_id":"s"}',
    '{"type":"result","subtype":"error_max_turns","is_error":true,"result":"no","usage":{"input_tokens":1,"output_tokens":2}}',
  ].join('\n');
  expect(
    execOutputs.flatMap((output: ExecOutput) =>
      ['', 'plain', '{"text":"a"}', '{"error":"x"}', events].map(
        (text) => `${output} ${text.slice(0, 20)}: ${show(readFailedTranscript(text, output))}`,
      ),
    ),
  ).toMatchInlineSnapshot(`
    [
      "auto : undefined",
      "auto plain: undefined",
      "auto {"text":"a"}: undefined",
      "auto {"error":"x"}: undefined",
      "auto {"type":"system","su: {"kind":"stepLimit","message":"stopped before its answer (error_max_turns)","retryable":false,"usage":{"inputTokens":1,"outputTokens":2}}",
      "text : undefined",
      "text plain: undefined",
      "text {"text":"a"}: undefined",
      "text {"error":"x"}: undefined",
      "text {"type":"system","su: undefined",
      "json : undefined",
      "json plain: undefined",
      "json {"text":"a"}: undefined",
      "json {"error":"x"}: undefined",
      "json {"type":"system","su: undefined",
      "claude-code : undefined",
      "claude-code plain: undefined",
      "claude-code {"text":"a"}: undefined",
      "claude-code {"error":"x"}: undefined",
      "claude-code {"type":"system","su: {"kind":"stepLimit","message":"stopped before its answer (error_max_turns)","retryable":false,"usage":{"inputTokens":1,"outputTokens":2}}",
      "codex : undefined",
      "codex plain: undefined",
      "codex {"text":"a"}: undefined",
      "codex {"error":"x"}: undefined",
      "codex {"type":"system","su: undefined",
      "gemini-cli : undefined",
      "gemini-cli plain: undefined",
      "gemini-cli {"text":"a"}: undefined",
      "gemini-cli {"error":"x"}: undefined",
      "gemini-cli {"type":"system","su: undefined",
    ]
  `);
  expect(['plain', '{"text":"a"}', '{"a":1}'].map((text) => readExecOutput(text, 'auto', 5))).toMatchInlineSnapshot(`
    [
      {
        "completion": {
          "isTextAlone": true,
          "latencyMs": 5,
          "text": "plain",
          "toolCalls": [],
        },
      },
      {
        "completion": {
          "latencyMs": 5,
          "text": "a",
          "toolCalls": [],
        },
      },
      {
        "completion": {
          "isTextAlone": true,
          "latencyMs": 5,
          "text": "{"a":1}",
          "toolCalls": [],
        },
      },
    ]
  `);
});

const text = { type: 'string' };
const many = (count: number, part: JsonValue) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, part]));
const closed = { additionalProperties: false };
const nest = (levels: number): JsonValue =>
  levels === 0 ? text : { type: 'object', properties: { a: nest(levels - 1) }, required: ['a'], ...closed };

const schemas: readonly JsonValue[] = [
  true,
  text,
  { type: 'object' },
  { type: 'object', properties: { a: text }, required: ['a'], ...closed },
  { type: 'object', properties: { a: text } },
  { type: ['object', 'null'], properties: { a: true }, additionalProperties: text },
  { type: 'object', properties: {}, additionalProperties: true },
  { anyOf: [text, { type: 'null' }] },
  { type: 'object', anyOf: [{}], ...closed },
  { type: 'array', items: [text], minItems: 2, uniqueItems: true },
  { type: 'array', items: text, minItems: 1, maxItems: 2 },
  { enum: [] },
  { enum: ['a', { b: 1 }] },
  { anyOf: [] },
  { oneOf: [text, { type: 'number' }] },
  { oneOf: [text], anyOf: [text] },
  { type: 'string', format: 'email', pattern: '^(?=a)b', minLength: 1 },
  { type: 'string', format: 'zzz', pattern: '^a$' },
  { type: 'number', minimum: 1, multipleOf: 2 },
  { not: text, if: text, then: text, else: text },
  { $ref: '#/$defs/a', description: 'x', $defs: { a: text } },
  { allOf: [{ $ref: '#/$defs/a' }], $defs: { a: text } },
  { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'], ...closed },
  {
    type: 'object',
    properties: { a: { $ref: '#/$defs/n' } },
    required: ['a'],
    ...closed,
    $defs: { n: { type: 'object', properties: { next: { $ref: '#/$defs/n' } }, required: ['next'], ...closed } },
  },
  { type: 'object', patternProperties: { '^a': text }, propertyNames: text, minProperties: 1 },
  { type: 'object', properties: many(24, text), ...closed },
  { type: 'object', properties: many(25, text), ...closed },
  { type: 'object', properties: many(16, { type: ['string', 'null'] }), ...closed },
  { type: 'object', properties: many(17, { type: ['string', 'null'] }), ...closed },
  { type: 'object', properties: many(17, { type: ['string'] }), ...closed },
  { type: 'object', properties: many(17, { anyOf: [text] }), ...closed },
  {
    type: 'object',
    properties: { a: { enum: Array.from({ length: 1001 }, (_, index) => `v${index}`) } },
    required: ['a'],
    ...closed,
  },
  { type: 'object', properties: { a: { const: 'x'.repeat(30_000) } }, required: ['a'], ...closed },
  { type: 'object', properties: { a: { enum: ['x'.repeat(200_000)] } }, required: ['a'], ...closed },
  ...[5, 6, 10, 11].map(nest),
];

test.each(Object.entries(schemaModes))('what %s refuses in schemas', async (name, mode) => {
  const cut = (value: unknown) => {
    const written = show(value);
    return written.length > 400 ? `${written.slice(0, 200)}… ${written.length}` : written;
  };
  const lines = schemas.flatMap((schema) => {
    const { schema: fitted, refusals } = fitSchema(schema, mode);
    return [
      cut(schema),
      ...refusals.slice(0, 4).map(({ source, ...refusal }) => `  ${show(refusal)} ${source.slice(-30)}`),
      ...(refusals.length > 4 ? [`  … ${refusals.length}`] : []),
      ...(show(fitted) === show(schema) ? [] : [`  = ${cut(fitted)}`]),
    ];
  });
  await expectLines(`schemas/${name}`, lines);
});

const streams = { chat: chatStream, responses: responsesStream, anthropic: anthropicStream, bedrock: bedrockStream };

const events: Readonly<
  Record<keyof typeof streams | 'gemini', readonly (readonly [name: string, data: JsonObject])[]>
> = {
  chat: [
    ['', { id: 'c', choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }],
    ['', { choices: [{ index: 0, delta: { content: 'Hi' } }, 'odd', { index: 1, delta: { content: 'Other' } }] }],
    ['', { choices: [{ index: 0, delta: { reasoning_content: 'hm', refusal: null } }] }],
    [
      '',
      { choices: [{ delta: { tool_calls: ['odd', { index: 0, id: 'i', function: { name: 'f', arguments: '' } }] } }] },
    ],
    ['', { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] } }] }],
    [
      '',
      {
        choices: [
          {
            delta: {
              tool_calls: [
                { index: 0, function: { arguments: ':1}' } },
                { id: 'j', function: { name: 'g' } },
              ],
            },
          },
        ],
      },
    ],
    ['', { choices: [{ index: 0, delta: { refusal: 'no' }, finish_reason: 'stop' }] }],
    ['', { choices: [], usage: { prompt_tokens: 1 } }],
  ],
  responses: [
    ['response.created', { response: { id: 'r', status: 'in_progress', output: [] } }],
    ['', { type: 'response.output_text.delta', delta: 'Hi', output_index: 0 }],
    ['response.output_text.delta', { delta: '!' }],
    ['response.output_item.added', { output_index: 1, item: { type: 'function_call', name: 'f' } }],
    ['response.output_item.done', { output_index: 1, item: { type: 'function_call', name: 'f', arguments: '{}' } }],
    ['response.output_item.done', { output_index: 0, item: { type: 'message', content: [] } }],
    ['response.refusal.delta', { delta: 'no' }],
    ['response.incomplete', { response: { id: 'r', status: 'incomplete' } }],
  ],
  anthropic: [
    ['message_start', { type: 'message_start', message: { id: 'm', content: [], usage: { input_tokens: 3 } } }],
    ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
    ['content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } }],
    [
      'content_block_start',
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', name: 'f', input: {} } },
    ],
    [
      'content_block_delta',
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":1}' } },
    ],
    [
      'content_block_start',
      { type: 'content_block_start', index: 2, content_block: { type: 'thinking', thinking: '' } },
    ],
    [
      'content_block_delta',
      { type: 'content_block_delta', index: 2, delta: { type: 'thinking_delta', thinking: 'hm' } },
    ],
    [
      'content_block_delta',
      { type: 'content_block_delta', index: 2, delta: { type: 'signature_delta', signature: 's' } },
    ],
    ['content_block_stop', { type: 'content_block_stop', index: 2 }],
    ['message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } }],
    ['message_stop', { type: 'message_stop' }],
  ],
  bedrock: [
    ['messageStart', { role: 'assistant' }],
    ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } }],
    ['contentBlockStart', { contentBlockIndex: 1, start: { toolUse: { toolUseId: 'i', name: 'f' } } }],
    ['contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '{}' } } }],
    ['contentBlockStop', { contentBlockIndex: 1 }],
    ['contentBlockDelta', { contentBlockIndex: 2, delta: { reasoningContent: { text: 'hm' } } }],
    ['messageStop', { stopReason: 'tool_use' }],
    ['metadata', { usage: { inputTokens: 1, outputTokens: 2 } }],
  ],
  gemini: [
    ['', { candidates: [{ content: { role: 'model', parts: [{ text: 'hm', thought: true }] } }], modelVersion: 'v' }],
    [
      '',
      {
        candidates: [
          { content: { parts: [{ text: 'Hi' }] } },
          'odd',
          { index: 1, content: { parts: [{ text: 'x' }] } },
        ],
      },
    ],
    ['', { candidates: [{ content: { parts: [{ text: '!' }, { functionCall: { name: 'f' } }] } }] }],
    ['', { candidates: [{ finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 1 }, modelVersion: null }],
  ],
};

test.each(Object.entries(events))('the events of %s come to the body of a whole answer', async (name, list) => {
  const format = name === 'gemini' ? geminiStream((model) => `/x/${model}`) : streams[name as keyof typeof streams];
  const fold = format.open();
  const lines = list.map(([event, data]) => {
    const hasContent = fold.add({ ...(event === '' ? {} : { name: event }), data });
    return `${String(hasContent)} ${String(fold.isComplete())} ${show(fold.body())}`;
  });
  await expectLines(`streams/${name}`, [
    `${show(format.pathOf?.('m'))} ${show(format.ask({ model: 'm', stream_options: { a: 1 } }))}`,
    ...lines,
  ]);
});

test('a stream is read as far as it came, with the time of its first token', async () => {
  const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
  const delta = (content: string | null) => event({ choices: [{ index: 0, delta: { content } }] });
  const role = event({ choices: [{ index: 0, delta: { role: 'assistant' } }] });
  const end = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  const read = (body: JsonObject): answers.Answer => ({
    completion: { text: JSON.stringify(body), toolCalls: [], latencyMs: 90 },
  });
  const reply = (body: string, contentType?: string): HttpReply => {
    const bytes = Buffer.from(body);
    return {
      status: 200,
      headers: contentType === undefined ? {} : { 'content-type': contentType },
      text: '',
      latencyMs: 90,
      raw: {
        bytes,
        arrivals: [
          { bytes: role.length, atMs: 10 },
          { bytes: (role + delta('Hi')).length, atMs: 20 },
          { bytes: bytes.length, atMs: 80 },
        ],
      },
    };
  };
  const whole = role + delta('Hi') + delta('!') + end;
  const bodies: readonly (readonly [body: string, contentType?: string])[] = [
    [`${whole}data: [DONE]\n\n`, 'text/event-stream'],
    [whole],
    [whole.replaceAll('\n', '\r\n'), 'text/event-stream; charset=utf-8'],
    [whole.replaceAll('\n', '\r'), 'text/event-stream'],
    [role + delta('Hi'), 'text/event-stream'],
    [role, 'text/event-stream'],
    [role + end, 'text/event-stream'],
    [role + delta('Hi') + event({ error: { message: 'down', code: 'server_error' } }), 'text/event-stream'],
    [`${role}event: error\ndata: {"message":"down"}\n\n`, 'text/event-stream'],
    [`${role}data: not json\n\n`, 'text/event-stream'],
    [`: comment\nid: 1\nretry: 5\n${whole}`],
    ['{"choices":[]}', 'application/json'],
    ['{"choices":[]}\n{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n', 'application/json'],
    ['<html>', 'text/html'],
    ['', 'text/event-stream'],
    ['cut', 'application/vnd.amazon.eventstream'],
  ];
  const lines = bodies.flatMap(([body, contentType]) => {
    const reading = { stream: chatStream, url, read, describeBreak: () => undefined };
    const broken = { kind: 'network', message: 'the connection broke' } as const;
    return [
      `${show(body)} ${contentType ?? ''}`,
      `  ${show(readStream(reply(body, contentType), reading))}`,
      `  ${show(readStream(reply(body, contentType), { ...reading, describeBreak: () => broken }))}`,
    ];
  });
  await expectLines('read-streams', lines);
  expect([timeWhole(read({})), timeWhole(answers.malformed('x'))]).toEqual([
    { completion: { text: '{}', toolCalls: [], latencyMs: 90, firstTokenMs: 90 } },
    answers.malformed('x'),
  ]);
});
