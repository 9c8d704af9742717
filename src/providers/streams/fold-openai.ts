import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { count, list, text } from '../answer.ts';
import {
  addText,
  type Draft,
  inOrder,
  mergeMembers,
  openDraft,
  type StreamFold,
  type StreamFormat,
} from './stream-format.ts';

/** Chunks of Chat Completions, and of the servers that speak it (https://platform.openai.com/docs/api-reference/chat-streaming). */
export const chatStream: StreamFormat = {
  ask: (body) => ({ stream_options: { include_usage: true }, ...body, stream: true }),
  open: openChat,
};

/** Like `chatStream`, for servers that refuse unknown parameters and report usage without being asked. */
export const plainChatStream: StreamFormat = { ...chatStream, ask: (body) => ({ ...body, stream: true }) };

function openChat(): StreamFold {
  const body = openDraft();
  const choices = new Map<number, Draft>();
  return {
    add({ data }) {
      const { choices: parts, usage, x_groq: groq, ...rest } = data;
      mergeMembers(body, rest);
      if (isJsonObject(usage)) body['usage'] = usage;
      else if (isJsonObject(groq) && isJsonObject(groq['usage'])) body['usage'] = groq['usage'];
      let hasContent = false;
      for (const part of list(parts).filter(isJsonObject)) {
        const index = count(part['index']) ?? 0;
        const choice =
          choices.get(index) ?? openDraft({ index, message: openDraft({ role: 'assistant', content: null }) });
        choices.set(index, choice);
        hasContent = addToChoice(choice, part) || hasContent;
      }
      return hasContent;
    },
    body: () => ({ ...body, choices: [...choices.values()] }),
    isComplete: () => [...choices.values()].some((choice) => text(choice['finish_reason']) !== undefined),
  };
}

/** Adds a delta. Some servers end with the whole message instead. */
function addToChoice(choice: Draft, { delta, message, ...rest }: JsonObject): boolean {
  mergeMembers(choice, rest);
  const part = isJsonObject(delta) ? delta : isJsonObject(message) ? message : {};
  return addToMessage(choice['message'] as Draft, part);
}

/** Members that are sent in pieces. All others are sent whole. */
const pieces = new Set(['refusal', 'reasoning_content', 'reasoning']);

function addToMessage(message: Draft, delta: JsonObject): boolean {
  let hasContent = false;
  for (const [key, value] of Object.entries(delta)) {
    if (value === null) continue;
    if (key === 'content') hasContent = addContent(message, value) || hasContent;
    else if (key === 'tool_calls') hasContent = addCalls(message, list(value)) || hasContent;
    else if (key === 'function_call' || key === 'audio') hasContent = addMembers(message, key, value) || hasContent;
    else if (key === 'reasoning_details') message[key] = addDetails(list(message[key]), list(value));
    else if (pieces.has(key) && typeof value === 'string') {
      hasContent = (addText(message, key, value) && key === 'refusal') || hasContent;
    } else message[key] = value;
  }
  return hasContent;
}

/** Adds text in pieces, or Mistral's lists of parts. */
function addContent(message: Draft, value: JsonValue): boolean {
  const { content = null } = message;
  if (typeof value === 'string' && !Array.isArray(content)) {
    return addText(message, 'content', value);
  }
  const added = typeof value === 'string' ? [{ type: 'text', text: value }] : list(value);
  const before = typeof content === 'string' && content !== '' ? [{ type: 'text', text: content }] : list(content);
  message['content'] = added.reduce<readonly JsonValue[]>(addPart, before) as JsonValue;
  return added.some((part) => typeof part === 'string' || (isJsonObject(part) && text(part['text']) !== undefined));
}

function addPart(parts: readonly JsonValue[], part: JsonValue): readonly JsonValue[] {
  const last = parts.at(-1);
  if (!isJsonObject(part) || !isJsonObject(last) || last['type'] !== part['type']) return [...parts, part];
  if (typeof part['text'] === 'string' && typeof last['text'] === 'string') {
    return [...parts.slice(0, -1), { ...last, text: last['text'] + part['text'] }];
  }
  if (!Array.isArray(part['thinking']) || !Array.isArray(last['thinking'])) return [...parts, part];
  const thinking = (part['thinking'] as readonly JsonValue[]).reduce<readonly JsonValue[]>(
    addPart,
    last['thinking'] as readonly JsonValue[],
  );
  return [...parts.slice(0, -1), { ...last, thinking: thinking as JsonValue }];
}

