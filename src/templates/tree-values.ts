import { compareNumbers, SpelledNumber } from '../text/exact-numbers.ts';
import { TemplateError } from './template-error.ts';
import type { TestOperator } from './template-tree.ts';

/** 1-based. */
export function positionIn(source: string, offset: number): { readonly line: number; readonly column: number } {
  const before = source.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** What a loop goes through; undefined for what is no list. */
export function listEntries(
  value: unknown,
  withKeys: boolean,
): readonly (readonly [string | number, unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item]);
  if (value === undefined || value === null || value === false) return [];
  // A map is gone through by its keys.
  if (isMap(value)) return Object.entries(value).map(([key, item]) => [key, withKeys ? item : key]);
  return undefined;
}

export function compareValues(operator: TestOperator, left: unknown, right: unknown): boolean {
  const [a, b] = [plain(left), plain(right)];
  if (operator === '==') return isSame(a, b);
  if (operator === '!=') return !isSame(a, b);
  if (operator !== 'in') return isOrdered(operator, a, b);
  if (Array.isArray(right)) return right.some((item) => isSame(plain(item), a));
  return typeof b === 'string' ? b.includes(String(a)) : isMap(b) && Object.hasOwn(b, String(a));
}

function isOrdered(operator: TestOperator, a: unknown, b: unknown): boolean {
  const order = compareNumbers(a, b);
  if (order !== undefined) return isInOrder(operator, order, 0);
  if (!((typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string'))) {
    throw new TemplateError(`${describeKind(a)} and ${describeKind(b)} have no order`, { kind: 'not-text' });
  }
  return isInOrder(operator, a, b);
}

function isInOrder<T extends number | string>(operator: TestOperator, a: T, b: T): boolean {
  if (operator === '<') return a < b;
  if (operator === '>') return a > b;
  return operator === '<=' ? a <= b : a >= b;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || compareNumbers(a, b) === 0;
}

/** `null` and what is missing are the same to a comparison. */
function plain(value: unknown): unknown {
  return value instanceof SpelledNumber && !value.isLong ? value.valueOf() : (value ?? null);
}

/** Own members alone: a template has no way to prototypes. */
export function readOwn(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (key === 'length') return items.length;
    return /^\d+$/.test(String(key)) ? items[Number(key)] : undefined;
  }
  return isMap(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : undefined;
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof SpelledNumber);
}

export function describeKind(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  return isMap(value) ? 'an object' : `a ${value instanceof SpelledNumber ? 'number' : typeof value}`;
}
