/**
 * One step of a pattern. Character sets are bits: 0 to 127 for ASCII, 128 for other characters, 129 for spaces beyond
 * ASCII. A set may be larger than the truth, never smaller.
 */
export type RegexItem =
  | { readonly kind: 'set'; readonly set: bigint; readonly min: number; readonly max: number }
  | { readonly kind: 'group'; readonly alternatives: Alternatives; readonly min: number; readonly max: number }
  | { readonly kind: 'look'; readonly alternatives: Alternatives }
  /** `$` says what may come next: nothing, or the line terminators. */
  | { readonly kind: 'assertion'; readonly which: 'start' | 'end' | 'boundary'; readonly next: bigint };

export type Alternatives = readonly (readonly RegexItem[])[];

/** What a class surely contains beside what it may contain: only the first can be taken away by `[^…]`. */
interface CharSet {
  readonly may: bigint;
  readonly must: bigint;
}

const other = 1n << 128n;
const otherSpace = 1n << 129n;
export const anyCharacter = (1n << 130n) - 1n;
const maxSourceLength = 2000;
const digit = exact(range(0x30, 0x39));
const word = exact(range(0x30, 0x39) | range(0x41, 0x5a) | range(0x61, 0x7a) | bit(0x5f));
const space = exact(range(0x09, 0x0d) | bit(0x20) | otherSpace);
const lineBreak: CharSet = { may: bit(0x0a) | bit(0x0d) | otherSpace, must: bit(0x0a) | bit(0x0d) };
const kelvinAndLongS = bit(0x4b) | bit(0x6b) | bit(0x53) | bit(0x73);
const controlEscapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12 };

/** Parses the regular part of JavaScript's syntax; undefined for a back reference, the `v` flag and what it does not know. */
export function parseRegex(source: string, flags: string): Alternatives | undefined {
  if (source.length > maxSourceLength || /[^dgimsuy]/.test(flags)) return undefined;
  const state: State = {
    tokens: flags.includes('u') ? Array.from(source) : source.split(''),
    at: 0,
    ignoreCase: flags.includes('i'),
    unicode: flags.includes('u'),
    dotAll: flags.includes('s'),
    multiline: flags.includes('m'),
  };
  const alternatives = parseAlternatives(state);
  return state.at === state.tokens.length ? alternatives : undefined;
}

interface State {
  readonly tokens: readonly string[];
  at: number;
  readonly ignoreCase: boolean;
  readonly unicode: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
}

function parseAlternatives(state: State): Alternatives | undefined {
  const alternatives: RegexItem[][] = [[]];
  for (;;) {
    const token = state.tokens[state.at];
    if (token === undefined || token === ')') return alternatives;
    if (token === '|') {
      state.at += 1;
      alternatives.push([]);
      continue;
    }
    const item = parseItem(state);
    if (item === undefined) return undefined;
    alternatives.at(-1)?.push(item);
  }
}

function parseItem(state: State): RegexItem | undefined {
  const atom = parseAtom(state);
  if (atom === undefined) return undefined;
  const quantifier = parseQuantifier(state);
  if (atom.kind === 'set' || atom.kind === 'group') return { ...atom, ...quantifier };
  return quantifier.min === 1 && quantifier.max === 1 ? atom : undefined;
}

function parseAtom(state: State): RegexItem | undefined {
  const token = state.tokens[state.at] ?? '';
  state.at += 1;
  switch (token) {
    case '^':
      return { kind: 'assertion', which: 'start', next: anyCharacter };
    case '$':
      return { kind: 'assertion', which: 'end', next: state.multiline ? lineBreak.may : 0n };
    case '(':
      return parseGroup(state);
    case '[':
      return toItem(parseClass(state), state);
    case '.':
      return toItem(state.dotAll ? exact(anyCharacter) : not(lineBreak), state);
    case '\\':
      return parseEscape(state);
    case '*':
    case '+':
    case '?':
      return undefined;
    default:
      return toItem(oneOf(token), state);
  }
}

function parseGroup(state: State): RegexItem | undefined {
  const head = /^\?(?:[:=!]|<[=!]|<[\w$]+>)/.exec(state.tokens.slice(state.at, state.at + 80).join(''))?.[0];
  if (head === undefined && state.tokens[state.at] === '?') return undefined;
  state.at += head?.length ?? 0;
  const alternatives = parseAlternatives(state);
  if (alternatives === undefined || state.tokens[state.at] !== ')') return undefined;
  state.at += 1;
  if (head !== undefined && /[=!]$/.test(head)) return { kind: 'look', alternatives };
  return { kind: 'group', alternatives, min: 1, max: 1 };
}

function parseQuantifier(state: State): { readonly min: number; readonly max: number } {
  const rest = state.tokens.slice(state.at, state.at + 24).join('');
  const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(rest);
  if (found === null) return { min: 1, max: 1 };
  const [whole, low = '', comma = '', high = ''] = found;
  state.at += whole.length;
  switch (whole.charAt(0)) {
    case '*':
      return { min: 0, max: Number.POSITIVE_INFINITY };
    case '+':
      return { min: 1, max: Number.POSITIVE_INFINITY };
    case '?':
      return { min: 0, max: 1 };
    default:
      return {
        min: Number(low),
        max: comma === '' ? Number(low) : high === '' ? Number.POSITIVE_INFINITY : Number(high),
      };
  }
}

