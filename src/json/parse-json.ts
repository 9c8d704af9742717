import { isKeptByDouble, SpelledNumber } from '../text/exact-numbers.ts';

/** JSON as parsed, or why it can't be used. */
export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** Far beyond any honest answer, and shallow enough for recursive code on a default stack. */
export const maxJsonDepth = 500;

/**
 * Parses strict JSON. Nesting that would overflow the stack of recursive code is refused. A number that no double keeps is a
 * `SpelledNumber`.
 */
export function parseJson(text: string): ParsedJson {
  if (isTooDeep(text)) return { ok: false, reason: `it is nested deeper than ${maxJsonDepth} levels` };
  try {
    return { ok: true, value: parseExactJson(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, reason: describeSyntaxError(text, error) };
  }
}

/** The same, with a `SyntaxError` where the text is no JSON, and where the nesting is refused. */
export function parseShallowJson(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError(`JSON is nested deeper than ${maxJsonDepth} levels`);
  return parseExactJson(text);
}

// Sixteen digits or more, or a large exponent: any other number is kept by a double.
const mayBeLong = /\d[\d.]{15}|\d[eE][+-]?0*(?:2[89]\d|[3-9]\d\d|[1-9]\d{3})/;
const stringsAndNumbers = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** `JSON.parse` in which a number that no double keeps is a `SpelledNumber`; without a limit of depth. */
export function parseExactJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (!mayBeLong.test(text)) return parsed;
  // Marked texts become numbers again. No text of the document starts with the mark.
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

function isTooDeep(text: string): boolean {
  if (text.length <= maxJsonDepth) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case 0x22: // A quote: brackets inside a string do not nest.
        index = endOfString(text, index);
        break;
      case 0x5b:
      case 0x7b:
        depth += 1;
        if (depth > maxJsonDepth) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth -= 1;
        break;
      default:
    }
  }
  return false;
}

/** The index of the closing quote, or the text's end. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
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
