import { Buffer } from 'node:buffer';

/** A part of a text: from `start` up to, but not including, `end`. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** A text that was decoded from another one, and the origin of each part. */
export interface View {
  readonly text: string;
  /** The place in the original text that a part was decoded from. */
  placeOf(start: number, end: number): Place;
}

export function viewOf(text: string): View {
  return { text, placeOf: (start, end) => ({ start, end }) };
}

/** Replaces the matches of a global pattern, or removes them; undefined if that changes nothing. */
function replaceIn(view: View, pattern: RegExp, replace?: (match: string) => string): View | undefined {
  const { text } = view;
  // Without a function, V8 calls nothing for a match, which takes a third of the time.
  const changed = replace === undefined ? text.replace(pattern, '') : text.replace(pattern, replace);
  if (changed === text) return undefined;
  let origins: Origins | undefined;
  return {
    text: changed,
    placeOf(start, end) {
      // Computed late, because most texts hold no secret.
      origins ??= findOrigins(text, changed.length, pattern, replace);
      return view.placeOf(origins.starts[start] ?? 0, origins.ends[end - 1] ?? text.length);
    },
  };
}

/** Start and end of the part that each character was made of. */
interface Origins {
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

function findOrigins(text: string, length: number, pattern: RegExp, replace = (_match: string) => ''): Origins {
  const origins = { starts: new Uint32Array(length), ends: new Uint32Array(length) };
  let to = 0;
  const add = (start: number, end: number) => {
    origins.starts[to] = start;
    origins.ends[to] = end;
    to += 1;
  };
  let from = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    for (; from < index; from += 1) add(from, from + 1);
    from = index + match.length;
    for (let left = replace(match).length; left > 0; left -= 1) add(index, from);
  }
  for (; from < text.length; from += 1) add(from, from + 1);
  return origins;
}

/** Entities of signs that occur in keys and passwords. */
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  ast: '*',
  apos: "'",
  bsol: '\\',
  colon: ':',
  comma: ',',
  commat: '@',
  dollar: '$',
  equals: '=',
  excl: '!',
  grave: '`',
  gt: '>',
  hat: '^',
  hyphen: '-',
  lcub: '{',
  lowbar: '_',
  lpar: '(',
  lsqb: '[',
  lt: '<',
  nbsp: '\u00a0',
  num: '#',
  percnt: '%',
  period: '.',
  plus: '+',
  quest: '?',
  quot: '"',
  rcub: '}',
  rpar: ')',
  rsqb: ']',
  semi: ';',
  sol: '/',
  tilde: '~',
  verbar: '|',
};

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

const percentSource = '%[0-7]H|%[cd]H%[89ab]H|%eH(?:%[89ab]H){2}|%f[0-7](?:%[89ab]H){3}'.replaceAll('H', '[\\da-f]');
const entitySource = `&#0*\\d{1,7};?|&#x0*[\\da-f]{1,6};?|&(?:${Object.keys(entities).join('|')});`;
const jsonSource = String.raw`\\u[\da-f]{4}|\\u\{[\da-f]{1,6}\}|\\x[\da-f]{2}|\\["'\\/bfnrt]`;
/**
 * Invisible characters: control characters but blanks, and what Unicode calls default ignorable, such as soft
 * hyphens, joiners, marks of direction, fillers, variation selectors and tags. Those above U+FFFF are two code units.
 */
const invisibleSource = [
  String.raw`[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f]`,
  String.raw`[\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]`,
  String.raw`\ud82f[\udca0-\udca3]|\ud834[\udd73-\udd7a]|[\udb40-\udb43][\udc00-\udfff]`,
].join('|');

/** Each match is bounded and decoded to one character, so that decoding is linear. */
const escape = new RegExp([percentSource, entitySource, jsonSource, invisibleSource].join('|'), 'gi');
const writtenEscape = new RegExp([percentSource, entitySource, jsonSource].join('|'), 'gi');

