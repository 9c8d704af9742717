// Streams a whole answer as its API would: what the tests and the check of stored exchanges feed adapters with.
import { crc32 } from 'node:zlib';
import { isJsonObject, type JsonObject, type JsonValue } from '../src/json/json.ts';

export type StreamedApi = 'openai-chat' | 'openai-responses' | 'anthropic' | 'gemini' | 'bedrock' | 'cohere';

export interface AnswerStream {
  readonly contentType: string;
  /** The bytes of each event. */
  readonly events: readonly Buffer[];
}

/** Cuts texts into pieces of so many characters. */
export function streamAnswer(api: StreamedApi, body: JsonObject, size = 3): AnswerStream {
  const pieces = (text: unknown): string[] => {
    const characters = Array.from(typeof text === 'string' ? text : '');
    return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
      characters.slice(index * size, (index + 1) * size).join(''),
    );
  };
  const events = streamers[api](body, pieces);
  if (api === 'bedrock') {
    return {
      contentType: 'application/vnd.amazon.eventstream',
      events: events.map(({ name = '', data }) => amazonFrame({ ':message-type': 'event', ':event-type': name }, data)),
    };
  }
  const done = api === 'openai-chat' ? [Buffer.from('data: [DONE]\n\n')] : [];
  const written = events.map(({ name, data }) =>
    Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`),
  );
  return { contentType: 'text/event-stream', events: [...written, ...done] };
}

interface Event {
  readonly name?: string;
  readonly data: JsonObject;
}

type Streamer = (body: JsonObject, pieces: (text: unknown) => string[]) => readonly Event[];

const list = (value: JsonValue | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
const typed = (data: JsonObject): Event => ({ name: typeof data['type'] === 'string' ? data['type'] : '', data });

const streamers: Readonly<Record<StreamedApi, Streamer>> = {
  'openai-chat'(body, pieces) {
    const { choices, usage, ...head } = body;
    const chunk = (choice: JsonObject): Event => ({ data: { ...head, choices: [choice] } });
    const events = list(choices).flatMap((choice): Event[] => {
      const { message, index = 0, finish_reason: reason = null, ...others } = choice;
      const { content, tool_calls: calls, ...rest } = isJsonObject(message) ? message : {};
      const delta = (part: JsonObject) => chunk({ index, delta: part, finish_reason: null });
      const texts = ['reasoning_content', 'reasoning', 'refusal'].flatMap((key) =>
        pieces(rest[key]).map((piece) => delta({ [key]: piece })),
      );
      const whole = Object.fromEntries(
        Object.entries(rest).filter(([key, value]) => !(typeof value === 'string' && /^reason|^refusal$/.test(key))),
      );
      return [
        delta({ ...whole, content: typeof content === 'string' ? '' : null }),
        ...texts,
        ...(Array.isArray(content) ? list(content).flatMap((part) => streamPart(part, pieces)) : pieces(content)).map(
          (piece) => delta({ content: piece }),
        ),
        ...list(calls).flatMap((call, at) =>
          streamChatCall(call, at, pieces).map((part) => delta({ tool_calls: [part] })),
        ),
        chunk({ ...others, index, delta: {}, finish_reason: reason }),
      ];
    });
    return [...events, ...(usage === undefined ? [] : [{ data: { ...head, choices: [], usage } }])];
  },
  'openai-responses'(body, pieces) {
    const { output } = body;
    const items = list(output).flatMap((item, at): JsonObject[] => [
      { type: 'response.output_item.added', output_index: at, item: { ...item, content: [], arguments: '' } },
      ...list(item['content']).flatMap((part) =>
        pieces(part['text']).map((delta) => ({ type: 'response.output_text.delta', output_index: at, delta })),
      ),
      ...pieces(item['arguments']).map((delta) => ({
        type: 'response.function_call_arguments.delta',
        output_index: at,
        delta,
      })),
      { type: 'response.output_item.done', output_index: at, item },
    ]);
    const ending = body['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed';
    const started = { ...body, status: 'in_progress', output: [] };
    return [{ type: 'response.created', response: started }, ...items, { type: ending, response: body }].map(typed);
  },
  anthropic(body, pieces) {
    const { content, stop_reason: reason = null, stop_details: details, usage, ...head } = body;
    const { output_tokens: outputTokens, ...input } = isJsonObject(usage) ? usage : {};
    const blocks = list(content).flatMap((block, index) => streamBlock(block, index, pieces));
    return [
      {
        type: 'message_start',
        message: { ...head, content: [], stop_reason: null, usage: { ...input, output_tokens: 1 } },
      },
      { type: 'ping' },
      ...blocks,
      {
        type: 'message_delta',
        delta: { stop_reason: reason, ...(details === undefined ? {} : { stop_details: details }) },
        usage: { output_tokens: outputTokens ?? null },
      },
      { type: 'message_stop' },
    ].map(typed);
  },
  gemini(body, pieces) {
    const { candidates, usageMetadata, ...head } = body;
    const chunks = list(candidates).flatMap((candidate): JsonObject[] => {
      const { content, finishReason, ...others } = candidate;
      const parts = list(isJsonObject(content) ? content['parts'] : undefined).flatMap((part): JsonObject[] => {
        const { text, thoughtSignature, ...rest } = part;
        const cut = pieces(text);
        if (cut.length === 0) return [part];
        const signed = thoughtSignature === undefined ? {} : { thoughtSignature };
        return cut.map((piece, at) => ({ ...rest, text: piece, ...(at === cut.length - 1 ? signed : {}) }));
      });
      const { index } = candidate;
      return [
        ...parts.map((part) => ({
          ...(index === undefined ? {} : { index }),
          content: { parts: [part], role: 'model' },
        })),
        { ...others, ...(finishReason === undefined ? {} : { finishReason }) },
      ];
    });
    const last = { ...head, ...(usageMetadata === undefined ? {} : { usageMetadata }) };
    return [...chunks.map((candidate) => ({ data: { ...head, candidates: [candidate] } })), { data: last }];
  },
  bedrock(body, pieces) {
    const { output, stopReason = null, ...metadata } = body;
    const message = isJsonObject(output) && isJsonObject(output['message']) ? output['message'] : {};
    const blocks = list(message['content']).flatMap((block, contentBlockIndex): Event[] => {
      const delta = (part: JsonObject): Event => ({
        name: 'contentBlockDelta',
        data: { contentBlockIndex, delta: part },
      });
      const { text, toolUse, reasoningContent } = block;
      const { input, ...call } = isJsonObject(toolUse) ? toolUse : {};
      const start = { name: 'contentBlockStart', data: { contentBlockIndex, start: { toolUse: call } } };
      const reasoning = isJsonObject(reasoningContent) ? reasoningContent['reasoningText'] : undefined;
      const { text: thought, signature } = isJsonObject(reasoning) ? reasoning : {};
      return [
        ...(isJsonObject(toolUse) ? [start] : []),
        ...(text === '' ? [delta({ text: '' })] : pieces(text).map((piece) => delta({ text: piece }))),
        ...pieces(thought).map((piece) => delta({ reasoningContent: { text: piece } })),
        ...(signature === undefined ? [] : [delta({ reasoningContent: { signature } })]),
        ...(isJsonObject(reasoningContent) && reasoning === undefined ? [delta({ reasoningContent })] : []),
        ...(input === undefined
          ? []
          : pieces(JSON.stringify(input)).map((piece) => delta({ toolUse: { input: piece } }))),
        { name: 'contentBlockStop', data: { contentBlockIndex } },
      ];
    });
    return [
      { name: 'messageStart', data: { role: 'assistant' } },
      ...blocks,
      { name: 'messageStop', data: { stopReason } },
      { name: 'metadata', data: metadata },
    ];
  },
  cohere(body, pieces) {
    const { id, message, finish_reason: reason = null, usage = null } = body;
    const { content, tool_plan: plan, tool_calls: calls } = isJsonObject(message) ? message : {};
    const inMessage = (type: string, index: number, part: JsonObject): JsonObject => ({
      type,
      index,
      delta: { message: part },
    });
    const texts = list(content).flatMap((part, index) => [
      inMessage('content-start', index, { content: { type: part['type'] ?? 'text', text: '' } }),
      ...['text', 'thinking'].flatMap((key) =>
        pieces(part[key]).map((piece) => inMessage('content-delta', index, { content: { [key]: piece } })),
      ),
      { type: 'content-end', index },
    ]);
    const called = list(calls).flatMap((call, index) => {
      const { function: target, ...rest } = call;
      const { arguments: given, ...named } = isJsonObject(target) ? target : {};
      return [
        inMessage('tool-call-start', index, { tool_calls: { ...rest, function: { ...named, arguments: '' } } }),
        ...pieces(given).map((piece) =>
          inMessage('tool-call-delta', index, { tool_calls: { function: { arguments: piece } } }),
        ),
        { type: 'tool-call-end', index },
      ];
    });
    return [
      { type: 'message-start', id: id ?? '', delta: { message: { role: 'assistant', content: [] } } },
      ...pieces(plan).map((piece) => inMessage('tool-plan-delta', 0, { tool_plan: piece })),
      ...texts,
      ...called,
      { type: 'message-end', delta: { finish_reason: reason, usage } },
    ].map(typed);
  },
};

/** Mistral's parts of a content. */
function streamPart(part: JsonObject, pieces: (text: unknown) => string[]): JsonValue[] {
  const { thinking } = part;
  if (Array.isArray(thinking)) {
    return list(thinking).flatMap((inner) =>
      pieces(inner['text']).map((text) => [{ ...part, thinking: [{ ...inner, text }] }] as JsonValue),
    );
  }
  return pieces(part['text']).map((text) => [{ ...part, text }] as JsonValue);
}

function streamChatCall(call: JsonObject, index: number, pieces: (text: unknown) => string[]): JsonObject[] {
  const { function: target, ...rest } = call;
  if (!isJsonObject(target)) return [{ index, ...call }];
  const { arguments: given, ...named } = target;
  if (typeof given !== 'string') return [{ index, ...call }];
  return [
    { index, ...rest, function: { ...named, arguments: '' } },
    ...pieces(given).map((piece) => ({ index, function: { arguments: piece } })),
  ];
}

function streamBlock(block: JsonObject, index: number, pieces: (text: unknown) => string[]): JsonObject[] {
  const { text, thinking, signature, input, ...rest } = block;
  const start = {
    ...rest,
    ...(text === undefined ? {} : { text: '' }),
    ...(thinking === undefined ? {} : { thinking: '', signature: '' }),
    ...(input === undefined ? {} : { input: {} }),
  };
  const delta = (part: JsonObject): JsonObject => ({ type: 'content_block_delta', index, delta: part });
  const isEmpty = isJsonObject(input) && Object.keys(input).length === 0;
  return [
    { type: 'content_block_start', index, content_block: start },
    ...pieces(text).map((piece) => delta({ type: 'text_delta', text: piece })),
    ...pieces(thinking).map((piece) => delta({ type: 'thinking_delta', thinking: piece })),
    ...(signature === undefined ? [] : [delta({ type: 'signature_delta', signature })]),
    ...(input === undefined || isEmpty
      ? []
      : pieces(JSON.stringify(input)).map((piece) => delta({ type: 'input_json_delta', partial_json: piece }))),
    { type: 'content_block_stop', index },
  ];
}

/** A frame of Amazon's event streams. */
export function amazonFrame(headers: Readonly<Record<string, string>>, payload: JsonObject): Buffer {
  const written = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(Buffer.byteLength(value));
      return Buffer.concat([
        Buffer.from([Buffer.byteLength(name)]),
        Buffer.from(name),
        Buffer.from([7]),
        length,
        Buffer.from(value),
      ]);
    }),
  );
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + written.length + body.length, 0);
  prelude.writeUInt32BE(written.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const frame = Buffer.concat([prelude, written, body]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(frame));
  return Buffer.concat([frame, sum]);
}