/** Adds pieces of calls. The first piece has id and name; pieces of arguments follow under the same index. */
function addCalls(message: Draft, added: readonly JsonValue[]): boolean {
  const calls = list(message['tool_calls']).filter(isJsonObject) as Draft[];
  message['tool_calls'] = calls;
  for (const part of added.filter(isJsonObject)) {
    const { index, id, function: called, custom, ...rest } = part;
    let call = findCall(calls, count(index), text(id));
    if (call === undefined) {
      call = index === undefined ? {} : { index };
      calls.push(call);
    }
    if (text(id) !== undefined) call['id'] = id ?? '';
    mergeMembers(call, rest);
    if (isJsonObject(called)) addMembers(call, 'function', called);
    if (isJsonObject(custom)) addMembers(call, 'custom', custom);
  }
  return added.length > 0;
}

/**
 * Finds the call of a piece. Google's endpoint gives every call the index 0 and its own id; some servers omit the
 * index.
 */
function findCall(calls: readonly Draft[], index: number | undefined, id: string | undefined): Draft | undefined {
  const last = calls.findLast((call) => index === undefined || call['index'] === index);
  return id !== undefined && last?.['id'] !== undefined && last['id'] !== id ? undefined : last;
}

/** Adds members of a call or spoken answer. Their texts come in pieces. */
function addMembers(target: Draft, key: string, value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const known = target[key];
  const merged = openDraft(isJsonObject(known) ? known : {});
  for (const [name, part] of Object.entries(value)) {
    if (part === null) continue;
    const before = merged[name];
    const isPiece = name === 'arguments' || name === 'input' || name === 'transcript' || name === 'data';
    merged[name] = isPiece && typeof part === 'string' && typeof before === 'string' ? before + part : part;
  }
  target[key] = merged;
  return Object.keys(value).length > 0;
}

/** Adds OpenRouter's reasoning details, which come in pieces under an index. */
function addDetails(details: readonly JsonValue[], added: readonly JsonValue[]): JsonValue[] {
  const merged = [...details];
  for (const part of added) {
    const at = merged.findIndex(
      (one) =>
        isJsonObject(one) && isJsonObject(part) && one['index'] === part['index'] && one['type'] === part['type'],
    );
    const known = merged[at];
    if (!isJsonObject(part) || !isJsonObject(known)) {
      merged.push(part);
      continue;
    }
    const joined = openDraft(known);
    for (const [name, value] of Object.entries(part)) {
      const before = joined[name];
      const isPiece = name === 'text' || name === 'summary' || name === 'data';
      if (isPiece && typeof value === 'string' && typeof before === 'string') joined[name] = before + value;
      else if (value !== null) joined[name] = value;
    }
    merged[at] = joined;
  }
  return merged;
}

/**
 * Events of the Responses API. The last event contains the whole answer
 * (https://platform.openai.com/docs/api-reference/responses-streaming).
 */
export const responsesStream: StreamFormat = { ask: (body) => ({ ...body, stream: true }), open: openResponse };

const endings = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.done']);

const contentEvents = new Set([
  'response.output_text.delta',
  'response.refusal.delta',
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
]);

const callTypes = new Set(['function_call', 'custom_tool_call']);

function openResponse(): StreamFold {
  let started: JsonObject = {};
  let ended: JsonObject | undefined;
  const items = new Map<number, JsonValue>();
  let outputText = '';
  return {
    add({ name, data }) {
      const type = text(data['type']) ?? name ?? '';
      const { response, item } = data;
      if (isJsonObject(response)) {
        if (endings.has(type)) ended = response;
        else started = response;
      }
      const index = count(data['output_index']) ?? items.size;
      if (type === 'response.output_item.done' && item !== undefined) items.set(index, item);
      const delta = text(data['delta']);
      if (type === 'response.output_text.delta') outputText += delta ?? '';
      if (contentEvents.has(type)) return delta !== undefined;
      return type === 'response.output_item.added' && isJsonObject(item) && callTypes.has(text(item['type']) ?? '');
    },
    body() {
      const output = inOrder(items);
      // Some compatible servers leave out the output in the last event.
      if (ended !== undefined) return list(ended['output']).length > 0 ? ended : { ...ended, output };
      const partial = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: outputText }] };
      return { ...started, status: 'incomplete', output: output.length > 0 || outputText === '' ? output : [partial] };
    },
    isComplete: () => ended !== undefined,
  };
}
