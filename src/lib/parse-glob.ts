/** A pattern that is refused. */
export class GlobError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = 'GlobError';
    this.hint = hint;
  }
}

/** What bounds the work for one text: steps grow with the number of wildcards times the length of the text. */
const maxLength = 4000;
const maxWildcards = 20;
const maxGroups = 4;
const maxRange = 1000;
const maxDepth = 10;

export type GlobNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'character'; readonly accepts: (character: string) => boolean }
  | { readonly kind: 'star' }
  /** `**` and its slash: no folder, or any number of them. */
  | { readonly kind: 'folders' }
  /** `**` at the end. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'sequence'; readonly nodes: readonly GlobNode[] }
  | { readonly kind: 'choice'; readonly options: readonly GlobNode[] }
  | { readonly kind: 'repeat'; readonly node: GlobNode; readonly isOptional: boolean }
  | { readonly kind: 'not'; readonly node: GlobNode };

/** Parses a pattern. Throws a `GlobError` for one whose matching could take long. */
export function parseGlob(pattern: string, isPath: boolean): GlobNode {
  if (pattern.length > maxLength) {
    throw new GlobError(`the pattern is longer than ${maxLength} characters`, 'write several shorter ones');
  }
  const parse: Parse = { pattern, isPath, closing: findClosing(pattern, isPath), wildcards: 0, groups: 0 };
  return parsePart(parse, 0, pattern.length, 0);
}

interface Parse {
  readonly pattern: string;
  readonly isPath: boolean;
  /** Where each bracket that opens is closed; one that is never closed stands for itself. */
  readonly closing: ReadonlyMap<number, number>;
  wildcards: number;
  groups: number;
}

/** All brackets in one pass, so that unclosed ones cost no search each. */
function findClosing(pattern: string, isPath: boolean): ReadonlyMap<number, number> {
  const closing = new Map<number, number>();
  const open: { readonly at: number; readonly close: string }[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (character === '\\') at += 1;
    else if (character === '[') {
      const end = findClassEnd(pattern, at);
      if (end !== undefined) {
        closing.set(at, end);
        at = end;
      }
    } else if (character === '{') open.push({ at, close: '}' });
    else if (character === '(' && isPath) open.push({ at, close: ')' });
    else if (character === '}' || character === ')') {
      const index = open.findLastIndex(({ close }) => close === character);
      const opened = open[index];
      if (opened === undefined) continue;
      closing.set(opened.at, at);
      open.length = index;
    }
  }
  return closing;
}

function findClassEnd(pattern: string, open: number): number | undefined {
  let first = open + 1;
  if (pattern[first] === '!' || pattern[first] === '^') first += 1;
  for (let at = first; at < pattern.length; at += 1) {
    if (pattern[at] === '\\') at += 1;
    else if (pattern[at] === ']' && at > first) return at;
    // A class that is never closed must not be searched for beyond its segment, for each bracket anew.
    else if (pattern[at] === '/') return undefined;
  }
  return undefined;
}

function parsePart(parse: Parse, from: number, to: number, depth: number): GlobNode {
  if (depth > maxDepth) {
    throw new GlobError(`the pattern nests braces deeper than ${maxDepth}`, 'write several patterns');
  }
  const { pattern } = parse;
  const nodes: GlobNode[] = [];
  let literal = '';
  const push = (node: GlobNode) => {
    if (literal !== '') nodes.push({ kind: 'text', text: literal });
    literal = '';
    nodes.push(node);
  };
  for (let at = from; at < to; ) {
    const found = parseSpecial(parse, at, to, depth);
    if (found === undefined) {
      const isEscape = pattern[at] === '\\' && at + 1 < to;
      literal += pattern[isEscape ? at + 1 : at] ?? '';
      at += isEscape ? 2 : 1;
    } else {
      push(found.node);
      at = found.next;
    }
  }
  if (literal !== '') nodes.push({ kind: 'text', text: literal });
  const [only] = nodes;
  return only !== undefined && nodes.length === 1 ? only : { kind: 'sequence', nodes };
}

interface Special {
  readonly node: GlobNode;
  readonly next: number;
}

/** What begins at a place and is not meant as it stands. */
function parseSpecial(parse: Parse, at: number, to: number, depth: number): Special | undefined {
  const { pattern, isPath, closing } = parse;
  const character = pattern[at] ?? '';
  const groupEnd = isPath && '!?*+@'.includes(character) && pattern[at + 1] === '(' ? closing.get(at + 1) : undefined;
  if (groupEnd !== undefined && groupEnd < to) {
    return { node: parseGroup(parse, character, at + 2, groupEnd, depth), next: groupEnd + 1 };
  }
  const close = closing.get(at);
  switch (character) {
    case '?':
      return { node: { kind: 'character', accepts: () => true }, next: at + 1 };
    case '*':
      return parseStars(parse, at, to);
    case '[':
      return close === undefined || close >= to
        ? undefined
        : { node: parseClass(pattern.slice(at + 1, close)), next: close + 1 };
    case '{': {
      const node = close === undefined || close >= to ? undefined : parseBraces(parse, at + 1, close, depth);
      return node === undefined || close === undefined ? undefined : { node, next: close + 1 };
    }
    default:
      return undefined;
  }
}

