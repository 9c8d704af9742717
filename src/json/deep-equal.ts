import { compareNumbers, SpelledNumber } from '../text/exact-numbers.ts';

/** Where two JSON values first differ; a side without the key or item is undefined. */
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
    if (index >= expected.length || index >= found.length) {
      return { path: [index], expected: expected[index], found: found[index] };
    }
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
