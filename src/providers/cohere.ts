import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { FinishReason, ToolCall, Usage } from '../model/run/completion.ts';
import {
  type Answer,
  buildToolCall,
  count,
  filtered,
  findUnreadable,
  joinReasoning,
  list,
  malformed,
  mapFinishReason,
  objectOf,
  readBody,
  readTotals,
  text,
} from './answer.ts';
import { defineHttpAdapter, type HttpFormat, type ReadReply } from './http-adapter.ts';
import { type NeutralParams, noParameters, readNeutralParams, rename, toList } from './neutral-params.ts';
import type { OutgoingMessage, OutgoingRequest } from './outgoing-request.ts';
import { isOfToolLoop, readContinuation, writeContinuation } from './outgoing-request.ts';
import type { Preset } from './presets.ts';
import {
  addText,
  type Draft,
  inOrder,
  openDraft,
  type StreamFold,
  type StreamFormat,
} from './streams/stream-format.ts';

const preset: Preset = {
  title: 'Cohere, by its chat API of version 2',
  exampleModel: 'command-a-03-2025',
  baseUrl: 'https://api.cohere.com/v2',
  baseUrlEnv: { name: 'CO_API_URL', path: '/v2' },
  apiKeyEnv: 'CO_API_KEY',
  priceProvider: 'cohere',
};

export const cohere = defineHttpAdapter({
  summary: preset.title,
  example: `cohere:${preset.exampleModel}`,
  version: 'chat-v2-1',
  writes: ['model', 'messages'],
  presetOf: (_config, { env }) =>
    (env['CO_API_KEY'] ?? '') === '' && (env['COHERE_API_KEY'] ?? '') !== ''
      ? { ...preset, apiKeyEnv: 'COHERE_API_KEY' }
      : preset,
  formatOf: () => cohereChat,
});

/** Events of Cohere's chat of version 2 (https://docs.cohere.com/reference/chat-stream). */
const cohereStream: StreamFormat = { ask: (body) => ({ ...body, stream: true }), open: openStream };

/** Chat of version 2 (https://docs.cohere.com/reference/chat). */
const cohereChat: HttpFormat = {
  takes: /^image\//,
  pathOf: () => '/chat',
  stream: cohereStream,
  buildBody,
  readAnswer: (body, reply) => readBody(body, (object) => readAnswer(object, reply), readUsage),
};

const names = { max_completion_tokens: 'max_tokens', top_p: 'p', top_k: 'k', stop: 'stop_sequences' } as const;

function buildBody({ model, messages, params }: OutgoingRequest): JsonObject {
  const neutral = readNeutralParams(params);
  const { stop_sequences: stop, ...rest } = rename(neutral.rest, names);
  return {
    ...rest,
    ...defined({ stop_sequences: toList(stop) }),
    ...buildFormat(neutral),
    ...buildTools(neutral),
    // Some gateways stream by default.
    stream: false,
    model,
    messages: messages.map(buildMessage),
  };
}

function buildMessage(message: OutgoingMessage): JsonObject {
  const { role, content, toolCalls = [], toolCallId = '', files = [] } = message;
  if (role === 'tool') return { role, tool_call_id: toolCallId, content };
  const calls = toolCalls.map(({ id, name, rawArguments }) => ({
    id: id ?? name,
    type: 'function',
    function: { name, arguments: rawArguments },
  }));
  const kept = readContinuation(message);
  const images = files.map(({ mediaType, base64 }) => ({
    type: 'image_url',
    image_url: { url: `data:${mediaType};base64,${base64}` },
  }));
  return {
    role: role === 'developer' ? 'system' : role,
    ...(content === '' && calls.length > 0
      ? {}
      : { content: images.length === 0 ? content : [...images, { type: 'text', text: content }] }),
    ...objectOf(kept),
    ...defined({ tool_calls: calls.length === 0 ? undefined : calls }),
  };
}

function buildFormat({ format }: NeutralParams): JsonObject {
  if (format === undefined) return {};
  const type = 'json_object';
  return { response_format: format === 'json' ? { type } : { type, json_schema: format.schema } };
}

function buildTools({ tools, nativeTools, toolChoice }: NeutralParams): JsonObject {
  // The API can't force a single tool, so only that tool is sent.
  const chosen = typeof toolChoice === 'object' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  const built = chosen.map(({ name, description, parameters }) => ({
    type: 'function',
    function: {
      name,
      ...defined({ description }),
      parameters: parameters ?? noParameters,
    },
  }));
  const all: JsonValue[] = [...built, ...nativeTools];
  return {
    ...defined({ tools: all.length === 0 ? undefined : all }),
    // `auto` is the API's default.
    ...(toolChoice === undefined || toolChoice === 'auto'
      ? {}
      : { tool_choice: toolChoice === 'none' ? 'NONE' : 'REQUIRED' }),
  };
}