function parseStars(parse: Parse, at: number, to: number): Special {
  const { pattern } = parse;
  let next = at;
  while (next < to && pattern[next] === '*') next += 1;
  parse.wildcards += 1;
  if (parse.wildcards > maxWildcards) {
    throw new GlobError(`the pattern has more than ${maxWildcards} stars`, 'write several patterns with fewer');
  }
  const isSegmentStart = at === 0 || '/{,'.includes(pattern[at - 1] ?? '');
  if (next - at < 2 || !isSegmentStart) return { node: { kind: 'star' }, next };
  if (next === to) return { node: { kind: 'rest' }, next };
  return pattern[next] === '/' ? { node: { kind: 'folders' }, next: next + 1 } : { node: { kind: 'star' }, next };
}

function parseGroup(parse: Parse, sign: string, from: number, to: number, depth: number): GlobNode {
  parse.groups += 1;
  if (parse.groups > maxGroups) {
    throw new GlobError(`the pattern has more than ${maxGroups} groups in parentheses`, 'write several patterns');
  }
  const groupsBefore = parse.groups;
  const options = splitAt(parse, '|', from, to).map(([start, end]) => parsePart(parse, start, end, depth + 1));
  if (parse.groups > groupsBefore) {
    throw new GlobError('the pattern has parentheses within parentheses', 'write several patterns');
  }
  const node: GlobNode = { kind: 'choice', options };
  if (sign === '!') return { kind: 'not', node };
  if (sign === '@') return node;
  if (sign === '?') return { kind: 'choice', options: [...options, { kind: 'text', text: '' }] };
  return { kind: 'repeat', node, isOptional: sign === '*' };
}

/** Undefined where the braces hold neither a list nor a range, and so stand for themselves. */
function parseBraces(parse: Parse, from: number, to: number, depth: number): GlobNode | undefined {
  const parts = splitAt(parse, ',', from, to);
  if (parts.length > 1) {
    return { kind: 'choice', options: parts.map(([start, end]) => parsePart(parse, start, end, depth + 1)) };
  }
  const inner = parse.pattern.slice(from, to);
  const names = listRange(inner);
  return names && { kind: 'choice', options: names.map((text) => ({ kind: 'text', text })) };
}

/** The parts between separators that no bracket holds. */
function splitAt({ pattern, closing }: Parse, separator: string, from: number, to: number): [number, number][] {
  const parts: [number, number][] = [];
  let start = from;
  for (let at = from; at < to; at += 1) {
    const close = closing.get(at);
    if (pattern[at] === '\\') at += 1;
    else if (close !== undefined && close < to) at = close;
    else if (pattern[at] === separator) {
      parts.push([start, at]);
      start = at + 1;
    }
  }
  return [...parts, [start, to]];
}

/** `1..3`, `01..10`, `a..e`, each also with a step. */
function listRange(text: string): readonly string[] | undefined {
  const numbers = /^(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?$/.exec(text);
  const letters = /^([a-z])\.\.([a-z])(?:\.\.(-?\d+))?$/i.exec(text);
  const [, first = '', last = '', stepText = '1'] = numbers ?? letters ?? [];
  if (first === '') return undefined;
  const [start, end] = numbers === null ? [first.charCodeAt(0), last.charCodeAt(0)] : [Number(first), Number(last)];
  const step = Math.abs(Number(stepText)) || 1;
  const count = Math.floor(Math.abs(end - start) / step) + 1;
  if (!(count <= maxRange)) {
    throw new GlobError(`{${text}} stands for more than ${maxRange} names`, 'write * and a shorter list');
  }
  const width = /^-?0\d/.test(first) || /^-?0\d/.test(last) ? Math.max(first.length, last.length) : 0;
  return Array.from({ length: count }, (_, index) => {
    const value = start + (end < start ? -step : step) * index;
    if (numbers === null) return String.fromCharCode(value);
    const digits = String(Math.abs(value)).padStart(value < 0 ? width - 1 : width, '0');
    return value < 0 ? `-${digits}` : digits;
  });
}

/** `a-z0-9`, `!a` and `^a`. */
function parseClass(text: string): GlobNode {
  const isNegated = text.startsWith('!') || text.startsWith('^');
  const ranges: (readonly [string, string])[] = [];
  const characters = [...(isNegated ? text.slice(1) : text).matchAll(/\\?([\s\S])/g)].map(([written, one = '']) => ({
    one,
    isDash: written === '-',
  }));
  for (let at = 0; at < characters.length; at += 1) {
    const one = characters[at]?.one ?? '';
    const last = characters[at + 2];
    const isRange = characters[at + 1]?.isDash === true && last !== undefined;
    ranges.push([one, isRange ? last.one : one]);
    if (isRange) at += 2;
  }
  return {
    kind: 'character',
    accepts: (character) => ranges.some(([from, to]) => character >= from && character <= to) !== isNegated,
  };
}