/** Decodes one level of percent encoding, entities and JSON escapes; undefined if there is nothing to decode. */
export function decodeOnce(view: View): View | undefined {
  return replaceIn(view, escape, decodeCharacter);
}

/** Decodes like `decodeOnce`, but leaves invisible characters, of which decoded runs of anything are full. */
export function decodeWrittenOnce(view: View): View | undefined {
  return replaceIn(view, writtenEscape, decodeCharacter);
}

function decodeCharacter(match: string): string {
  switch (match.charAt(0)) {
    case '%':
      if (match.length === 3) return String.fromCharCode(Number.parseInt(match.slice(1), 16));
      return Buffer.from(match.replaceAll('%', ''), 'hex').toString('utf8');
    case '&': {
      const number = /^&#(?:x([\da-f]+)|(\d+))/i.exec(match);
      if (number === null) return entities[match.slice(1, -1).toLowerCase()] ?? match;
      return fromCodePoint(Number.parseInt(number[1] ?? number[2] ?? '', number[1] === undefined ? 10 : 16));
    }
    case '\\': {
      const [, hex] = /^\\[ux]\{?([\da-f]+)/i.exec(match) ?? [];
      return hex === undefined ? (escapes[match.charAt(1)] ?? match.slice(1)) : fromCodePoint(Number.parseInt(hex, 16));
    }
    default:
      return '';
  }
}

function fromCodePoint(code: number): string {
  return code <= 0x10_ffff ? String.fromCodePoint(code) : '\ufffd';
}

/** Joins the lines of wrapped base64, also where a message has them in one line. */
export function joinLines(view: View): View {
  const lines = /[\r\n]/.test(view.text) ? (replaceIn(view, /\s+/g, keepBlanks) ?? view) : view;
  return replaceIn(lines, /(?<=[A-Za-z0-9+/_-]{16})[ \t]+/g) ?? lines;
}

function keepBlanks(blanks: string): string {
  return /[\r\n]/.test(blanks) ? '' : blanks;
}

/** Leaves out what is written between the digits of hexadecimal bytes. */
export function joinHex(view: View): View {
  return replaceIn(view, /[\s:,.+_-]+|0x/g) ?? view;
}

const base64Run = /[A-Za-z0-9+/_-]{16,}/g;

/** Stands between the decoded runs. No form of a secret holds it. */
const betweenRuns = '\0';

/**
 * Decodes the runs of base64, from each of their first four characters: a run may begin within other text. All runs are
 * one text, because a search in each of many short ones would take longer.
 */
export function* decodeBase64Runs(view: View): Iterable<View> {
  const runs = [...view.text.matchAll(base64Run)];
  if (runs.length === 0) return;
  for (let skipped = 0; skipped < 4; skipped += 1) yield decodeRuns(view, runs, skipped);
}

/** Decodes runs without their first characters. */
function decodeRuns(view: View, runs: readonly RegExpExecArray[], skipped: number): View {
  const starts: number[] = [];
  let length = 0;
  const texts = runs.map(({ 0: run }) => {
    const text = Buffer.from(run.slice(skipped), 'base64').toString('latin1');
    starts.push(length);
    length += text.length + betweenRuns.length;
    return text;
  });
  return {
    text: texts.join(betweenRuns),
    placeOf(start, end) {
      const at = findLastUpTo(starts, start);
      const { 0: run = '', index = 0 } = runs[at] ?? {};
      const [before, from] = [starts[at] ?? 0, index + skipped];
      // Three bytes are four digits.
      const originOf = (place: number, round: (digits: number) => number) =>
        Math.min(from + round(((place - before) * 4) / 3), index + run.length);
      return view.placeOf(originOf(start, Math.floor), originOf(end, Math.ceil));
    },
  };
}

/** The index of the last number that is at most `most`, in a sorted list. */
function findLastUpTo(sorted: readonly number[], most: number): number {
  let [low, high] = [0, sorted.length];
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if ((sorted[middle] ?? 0) <= most) low = middle;
    else high = middle;
  }
  return low;
}
