import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { amazonFrame, type StreamedApi, streamAnswer } from '../../scripts/answer-streams.ts';
import type { JsonObject } from '../../src/json/json.ts';
import type { Completion, CompletionOutcome } from '../../src/model/run/completion.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { anthropicStream, bedrockStream } from '../../src/providers/streams/fold-blocks.ts';
import { geminiStream } from '../../src/providers/streams/fold-gemini.ts';
import { chatStream, responsesStream } from '../../src/providers/streams/fold-openai.ts';
import type { StreamFormat } from '../../src/providers/streams/stream-format.ts';
import { buildConfig, buildRequest } from './build-request.ts';

type Send = (response: ServerResponse) => void;

interface Asked {
  readonly outcome: CompletionOutcome;
  readonly url: string;
  readonly sent: JsonObject;
}

const adapterOf: Readonly<Record<StreamedApi, Pick<ProviderConfig, 'adapter'> & Partial<ProviderConfig>>> = {
  'openai-chat': { adapter: 'openai' },
  'openai-responses': { adapter: 'openai', options: { api: 'responses' } },
  anthropic: { adapter: 'anthropic' },
  gemini: { adapter: 'gemini' },
  bedrock: { adapter: 'bedrock' },
  cohere: { adapter: 'cohere' },
};
const apis = Object.keys(adapterOf) as StreamedApi[];

async function ask(
  config: Partial<ProviderConfig> & { adapter: string },
  send: Send,
  signal?: AbortSignal,
): Promise<Asked> {
  let url = '';
  let body = '';
  const server = createServer((incoming, response) => {
    url = incoming.url ?? '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => send(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const adapter = lookupAdapter(config.adapter);
  const connected = await adapter?.connect(buildConfig({ model: 'm', baseUrl, stream: true, ...config }), {
    env: {},
    projectRoot: '/project',
  });
  if (connected === undefined) throw new Error(`no adapter ${config.adapter}`);
  onTestFinished(async () => {
    await connected.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const tools = [{ role: 'tool', content: '22', toolCallId: 'c1' } as const];
  const request = buildRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }, ...tools] });
  const outcome = await connected.complete(request, signal ?? new AbortController().signal);
  return { outcome, url, sent: JSON.parse(body) as JsonObject };
}

const write =
  (contentType: string, ...chunks: readonly (string | Buffer)[]): Send =>
  (response) => {
    response.writeHead(200, { 'content-type': contentType });
    for (const chunk of chunks) response.write(chunk);
    response.end();
  };
const sse = (...chunks: readonly (string | Buffer)[]) => write('text/event-stream', ...chunks);
const whole = (body: JsonObject): Send => write('application/json', JSON.stringify(body));

/** What is the same however an answer comes; what goes back to the API, without the order of its members. */
function partsOf({ outcome }: Asked) {
  if (outcome.status !== 'completed') return outcome;
  const { latencyMs: _latency, firstTokenMs: _first, continuation, ...rest } = outcome.completion;
  return {
    ...rest,
    continuation: typeof continuation === 'string' ? (JSON.parse(continuation) as unknown) : undefined,
  };
}

function completionOf({ outcome }: Asked): Completion {
  if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome));
  return outcome.completion;
}

function failureOf({ outcome }: Asked) {
  if (outcome.status !== 'failed') throw new Error(JSON.stringify(outcome));
  return outcome.failure;
}

