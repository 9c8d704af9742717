import { writeJson } from '../../json/canonical-json.ts';
import { parseJson } from '../../json/parse-json.ts';
import {
  isCall,
  type RecordedCall,
  readCall,
  readConversation,
  readTurn,
  type TurnMessage,
} from '../data-sets/chat-messages.ts';
import { isMap } from '../draft.ts';

export const unreadable: RefusedRow = { refused: 'a message is not only text' };

/** Reads a call's stored input and output: messages, a text or the prompt's variables. */
export function readRecordedCall(written: unknown, output: unknown): Omit<TraceRow, 'origin'> | RefusedRow {
  const input = readJson(written);
  const answer = readAnswer(output);
  const userMessage = (content: string) => ({ role: 'user' as const, content, calls: [] });
  const asUser = (content: string) => ({ messages: [userMessage(content)], answer });
  if (typeof input === 'string') return asUser(input);
  const list = isMap(input) ? readJson(input['messages'] ?? input['contents'] ?? input['input']) : input;
  // Some programs store only the last message.
  const messages = readConversation(list ?? [input]);
  const system = isMap(input) ? readSystem(input) : [];
  if (messages !== undefined) return system === undefined ? unreadable : { messages: [...system, ...messages], answer };
  if (Array.isArray(list) && list.length > 0) return unreadable;
  if (isMap(input)) {
    const { prompts, prompt, args, kwargs } = input;
    const [only] = Array.isArray(prompts) && prompts.length === 1 ? prompts : [];
    if (typeof only === 'string') return asUser(only);
    if (typeof prompt === 'string' && system?.length === 1)
      return { messages: [...system, userMessage(prompt)], answer };
    // Otherwise a text may be a variable.
    const isRequest = Object.hasOwn(input, 'model') && (Object.hasOwn(input, 'contents') || system?.length === 1);
    if (typeof list === 'string' && isRequest && system !== undefined)
      return { messages: [...system, userMessage(list)], answer };
    // The arguments of a traced function.
    const vars = Array.isArray(args) && isMap(kwargs) ? kwargs : input;
    return { messages: [], vars, answer: readAnswer(output, true) };
  }
  return { refused: 'no messages were recorded' };
}

/** Reads instructions outside the messages, as in Anthropic, Gemini and the AI SDK; undefined if they are no text. */
function readSystem(input: Readonly<Record<string, unknown>>): TraceRow['messages'] | undefined {
  const { system, instructions, config } = input;
  const found = system ?? instructions ?? readGeminiSystem(input) ?? (isMap(config) ? readGeminiSystem(config) : null);
  if (found === undefined || found === null) return [];
  const message = readTurn({ role: 'system', content: isMap(found) ? found['parts'] : found });
  return message === undefined ? undefined : [message];
}

function readGeminiSystem(map: Readonly<Record<string, unknown>>): unknown {
  return map['systemInstruction'] ?? map['system_instruction'];
}

/** Members that wrap a message in an API's answer, and members with the text in a function's result. */
const envelopeNames = ['choices', 'generations', 'message', 'messages', 'candidates'];
const textFields = ['text', 'content', 'output', 'answer', 'response'];

/**
 * Reads an answer: a text, a message, the last of a list, a choice or a generation. A map is the model's JSON answer. A
 * function's map may contain the answer in a field.
 */
export function readAnswer(written: unknown, isOfFunction = false, depth = 0): RecordedAnswer {
  const output = readJson(written);
  if (typeof output === 'string') return { text: output, calls: [] };
  if (depth > 6) return noAnswer;
  const messages = readConversation(output);
  const message = messages?.findLast(({ role }) => role === 'assistant') ?? readTurn(output);
  if (message !== undefined) return answerOf(message);
  if (Array.isArray(output)) return readList(output, isOfFunction, depth);
  if (!isMap(output)) return noAnswer;
  const inner = readTurn(openReply(output));
  if (inner !== undefined) return answerOf(inner);
  const entries = Object.entries(output).filter(([, value]) => value !== null);
  const [only, second] = entries;
  const isSingle = only !== undefined && second === undefined;
  const known = isOfFunction || isSingle ? [...envelopeNames, ...textFields] : envelopeNames;
  const key = known.find((one) => entries.some(([name, value]) => name === one && !isEmptyList(value)));
  if (key !== undefined) return readAnswer(output[key], isOfFunction, depth + 1);
  if (isOfFunction && isSingle) return readAnswer(only[1], true, depth + 1);
  return { text: typeof written === 'string' ? written : writeJson(output), calls: [] };
}

/** Unwraps the message in a reply of OpenAI's Responses API, or in a candidate of Gemini. */
function openReply({ object, output, content }: Readonly<Record<string, unknown>>): unknown {
  if (isMap(content) && Array.isArray(content['parts'])) return content;
  if (object !== 'response' || !Array.isArray(output)) return undefined;
  const parts = output.flatMap((item: unknown) =>
    isMap(item) && Array.isArray(item['content']) ? item['content'] : [item],
  );
  return { role: 'assistant', content: parts };
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function readList(output: readonly unknown[], isOfFunction: boolean, depth: number): RecordedAnswer {
  const calls = output.map((part) => (isCall(part) ? readCall(part) : undefined));
  if (output.length > 0 && calls.every((call) => call !== undefined)) return { text: undefined, calls };
  if (output.length === 1) return readAnswer(output[0], isOfFunction, depth + 1);
  // The items are parts of one message.
  const message = readTurn({ role: 'assistant', content: output });
  if (message !== undefined) return answerOf(message);
  return { text: depth === 0 ? writeJson(output) : undefined, calls: [] };
}

export function answerOf(message: TraceRow['messages'][number] | undefined): RecordedAnswer {
  if (message === undefined) return noAnswer;
  const { content, calls } = message;
  return { text: content === '' && calls.length > 0 ? undefined : content, calls };
}

/** Parses a JSON text; returns any other value unchanged. */
export function readJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{"]/.test(value)) return value;
  const parsed = parseJson(value);
  return parsed.ok ? parsed.value : value;
}

/** A model's answer, as far as it was recorded. */
export interface RecordedAnswer {
  readonly text: string | undefined;
  readonly calls: readonly RecordedCall[];
}

export const noAnswer: RecordedAnswer = { text: undefined, calls: [] };

/** A model call recorded in production. */
export interface TraceRow {
  /** Origin as in the file: `trace 4bf9…, span 00f0…`. */
  readonly origin: readonly string[];
  readonly messages: readonly TurnMessage[];
  /** Variables that the file stores as such. */
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly answer: RecordedAnswer;
}

/** Why a call can't become a case. */
export interface RefusedRow {
  readonly refused: string;
}

export interface FoundRow {
  /** First line, from 1. */
  readonly line: number;
  readonly row: TraceRow | RefusedRow;
}

/** Reads the calls in a part of a file; none if it is no model call. */
export interface TraceReader {
  read(value: unknown, line: number): Iterable<FoundRow>;
  /** Returns the calls still waiting for parts. */
  end(): Iterable<FoundRow>;
}

export function describeOrigin(parts: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(parts).flatMap(([name, value]) =>
    typeof value === 'string' && value !== '' ? [name === 'at' ? value : `${name} ${value}`] : [],
  );
}