function parseEscape(state: State): RegexItem | undefined {
  const token = state.tokens[state.at];
  if (token === 'b' || token === 'B') {
    state.at += 1;
    return { kind: 'assertion', which: 'boundary', next: anyCharacter };
  }
  return toItem(parseCharacterEscape(state), state);
}

/** What stands behind a backslash, in a class or outside. */
function parseCharacterEscape(state: State): CharSet | undefined {
  const token = state.tokens[state.at] ?? '';
  state.at += 1;
  switch (token) {
    case 'd':
      return digit;
    case 'D':
      return not(digit);
    case 'w':
      return word;
    case 'W':
      return not(word);
    case 's':
      return space;
    case 'S':
      return not(space);
    case 'x':
      return parseHex(state, /^[\da-f]{2}/i);
    case 'u':
      return parseHex(state, state.unicode ? /^(?:[\da-f]{4}|\{[\da-f]{1,6}\})/i : /^[\da-f]{4}/i);
    case 'p':
    case 'P':
      return state.unicode ? parseProperty(state) : undefined;
    default: {
      const code = controlEscapes[token];
      if (code !== undefined) return exact(bit(code));
      // Letters and digits left over: \k, \c, \1, \0 and what later versions may bring.
      return token === '' || /[\da-z]/i.test(token) ? undefined : oneOf(token);
    }
  }
}

function parseHex(state: State, pattern: RegExp): CharSet | undefined {
  const digits = pattern.exec(state.tokens.slice(state.at, state.at + 8).join(''))?.[0];
  if (digits === undefined) return undefined;
  state.at += digits.length;
  return oneOf(String.fromCodePoint(Math.min(Number.parseInt(digits.replace(/[{}]/g, ''), 16), 0x10_ff_ff)));
}

function parseProperty(state: State): CharSet | undefined {
  const name = /^\{[\w=]+\}/.exec(state.tokens.slice(state.at, state.at + 80).join(''))?.[0];
  if (name === undefined) return undefined;
  state.at += name.length;
  return { may: anyCharacter, must: 0n };
}

function parseClass(state: State): CharSet | undefined {
  const negated = state.tokens[state.at] === '^';
  if (negated) state.at += 1;
  let set: CharSet = { may: 0n, must: 0n };
  for (;;) {
    const token = state.tokens[state.at];
    if (token === undefined) return undefined;
    if (token === ']') break;
    const low = parseClassAtom(state);
    if (low === undefined) return undefined;
    let member = low;
    if (state.tokens[state.at] === '-' && state.tokens[state.at + 1] !== ']') {
      state.at += 1;
      const high = parseClassAtom(state);
      if (high === undefined) return undefined;
      member = between(low, high);
    }
    set = { may: set.may | member.may, must: set.must | member.must };
  }
  state.at += 1;
  const folded = state.ignoreCase ? foldCase(set, state.unicode) : set;
  return negated ? not(folded) : folded;
}

function parseClassAtom(state: State): CharSet | undefined {
  const token = state.tokens[state.at] ?? '';
  state.at += 1;
  if (token !== '\\') return oneOf(token);
  if (state.tokens[state.at] !== 'b') return parseCharacterEscape(state);
  state.at += 1;
  return exact(bit(8));
}

function between(low: CharSet, high: CharSet): CharSet {
  const from = codeOf(low);
  const to = codeOf(high);
  // Not two single characters: `[\d-x]` is a union outside of unicode mode; beyond ASCII the order is not known.
  if (from === undefined || to === undefined || from >= 128) {
    return {
      may: low.may | high.may | exact(bit(0x2d)).may | (from === undefined ? 0n : other | otherSpace),
      must: 0n,
    };
  }
  if (to < 128) return exact(range(from, to));
  return { may: range(from, 127) | other | otherSpace, must: range(from, 127) };
}

/** The code of a set of one character; 128 and 129 for one beyond ASCII; undefined for more than one. */
function codeOf(set: CharSet): number | undefined {
  const bits = set.may.toString(2);
  return /^10*$/.test(bits) ? bits.length - 1 : undefined;
}

function foldCase(set: CharSet, unicode: boolean): CharSet {
  const may = foldAscii(set.may);
  if (!unicode) return { may, must: foldAscii(set.must) };
  const far = (may & kelvinAndLongS) === 0n ? 0n : other;
  const near = (may & other) === 0n ? 0n : kelvinAndLongS;
  return { may: may | far | near, must: foldAscii(set.must) };
}

function foldAscii(set: bigint): bigint {
  const upper = range(0x41, 0x5a);
  return set | ((set & upper) << 32n) | ((set >> 32n) & upper);
}

function toItem(set: CharSet | undefined, state: State): RegexItem | undefined {
  if (set === undefined) return undefined;
  return { kind: 'set', set: state.ignoreCase ? foldCase(set, state.unicode).may : set.may, min: 1, max: 1 };
}

function oneOf(character: string): CharSet {
  const code = character.codePointAt(0) ?? 0;
  if (code < 128) return exact(bit(code));
  return { may: /\s/.test(character) ? otherSpace : other, must: 0n };
}

function exact(set: bigint): CharSet {
  return { may: set, must: set };
}

function not(set: CharSet): CharSet {
  return { may: anyCharacter & ~set.must, must: anyCharacter & ~set.may };
}

function bit(code: number): bigint {
  return 1n << BigInt(code);
}

function range(from: number, to: number): bigint {
  let set = 0n;
  for (let code = from; code <= to; code += 1) set |= bit(code);
  return set;
}
