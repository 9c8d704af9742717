import { isRecord } from '../json/deep-equal.ts';
import { compareNumbers, isKeptByDouble, SpelledNumber } from '../text/yaml/exact-numbers.ts';
import { TemplateError } from './template-error.ts';
import type { TestOperator } from './template-tree.ts';

/** Entries that a loop visits; undefined if the value can't be looped over. */
export function listEntries(
  value: unknown,
  withKeys: boolean,
): readonly (readonly [string | number, unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item]);
  if (value === undefined || value === null || value === false) return [];
  // A loop over a map visits its keys.
  if (isRecord(value)) return Object.entries(value).map(([key, item]) => [key, withKeys ? item : key]);
  return undefined;
}

export function compareValues(operator: TestOperator, left: unknown, right: unknown): boolean {
  const [a, b] = [plain(left), plain(right)];
  if (operator === '==') return isSame(a, b);
  if (operator === '!=') return !isSame(a, b);
  if (operator !== 'in') return isOrdered(operator, a, b);
  if (Array.isArray(right)) return right.some((item) => isSame(plain(item), a));
  return typeof b === 'string' ? b.includes(String(a)) : isRecord(b) && Object.hasOwn(b, String(a));
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

/** Value for comparisons: null and missing are equal. */
function plain(value: unknown): unknown {
  return value instanceof SpelledNumber && !value.isLong ? value.valueOf() : (value ?? null);
}

/** Reads an own member. Templates can't reach prototypes. */
export function readOwn(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (key === 'length') return items.length;
    return /^\d+$/.test(String(key)) ? items[Number(key)] : undefined;
  }
  return isRecord(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : undefined;
}

export function describeKind(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  return isRecord(value) ? 'an object' : `a ${value instanceof SpelledNumber ? 'number' : typeof value}`;
}

/** Text of a scalar; undefined for other values. A spelled number prints as written. */
export function plainText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return value instanceof SpelledNumber ? value.source : undefined;
}

/** Error for a value without a text form, with the filter that converts it. */
export function notText(value: unknown, path: string, at: { line?: number; column?: number }): TemplateError {
  if (value === null || value === undefined) {
    return new TemplateError(`"${path}" is null, which has no text`, {
      kind: 'not-text',
      variable: path,
      hint: `give it a value, or write {{ ${path} | default: "…" }}`,
      ...at,
    });
  }
  const found = Array.isArray(value) ? 'a list' : 'an object';
  return new TemplateError(`"${path}" is ${found}, which must be rendered with a filter`, {
    kind: 'not-text',
    variable: path,
    hint: `write {{ ${path} | json }}${Array.isArray(value) ? ` or {{ ${path} | join: ", " }}` : ''}`,
    ...at,
  });
}

const literal = /(?<![\p{L}\p{N}_.-])-?\d+(?:\.\d+)?(?![\p{L}\p{N}_-])/gu;

/** Finds the first number in a template's code that a double would round. Skips quoted texts. */
export function findLongLiteral(code: string): { readonly text: string; readonly offset: number } | undefined {
  const unquoted = code.replaceAll(/"[^"]*"|'[^']*'/g, (quoted) => '"'.repeat(quoted.length));
  const found = [...unquoted.matchAll(literal)].find(([text]) => !isKeptByDouble(text));
  return found === undefined ? undefined : { text: found[0], offset: found.index };
}

export function describeLongLiteral(text: string): string {
  return `${text} has too many digits: a template would make it ${Number(text)}`;
}

export const longLiteralHint = 'pass it as a variable, or write it as a text, in quotes';

/** Variable at the start of a path: `order` of `order.id`. */
export function rootOf(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path;
}
