import { type Change, diffLines, diffWordsWithSpace } from 'diff';
import { wrapToWidth } from '../terminal/display-width.ts';
import { sanitizeTerminal } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';
import type { Colors } from './paint.ts';

export interface DiffStyle {
  readonly colors: Colors;
  /** Columns for a line, its sign included. */
  readonly width: number;
  readonly maxLines: number;
  /** Characters of each text that are read. */
  readonly maxUnits?: number;
}

/** The lines of a diff: expected (`-`) and found (`+`). Safe for hostile texts of any size. */
export function renderDiff(diff: { readonly expected: string; readonly found: string }, style: DiffStyle): string[] {
  const maxUnits = style.maxUnits ?? defaultMaxUnits;
  const { expected, found, note, isClipped } = printableSides(diff, maxUnits);
  const isMultiline = expected.includes('\n') || found.includes('\n');
  const lines = isMultiline ? renderLineDiff(expected, found, style) : renderWordDiff(expected, found, style);
  const hidden = lines.length - style.maxLines;
  return [
    ...(note === undefined ? [] : [style.colors.dim(note)]),
    ...(hidden > 0 ? lines.slice(0, style.maxLines) : lines),
    ...(hidden > 0 ? [style.colors.dim(`… ${hidden} more lines of the difference`)] : []),
    ...(isClipped ? [style.colors.dim(`… only ${maxUnits} characters are compared here`)] : []),
  ];
}

/** A piece of one side of a difference on one line. `isChanged` is true if the other side differs. */
export interface SidePart {
  readonly text: string;
  readonly isChanged: boolean;
}

/**
 * Both sides of a difference on one line each, with long equal runs folded. Neither side is ever folded to nothing. Safe
 * for hostile texts of any size.
 */
export function compareOnOneLine(diff: { readonly expected: string; readonly found: string }): Sides {
  const onOneLine = joinLines(diff.expected) === joinLines(diff.found) ? showLines : joinLines;
  const { expected, found } = printableSides(
    { expected: onOneLine(diff.expected), found: onOneLine(diff.found) },
    maxLineUnits,
  );
  const sides = expected === '' || found === '' ? undefined : compareWords(expected, found);
  const whole = (text: string): readonly SidePart[] => [{ text: text === '' ? '(empty)' : text, isChanged: false }];
  return sides ?? { expected: whole(expected), found: whole(found) };
}

interface Sides {
  readonly expected: readonly SidePart[];
  readonly found: readonly SidePart[];
}

/** Both sides by words, with equal text folded; undefined if finding the difference takes too long. */
function compareWords(expected: string, found: string): Sides | undefined {
  const changes = diffWordsWithSpace(expected, found, limits);
  if (changes === undefined) return undefined;
  const common = changes.reduce((sum, { added, removed, value }) => sum + (added || removed ? 0 : value.length), 0);
  // If little is equal, nearly every word would be marked.
  const isMarked = common * 3 >= Math.max(expected.length, found.length);
  const partsOf = (isOther: (change: Change) => boolean): readonly SidePart[] => {
    const parts = joinChanged(changes.filter((change) => !isOther(change)));
    return parts.map(({ text, isChanged }, index) => ({
      text: isChanged ? text : foldCommonText(text, index, parts.length),
      isChanged: isChanged && isMarked,
    }));
  };
  return { expected: partsOf(({ added }) => added), found: partsOf(({ removed }) => removed) };
}

const maxLineUnits = 4000;

function joinLines(text: string): string {
  return clipText(text, defaultMaxUnits)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
}

/** For texts that differ only in their line breaks. */
function showLines(text: string): string {
  return clipText(text, defaultMaxUnits).replaceAll('\n', '␊');
}

// Finding a difference takes at most 0.2 s within these limits. With a time limit, a slow machine would give other
// reports.
const defaultMaxUnits = 20_000;
const limits = { maxEditLength: 1000 };
const contextUnits = 200;
const contextLines = 2;
const contextColumns = 24;
const wholeColumns = 120;

/** Spells out characters if different texts would look the same. */
function printableSides(
  diff: { readonly expected: string; readonly found: string },
  maxUnits: number,
): {
  readonly expected: string;
  readonly found: string;
  readonly note?: string;
  readonly isClipped: boolean;
} {
  const show = (text: string): string => sanitizeTerminal(text, { keepNewlines: true });
  const start = countEqualUnits(diff.expected, diff.found, maxUnits);
  const clip = (text: string): string => (start > 0 ? '…' : '') + clipText(text.slice(start), maxUnits);
  const [rawExpected, rawFound] = [clip(diff.expected), clip(diff.found)];
  const [expected, found] = [show(rawExpected), show(rawFound)];
  const isClipped = Math.max(diff.expected.length, diff.found.length) - start > maxUnits;
  if (rawExpected === rawFound || expected.normalize('NFC') !== found.normalize('NFC')) {
    return { expected, found, isClipped };
  }
  return {
    isClipped,
    expected: show(spellOut(rawExpected)),
    found: show(spellOut(rawFound)),
    note: 'the texts look alike; characters beyond ASCII are spelled out',
  };
}

/** The number of equal units to skip, so that the compared part contains the first difference. */
function countEqualUnits(expected: string, found: string, maxUnits: number): number {
  let alike = 0;
  while (alike < expected.length && expected[alike] === found[alike]) alike += 1;
  const start = alike - contextUnits;
  if (alike < maxUnits - contextUnits || start <= 0) return 0;
  return isLowSurrogate(expected, start) ? start + 1 : start;
}

