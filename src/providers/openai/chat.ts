import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { Completion, ToolCall, Usage } from '../../model/run/completion.ts';
import {
  type Answer,
  buildToolCall,
  filtered,
  findIndexFault,
  findUnreadable,
  firstByIndex,
  list,
  malformed,
  objectOf,
  readBody,
  readErrorUnderSuccess,
  text,
} from '../answer.ts';
import type { ReadReply } from '../http-adapter.ts';
import { readFunctionTool } from '../neutral-params.ts';
import type { OutgoingFile, OutgoingMessage } from '../outgoing-request.ts';
import { isOfToolLoop, readContinuation, writeContinuation } from '../outgoing-request.ts';
import { chatStream } from '../streams/fold-openai.ts';
import { type Dialect, mapFinishReason, readOpenaiUsage } from './dialect.ts';

/** Chat Completions, the format of every compatible server. */
export const openaiChat: Dialect = {
  takes: /./,
  pathOf: () => '/chat/completions',
  version: 'chat-1',
  stream: chatStream,
  buildBody({ params, model, messages }) {
    // Neither of them is a parameter, so neither can replace what was planned.
    const { model: _model, messages: _messages, ...others } = params;
    return { model, messages: messages.map(buildMessage), ...others, ...buildTools(params) };
  },
  readAnswer: (body, reply) => readBody(body, (object) => readAnswer(object, reply), readOpenaiUsage),
};

/** Adds the frame of this API to functions written without it. */
function buildTools({ tools }: JsonObject): JsonObject {
  if (!Array.isArray(tools)) return {};
  return {
    tools: tools.map((entry: JsonValue) => {
      const tool = isJsonObject(entry) && entry['function'] === undefined ? readFunctionTool(entry) : undefined;
      return tool === undefined ? entry : { type: 'function', function: { ...tool } };
    }),
  };
}

function buildMessage(message: OutgoingMessage): JsonObject {
  const { role, content, files = [], toolCalls = [], toolCallId, name } = message;
  const { tool_calls: ofCalls, ...ofMessage } = objectOf(readContinuation(message));
  return {
    role,
    // A message with only calls has null content; some servers refuse an empty string.
    content: content === '' && toolCalls.length > 0 ? null : files.length === 0 ? content : buildParts(content, files),
    ...defined({ name, tool_call_id: toolCallId }),
    ...ofMessage,
    ...(toolCalls.length === 0
      ? {}
      : { tool_calls: toolCalls.map((call, at) => ({ ...buildCall(call), ...objectOf(list(ofCalls)[at]) })) }),
  };
}

/** Files precede the text that refers to them. */
function buildParts(content: string, files: readonly OutgoingFile[]): JsonObject[] {
  return [...files.map(buildFile), ...(content === '' ? [] : [{ type: 'text', text: content }])];
}

function buildFile({ path, mediaType, base64 }: OutgoingFile): JsonObject {
  const url = `data:${mediaType};base64,${base64}`;
  if (mediaType.startsWith('image/')) return { type: 'image_url', image_url: { url } };
  if (mediaType.startsWith('audio/')) {
    return { type: 'input_audio', input_audio: { data: base64, format: mediaType.slice('audio/'.length) } };
  }
  return { type: 'file', file: { filename: path.slice(path.lastIndexOf('/') + 1), file_data: url } };
}

function buildCall({ id, name, rawArguments }: ToolCall): JsonObject {
  return { ...defined({ id }), type: 'function', function: { name, arguments: rawArguments } };
}

function readAnswer(body: JsonObject, { latencyMs, asked }: ReadReply): Answer {
  const indexFault = findIndexFault(body['choices']);
  if (indexFault !== undefined) return malformed(indexFault);
  const choice = firstByIndex(body['choices']);
  if (choice === undefined) return malformed(Array.isArray(body['choices']) ? '"choices" is empty' : 'no "choices"');
  if (!isJsonObject(choice)) return malformed('its first choice is not an object');
  const choiceFailed = readErrorUnderSuccess(choice);
  if (choiceFailed !== undefined) return choiceFailed;
  const rawFinishReason = text(choice['finish_reason']);
  const finishReason = mapFinishReason(rawFinishReason);
  // First, since a filtered answer may have no message.
  if (finishReason === 'contentFilter') return filtered();
  if (brokenOffReasons.has(rawFinishReason)) return brokenOff(rawFinishReason, readOpenaiUsage(body));
  const message = choice['message'];
  if (!isJsonObject(message)) return malformed('its first choice has no "message"');

  const unreadable = findUnreadableContent(message) ?? findUnreadableCall(message);
  if (unreadable !== undefined) return malformed(unreadable);
  const content = readContent(message);
  const reasoning = content.reasoning ?? text(message['reasoning_content']) ?? text(message['reasoning']);
  const refusal = content.refusal ?? text(message['refusal']);
  const toolCalls = readToolCalls(message);
  // After only reasoning, the content may be missing. Gemini's endpoint also omits it if the tokens ran out.
  const hasAnswer = toolCalls.length > 0 || refusal !== undefined || reasoning !== undefined;
  if (message['content'] === undefined && !hasAnswer && content.text === '' && finishReason !== 'length') {
    return malformed('its message has no "content"');
  }
  const givenOrCalls = rawFinishReason === undefined && toolCalls.length > 0 ? 'toolCalls' : finishReason;
  const completion: Completion = defined({
    text: content.text,
    toolCalls,
    finishReason: refusal !== undefined && content.text === '' ? 'refusal' : givenOrCalls,
    latencyMs,
    reasoning,
    refusal,
    rawFinishReason,
    usage: readOpenaiUsage(body),
    responseId: text(body['id']),
    model: text(body['model']),
    systemFingerprint: text(body['system_fingerprint']),
    continuation: isOfToolLoop(toolCalls, asked) ? keepMembers(message) : undefined,
  });
  return { completion };
}