const said = 'Grüße aus Köln: 22 °C ☀️ 👩‍👩‍👧, "quoted"\nand on.';
const args = '{"city":"Köln","days":[1,2]}';
const usage = {
  prompt_tokens: 20,
  completion_tokens: 9,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 4 },
};
const call = { id: 'c1', type: 'function', function: { name: 'weather', arguments: args } };
const second = { id: 'c2', type: 'function', function: { name: 'now', arguments: '{}' } };
const chat = (message: JsonObject, finish = 'stop'): JsonObject => ({
  id: 'a1',
  object: 'chat.completion',
  model: 'm-1',
  system_fingerprint: 'fp',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  usage,
});
const message = (content: readonly JsonObject[], reason: string): JsonObject => ({
  id: 'm1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [...content],
  stop_reason: reason,
  usage: { input_tokens: 11, cache_read_input_tokens: 5, output_tokens: 7 },
});
const response = (output: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  id: 'r1',
  object: 'response',
  status: 'completed',
  model: 'm-1',
  output: [...output],
  usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15, output_tokens_details: { reasoning_tokens: 2 } },
  ...more,
});
const generated = (parts: readonly JsonObject[], finishReason = 'STOP'): JsonObject => ({
  candidates: [{ content: { parts: [...parts], role: 'model' }, finishReason }],
  usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 3, thoughtsTokenCount: 2 },
  modelVersion: 'gemini-x',
  responseId: 'g1',
});
const converse = (content: readonly JsonObject[], stopReason: string): JsonObject => ({
  output: { message: { role: 'assistant', content: [...content] } },
  stopReason,
  usage: { inputTokens: 6, outputTokens: 4, totalTokens: 10 },
  metrics: { latencyMs: 3 },
});
const cohereAnswer = (own: JsonObject, reason: string): JsonObject => ({
  id: 'h1',
  message: { role: 'assistant', ...own },
  finish_reason: reason,
  usage: { billed_units: { input_tokens: 1, output_tokens: 2 }, tokens: { input_tokens: 10, output_tokens: 20 } },
});

const bodies: readonly (readonly [StreamedApi, string, JsonObject])[] = [
  ['openai-chat', 'text', chat({ content: said })],
  ['openai-chat', 'calls', chat({ content: null, tool_calls: [call, second] }, 'tool_calls')],
  ['openai-chat', 'text and a call', chat({ content: said, tool_calls: [call] }, 'tool_calls')],
  ['openai-chat', 'reasoning', chat({ reasoning_content: 'I think of Köln.', content: said })],
  [
    'openai-chat',
    'reasoning before a call',
    chat({ reasoning: 'Hm.', content: null, tool_calls: [call] }, 'tool_calls'),
  ],
  ['openai-chat', 'a refusal', chat({ content: null, refusal: 'I may not.' })],
  ['openai-chat', 'an answer that was cut', chat({ content: 'Half' }, 'length')],
  [
    'openai-chat',
    'arguments that were cut',
    chat({ tool_calls: [{ ...call, function: { name: 'f', arguments: '{"a' } }] }, 'length'),
  ],
  ['openai-chat', 'a filter', chat({ content: 'Half' }, 'content_filter')],
  [
    'openai-chat',
    "Mistral's parts",
    chat({
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'Hm, Köln.' }] },
        { type: 'text', text: said },
      ],
    }),
  ],
  [
    'openai-chat',
    'two choices',
    {
      ...chat({ content: 'first' }),
      choices: [
        { index: 1, message: { content: 'b' }, finish_reason: 'stop' },
        { index: 0, message: { content: 'a' }, finish_reason: 'stop' },
      ],
    },
  ],
  [
    'openai-responses',
    'text',
    response([{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] }]),
  ],
  [
    'openai-responses',
    'reasoning and a call',
    response([
      { type: 'reasoning', id: 'rs1', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { type: 'function_call', call_id: 'c1', name: 'weather', arguments: args },
    ]),
  ],
  [
    'openai-responses',
    'an answer that was cut',
    response([], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
  ],
  ['anthropic', 'text', message([{ type: 'text', text: said }], 'end_turn')],
  [
    'anthropic',
    'thinking and calls',
    message(
      [
        { type: 'thinking', thinking: 'Hm, Köln.', signature: 's1' },
        { type: 'redacted_thinking', data: 'x' },
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Köln', days: [1, 2] } },
        { type: 'tool_use', id: 't2', name: 'now', input: {} },
      ],
      'tool_use',
    ),
  ],
  ['anthropic', 'a refusal', { ...message([], 'refusal'), stop_details: { category: 'cyber' } }],
  ['gemini', 'text', generated([{ text: said }])],
  [
    'gemini',
    'thoughts and a call',
    generated([
      { text: 'Hm, Köln.', thought: true },
      { text: 'I look.', thoughtSignature: 'sig' },
      { functionCall: { name: 'weather', args: { city: 'Köln' } }, thoughtSignature: 'sig2' },
    ]),
  ],
  ['gemini', 'an answer that was cut', generated([{ text: 'Half' }], 'MAX_TOKENS')],
  ['gemini', 'a filter', generated([{ text: 'Half' }], 'SAFETY')],
  ['bedrock', 'text', converse([{ text: said }], 'end_turn')],
  [
    'bedrock',
    'reasoning and a call',
    converse(
      [
        { reasoningContent: { reasoningText: { text: 'Hm.', signature: 's1' } } },
        { text: 'I look.' },
        { toolUse: { toolUseId: 't1', name: 'weather', input: { city: 'Köln' } } },
        { toolUse: { toolUseId: 't2', name: 'now', input: {} } },
      ],
      'tool_use',
    ),
  ],
  ['cohere', 'text', cohereAnswer({ content: [{ type: 'text', text: said }] }, 'COMPLETE')],
  ['cohere', 'a plan and calls', cohereAnswer({ tool_plan: 'I look.', tool_calls: [call, second] }, 'TOOL_CALL')],
  [
    'cohere',
    'thinking',
    cohereAnswer(
      {
        content: [
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'text', text: said },
        ],
      },
      'MAX_TOKENS',
    ),
  ],
];

