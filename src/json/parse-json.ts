import { attempt, attemptOr } from '../text/attempt.ts';
import { shortenText } from '../text/shorten.ts';
import { isKeptByDouble, SpelledNumber } from '../text/yaml/exact-numbers.ts';
import type { JsonValue } from './json.ts';

/** JSON as parsed, or why it can't be used. */
export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** The deepest nesting of JSON. It exceeds honest answers' needs but fits recursive code on a default stack. */
export const maxJsonDepth = 500;

/** Valid JSON, nested too deep. A `SyntaxError`, because to callers it is as unusable as invalid JSON. */
class NestingError extends SyntaxError {
  constructor() {
    super(`it is nested deeper than ${maxJsonDepth} levels`);
    this.name = 'NestingError';
  }
}

/**
 * Parses JSON that decides something. It is strict JSON, at most `maxJsonDepth` levels deep, and has no key twice in an object:
 * readers differ in which one counts. A number that no double keeps is a `SpelledNumber`.
 */
export function parseJson(text: string): ParsedJson {
  const parsed = explainSyntaxError(text, () => parseShallowJson(text));
  if (!parsed.ok) return parsed;
  const { value, repeated } = parsed.value;
  return repeated() ? { ok: false, reason: describeRepeatedKey(text) } : { ok: true, value };
}

/** Parses like `parseJson`, but takes the last of equal keys, as RFC 8259 allows. */
export function parseAnyJson(text: string): ParsedJson {
  return explainSyntaxError(text, () => parseShallowJson(text).value);
}

function explainSyntaxError<T>(
  text: string,
  parse: () => T,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string } {
  try {
    return { ok: true, value: parse() };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, reason: error instanceof NestingError ? error.message : describeSyntaxError(text, error) };
  }
}

/**
 * Parses like `parseAnyJson`; `repeated` tells whether an object has a key twice. Throws a `SyntaxError` for a text that is
 * not JSON or is nested too deep.
 */
function parseShallowJson(text: string): { readonly value: unknown; readonly repeated: () => boolean } {
  const parsed: unknown = JSON.parse(text);
  // Each level takes two characters.
  if (text.length > 2 * maxJsonDepth && isDeeper(parsed, maxJsonDepth)) throw new NestingError();
  return { value: restoreLongNumbers(text, parsed), repeated: () => hasRepeatedKey(text, parsed) };
}

/** Parses like `parseAnyJson`; undefined for a text that is not JSON. It is fast enough to try partial bodies. */
export function tryParseJson(text: string): JsonValue | undefined {
  const parsed = attempt(() => parseShallowJson(text).value, SyntaxError);
  return parsed instanceof SyntaxError ? undefined : (parsed as JsonValue);
}

/** JSON that somebody else answered with. */
export interface AnsweredJson {
  /** With the last of equal keys: it says what was billed. */
  readonly value: JsonValue;
  /** Which key is written twice. The value is then no answer. */
  readonly repeated?: string;
}

/** Parses like `tryParseJson`, and says which key is written twice. */
export function tryParseAnswer(text: string): AnsweredJson | undefined {
  const parsed = attemptOr(() => parseShallowJson(text), SyntaxError, undefined);
  if (parsed === undefined) return undefined;
  const value = parsed.value as JsonValue;
  return parsed.repeated() ? { value, repeated: describeRepeatedKey(text) } : { value };
}

/**
 * Parses like `parseJson`, but without a limit of depth, for texts that llmcheck wrote. Throws a `SyntaxError` for a text
 * that is not JSON or has a key twice in an object.
 */
export function parseExactJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (hasRepeatedKey(text, parsed)) throw new SyntaxError(someKeyRepeated);
  return restoreLongNumbers(text, parsed);
}

/**
 * `JSON.parse` as it is: it rounds long numbers and limits no depth. Undefined for a text that is not JSON. For code of
 * others, which knows plain numbers alone.
 */
export function tryParsePlainJson(text: string): JsonValue | undefined {
  return attemptOr(() => JSON.parse(text) as JsonValue, SyntaxError, undefined);
}

/** True if a value has more than that many levels of objects and arrays. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

// Sixteen digits or more, or a large exponent: a double keeps any other number. No letter or quote comes before a number,
// as before digits in a hash.
const mayBeLong = /(?<![\w"])\d(?:[\d.]{15}|[\d.]*[eE][+-]?0*(?:2[89]\d|[3-9]\d\d|[1-9]\d{3}))/;
const stringsAndNumbers = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Restores numbers that `JSON.parse` rounded. Parses again with such numbers as marked texts, and reads these. */
function restoreLongNumbers(text: string, parsed: unknown): unknown {
  if (!mayBeLong.test(text)) return parsed;
  // No text of the document starts with the mark, so that marked texts can be told apart.
  const alike = (text.match(stringsAndNumbers) ?? []).filter((token) => /^"[#\\]/.test(token)).map(decodeString);
  let mark = '#';
  while (alike.some((found) => found.startsWith(mark))) mark += '#';
  const marked = text.replaceAll(stringsAndNumbers, (token) =>
    token.startsWith('"') || isKeptByDouble(token) ? token : `"${mark}${token}"`,
  );
  return JSON.parse(marked, (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(mark)) return value;
    const source = value.slice(mark.length);
    return new SpelledNumber(Number(source), source);
  });
}

