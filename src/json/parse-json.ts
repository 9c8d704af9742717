import { isKeptByDouble, SpelledNumber } from '../text/exact-numbers.ts';

/** JSON as parsed, or why it can't be used. */
export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** More than any honest answer needs, and few enough for recursive code on a default stack. */
export const maxJsonDepth = 500;

/** Valid JSON, nested too deep. A `SyntaxError`, since to callers it is as unusable as invalid JSON. */
class NestingError extends SyntaxError {
  constructor() {
    super(`it is nested deeper than ${maxJsonDepth} levels`);
    this.name = 'NestingError';
  }
}

/** Parses strict JSON, at most `maxJsonDepth` levels deep. A number that no double keeps is a `SpelledNumber`. */
export function parseJson(text: string): ParsedJson {
  try {
    return { ok: true, value: parseShallowJson(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, reason: error instanceof NestingError ? error.message : describeSyntaxError(text, error) };
  }
}

/** The same; throws a `SyntaxError` for a text that is no JSON or is nested too deep. */
export function parseShallowJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  // Each level takes two characters.
  if (text.length > 2 * maxJsonDepth && isDeeper(parsed, maxJsonDepth)) throw new NestingError();
  return restoreLongNumbers(text, parsed);
}

/** The same without a limit of depth, for texts that this program wrote. */
export function parseExactJson(text: string): unknown {
  return restoreLongNumbers(text, JSON.parse(text));
}

/** True where a value has more than that many levels of objects and arrays. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

// Sixteen digits or more, or a large exponent: a double keeps any other number. No letter or quote comes before a number,
// as before digits in a hash.
const mayBeLong = /(?<![\w"])\d(?:[\d.]{15}|[\d.]*[eE][+-]?0*(?:2[89]\d|[3-9]\d\d|[1-9]\d{3}))/;
const stringsAndNumbers = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** `JSON.parse` gave doubles: parses again, with each number that no double keeps as a marked text, and reads those. */
function restoreLongNumbers(text: string, parsed: unknown): unknown {
  if (!mayBeLong.test(text)) return parsed;
  // No text of the document starts with the mark, so that marked texts can be told apart.
  const alike = (text.match(stringsAndNumbers) ?? []).filter((token) => /^"[#\\]/.test(token)).map(decodeString);
  let mark = '#';
  while (alike.some((found) => found.startsWith(mark))) mark += '#';
  let isChanged = false;
  const marked = text.replaceAll(stringsAndNumbers, (token) => {
    if (token.startsWith('"') || isKeptByDouble(token)) return token;
    isChanged = true;
    return `"${mark}${token}"`;
  });
  if (!isChanged) return parsed;
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