describe('a streamed answer equals the whole one', () => {
  it.each(bodies)('%s: %s', async (api, _what, body) => {
    const expected = partsOf(await ask({ ...adapterOf[api], stream: undefined } as never, whole(body)));
    for (const size of [1, 7]) {
      const { contentType, events } = streamAnswer(api, body, size);
      const streamed = await ask(adapterOf[api], write(contentType, ...events));
      expect(partsOf(streamed)).toEqual(expected);
    }
  });

  it.each(apis)('%s, cut within characters and events', async (api) => {
    const [, , body] = bodies.find(([own]) => own === api) ?? [];
    const { contentType, events } = streamAnswer(api, body ?? {}, 2);
    const bytes = Buffer.concat(events);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 5) }, (_, at) => bytes.subarray(at * 5, at * 5 + 5));
    const streamed = completionOf(await ask(adapterOf[api], write(contentType, ...pieces)));
    expect(streamed).toMatchObject({ text: said, firstTokenMs: expect.any(Number) as number });
  });

  it.each<[StreamedApi, string, JsonObject]>([
    ['openai-chat', '/chat/completions', { stream: true, stream_options: { include_usage: true } }],
    ['openai-responses', '/responses', { stream: true }],
    ['anthropic', '/messages', { stream: true }],
    ['gemini', '/models/m:streamGenerateContent?alt=sse', {}],
    ['bedrock', '/model/m/converse-stream', {}],
    ['cohere', '/chat', { stream: true }],
  ])('%s is asked at %s', async (api, path, body) => {
    const { url, sent } = await ask(adapterOf[api], whole({}));
    expect(url).toBe(path);
    expect(sent).toMatchObject(body);
  });

  it('Mistral is asked without options that it refuses', async () => {
    expect((await ask({ adapter: 'mistral' }, whole({}))).sent).not.toHaveProperty('stream_options');
  });
});

