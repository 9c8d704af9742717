import { quote } from '../text/shorten.ts';
import { compareNumbers, SpelledNumber } from '../text/yaml/exact-numbers.ts';
import { writeJson } from './canonical-json.ts';

/** The first difference of two JSON values. A side without the key or item is undefined. */
export interface Difference {
  /** Keys and indexes from the root. */
  readonly path: readonly (string | number)[];
  readonly expected: unknown;
  readonly found: unknown;
}

/** Structural equality of JSON values: key order does not matter, 1 equals 1.0; numbers are equal by all of their digits. */
export function deepEqual(expected: unknown, found: unknown): boolean {
  return findDifference(expected, found) === undefined;
}

/** Finds the first difference in the order of the expected value; with `subset`, found objects may have further keys. */
export function findDifference(expected: unknown, found: unknown, subset = false): Difference | undefined {
  if (expected === found || isSameNumber(expected, found)) return undefined;
  if (Array.isArray(expected) && Array.isArray(found)) return findInArrays(expected, found, subset);
  if (isRecord(expected) && isRecord(found)) return findInRecords(expected, found, subset);
  return { path: [], expected, found };
}

/** Writes a path as JSONPath: `$.items[0]['two words']`. */
export function describePath(path: readonly (string | number)[]): string {
  const steps = path.map((step) => (/^[A-Za-z_]\w*$/.test(String(step)) ? `.${step}` : `[${JSON.stringify(step)}]`));
  return `$${steps.join('')}`;
}

function findInArrays(
  expected: readonly unknown[],
  found: readonly unknown[],
  subset: boolean,
): Difference | undefined {
  const length = Math.max(expected.length, found.length);
  for (let index = 0; index < length; index += 1) {
    const difference = findDifference(expected[index], found[index], subset);
    if (difference !== undefined) return { ...difference, path: [index, ...difference.path] };
  }
  return undefined;
}

function findInRecords(
  expected: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
  subset: boolean,
): Difference | undefined {
  for (const key of Object.keys(expected)) {
    if (!Object.hasOwn(found, key)) return { path: [key], expected: expected[key], found: undefined };
    const difference = findDifference(expected[key], found[key], subset);
    if (difference !== undefined) return { ...difference, path: [key, ...difference.path] };
  }
  if (subset) return undefined;
  const extra = Object.keys(found).find((key) => !Object.hasOwn(expected, key));
  return extra === undefined ? undefined : { path: [extra], expected: undefined, found: found[extra] };
}

function isSameNumber(expected: unknown, found: unknown): boolean {
  if (!(expected instanceof SpelledNumber || found instanceof SpelledNumber)) return false;
  return compareNumbers(expected, found) === 0;
}

/** True for a JSON object; a number with its spelling is an object only to JavaScript. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof SpelledNumber);
}

/** A JSON value in a few words or letters: `the string "a"`, `an object with the keys a, b`. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `the string ${quote(value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`;
  if (value instanceof SpelledNumber) return `the number ${value.source}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  const json = shortJson(value);
  if (json !== undefined) return json;
  if (Array.isArray(value)) return `a list of ${value.length} items`;
  const keys = Object.keys(value);
  return `an object with ${keys.length} keys, the first ${quote(keys[0] ?? '')}`;
}

const maxShortNodes = 20;

const maxShortLength = 120;

// Measured before it is written: a hostile value may be megabytes long.
function shortJson(value: object): string | undefined {
  const pending: unknown[] = [value];
  let nodes = 0;
  let length = 0;
  while (pending.length > 0) {
    const next = pending.pop();
    nodes += 1;
    if (typeof next === 'string') length += next.length;
    if (nodes > maxShortNodes || length > maxShortLength) return undefined;
    if (typeof next !== 'object' || next === null || next instanceof SpelledNumber) continue;
    const entries: readonly unknown[] = Array.isArray(next) ? next : Object.entries(next).flat();
    if (entries.length > 2 * maxShortNodes) return undefined;
    for (const entry of entries) pending.push(entry);
  }
  const json = writeJson(value) ?? '';
  return json.length > maxShortLength * 2 ? undefined : json;
}
