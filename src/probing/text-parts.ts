/** Kind of a part of a prompt's text. */
export type PartKind = 'sentence' | 'paragraph' | 'item' | 'example' | 'heading' | 'mark';

/** A part of a text. All parts, each with its leading white space, add up to the text. */
export interface TextPart {
  readonly kind: PartKind;
  /** White space before the part. */
  readonly lead: string;
  /** Empty for white space at the end of a text. */
  readonly text: string;
  /** Offset of `text`. */
  readonly start: number;
}

/** Splits a text into paragraphs, list items, examples, headings and lines with only a tag. */
export function splitBlocks(source: string): readonly TextPart[] {
  const blocks: Range[] = [];
  const lines = [...readLines(source)];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    if (line === undefined) break;
    const kind = kindOfLine(line.text);
    const last = blockEnd(lines, at, kind);
    const end = lines[last]?.end ?? line.end;
    if (kind !== undefined) blocks.push({ kind, start: line.start, end });
    at = last + 1;
  }
  return toParts(source, blocks);
}

/** Splits a text like `splitBlocks`, and then paragraphs and items into sentences. */
export function splitSentences(source: string): readonly TextPart[] {
  const ranges = splitBlocks(source).flatMap(({ kind, text, start }): readonly Range[] => {
    if (kind !== 'paragraph' && kind !== 'item') return [{ kind, start, end: start + text.length }];
    const ends = [...findSentenceEnds(text), text.length];
    return ends.map((end, index) => ({
      kind: kind === 'item' && index === 0 ? kind : 'sentence',
      start: start + (index === 0 ? 0 : (ends[index - 1] ?? 0)),
      end: start + end,
    }));
  });
  return toParts(source, ranges);
}

interface Range {
  readonly kind: PartKind;
  readonly start: number;
  readonly end: number;
}

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function* readLines(source: string): Iterable<Line> {
  for (let start = 0; start < source.length; ) {
    const found = source.indexOf('\n', start);
    const end = found === -1 ? source.length : found;
    yield { text: source.slice(start, end), start, end };
    start = end + 1;
  }
}