describe('an event is known by whether it brings what a user sees', () => {
  /** Each event with whether it is seen; `|` where the answer is complete. */
  function fold(format: StreamFormat, events: readonly (readonly [string, JsonObject])[]) {
    const answer = format.open();
    const seen = events.map(
      ([name, data]) => `${answer.add({ name, data }) ? 'seen' : '-'}${answer.isComplete() ? '|' : ''}`,
    );
    return { seen: seen.join(' '), body: answer.body() };
  }
  const chunk = (part: JsonObject, more: JsonObject = {}): [string, JsonObject] => [
    '',
    { choices: [{ delta: part, ...more }] },
  ];
  const typed = (type: string, more: JsonObject = {}): [string, JsonObject] => ['', { type, ...more }];
  const parts = (...list: readonly JsonObject[]): [string, JsonObject] => [
    '',
    { candidates: [{ content: { parts: [...list] } }] },
  ];

  it('of Anthropic', () => {
    const block = (index: number, own: JsonObject) => typed('content_block_start', { index, content_block: own });
    const piece = (index: number, own: JsonObject) => typed('content_block_delta', { index, delta: own });
    const { seen, body } = fold(anthropicStream, [
      ['message_start', { message: { id: 'm', usage: { input_tokens: 3 } } }],
      block(0, { type: 'text', text: '' }),
      block(1, { type: 'text', text: 'a' }),
      piece(0, { type: 'text_delta', text: '' }),
      piece(0, { type: 'text_delta', text: 'b' }),
      piece(0, { type: 'citations_delta', citation: { c: 1 } }),
      block(2, { type: 'thinking', thinking: '' }),
      piece(2, { type: 'thinking_delta', thinking: 'h' }),
      piece(2, { type: 'signature_delta', signature: 's' }),
      block(3, { type: 'tool_use', id: 't', name: 'f', input: {} }),
      piece(3, { type: 'input_json_delta', partial_json: '{"a":1}' }),
      block(4, { type: 'server_tool_use', id: 'u', name: 'g', input: {} }),
      piece(4, { type: 'input_json_delta', partial_json: '{' }),
      piece(9, { type: 'text_delta', text: 'lost' }),
      typed('content_block_start'),
      typed('ping'),
      typed('message_delta', { delta: { stop_reason: null }, usage: { output_tokens: 1 } }),
      ['message_stop', {}],
    ]);
    expect(seen).toBe('- - seen - seen - - - - seen seen - - - - - - -|');
    expect(body).toEqual({
      id: 'm',
      stop_reason: null,
      usage: { input_tokens: 3, output_tokens: 1 },
      content: [
        { type: 'text', text: 'b', citations: [{ c: 1 }] },
        { type: 'text', text: 'a' },
        { type: 'thinking', thinking: 'h', signature: 's' },
        { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } },
        { type: 'server_tool_use', id: 'u', name: 'g', input: '{' },
      ],
    });
    expect(fold(anthropicStream, [typed('message_delta', { delta: { stop_reason: 'end_turn' } })]).seen).toBe('-|');
  });

  it('of Bedrock', () => {
    const piece = (contentBlockIndex: number, own: JsonObject): [string, JsonObject] => [
      'contentBlockDelta',
      { contentBlockIndex, delta: own },
    ];
    const { seen, body } = fold(bedrockStream, [
      ['messageStart', { role: 'assistant' }],
      piece(0, { reasoningContent: { text: 'h' } }),
      piece(0, { reasoningContent: { text: 'm', signature: 's' } }),
      piece(1, { reasoningContent: { redactedContent: 'x' } }),
      piece(1, { reasoningContent: { redactedContent: 'y' } }),
      piece(2, { text: '' }),
      piece(2, { text: 'a' }),
      ['contentBlockStart', { contentBlockIndex: 3, start: { toolUse: { toolUseId: 't', name: 'f' } } }],
      ['contentBlockStart', { contentBlockIndex: 4, start: { other: {} } }],
      piece(3, { toolUse: { input: '{"b":2}' } }),
      ['messageStop', { stopReason: 'tool_use' }],
      ['metadata', { usage: { inputTokens: 1 } }],
    ]);
    expect(seen).toBe('- - - - - - seen seen - seen -| -|');
    expect(body).toMatchObject({
      stopReason: 'tool_use',
      usage: { inputTokens: 1 },
      output: {
        message: {
          content: [
            { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
            { reasoningContent: { redactedContent: 'xy' } },
            { text: 'a' },
            { toolUse: { toolUseId: 't', name: 'f', input: { b: 2 } } },
            { other: {} },
          ],
        },
      },
    });
  });

  it('of Chat Completions', () => {
    const call = (index: number, own: JsonObject) => chunk({ tool_calls: [{ index, ...own }] });
    const { seen, body } = fold(chatStream, [
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'h' }),
      chunk({ reasoning_details: [{ index: 0, type: 't', text: 'x' }] }),
      chunk({
        reasoning_details: [
          { index: 0, type: 't', text: 'y' },
          { index: 1, type: 't', text: 'z' },
        ],
      }),
      chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'm' }] }] }),
      chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'n' }] }] }),
      chunk({ content: [{ type: 'text', text: 'a' }] }),
      chunk({ content: 'b' }),
      call(0, { id: 'c', function: { name: 'f', arguments: '{' } }),
      chunk({
        tool_calls: [
          { index: 0, function: { arguments: '}' } },
          { index: 1, id: 'd', custom: { name: 'g', input: 'i' } },
        ],
      }),
      call(1, { custom: { input: 'j' } }),
      chunk({ audio: { data: 'AA' } }),
      chunk({ audio: { data: 'BB', transcript: 'said' } }),
      chunk({ audio: {} }),
      chunk({ tool_calls: [] }),
      chunk({ refusal: 'no' }),
      ['', { choices: [{ message: { note: 1 }, finish_reason: 'stop' }] }],
      ['', { choices: [], usage: { prompt_tokens: 1 } }],
    ]);
    expect(seen).toBe(`${'- '.repeat(6)}${'seen '.repeat(7)}- - seen -| -|`);
    expect(body).toMatchObject({
      usage: { prompt_tokens: 1 },
      choices: [
        {
          finish_reason: 'stop',
          message: {
            content: [
              { type: 'thinking', thinking: [{ type: 'text', text: 'mn' }] },
              { type: 'text', text: 'ab' },
            ],
            reasoning_content: 'h',
            reasoning_details: [
              { index: 0, text: 'xy' },
              { index: 1, text: 'z' },
            ],
            tool_calls: [
              { id: 'c', function: { name: 'f', arguments: '{}' } },
              { id: 'd', custom: { name: 'g', input: 'ij' } },
            ],
            audio: { data: 'AABB', transcript: 'said' },
            refusal: 'no',
            note: 1,
          },
        },
      ],
    });
  });

  it('of Responses and Gemini', () => {
    const { seen, body } = fold(responsesStream, [
      typed('response.created', { response: { id: 'r', status: 'in_progress' } }),
      typed('response.output_item.added', { item: { type: 'reasoning' } }),
      typed('response.output_item.added', { item: { type: 'function_call' } }),
      typed('response.output_text.delta', { delta: 'a' }),
      ['response.output_text.delta', { delta: 'b' }],
      typed('response.output_text.delta', { delta: '' }),
      typed('response.reasoning_text.delta', { delta: 'h' }),
      typed('response.refusal.delta', { delta: 'n' }),
    ]);
    expect(seen).toBe('- - seen seen seen - - seen');
    expect(body).toMatchObject({ id: 'r', status: 'incomplete', output: [{ content: [{ text: 'ab' }] }] });
    const done = typed('response.output_item.done', { output_index: 1, item: { n: 1 } });
    const first = typed('response.output_item.done', { output_index: 0, item: { n: 0 } });
    const ended = fold(responsesStream, [
      done,
      first,
      typed('response.completed', { response: { id: 'r', output: [] } }),
    ]);
    expect(ended).toEqual({ seen: '- - -|', body: { id: 'r', output: [{ n: 0 }, { n: 1 }] } });

    const gemini = geminiStream(() => '');
    const shown = fold(gemini, [
      parts({ text: 'h', thought: true }),
      parts({ text: '' }),
      parts({ text: 'a' }, { thoughtSignature: 's' }),
      parts({ text: 'b', thoughtSignature: 't' }),
      parts({ text: 'c' }),
      parts({ functionCall: { name: 'f' } }),
      parts(),
      ['', { candidates: [{ finishReason: 'STOP' }], usageMetadata: { n: 1 } }],
    ]);
    expect(shown.seen).toBe('- - seen seen seen seen - -|');
    expect(shown.body).toEqual({
      usageMetadata: { n: 1 },
      candidates: [
        {
          finishReason: 'STOP',
          content: {
            role: 'model',
            parts: [
              { text: 'h', thought: true },
              { text: 'a' },
              { thoughtSignature: 's' },
              { text: 'b', thoughtSignature: 't' },
              { text: 'c' },
              { functionCall: { name: 'f' } },
            ],
          },
        },
      ],
    });
    expect(fold(gemini, [['', { promptFeedback: { blockReason: 'SAFETY' } }]]).seen).toBe('-|');
  });
});

