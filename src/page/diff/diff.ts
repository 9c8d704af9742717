import { type Change, diffArrays, diffLines, diffWordsWithSpace } from 'diff';
import { isJsonObject, type JsonValue } from '../../json/json.ts';
import { appendPointer } from '../../json/json-pointer.ts';
import { tryParseJson } from '../../json/parse-json.ts';
import { clipText } from '../../text/shorten.ts';
import { findLongNumbers } from '../../text/yaml/exact-numbers.ts';

interface DiffPart {
  readonly text: string;
  readonly kind: 'same' | 'removed' | 'added';
}

/** The difference of two texts by words, or by lines if words take too long. Undefined if both take too long. */
export function diffTexts(before: string, after: string): readonly DiffPart[] | undefined {
  const [a, b] = [clipText(before, maxChars), clipText(after, maxChars)];
  const changes = diffWordsWithSpace(a, b, limits) ?? diffLines(a, b, limits);
  if (changes === undefined) return undefined;
  return joinParts(changes.map(toPart));
}

/** True if `diffTexts` compares only the start of the texts. */
export function isBeyondDiff(before: string, after: string): boolean {
  return Math.max(before.length, after.length) > maxChars;
}

const maxChars = 20_000;
const limits = { maxEditLength: 1000 };

function toPart({ value, added, removed }: Change): DiffPart {
  return { text: value, kind: added ? 'added' : removed ? 'removed' : 'same' };
}

/** Joins changed words that have only spaces between them. */
function joinParts(parts: readonly DiffPart[]): readonly DiffPart[] {
  const joined: DiffPart[] = [];
  for (let index = 0; index < parts.length; ) {
    const part = parts[index];
    if (part === undefined || part.kind === 'same') {
      if (part !== undefined) joined.push(part);
      index += 1;
      continue;
    }
    let [removed, added] = ['', ''];
    for (; index < parts.length; index += 1) {
      const next = parts[index];
      if (next === undefined) break;
      if (next.kind === 'removed') removed += next.text;
      else if (next.kind === 'added') added += next.text;
      else if (next.text.trim() === '' && !next.text.includes('\n') && isChanged(parts[index + 1])) {
        removed += next.text;
        added += next.text;
      } else break;
    }
    if (removed !== '') joined.push({ text: removed, kind: 'removed' });
    if (added !== '') joined.push({ text: added, kind: 'added' });
  }
  return joined;
}

function isChanged(part: DiffPart | undefined): boolean {
  return part !== undefined && part.kind !== 'same';
}

/** One difference between two JSON values, at a JSON Pointer. */
export interface JsonChange {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** Undefined unless both sides are JSON objects or arrays; other values are easier to read as text. */
export function diffJsonTexts(before: string, after: string): readonly JsonChange[] | undefined {
  const [a, b] = [parseContainer(before), parseContainer(after)];
  if (!isContainer(a) || !isContainer(b)) return undefined;
  const changes: JsonChange[] = [];
  collect(a, b, '', changes);
  return changes;
}

/** JSON with indentation; undefined if the text is not a JSON object or array. */
export function formatJson(text: string): string | undefined {
  const value = parseContainer(text);
  return isContainer(value) ? JSON.stringify(value, undefined, 2) : undefined;
}

const maxChanges = 500;

function collect(before: JsonValue, after: JsonValue, path: string, changes: JsonChange[]): void {
  if (changes.length >= maxChanges || Object.is(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index += 1) {
      collectMember(before[index], after[index], appendPointer(path, index), changes);
    }
    return;
  }
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const own = (value: Readonly<Record<string, JsonValue>>) => (Object.hasOwn(value, key) ? value[key] : undefined);
      collectMember(own(before), own(after), appendPointer(path, key), changes);
    }
    return;
  }
  changes.push({ path, kind: 'changed', before, after });
}

function collectMember(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  path: string,
  changes: JsonChange[],
): void {
  if (before !== undefined && after !== undefined) collect(before, after, path, changes);
  else if (after !== undefined) changes.push({ path, kind: 'added', after });
  else if (before !== undefined) changes.push({ path, kind: 'removed', before });
}

/** Undefined if the text is not a JSON object or array, or holds a number that would be shown rounded. */
function parseContainer(text: string): JsonValue | undefined {
  // Most answers are prose.
  if (!/^\s*[[{]/.test(text) || depthOf(text) > maxDepth) return undefined;
  const value = tryParseJson(text);
  return findLongNumbers(value).length > 0 ? undefined : value;
}

/** An upper bound, because brackets inside strings count too. Deeper values could overflow the stack. */
function depthOf(text: string): number {
  let [depth, most] = [0, 0];
  for (const sign of text) {
    if (sign === '[' || sign === '{') depth += 1;
    else if (sign === ']' || sign === '}') depth -= 1;
    if (depth > most) most = depth;
  }
  return most;
}

const maxDepth = 200;

function isContainer(value: JsonValue | undefined): value is JsonValue & object {
  return typeof value === 'object' && value !== null;
}

/** A line of both sides, or the number of equal lines that are folded. */
export type AlignedRow =
  | { readonly before: SideLine | undefined; readonly after: SideLine | undefined; readonly isChanged: boolean }
  | { readonly folded: number };

export type SideLine = readonly SidePart[];

/** A piece of a line, or the number of equal characters that are folded. */
export type SidePart = { readonly text: string; readonly isChanged: boolean } | { readonly folded: number };

/** Aligns two answers line by line. JSON is indented, with its members in the same order. Long equal runs are folded. */
export function alignAnswers(before: string, after: string): readonly AlignedRow[] {
  const [a, b] = layOut(clipText(before, maxAlignedChars), clipText(after, maxAlignedChars)).map((text) =>
    text.split('\n'),
  );
  return foldRows(alignLines(a ?? [], b ?? []));
}

const maxAlignedChars = 65_536;

function layOut(before: string, after: string): readonly string[] {
  const [a, b] = [parseContainer(before), parseContainer(after)];
  const show = (value: JsonValue | undefined, text: string) =>
    isContainer(value) ? JSON.stringify(value, undefined, 2) : text;
  const ordered = a === undefined || b === undefined ? b : orderLike(b, a);
  return [show(a, before), show(ordered, after)];
}

/** Orders the members of `value` as in `model`, new ones last, so that equal members align. */
function orderLike(value: JsonValue, model: JsonValue): JsonValue {
  if (Array.isArray(value) && Array.isArray(model)) {
    return value.map((item, index) => (index < model.length ? orderLike(item, model[index] as JsonValue) : item));
  }
  if (!isJsonObject(value) || !isJsonObject(model)) return value;
  const keys = [...Object.keys(model).filter((key) => Object.hasOwn(value, key)), ...Object.keys(value)];
  return Object.fromEntries(
    [...new Set(keys)].map((key) => {
      const own = value[key] as JsonValue;
      return [key, Object.hasOwn(model, key) ? orderLike(own, model[key] as JsonValue) : own];
    }),
  );
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

/** Pairs changed lines in order. */
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

/** Marks the words that differ, unless most of them do. */
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

/** Folds equal text, but keeps the words beside a change. */
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

/** The nearby end of a word, or a place that does not split a surrogate pair. */
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