const fence = /^\s*(?<mark>```+|~~~+)/;

const example = /^\s*<(?<tag>example|sample|shot)\b[^>]*>/i;

const item = /^\s*(?:[-*+•]|\d{1,3}[.)]|[a-z][.)])\s+\S/;

const heading = /^\s*#{1,6}\s/;

/** A line of only template tags, or of one XML tag. */
const mark =
  /^\s*(?:(?:\{%.*%\}|\{\{[#/>^!~].*\}\}|\{\{~?else.*\}\}|\{\{~?role\b.*\}\})\s*)+$|^\s*<\/?[a-z][\w-]*[^>]*>\s*$/i;

function kindOfLine(text: string): PartKind | undefined {
  if (text.trim() === '') return undefined;
  if (fence.test(text) || example.test(text)) return 'example';
  if (mark.test(text)) return 'mark';
  if (heading.test(text)) return 'heading';
  return item.test(text) ? 'item' : 'paragraph';
}

/** Index of the last line of the block that starts on line `first`. */
function blockEnd(lines: readonly Line[], first: number, kind: PartKind | undefined): number {
  const text = lines[first]?.text ?? '';
  if (kind === 'example') return findClosing(lines, first, text);
  if (kind !== 'item' && kind !== 'paragraph') return first;
  let last = first;
  // Continuation lines of an item are indented.
  const goesOn = ({ text: next }: Line) => kindOfLine(next) === 'paragraph' && (kind !== 'item' || /^\s/.test(next));
  for (let next = lines[last + 1]; next !== undefined && goesOn(next); next = lines[last + 1]) last += 1;
  return last;
}

/** Finds the closing line of an example. An example without one is a single line. */
function findClosing(lines: readonly Line[], first: number, text: string): number {
  const opened = fence.exec(text)?.groups?.['mark'];
  const tag = example.exec(text)?.groups?.['tag'] ?? '';
  const isClosed = (line: string, isFirst: boolean): boolean =>
    opened === undefined
      ? line.toLowerCase().includes(`</${tag.toLowerCase()}>`)
      : !isFirst && line.trim().startsWith(opened);
  for (let at = first; at < lines.length; at += 1) {
    if (isClosed(lines[at]?.text ?? '', at === first)) return at;
  }
  return first;
}

/**
 * Finds the ends of sentences: before another sentence, or before a line that starts like one. Template tags contain no
 * end.
 */
function findSentenceEnds(text: string): readonly number[] {
  const masked = text.replaceAll(/\{\{.*?\}\}|\{%.*?%\}/gs, (tag) => '_'.repeat(tag.length));
  const ends: number[] = [];
  for (const found of masked.matchAll(
    /[.!?…][)\]"'”’*_]*(?=\s+[^\s\p{Ll}])|[。！？]+(?=\s*\S)|(?<=[^\s])(?=\n\s*[^\s\p{Ll}])/gu,
  )) {
    const end = found.index + found[0].length;
    if (end > (ends.at(-1) ?? 0)) ends.push(end);
  }
  return ends;
}

/** Trims ranges. The white space between two of them becomes the `lead` of the second. */
function toParts(source: string, ranges: readonly Range[]): readonly TextPart[] {
  const parts: TextPart[] = [];
  let before = 0;
  for (const { kind, start, end } of ranges) {
    const raw = source.slice(start, end);
    const text = raw.trim();
    if (text === '') continue;
    const from = start + raw.indexOf(text);
    parts.push({ kind, lead: source.slice(before, from), text, start: from });
    before = from + text.length;
  }
  if (before < source.length) parts.push({ kind: 'mark', lead: source.slice(before), text: '', start: source.length });
  return parts;
}

/** A pair of equal or changed parts, or a part of only one side. */
export type Aligned = readonly [before: number | undefined, after: number | undefined];

interface AlignOptions {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Likeness of two different parts, from 0 to 1. Below `minAlike` they do not pair. */
  readonly alike: (before: string, after: string) => number;
}

const minAlike = 0.5;

/** Aligns two lists: equal parts by longest common subsequence, and the parts between them by likeness. */
export function align({ before, after, alike }: AlignOptions): readonly Aligned[] {
  const equal = walk(before.length, after.length, (i, j) => (before[i] === after[j] ? 1 : 0));
  const pairs: Aligned[] = [];
  let [fromBefore, fromAfter] = [0, 0];
  for (const [i, j] of [...equal, [before.length, after.length] as const]) {
    const [oldStart, newStart] = [fromBefore, fromAfter];
    const changed = walk(i - oldStart, j - newStart, (a, b) => {
      const likeness = alike(before[oldStart + a] ?? '', after[newStart + b] ?? '');
      return likeness < minAlike ? 0 : likeness;
    });
    pairs.push(
      ...fillGap(
        [oldStart, newStart],
        [i, j],
        changed.map(([a, b]) => [oldStart + a, newStart + b]),
      ),
    );
    if (i < before.length || j < after.length) pairs.push([i, j]);
    [fromBefore, fromAfter] = [i + 1, j + 1];
  }
  return pairs;
}

type Pair = readonly [before: number, after: number];

/** Adds the unpaired parts of a gap to its pairs, in order. */
function fillGap(from: Pair, to: Pair, pairs: readonly Pair[]): readonly Aligned[] {
  const filled: Aligned[] = [];
  let [i, j] = from;
  for (const [nextBefore, nextAfter] of [...pairs, to]) {
    for (; i < nextBefore; i += 1) filled.push([i, undefined]);
    for (; j < nextAfter; j += 1) filled.push([undefined, j]);
    if (i < to[0] || j < to[1]) {
      filled.push([i, j]);
      i += 1;
      j += 1;
    }
  }
  return filled;
}

/** Finds the ordered pairs with the largest sum of weights. A weight of 0 is no pair. */
function walk(rows: number, columns: number, weightOf: (row: number, column: number) => number): readonly Pair[] {
  if (rows === 0 || columns === 0) return [];
  const width = columns + 1;
  const best = new Float64Array((rows + 1) * width);
  const at = (row: number, column: number): number => best[row * width + column] ?? 0;
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      const weight = weightOf(row, column);
      const paired = weight === 0 ? 0 : weight + at(row + 1, column + 1);
      best[row * width + column] = Math.max(paired, at(row + 1, column), at(row, column + 1));
    }
  }
  const pairs: Pair[] = [];
  for (let [row, column] = [0, 0]; row < rows && column < columns; ) {
    const weight = weightOf(row, column);
    if (weight > 0 && at(row, column) === weight + at(row + 1, column + 1)) {
      pairs.push([row, column]);
      row += 1;
      column += 1;
    } else if (at(row, column) === at(row + 1, column)) row += 1;
    else column += 1;
  }
  return pairs;
}
