import { diffArrays } from 'diff';
import type { JsonValue } from '../../json/json.ts';
import { clipText } from '../../text/shorten.ts';
import { type DiffPart, diffTexts, parseJson } from './diff.ts';

/** A line of both sides, or how many equal lines are left out. */
export type AlignedRow =
  | { readonly before: SideLine | undefined; readonly after: SideLine | undefined; readonly isChanged: boolean }
  | { readonly folded: number };

export type SideLine = readonly SidePart[];

/** A piece of a line, or how many equal characters are left out. */
export type SidePart = { readonly text: string; readonly isChanged: boolean } | { readonly folded: number };

/** Two answers line by line, JSON laid out and with its members in the same order. Long equal runs are folded. */
export function alignAnswers(before: string, after: string): readonly AlignedRow[] {
  const [a, b] = layOut(clipText(before, maxChars), clipText(after, maxChars)).map((text) => text.split('\n'));
  return foldRows(alignLines(a ?? [], b ?? []));
}

const maxChars = 65_536;
const limits = { timeout: 300, maxEditLength: 1000 };

function layOut(before: string, after: string): readonly string[] {
  const [a, b] = [parseJson(before), parseJson(after)];
  const show = (value: JsonValue | undefined, text: string) =>
    typeof value === 'object' && value !== null ? JSON.stringify(value, undefined, 2) : text;
  const ordered = a === undefined || b === undefined ? b : orderLike(b, a);
  return [show(a, before), show(ordered, after)];
}

/** The members of `value` in the order of `model`, new ones last, so that equal members stand side by side. */
function orderLike(value: JsonValue, model: JsonValue): JsonValue {
  if (Array.isArray(value) && Array.isArray(model)) {
    return value.map((item, index) => (index < model.length ? orderLike(item, model[index] as JsonValue) : item));
  }
  if (!isRecord(value) || !isRecord(model)) return value;
  const keys = [...Object.keys(model).filter((key) => Object.hasOwn(value, key)), ...Object.keys(value)];
  return Object.fromEntries(
    [...new Set(keys)].map((key) => {
      const own = value[key] as JsonValue;
      return [key, Object.hasOwn(model, key) ? orderLike(own, model[key] as JsonValue) : own];
    }),
  );
}

function isRecord(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Row = Exclude<AlignedRow, { folded: number }>;

function alignLines(before: readonly string[], after: readonly string[]): readonly Row[] {
  const changes = diffArrays([...before], [...after], limits);
  if (changes === undefined) return pairLines(before, after);
  const rows: Row[] = [];
  for (let index = 0; index < changes.length; index += 1) {
    const [change, next] = [changes[index], changes[index + 1]];
    if (change === undefined) continue;
    if (change.removed && next?.added === true) {
      rows.push(...pairLines(change.value, next.value));
      index += 1;
    } else if (change.removed) rows.push(...pairLines(change.value, []));
    else if (change.added) rows.push(...pairLines([], change.value));
    else rows.push(...change.value.map((text) => ({ before: plain(text), after: plain(text), isChanged: false })));
  }
  return rows;
}

function plain(text: string): SideLine {
  return [{ text, isChanged: false }];
}

/** Changed lines side by side. */
function pairLines(before: readonly string[], after: readonly string[]): readonly Row[] {
  return Array.from({ length: Math.max(before.length, after.length) }, (_, at) => {
    const [a, b] = [before[at], after[at]];
    if (a === undefined || b === undefined) {
      return { before: a === undefined ? a : plain(a), after: b === undefined ? b : plain(b), isChanged: true };
    }
    const [left, right] = markWords(a, b);
    return { before: left, after: right, isChanged: true };
  });
}

/** Marks the words that differ; where most of them do, marks would only be noise. */
function markWords(before: string, after: string): readonly [SideLine, SideLine] {
  const parts = diffTexts(before, after) ?? [];
  const common = parts.reduce((sum, { kind, text }) => sum + (kind === 'same' ? text.length : 0), 0);
  if (common * 3 < Math.max(before.length, after.length)) return [plain(before), plain(after)];
  const side = (other: DiffPart['kind']): SideLine => {
    const own = parts.filter(({ kind }) => kind !== other);
    return own.flatMap(({ text, kind }, at) =>
      kind === 'same' ? foldText(text, at > 0, at < own.length - 1) : [{ text, isChanged: true }],
    );
  };
  return [side('added'), side('removed')];
}

/** Keeps what is next to a change. */
function foldText(text: string, hasBefore: boolean, hasAfter: boolean): readonly SidePart[] {
  const start = hasBefore ? contextChars : 0;
  const end = hasAfter ? text.length - contextChars : text.length;
  const from = hasBefore ? splitSafely(text, text.indexOf(' ', start), start) : 0;
  const to = hasAfter ? splitSafely(text, text.lastIndexOf(' ', end) + 1, end) : text.length;
  if (to - from < minFoldedChars) return [{ text, isChanged: false }];
  return [
    ...(from > 0 ? [{ text: text.slice(0, from), isChanged: false }] : []),
    { folded: to - from },
    ...(to < text.length ? [{ text: text.slice(to), isChanged: false }] : []),
  ];
}

const contextChars = 80;
const minFoldedChars = 240;

/** The nearby end of a word, or else a place that is not within a pair of surrogates. */
function splitSafely(text: string, word: number, at: number): number {
  if (word > 0 && Math.abs(word - at) < maxWordChars) return word;
  return /[\uDC00-\uDFFF]/.test(text.charAt(at)) ? at + 1 : at;
}

const maxWordChars = 20;

function foldRows(rows: readonly Row[]): readonly AlignedRow[] {
  const folded: AlignedRow[] = [];
  for (let index = 0; index < rows.length; ) {
    let end = index;
    while (end < rows.length && rows[end]?.isChanged === false) end += 1;
    const [from, to] = [index === 0 ? 0 : index + contextRows, end === rows.length ? end : end - contextRows];
    if (end > index && to - from >= minFoldedRows) {
      folded.push(...rows.slice(index, from), { folded: to - from }, ...rows.slice(to, end));
    } else folded.push(...rows.slice(index, end));
    const changed = rows[end];
    if (changed !== undefined) folded.push(changed);
    index = end + 1;
  }
  return folded;
}

const contextRows = 2;
const minFoldedRows = 4;
