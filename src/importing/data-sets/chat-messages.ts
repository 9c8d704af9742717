import { isMap } from '../draft.ts';

export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string;
}

/** The names of roles in OpenAI's form, LangChain's, ShareGPT's and Gemini's. */
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
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
};

/** A list of chat messages with texts; undefined for any other value, or where a message is not only text. */
export function readMessages(value: unknown): readonly ChatMessage[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const [first] = value;
  if (value.length === 1 && Array.isArray(first)) return readMessages(first);
  const messages = value.map(readMessage);
  return messages.every((message) => message !== undefined) ? messages : undefined;
}

/** True for a list that is meant as messages, readable or not. */
export function looksLikeMessages(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  const [first] = value;
  if (Array.isArray(first)) return value.length === 1 && looksLikeMessages(first);
  return value.every((item) => isMap(item) && roleOf(item) !== undefined);
}

export function readMessage(value: unknown): ChatMessage | undefined {
  if (!isMap(value)) return undefined;
  const role = ROLES[roleOf(value) ?? ''];
  const { kwargs } = value;
  const content = readContent(isMap(kwargs) ? kwargs : value);
  return role === undefined || content === undefined ? undefined : { role, content };
}

/** LangChain names the class of a message in its `id`, or its `type`. */
function roleOf(message: Readonly<Record<string, unknown>>): string | undefined {
  const { role, type, from, id, kwargs } = message;
  const name = Array.isArray(id) && isMap(kwargs) ? id.at(-1) : (role ?? from ?? type);
  return typeof name === 'string' ? name.toLowerCase() : undefined;
}

function readContent(message: Readonly<Record<string, unknown>>): string | undefined {
  const { tool_calls: calls, function_call: call } = message;
  if ((Array.isArray(calls) && calls.length > 0) || isMap(call)) return undefined;
  return readText(message['content'] ?? message['parts'] ?? message['value']);
}

/** A text, or the texts of a list of parts. */
function readText(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content) || content.length === 0) return undefined;
  const texts = content.map((part: unknown) => {
    if (typeof part === 'string') return part;
    if (!isMap(part)) return undefined;
    const { type, text, content: inner } = part;
    if (type !== undefined && type !== 'text' && type !== 'input_text' && type !== 'output_text') return undefined;
    const found = text ?? inner;
    return typeof found === 'string' ? found : undefined;
  });
  return texts.every((text) => text !== undefined) ? texts.join('') : undefined;
}
