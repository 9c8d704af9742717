import { type Change, diffLines, diffWordsWithSpace } from 'diff';
import type { JsonValue } from '../../json/json.ts';
import { clipText } from '../../text/shorten.ts';

export interface DiffPart {
  readonly text: string;
  readonly kind: 'same' | 'removed' | 'added';
}

/** What changed from one text to the other, by words or else by lines; undefined where that would take too long. */
export function diffTexts(before: string, after: string): readonly DiffPart[] | undefined {
  const [a, b] = [clipText(before, maxChars), clipText(after, maxChars)];
  const changes = diffWordsWithSpace(a, b, limits) ?? diffLines(a, b, limits);
  if (changes === undefined) return undefined;
  return joinParts(changes.map(toPart));
}

/** True where only the start of the texts is compared. */
export function isBeyondDiff(before: string, after: string): boolean {
  return Math.max(before.length, after.length) > maxChars;
}

const maxChars = 20_000;
const limits = { timeout: 300, maxEditLength: 1000 };

function toPart({ value, added, removed }: Change): DiffPart {
  return { text: value, kind: added ? 'added' : removed ? 'removed' : 'same' };
}

/** Changed words with nothing but a space between them read as one change. */
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

/** Undefined where a side is no JSON, or nothing but a plain value, which reads better as a text. */
export function diffJsonTexts(before: string, after: string): readonly JsonChange[] | undefined {
  const [a, b] = [parseJson(before), parseJson(after)];
  if (!isContainer(a) || !isContainer(b)) return undefined;
  const changes: JsonChange[] = [];
  collect(a, b, '', changes);
  return changes;
}

/** JSON laid out to be read; undefined where the text is none. */
export function formatJson(text: string): string | undefined {
  const value = parseJson(text);
  return isContainer(value) ? JSON.stringify(value, undefined, 2) : undefined;
}

const maxChanges = 500;

function collect(before: JsonValue, after: JsonValue, path: string, changes: JsonChange[]): void {
  if (changes.length >= maxChanges || Object.is(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index += 1) {
      collectMember(before[index], after[index], `${path}/${index}`, changes);
    }
    return;
  }
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const own = (value: Readonly<Record<string, JsonValue>>) => (Object.hasOwn(value, key) ? value[key] : undefined);
      collectMember(own(before), own(after), `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, changes);
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

/** Undefined where the text is no JSON object or array. */
export function parseJson(text: string): JsonValue | undefined {
  // Most answers are prose.
  if (!/^\s*[[{]/.test(text) || depthOf(text) > maxDepth) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** An upper bound, since brackets inside strings count too. Deeper values could overflow the stack. */
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

function isObject(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return isContainer(value) && !Array.isArray(value);
}