function spellOut(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^ -~]/g, (unit) => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function renderLineDiff(expected: string, found: string, style: DiffStyle): string[] {
  const changes = diffLines(expected, found, { ...limits, ignoreNewlineAtEof: true });
  if (changes === undefined) return renderWhole(expected, found, style);
  const rendered: string[] = [];
  for (let index = 0; index < changes.length; index += 1) {
    const [change, next] = [changes[index], changes[index + 1]];
    if (change === undefined) continue;
    const lines = linesOf(change);
    if (change.removed && next?.added === true && arePairs(lines, linesOf(next))) {
      const others = linesOf(next);
      rendered.push(...lines.flatMap((line, row) => renderWordDiff(line, others[row] ?? '', style)));
      index += 1;
    } else if (change.removed || change.added) {
      const sign = change.removed ? '-' : '+';
      rendered.push(...lines.flatMap((line) => signedLines(sign, markEnd(line), style)));
    } else {
      const folded = foldCommonLines(lines, index > 0, index < changes.length - 1);
      rendered.push(...folded.flatMap((line) => signedLines(' ', line, style)));
    }
  }
  return rendered;
}

function linesOf({ value }: Change): string[] {
  return value.replace(/\n$/, '').split('\n');
}

/** True if lines changed one for one and are short enough to compare by words quickly. */
function arePairs(before: readonly string[], after: readonly string[]): boolean {
  return (
    before.length === after.length &&
    before.length <= maxPairs &&
    [...before, ...after].every((line) => line !== '' && line.length <= maxPairUnits)
  );
}

const maxPairs = 20;
const maxPairUnits = 2000;

/** Unchanged lines far from a change are counted, not shown. */
function foldCommonLines(lines: readonly string[], hasBefore: boolean, hasAfter: boolean): string[] {
  const head = hasBefore ? contextLines : 0;
  const tail = hasAfter ? contextLines : 0;
  if (lines.length <= head + tail + 1) return [...lines];
  return [
    ...lines.slice(0, head),
    `… ${lines.length - head - tail} lines alike …`,
    ...lines.slice(lines.length - tail),
  ];
}

function renderWordDiff(expected: string, found: string, style: DiffStyle): string[] {
  const sides = compareWords(expected, found);
  if (sides === undefined) return renderWhole(expected, found, style);
  return (['-', '+'] as const).flatMap((sign) => {
    const parts = sign === '-' ? sides.expected : sides.found;
    const texts = parts.map(({ text, isChanged }) => (isChanged ? markWords(text, sign, style) : text));
    return signedLines(sign, markEnd(texts.join('')), style);
  });
}

/** Joins changed words that have only spaces between them. */
function joinChanged(changes: readonly Change[]): readonly SidePart[] {
  const parts: SidePart[] = [];
  for (const [index, { added, removed, value }] of changes.entries()) {
    const last = parts.at(-1);
    const next = changes[index + 1];
    const isBetween =
      value.trim() === '' && last?.isChanged === true && (next?.added === true || next?.removed === true);
    const isChanged = added || removed || isBetween;
    if (last?.isChanged === true && isChanged) parts[parts.length - 1] = { text: last.text + value, isChanged };
    else parts.push({ text: value, isChanged });
  }
  return parts;
}

/** Marks words: bold if there is colour, else brackets as in `wdiff`. */
function markWords(text: string, sign: '-' | '+', { colors }: DiffStyle): string {
  if (text.trim() === '') return text.replaceAll(' ', '·');
  if (colors.isColorSupported) return text.replace(/[^ ]+/g, (word) => colors.bold(word));
  const [, before = '', core = '', after = ''] = /^( *)(.*?)( *)$/s.exec(text) ?? [];
  return `${before}${sign === '-' ? `[-${core}-]` : `{+${core}+}`}${after}`;
}

/** Keeps the words beside a change. Replaces other equal text by an ellipsis. */
function foldCommonText(value: string, index: number, length: number): string {
  // A side without a change is shown from its start, because only the other side has additional text.
  const head = length === 1 ? wholeColumns : index > 0 ? contextColumns : 0;
  const tail = length === 1 || index < length - 1 ? contextColumns : 0;
  if (value.length <= head + tail + 3) return value;
  const end = value.length - tail;
  const before = clipText(value, head).replace(/ [^ ]*$/, ' ');
  const after = value.slice(isLowSurrogate(value, end) ? end + 1 : end).replace(/^[^ ]* (?=[^ ])/, '');
  return `${before}…${after}`;
}

function isLowSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function renderWhole(expected: string, found: string, style: DiffStyle): string[] {
  const start = (text: string): string => clipText(text.replaceAll('\n', '␊'), style.width * 3);
  return [
    style.colors.dim('too different to compare; both start with'),
    ...signedLines('-', start(expected), style),
    ...signedLines('+', start(found), style),
  ];
}

/** Spaces at the end of a line are shown as dots. */
function markEnd(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ') end -= 1;
  return line.slice(0, end) + '·'.repeat(line.length - end);
}

function signedLines(sign: '-' | '+' | ' ', line: string, { colors, width }: DiffStyle): string[] {
  const paint = { '-': colors.red, '+': colors.green, ' ': colors.dim }[sign];
  return wrapToWidth(line, width - 2).map((part) => paint(`${sign} ${part}`));
}