function decodeString(token: string): string {
  const decoded: unknown = JSON.parse(token);
  return String(decoded);
}

// V8's own message quotes the text around the error, which may be long and differs between versions.
function describeSyntaxError(text: string, error: SyntaxError): string {
  if (text.trim() === '') return 'it is empty';
  const position = / at position (\d+)/.exec(error.message)?.[1];
  if (position === undefined) {
    const token = /^Unexpected token '(.{1,2})'/su.exec(error.message)?.[1];
    return token === undefined ? 'it ends in the middle of a value' : `unexpected ${JSON.stringify(token)}`;
  }
  const index = Number(position);
  if (index >= text.length) return 'it ends in the middle of a value';
  const line = text.slice(0, index).split('\n').length;
  const column = index - text.lastIndexOf('\n', index - 1);
  return `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(index) ?? 0))} at line ${line}, column ${column}`;
}

// jsonc-parser (3.3.1) was tried, but esbuild can't bundle its main file. To find our values, long numbers and messages
// in its tree takes 70 of this reader's 110 lines.

/** A JSON value with its place in the text. */
export interface JsonNode {
  /** A number whose spelling differs from its own is a `SpelledNumber`. */
  readonly value: unknown;
  readonly start: number;
  readonly members?: readonly { readonly key: string; readonly keyStart: number; readonly node: JsonNode }[];
  readonly items?: readonly JsonNode[];
}

interface JsonError {
  readonly message: string;
  readonly offset: number;
  /** Set if the text is JSON all the same. */
  readonly isRepeatedKey?: true;
}

type JsonText = { readonly value: unknown } | { readonly error: JsonError };

/** Parses strict JSON fast. Only a text with an error, a spelled number or a repeated key is read a second time. */
export function parseJsonText(text: string): JsonText {
  const parsed = parseAnyJson(text);
  if (parsed.ok && !mayBeOdd(text, parsed.value)) return { value: parsed.value };
  const node = parseJsonNodes(text);
  return 'error' in node ? node : { value: node.value };
}

/** Parses strict JSON into nodes with their positions. */
export function parseJsonNodes(text: string): JsonNode | { readonly error: JsonError } {
  const reader: Reader = { text, at: 0, depth: 0 };
  try {
    skipBlanks(reader);
    const node = readValue(reader);
    skipBlanks(reader);
    if (reader.at < text.length) throw unexpected(reader);
    return node;
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const { message, offset } = error;
    return {
      error: error instanceof RepeatedKeyError ? { message, offset, isRepeatedKey: true } : { message, offset },
    };
  }
}

/** The offset of the key or value at a path, or of the nearest thing above it that exists. */
export function findInJson(root: JsonNode, path: readonly PropertyKey[], part: 'key' | 'value'): number {
  let node = root;
  for (const [depth, step] of path.entries()) {
    const member = node.members?.findLast(({ key }) => key === String(step));
    if (member !== undefined && part === 'key' && depth === path.length - 1) return member.keyStart;
    const next = member?.node ?? node.items?.[Number(step)];
    if (next === undefined) return node.start;
    node = next;
  }
  return node.start;
}

// A trailing zero, an exponent, a long number or a negative zero: JSON.parse would lose how it was written.
const spelledNumber = /[\d.][eE]|\.\d*0(?!\d)|\d{16}|-0(?![.\d])/;
const strings = /"[^"\\]*(?:\\.[^"\\]*)*"/g;

function mayBeOdd(text: string, value: unknown): boolean {
  const hasSpelled = spelledNumber.test(text) && spelledNumber.test(text.replaceAll(strings, '""'));
  return hasSpelled || hasRepeatedKey(text, value);
}

/** True if an object of a valid text has a key twice. `value` is what `JSON.parse` makes of the text. */
function hasRepeatedKey(text: string, value: unknown): boolean {
  const keys = countKeys(value);
  // Most texts need no second look: `":` follows each key, and a quote within a string is escaped.
  return (countColons(text) !== keys || isUncertain.test(text)) && countWrittenKeys(text) !== keys;
}

/** The key before a blank, or with a backslash at its end, is not counted by `countColons`. */
const isUncertain = /"[ \t\r\n]+:|(?<!\\)(?:\\\\)+":/;

function countColons(text: string): number {
  let colons = 0;
  for (let at = text.indexOf('":'); at !== -1; at = text.indexOf('":', at + 2)) {
    if (text[at - 1] !== '\\') colons += 1;
  }
  return colons;
}

const stringsAndColons = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g;

function countWrittenKeys(text: string): number {
  let keys = 0;
  for (const [, colon] of text.matchAll(stringsAndColons)) if (colon !== undefined) keys += 1;
  return keys;
}

/** The keys of all objects, without those that `JSON.parse` dropped. The value may be nested deeper than a stack. */
function countKeys(value: unknown): number {
  let keys = 0;
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    const parts = Array.isArray(next) ? next : Object.values(next);
    if (parts !== next) keys += parts.length;
    for (const part of parts) if (typeof part === 'object' && part !== null) pending.push(part);
  }
  return keys;
}

const someKeyRepeated = 'a key is written twice in one object';

/** Says which key an object of a valid text has twice. */
function describeRepeatedKey(text: string): string {
  const node = parseJsonNodes(text);
  // A deep text, or one with a huge number, is not read to the end.
  return 'error' in node && node.error.isRepeatedKey === true ? node.error.message : someKeyRepeated;
}

interface Reader {
  readonly text: string;
  at: number;
  /** The number of objects and arrays around the current place. */
  depth: number;
}

class JsonTextError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'JsonTextError';
    this.offset = offset;
  }
}

