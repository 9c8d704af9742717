import { compareDecimals, isKeptByDouble } from './decimal.ts';

/**
 * A number that remembers how it was written, so that `1.0` can be compared with a text, and so that one which no double
 * keeps, such as 9007199254740993, stays the number that it is.
 */
export class SpelledNumber extends Number {
  readonly source: string;
  /** True where a double would change its value. */
  readonly isLong: boolean;

  constructor(value: number, source: string) {
    super(value);
    this.source = source;
    this.isLong = !isKeptByDouble(source);
  }

  override toString(): string {
    return this.source;
  }

  /** `JSON.stringify` can't write a long number: it becomes a text rather than another number. See `writeJson`. */
  toJSON(): number | string {
    return this.isLong ? this.source : this.valueOf();
  }
}

/** True for a number that no double keeps. */
export function isLongNumber(value: unknown): value is SpelledNumber {
  return value instanceof SpelledNumber && value.isLong;
}

/** Less than 0, 0 or more than 0 by all digits; undefined where one of them is no number. */
export function compareNumbers(a: unknown, b: unknown): number | undefined {
  const [left, right] = [sourceOf(a), sourceOf(b)];
  return left === undefined || right === undefined ? undefined : compareDecimals(left, right);
}

/** The digits of a number, however it is held; undefined for what is none. */
export function sourceOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return value instanceof SpelledNumber ? value.source : undefined;
}

/** Why a long number can't stand somewhere. */
export function describeLongNumber({ source }: SpelledNumber): string {
  return `${source} can't be kept exactly here: it would be ${Number(source)}`;
}

export const longNumberHint = 'round it, or write it as a text, in quotes, where a text may stand';

/** Replaces every spelled number that a double keeps by a plain one, at any depth. What holds none comes back as it was. */
export function plainNumbers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof SpelledNumber) return value.isLong ? value : value.valueOf();
  return mapParts(value, plainNumbers);
}

/** Replaces every long number, at any depth. What holds none comes back as it was. */
export function replaceLongNumbers(value: unknown, replace: (number: SpelledNumber) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof SpelledNumber) return value.isLong ? replace(value) : value;
  return mapParts(value, (part) => replaceLongNumbers(part, replace));
}

/** The long numbers of a value, each with its path. */
export function findLongNumbers(
  value: unknown,
): readonly { readonly path: readonly (string | number)[]; readonly number: SpelledNumber }[] {
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof SpelledNumber) return value.isLong ? [{ path: [], number: value }] : [];
  const parts: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, index) => [index, item] as const)
    : Object.entries(value);
  return parts.flatMap(([key, part]) =>
    findLongNumbers(part).map(({ path, number }) => ({ path: [key, ...path], number })),
  );
}

function mapParts(value: object, map: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const mapped = items.map(map);
    return mapped.some((item, index) => item !== items[index]) ? mapped : value;
  }
  const entries = Object.entries(value);
  const mapped = entries.map(([key, item]): [string, unknown] => [key, map(item)]);
  // Object.fromEntries defines its keys, so a `__proto__` key stays data.
  return mapped.some(([, item], index) => item !== entries[index]?.[1]) ? Object.fromEntries(mapped) : value;
}
