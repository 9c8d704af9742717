import { isMap } from '../draft.ts';
import { isTextField } from './answer-fields.ts';
import { type ChatMessage, readMessage, readMessages } from './chat-messages.ts';

/** The fields of a row by name. Those of an envelope (`input`, `inputs`, `outputs`) are named with it: `inputs.question`. */
export type Fields = ReadonlyMap<string, unknown>;

/** A row without what is no input: its variables, its conversation and its golden answer. */
export interface DataRow {
  readonly id: string | undefined;
  readonly vars: ReadonlyMap<string, unknown>;
  readonly chat: readonly ChatMessage[];
  readonly answer: unknown;
}

const ENVELOPES = new Set(['input', 'inputs', 'outputs', 'expectations']);
const CHATS = new Set(['messages', 'conversations', 'conversation', 'chat', 'chat_history', 'prompt']);

export function hasEnvelope(row: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(row, 'input') || Object.hasOwn(row, 'inputs');
}

/** Opens the envelopes of a row. A field without a value is left out. */
export function readFields(row: Readonly<Record<string, unknown>>): Fields {
  const fields = new Map<string, unknown>();
  for (const [key, value] of Object.entries(row)) {
    if (value === null) continue;
    if (!ENVELOPES.has(key) || !isMap(value) || readMessage(value) !== undefined) fields.set(key, value);
    else {
      for (const [inner, item] of Object.entries(value)) if (item !== null) fields.set(`${key}.${inner}`, item);
    }
  }
  return fields;
}

/** The value of a golden field: one of a row, or a whole envelope. */
export function readGolden(row: Readonly<Record<string, unknown>>, fields: Fields, name: string): unknown {
  return readAnswer(fields.get(name) ?? (Object.hasOwn(row, name) ? row[name] : undefined));
}

/** The answer in what a field holds: the text of a message or of a wrapper such as `{"answer": …}`. */
function readAnswer(value: unknown): unknown {
  const messages = readMessages(value);
  if (messages !== undefined) return messages.findLast(({ role }) => role === 'assistant')?.content ?? value;
  if (!isMap(value)) return value;
  const message = readMessage(value);
  if (message !== undefined) return message.content;
  // SQuAD keeps the places of the answers beside them.
  const { text, answer_start: starts } = value;
  if (Array.isArray(text) && Array.isArray(starts)) return [...new Set<unknown>(text)];
  const [[key, inner] = ['', undefined], ...others] = Object.entries(value);
  return others.length === 0 && isTextField(key) && typeof inner !== 'object' ? inner : value;
}

/** The field that holds the conversation of a row, with its messages; undefined where none does. */
export function findChat(
  fields: Fields,
  hidden: ReadonlySet<string>,
):
  | { readonly name: string; readonly value: unknown; readonly messages: readonly ChatMessage[] | undefined }
  | undefined {
  for (const [name, value] of fields) {
    const isNamed = name === 'input' || CHATS.has(name.replace(/^inputs?\./, ''));
    if (hidden.has(name) || !isNamed || !Array.isArray(value)) continue;
    const messages = readMessages(value);
    return { name, value, messages };
  }
  return undefined;
}

/** Answers such as `B` mean the letters that Inspect puts before the choices, so that the prompt must show them. */
export function letterChoices(vars: ReadonlyMap<string, unknown>, answer: unknown): ReadonlyMap<string, unknown> {
  const choices = vars.get('choices');
  const letters = Array.isArray(answer) ? answer : [answer];
  const isLettered = letters.every((letter) => typeof letter === 'string' && /^[A-Z]$/.test(letter));
  if (!Array.isArray(choices) || !isLettered || !choices.every((choice) => typeof choice === 'string')) return vars;
  const shown = choices.map((choice, index) => `${String.fromCodePoint(65 + index)}) ${choice}`);
  return new Map([...vars, ['choices', shown]]);
}