/**
 * Keeps the members that compatible servers want back. DeepSeek and Moonshot want their reasoning, even if empty:
 * https://api-docs.deepseek.com/guides/thinking_mode. vLLM and Groq use another name for it:
 * https://docs.vllm.ai/en/latest/features/interleaved_thinking. OpenRouter wants its details:
 * https://openrouter.ai/docs/use-cases/reasoning-tokens. Mistral wants its thinking in the content. Google wants the
 * signatures of its calls: https://ai.google.dev/gemini-api/docs/thought-signatures.
 */
function keepMembers(message: JsonObject): string | undefined {
  const { reasoning_content: reasoning, reasoning: plain, reasoning_details: details } = message;
  const { extra_content: extra, content } = message;
  const calls = list(message['tool_calls']).filter(isJsonObject);
  const ofCalls = calls.map(({ extra_content: own }) =>
    defined({ extra_content: isJsonObject(own) ? own : undefined }),
  );
  const isThinking = list(content).some((part) => isJsonObject(part) && part['thinking'] !== undefined);
  const kept = defined({
    reasoning_content: typeof reasoning === 'string' ? reasoning : undefined,
    // OpenRouter sends both but accepts only one.
    reasoning: list(details).length > 0 ? undefined : text(plain),
    reasoning_details: list(details).length > 0 ? details : undefined,
    extra_content: isJsonObject(extra) ? extra : undefined,
    content: isThinking ? content : undefined,
    tool_calls: ofCalls.some((own) => own.extra_content !== undefined) ? ofCalls : undefined,
  });
  return Object.keys(kept).length === 0 ? undefined : writeContinuation(kept);
}

interface Content {
  readonly text: string;
  readonly reasoning?: string;
  readonly refusal?: string;
}

function findUnreadableContent({ content = null }: JsonObject): string | undefined {
  if (content === null || typeof content === 'string') return undefined;
  const parts = Array.isArray(content) ? content.filter((part) => typeof part !== 'string') : content;
  return findUnreadable(parts, 'its "content"');
}

/**
 * With these come the text that was written before the server failed: `error` of Mistral and OpenRouter, DeepSeek's word for
 * a server that is too busy, and `abort` of vLLM and SGLang.
 */
const brokenOffReasons: ReadonlySet<string | undefined> = new Set(['error', 'insufficient_system_resource', 'abort']);

function brokenOff(reason: string | undefined, usage: Usage | undefined): Answer {
  const message = `the answer broke off with the finish reason "${reason ?? ''}"`;
  return { failure: { kind: 'server', message, ...defined({ usage }) } };
}

/** Finds a tool call that can't be read. Skipping it would look like no call. */
function findUnreadableCall({ tool_calls: calls = null }: JsonObject): string | undefined {
  if (calls !== null && !Array.isArray(calls)) return 'its "tool_calls" are not a list';
  const isRead = (call: JsonValue) =>
    isJsonObject(call) && (isJsonObject(call['function']) || isJsonObject(call['custom']));
  return list(calls).every(isRead) ? undefined : 'its "tool_calls" hold one without a "function"';
}

/** Reads content: a string, null or a list of parts. Mistral puts its reasoning among the parts. */
function readContent(message: JsonObject): Content {
  const { content } = message;
  if (typeof content === 'string') return { text: content };
  const found = { text: '', reasoning: '', refusal: '' };
  for (const part of list(content)) {
    if (typeof part === 'string') found.text += part;
    if (!isJsonObject(part)) continue;
    found.reasoning += joinTexts(part['thinking']);
    found.refusal += text(part['refusal']) ?? '';
    found.text += text(part['text']) ?? '';
  }
  // The transcript of a spoken answer is its text.
  const { audio } = message;
  if (found.text === '' && isJsonObject(audio)) found.text = text(audio['transcript']) ?? '';
  return { text: found.text, ...defined({ reasoning: text(found.reasoning), refusal: text(found.refusal) }) };
}

function joinTexts(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  return list(value)
    .map((part) => (isJsonObject(part) ? (text(part['text']) ?? '') : ''))
    .join('');
}

function readToolCalls(message: JsonObject): ToolCall[] {
  const calls: ToolCall[] = [];
  for (const call of list(message['tool_calls'])) {
    if (!isJsonObject(call)) continue;
    const called = call['function'];
    const custom = call['custom'];
    if (isJsonObject(called)) calls.push(buildToolCall(call['id'], called['name'], called['arguments']));
    else if (isJsonObject(custom)) calls.push(buildToolCall(call['id'], custom['name'], custom['input']));
  }
  // The predecessor of `tool_calls`. Some servers still send it, empty, beside the new member.
  const legacy = message['function_call'];
  if (calls.length === 0 && isJsonObject(legacy)) {
    const name = text(legacy['name']);
    if (name !== undefined) calls.push(buildToolCall(undefined, name, legacy['arguments']));
  }
  return calls;
}