function readAnswer(body: JsonObject, { latencyMs, asked }: ReadReply): Answer {
  const { message } = body;
  const rawFinishReason = text(body['finish_reason']);
  if (rawFinishReason === 'ERROR_TOXIC') return filtered(rawFinishReason);
  if (rawFinishReason === 'ERROR' || rawFinishReason === 'TIMEOUT') {
    return { failure: { kind: 'server', message: `the answer ended with ${rawFinishReason}` } };
  }
  if (!isJsonObject(message)) return malformed('no "message"');
  const { content } = message;
  const isText = typeof content === 'string' || content === null;
  const unreadable = isText || content === undefined ? undefined : findUnreadable(content, 'its "content"');
  if (unreadable !== undefined) return malformed(unreadable);
  const parts = list(content).filter(isJsonObject);
  const toolCalls = list(message['tool_calls']).filter(isJsonObject).flatMap(readToolCall);
  const plan = text(message['tool_plan']);
  const hasAnswer = toolCalls.length > 0 || plan !== undefined || rawFinishReason === 'MAX_TOKENS';
  if (content === undefined && !hasAnswer) return malformed('its message has no "content"');
  return {
    completion: defined({
      text: typeof content === 'string' ? content : parts.map((piece) => text(piece['text']) ?? '').join(''),
      toolCalls,
      finishReason: mapFinishReason(finishReasons, rawFinishReason, toolCalls),
      latencyMs,
      // The plan is the model's reasoning before its calls.
      reasoning: joinReasoning([...parts.map((piece) => text(piece['thinking'])), plan]),
      rawFinishReason,
      usage: readUsage(body),
      responseId: text(body['id']),
      continuation: isOfToolLoop(toolCalls, asked) ? keepReasoning(parts, plan) : undefined,
    }),
  };
}

/** Keeps plan and thinking, which belong to the message (https://docs.cohere.com/docs/tool-use-usage-patterns). */
function keepReasoning(parts: readonly JsonObject[], plan: string | undefined): string | undefined {
  const isThinking = parts.some(({ type }) => type === 'thinking');
  if (plan === undefined && !isThinking) return undefined;
  return writeContinuation(defined({ tool_plan: plan, content: isThinking ? parts : undefined }));
}

function readToolCall({ id, function: called }: JsonObject): readonly ToolCall[] {
  return isJsonObject(called) ? [buildToolCall(id, called['name'], called['arguments'])] : [];
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  ERROR_LIMIT: 'length',
  TOOL_CALL: 'toolCalls',
};

/** Reads `tokens`, all tokens read and written. `billed_units` excludes the prompt that Cohere adds. */
function readUsage({ usage: raw }: JsonObject): Usage | undefined {
  if (!isJsonObject(raw)) return undefined;
  const counts = isJsonObject(raw['tokens']) ? raw['tokens'] : objectOf(raw['billed_units']);
  return readTotals({
    inputTokens: counts['input_tokens'],
    outputTokens: counts['output_tokens'],
    cachedInputTokens: raw['cached_tokens'],
  });
}

function openStream(): StreamFold {
  const body = openDraft();
  const content = new Map<number, Draft>();
  const calls = new Map<number, Draft>();
  let plan = '';
  return {
    add({ name, data }) {
      const index = count(data['index']) ?? 0;
      if (data['id'] !== undefined) body['id'] ??= data['id'];
      const delta = objectOf(data['delta']);
      const message = objectOf(delta['message']);
      switch (text(data['type']) ?? name ?? '') {
        case 'content-start':
        case 'content-delta':
          return addContent(content, index, message['content']);
        case 'tool-plan-delta':
          plan += text(message['tool_plan']) ?? '';
          return false;
        case 'tool-call-start':
        case 'tool-call-delta':
          return addCall(calls, index, message['tool_calls']);
        case 'message-end':
          Object.assign(body, delta);
          return false;
        default:
          return false;
      }
    },
    body: () => ({
      ...body,
      message: {
        role: 'assistant',
        ...defined({
          content: content.size === 0 ? undefined : inOrder(content),
          tool_plan: plan === '' ? undefined : plan,
          tool_calls: calls.size === 0 ? undefined : inOrder(calls),
        }),
      },
    }),
    isComplete: () => text(body['finish_reason']) !== undefined,
  };
}

function addContent(content: Map<number, Draft>, index: number, added: JsonValue | undefined): boolean {
  if (!isJsonObject(added)) return false;
  const type = text(added['type']) ?? (added['thinking'] === undefined ? 'text' : 'thinking');
  const part = content.get(index) ?? { type, [type]: '' };
  content.set(index, part);
  for (const key of ['text', 'thinking'] as const) if (text(added[key]) !== undefined) addText(part, key, added[key]);
  return text(added['text']) !== undefined;
}

function addCall(calls: Map<number, Draft>, index: number, added: JsonValue | undefined): boolean {
  if (!isJsonObject(added)) return false;
  const { function: called, ...rest } = added;
  const call = calls.get(index) ?? openDraft();
  calls.set(index, call);
  Object.assign(call, rest);
  const known = objectOf(call['function']);
  const joined: Draft = { ...known, ...objectOf(called), arguments: known['arguments'] ?? '' };
  addText(joined, 'arguments', objectOf(called)['arguments']);
  call['function'] = joined;
  return true;
}