const delta = (part: JsonObject, more: JsonObject = {}) =>
  `data: ${JSON.stringify({ id: 'a', choices: [{ index: 0, delta: part, ...more }] })}\n\n`;

describe('streams of compatible servers', () => {
  it.each<[string, Send, Partial<Completion>]>([
    [
      'a name without data, which is that of no other event',
      sse('event: error\n\n', delta({ content: 'Hi' }), delta({}, { finish_reason: 'stop' })),
      { text: 'Hi', finishReason: 'stop' },
    ],
    [
      'comments and empty events',
      sse(': ping\n\n', 'data:\n\n', delta({ content: 'Hi' }), ':\n', delta({}, { finish_reason: 'stop' })),
      { text: 'Hi', finishReason: 'stop' },
    ],
    [
      'no [DONE]',
      sse(delta({ content: 'Hi' }), delta({}, { finish_reason: 'stop' })),
      { text: 'Hi', finishReason: 'stop' },
    ],
    ['no finish reason', sse(delta({ content: 'Hi' }), 'data: [DONE]\n\n'), { text: 'Hi' }],
    ['no blank line at the end', sse(delta({ content: 'Hi' }), 'data: [DONE]'), { text: 'Hi' }],
    [
      'line breaks of Windows',
      sse(delta({ content: 'Hi' }).replaceAll('\n', '\r\n'), 'data: [DONE]\r\n\r\n'),
      { text: 'Hi' },
    ],
    [
      'an event over several lines',
      sse('data: {"choices":\ndata: [{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'),
      { text: 'Hi' },
    ],
    ['a byte order mark', sse('\uFEFF', delta({ content: 'Hi' }), 'data: [DONE]\n\n'), { text: 'Hi' }],
    ['another content type', write('text/plain', delta({ content: 'Hi' }), 'data: [DONE]\n\n'), { text: 'Hi' }],
    [
      'lines of JSON',
      write(
        'application/x-ndjson',
        delta({ content: 'Hi' }).slice(6),
        delta({ content: '!' }, { finish_reason: 'stop' }).slice(6),
      ),
      { text: 'Hi!' },
    ],
    [
      'calls under one index',
      sse(
        delta({ tool_calls: [{ index: 0, id: 'x', function: { name: 'f', arguments: '{}' } }] }),
        delta(
          { tool_calls: [{ index: 0, id: 'y', function: { name: 'g', arguments: '{}' } }] },
          { finish_reason: 'tool_calls' },
        ),
      ),
      {
        toolCalls: [
          { id: 'x', name: 'f', arguments: {}, rawArguments: '{}' },
          { id: 'y', name: 'g', arguments: {}, rawArguments: '{}' },
        ],
      },
    ],
    [
      'usage of Groq',
      sse(
        delta({ content: 'Hi' }, { finish_reason: 'stop' }),
        'data: {"choices":[],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":2}}}\n\n',
      ),
      { usage: { inputTokens: 3, outputTokens: 2 } },
    ],
  ])('%s', async (_what, send, expected) => {
    expect(completionOf(await ask({ adapter: 'openai' }, send))).toMatchObject(expected);
  });

  it('the first token of a whole answer in place of a stream came with its last', async () => {
    const completion = completionOf(await ask({ adapter: 'openai' }, whole(chat({ content: 'Hi' }))));
    expect(completion).toMatchObject({ text: 'Hi' });
    expect(completion.firstTokenMs).toBe(completion.latencyMs);
  });
});