class RepeatedKeyError extends JsonTextError {
  constructor(key: string, offset: number) {
    super(`the key ${JSON.stringify(shortenText(key, 60))} is written twice in one object`, offset);
  }
}

function readValue(reader: Reader): JsonNode {
  const start = reader.at;
  const mark = reader.text.charAt(start);
  if (mark === '"') return { value: readString(reader), start };
  if (mark !== '{' && mark !== '[') return { value: readLiteral(reader), start };
  if (reader.depth === maxJsonDepth) {
    throw new JsonTextError(`it is nested deeper than ${maxJsonDepth} levels`, start);
  }
  reader.depth += 1;
  const node = mark === '{' ? readObject(reader, start) : readArray(reader, start);
  reader.depth -= 1;
  return node;
}

function readObject(reader: Reader, start: number): JsonNode {
  const members: { key: string; keyStart: number; node: JsonNode }[] = [];
  const seen = new Set<string>();
  reader.at += 1;
  skipBlanks(reader);
  while (reader.text[reader.at] !== '}') {
    if (members.length > 0) expectMark(reader, ',');
    skipBlanks(reader);
    const keyStart = reader.at;
    if (reader.text[keyStart] !== '"') throw unexpected(reader);
    const key = readString(reader);
    if (seen.has(key)) throw new RepeatedKeyError(key, keyStart);
    seen.add(key);
    skipBlanks(reader);
    expectMark(reader, ':');
    skipBlanks(reader);
    members.push({ key, keyStart, node: readValue(reader) });
    skipBlanks(reader);
  }
  reader.at += 1;
  // Object.fromEntries defines its keys, so a `__proto__` key stays data.
  return { value: Object.fromEntries(members.map(({ key, node }) => [key, node.value])), start, members };
}

function readArray(reader: Reader, start: number): JsonNode {
  const items: JsonNode[] = [];
  reader.at += 1;
  skipBlanks(reader);
  while (reader.text[reader.at] !== ']') {
    if (items.length > 0) expectMark(reader, ',');
    skipBlanks(reader);
    items.push(readValue(reader));
    skipBlanks(reader);
  }
  reader.at += 1;
  return { value: items.map(({ value }) => value), start, items };
}

const stringPattern = /"[^"\\]*(?:\\.[^"\\]*)*"/y;

function readString(reader: Reader): string {
  stringPattern.lastIndex = reader.at;
  const written = stringPattern.exec(reader.text)?.[0];
  if (written === undefined) throw new JsonTextError('a string is not closed', reader.at);
  const parsed = parseAnyJson(written);
  if (!parsed.ok) throw new JsonTextError('a string holds a line break or a wrong escape', reader.at);
  reader.at += written.length;
  return String(parsed.value);
}

const literalPattern = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function readLiteral(reader: Reader): unknown {
  const start = reader.at;
  literalPattern.lastIndex = start;
  const written = literalPattern.exec(reader.text)?.[0];
  if (written === undefined) throw unexpected(reader);
  reader.at += written.length;
  const value: unknown = JSON.parse(written);
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) throw new JsonTextError(`${written} is larger than a number can be`, start);
  return String(value) === written ? value : new SpelledNumber(value, written);
}

function skipBlanks(reader: Reader): void {
  while (' \n\r\t'.includes(reader.text[reader.at] ?? '.')) reader.at += 1;
}

function expectMark(reader: Reader, mark: string): void {
  if (reader.text[reader.at] !== mark) throw unexpected(reader, mark);
  reader.at += 1;
}

function unexpected({ text, at }: Reader, wanted?: string): JsonTextError {
  const found =
    at >= text.length
      ? 'the text ends in the middle of a value'
      : `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}`;
  return new JsonTextError(wanted === undefined ? found : `${found} where "${wanted}" belongs`, at);
}
