import { Buffer } from 'node:buffer';
import { decodeOnce, type Place, type View, viewOf } from './text-views.ts';

/** A secret in one way of writing it, with its search. */
export interface Form {
  readonly pattern: string;
  /** The length of the longest start of the pattern that ends at each of its characters, for Knuth, Morris and Pratt. */
  readonly overlaps: Uint32Array;
  /** True if a digit of base64 before the pattern shares bits with it. */
  readonly sharesStart?: boolean;
  readonly sharesEnd?: boolean;
}

/** The forms of all secrets, by the text that they are searched in. */
export interface Forms {
  readonly asWritten: readonly Form[];
  /** In lower case. */
  readonly caseless: readonly Form[];
  readonly base64: readonly Form[];
  readonly hex: readonly Form[];
}

/** Shorter values occur in ordinary text: masking them would spoil the text and hide nothing. */
const minSecretLength = 8;

/** A shorter value in another letter case may be an ordinary word. */
const minCaselessLength = 16;

/** Fewer characters of a cut secret reveal nothing, and masking them would spoil words that only begin alike. */
const minShownLength = 4;

/** Levels of escapes in which a secret is found. */
export const maxLevels = 3;

export function buildForms(values: readonly string[]): Forms {
  // A value read from a file may end in a line feed that is not sent.
  const secrets = [...new Set(values.flatMap((value) => [value, value.trim()]))].filter(isLong);
  const spellings = [...new Set(secrets.flatMap(listSpellings))].filter(isLong);
  return {
    asWritten: spellings.filter(({ length }) => length < minCaselessLength).map((text) => buildForm(joinSpaces(text))),
    caseless: spellings
      .filter(({ length }) => length >= minCaselessLength)
      .map((text) => buildForm(lowerCase(joinSpaces(text)))),
    base64: secrets.flatMap(buildBase64),
    hex: secrets.map((secret) => buildForm(Buffer.from(secret, 'utf8').toString('hex'))),
  };
}

function isLong({ length }: string): boolean {
  return length >= minSecretLength;
}

/** A secret, and what is left of it if a text with it is decoded: it may hold escapes of its own. */
function listSpellings(secret: string): readonly string[] {
  const spellings = [secret];
  for (let view = decodeOnce(viewOf(secret)); view !== undefined && spellings.length <= maxLevels; ) {
    spellings.push(view.text);
    view = decodeOnce(view);
  }
  // UTF-8 can't encode half a character.
  return [...spellings, Buffer.from(secret, 'utf8').toString('utf8')];
}

function buildForm(pattern: string): Form {
  const overlaps = new Uint32Array(pattern.length);
  for (let at = 1, length = 0; at < pattern.length; at += 1) {
    while (length > 0 && pattern[at] !== pattern[length]) length = overlaps[length - 1] ?? 0;
    if (pattern[at] === pattern[length]) length += 1;
    overlaps[at] = length;
  }
  return { pattern, overlaps };
}

/**
 * Inside a longer text, such as `user:key`, only the characters made of the secret's own bits are the same. The
 * characters at its ends, which share bits with it, are masked too.
 */
function buildBase64(secret: string): readonly Form[] {
  const bytes = Buffer.from(secret, 'utf8');
  return [0, 1, 2].map((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const start = Math.ceil((offset * 8) / 6);
    const end = Math.floor((shifted.length * 8) / 6);
    return {
      ...buildForm(shifted.toString('base64').slice(start, end)),
      sharesStart: offset !== 0,
      sharesEnd: (shifted.length * 8) % 6 !== 0,
    };
  });
}

/** A form of a web page writes a space as a plus. */
export function joinSpaces(text: string): string {
  return text.replaceAll('+', ' ');
}

/** The letters A to Z alone, so that each character keeps its place. */
export function lowerCase(text: string): string {
  if (!/[A-Z]/.test(text)) return text;
  if (isAscii(text)) return text.toLowerCase();
  const units = Buffer.from(text, 'utf16le');
  for (let at = 0; at < units.length; at += 2) {
    const low = units[at] ?? 0;
    if (low >= 0x41 && low <= 0x5a && units[at + 1] === 0) units[at] = low + 0x20;
  }
  return units.toString('utf16le');
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- ASCII begins with control characters
  return !/[^\0-\x7f]/.test(text);
}

/** The digits of base64, in place of those of base64url. */
export function plainBase64(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/');
}

/** Finds the forms in a view. `text` is the view's text in the spelling of the forms, each character at its place. */
export function* findForms(view: View, text: string, forms: readonly Form[]): Iterable<Place> {
  const isCut = text.includes('…');
  for (const form of forms) {
    for (const { start, end } of findWhole(text, form)) yield view.placeOf(start, end);
    if (!isCut) continue;
    for (const { start, end } of findCut(text, form)) yield view.placeOf(start, end);
  }
}

function* findWhole(text: string, form: Form): Iterable<Place> {
  const { pattern } = form;
  let last: Place | undefined;
  for (let at = text.indexOf(pattern); at !== -1; at = text.indexOf(pattern, at + 1)) {
    const place = withSharedDigits(text, form, at);
    if (last !== undefined && place.start < last.end) {
      // A text such as "ababab…" holds a place at every second character.
      last = { start: last.start, end: place.end };
      continue;
    }
    if (last !== undefined) yield last;
    last = place;
  }
  if (last !== undefined) yield last;
}

const digit = /[A-Za-z0-9+/]/;

function withSharedDigits(text: string, { pattern, sharesStart, sharesEnd }: Form, at: number): Place {
  const start = sharesStart === true && digit.test(text.charAt(at - 1)) ? at - 1 : at;
  let end = at + pattern.length;
  if (sharesEnd !== true) return { start, end };
  if (digit.test(text.charAt(end))) end += 1;
  for (let padding = 0; padding < 2 && text[end] === '='; padding += 1) end += 1;
  return { start, end };
}

/** What follows the rest of a cut secret: perhaps a part of an escape and a closing quote, then `…`. */
const cutMark =
  /(?:(?:%[\da-f]{2}){0,3}(?:%[\da-f]?)?|&#?\w{0,7}|\\{1,8}u\{?[\da-f]{0,6}|\\{1,8}x[\da-f]?)?\\{0,8}["'`]?…/iy;

/** Finds the starts of a secret that a text was cut in, by the algorithm of Knuth, Morris and Pratt (1977). */
function* findCut(text: string, { pattern, overlaps }: Form): Iterable<Place> {
  for (let at = 0, length = 0; at < text.length; at += 1) {
    while (length > 0 && (length === pattern.length || text[at] !== pattern[length]))
      length = overlaps[length - 1] ?? 0;
    if (text[at] === pattern[length]) length += 1;
    if (length < minShownLength) continue;
    cutMark.lastIndex = at + 1;
    if (cutMark.test(text)) yield { start: at + 1 - length, end: at + 1 };
  }
}
