import { parseJson } from '../../json/parse-json.ts';
import { isMap } from '../draft.ts';

export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string;
}

export interface RecordedCall {
  readonly name: string;
  readonly arguments: unknown;
}

/** A message of a conversation with tool calls. */
export interface TurnMessage {
  readonly role: ChatMessage['role'] | 'tool';
  readonly content: string;
  /** Calls made by an assistant. */
  readonly calls: readonly RecordedCall[];
}

/** Names of roles in OpenAI, LangChain, ShareGPT and Gemini. */
const rolesByName: Readonly<Record<string, TurnMessage['role']>> = {
  system: 'system',
  systemmessage: 'system',
  developer: 'developer',
  user: 'user',
  human: 'user',
  humanmessage: 'user',
  assistant: 'assistant',
  ai: 'assistant',
  aimessage: 'assistant',
  aimessagechunk: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  tool: 'tool',
  function: 'tool',
  toolmessage: 'tool',
  functionmessage: 'tool',
};

/** Reads a list of text messages; undefined for any other value, or if a message is not only text. */
export function readMessages(value: unknown): readonly ChatMessage[] | undefined {
  const messages = readConversation(value)?.map(toText);
  return messages?.every((message) => message !== undefined) === true ? messages : undefined;
}

/** Reads a text message; undefined for any other value. */
export function readMessage(value: unknown): ChatMessage | undefined {
  const message = readTurn(value);
  return message === undefined ? undefined : toText(message);
}

function toText({ role, content, calls }: TurnMessage): ChatMessage | undefined {
  return role === 'tool' || calls.length > 0 ? undefined : { role, content };
}

/** Reads a list of messages with tool calls and results; undefined for any other value. */
export function readConversation(value: unknown): readonly TurnMessage[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const [first] = value;
  if (value.length === 1 && Array.isArray(first)) return readConversation(first);
  const messages = value.map(readTurn);
  return messages.every((message) => message !== undefined) ? messages : undefined;
}

/** True for a list that is meant as messages, readable or not. */
export function looksLikeMessages(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  const [first] = value;
  if (Array.isArray(first)) return value.length === 1 && looksLikeMessages(first);
  return value.every((item) => isMap(item) && roleOf(item) !== undefined);
}

export function readTurn(value: unknown): TurnMessage | undefined {
  if (!isMap(value)) return undefined;
  const named = roleOf(value) ?? '';
  const role = Object.hasOwn(rolesByName, named) ? rolesByName[named] : undefined;
  const { kwargs } = value;
  const message = isMap(kwargs) ? kwargs : value;
  const calls = readCalls(message);
  const written = message['content'] ?? message['parts'] ?? message['value'];
  if (role === undefined || calls === undefined) return undefined;
  if (role === 'tool') return { role, content: typeof written === 'string' ? written : JSON.stringify(written), calls };
  // An assistant that calls tools may say nothing.
  const content = (written === undefined || written === null) && calls.length > 0 ? [] : readContent(written);
  if (content === undefined) return undefined;
  const all = [...calls, ...content.flatMap((part) => (typeof part === 'object' ? [part] : []))];
  const texts = content.filter((part) => typeof part === 'string');
  // Anthropic and OpenTelemetry put results into a user's message.
  if (content.includes(null)) return { role: 'tool', content: texts.join(''), calls: [] };
  return { role, content: texts.join(''), calls: all.filter((part) => part !== null) };
}

/** Role of a message. LangChain writes its class into `id` or `type`. */
function roleOf(message: Readonly<Record<string, unknown>>): string | undefined {
  const { role, type, from, id, kwargs } = message;
  const name = Array.isArray(id) && isMap(kwargs) ? id.at(-1) : (role ?? from ?? type);
  return typeof name === 'string' ? name.toLowerCase() : undefined;
}

/** Reads calls outside the content, as in OpenAI and LangChain; undefined if one is invalid. */
function readCalls(message: Readonly<Record<string, unknown>>): readonly RecordedCall[] | undefined {
  const { tool_calls: calls, toolCalls, function_call: call, additional_kwargs: more } = message;
  const inner = isMap(more) ? (more['tool_calls'] ?? more['function_call']) : undefined;
  const found = [calls, toolCalls, call, inner].find((one) => (Array.isArray(one) ? one.length > 0 : isMap(one)));
  const list = (Array.isArray(found) ? found : found === undefined ? [] : [found]).map(readCall);
  return list.every((one) => one !== undefined) ? list : undefined;
}

export function readCall(value: unknown): RecordedCall | undefined {
  if (!isMap(value)) return undefined;
  const call = isMap(value['function']) ? value['function'] : value;
  const name = call['name'] ?? call['toolName'];
  const written = call['arguments'] ?? call['args'] ?? call['input'] ?? {};
  const parsed = typeof written === 'string' ? parseJson(written) : undefined;
  return typeof name === 'string' ? { name, arguments: parsed?.ok === true ? parsed.value : written } : undefined;
}

const textTypes = new Set(['text', 'input_text', 'output_text']);
/** Types of reasoning, which is not part of the answer. */
const reasoningTypes = new Set([
  'reasoning',
  'thinking',
  'redacted_thinking',
  'Microsoft.Extensions.AI.TextReasoningContent',
]);
const callTypes = new Set(['tool_call', 'tool_use', 'tool-call', 'function_call']);

/** True for a map that can only be a tool call. */
export function isCall(part: unknown): boolean {
  if (!isMap(part)) return false;
  const { type, toolName } = part;
  return isMap(part['function']) || typeof toolName === 'string' || (typeof type === 'string' && callTypes.has(type));
}

const resultTypes = new Set(['tool_call_response', 'tool_result', 'tool-result', 'function_call_output']);

/** Reads texts, calls, and null for a call's result; undefined for any other part, such as an image. */
function readContent(content: unknown): readonly (string | RecordedCall | null)[] | undefined {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content) || content.length === 0) return undefined;
  const parts = content.flatMap((part: unknown): readonly (string | RecordedCall | null | undefined)[] => {
    if (typeof part === 'string') return [part];
    if (!isMap(part)) return [undefined];
    const { type, text, content: inner } = part;
    // Gemini uses both spellings.
    const functionCall = part['functionCall'] ?? part['function_call'];
    const functionResponse = part['functionResponse'] ?? part['function_response'];
    if (part['thought'] === true || (typeof type === 'string' && reasoningTypes.has(type))) return [];
    if (isMap(functionCall) || (typeof type === 'string' && callTypes.has(type)))
      return [readCall(functionCall ?? part)];
    if (isMap(functionResponse) || (typeof type === 'string' && resultTypes.has(type))) return [null];
    if (type !== undefined && !(typeof type === 'string' && textTypes.has(type))) return [undefined];
    const found = text ?? inner;
    return typeof found === 'string' ? [found] : [undefined];
  });
  return parts.every((part) => part !== undefined) ? parts : undefined;
}