describe('a stream that fails', () => {
  const start = delta({ content: 'Hello wor' });

  it.each<[string, Send, object]>([
    [
      'breaks off',
      (res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(start, () => res.destroy());
      },
      { kind: 'network', message: /closed before the whole answer came.*what had come: 9 characters: "Hello wor"/ },
    ],
    ['ends early', sse(start), { kind: 'network', message: /its stream ended early \(what had come: 9 characters/ }],
    ['is empty', sse(), { kind: 'network', message: /ended early \(nothing of the answer had come\)/ }],
    ['has only comments', sse(': ping\n\n: ping\n\n'), { kind: 'network' }],
    ['ends within an event', sse(start, 'data: {"choices":[{"del'), { kind: 'network', message: /ended early/ }],
    ['ends after [DONE] alone', sse('data: [DONE]\n\n'), { kind: 'malformed' }],
    [
      'holds no JSON',
      sse(start, 'data: oops\n\n', delta({}, { finish_reason: 'stop' })),
      { kind: 'malformed', message: /an event is no JSON object: oops/ },
    ],
    [
      'holds half of a character',
      sse(
        Buffer.concat([
          Buffer.from('data: {"choices":[{"delta":{"content":"'),
          Buffer.from([0xc3]),
          Buffer.from('"},"finish_reason":"stop"}]}\n\n'),
        ]),
      ),
      { kind: 'malformed' },
    ],
    [
      'reports an error',
      sse(start, 'data: {"error":{"message":"The server is overloaded","code":503}}\n\n'),
      { kind: 'overloaded', message: /reported an error in its stream: The server is overloaded \(what had come: 9/ },
    ],
    [
      'reports an error by name',
      sse(start, 'event: error\ndata: {"message":"Rate limit reached","type":"rate_limit_error"}\n\n'),
      { kind: 'rateLimit' },
    ],
  ])('%s', async (_what, send, expected) => {
    const { message: pattern, ...rest } = expected as { message?: RegExp };
    const failure = failureOf(await ask({ adapter: 'openai' }, send));
    expect(failure).toMatchObject(rest);
    expect(failure.message).toMatch(pattern ?? /./);
  });

  it.each<[StreamedApi, Send, object]>([
    [
      'anthropic',
      sse(
        'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":30,"output_tokens":1}}}\n\n',
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
      ),
      { kind: 'overloaded', usage: { inputTokens: 30, outputTokens: 1 } },
    ],
    [
      'openai-responses',
      sse(
        'data: {"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"oops"},"output":[]}}\n\n',
      ),
      { kind: 'server' },
    ],
    [
      'openai-responses',
      sse(
        'data: {"type":"response.output_text.delta","delta":"Hel"}\n\n',
        'data: {"type":"error","code":"rate_limit_exceeded","message":"slow"}\n\n',
      ),
      { kind: 'rateLimit' },
    ],
    [
      'gemini',
      sse('data: {"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"quota"}}\n\n'),
      { kind: 'rateLimit' },
    ],
    ['gemini', sse('data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n'), { kind: 'contentFilter' }],
    [
      'bedrock',
      write(
        'application/vnd.amazon.eventstream',
        amazonFrame(
          { ':message-type': 'exception', ':exception-type': 'throttlingException' },
          { message: 'Too many requests' },
        ),
      ),
      { kind: 'rateLimit' },
    ],
    [
      'bedrock',
      write(
        'application/vnd.amazon.eventstream',
        amazonFrame({ ':message-type': 'event', ':event-type': 'messageStart' }, { role: 'assistant' }).fill(
          0xff,
          14,
          15,
        ),
      ),
      { kind: 'malformed' },
    ],
    ['cohere', sse('data: {"type":"message-end","delta":{"finish_reason":"ERROR"}}\n\n'), { kind: 'server' }],
  ])('%s by an event', async (api, send, expected) => {
    expect(failureOf(await ask(adapterOf[api], send))).toMatchObject(expected);
  });

  it('as a whole with a status is the failure that it is without a stream', async () => {
    const send: Send = (res) => res.writeHead(429, { 'retry-after': '7' }).end('{"error":{"message":"slow down"}}');
    expect(failureOf(await ask({ adapter: 'openai' }, send))).toMatchObject({ kind: 'rateLimit', retryAfterMs: 7000 });
  });

  it('by its time limit tells what had come', async () => {
    const controller = new AbortController();
    const send: Send = (res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(start, () =>
        setImmediate(() => controller.abort(new DOMException('no answer within 1 s', 'TimeoutError'))),
      );
    };
    const failure = failureOf(await ask({ adapter: 'openai' }, send, controller.signal));
    expect(failure.kind).toBe('timeout');
    expect(failure.message).toContain('no answer within 1 s');
  });
});

it('the first token is text, a refusal or a call, not reasoning, a role or usage', async () => {
  let shown = 0;
  const send: Send = (res) => {
    const receivedAt = performance.now();
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const part of [{ role: 'assistant', content: '' }, { reasoning_content: 'Hm' }]) res.write(delta(part));
    setTimeout(() => {
      shown = performance.now() - receivedAt;
      res.end(`${delta({ content: 'Hi' })}data: [DONE]\n\n`);
    }, 20);
  };
  const { firstTokenMs = 0, latencyMs = 0 } = completionOf(await ask({ adapter: 'openai' }, send));
  // Before that the request was on its way.
  expect(firstTokenMs).toBeGreaterThanOrEqual(shown);
  expect(latencyMs).toBeGreaterThanOrEqual(firstTokenMs);
});
