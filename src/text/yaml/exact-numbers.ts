import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';

/**
 * A number that remembers how it was written, so that `1.0` can be compared with a text. A number that no double can
 * hold, such as 9007199254740993, keeps its value.
 */
export class SpelledNumber extends Number {
  readonly source: string;
  /** True if a double would change its value. */
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
    return this.isLong ? this.#lose() : this.valueOf();
  }

  /** `JSON.stringify` also takes the double of one that another object's `toJSON` gave. */
  override valueOf(): number {
    if (this.isLong) this.#lose();
    return super.valueOf();
  }

  #lose(): string {
    lostNumbers += 1;
    return this.source;
  }
}

let lostNumbers = 0;

/** `JSON.stringify` of a value; undefined if it would turn a long number into a text. */
export function stringifyIfExact(value: unknown, indent: number): { readonly text: string | undefined } | undefined {
  const before = lostNumbers;
  const text = JSON.stringify(value, undefined, indent) as string | undefined;
  return lostNumbers === before ? { text } : undefined;
}

/** True for a number that no double keeps. */
export function isLongNumber(value: unknown): value is SpelledNumber {
  return value instanceof SpelledNumber && value.isLong;
}

/** Compares by all digits: less than 0, 0 or more than 0. Undefined if one is not a number. */
export function compareNumbers(a: unknown, b: unknown): number | undefined {
  const [left, right] = [sourceOf(a), sourceOf(b)];
  return left === undefined || right === undefined ? undefined : compareDecimals(left, right);
}

/** The digits of a number in any representation; undefined for any other value. */
function sourceOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return value instanceof SpelledNumber ? value.source : undefined;
}

/** Tells why a long number can't be used in place of a double. */
export function describeLongNumber({ source }: SpelledNumber): string {
  return `${source} can't be kept exactly here: it would be ${Number(source)}`;
}

export const longNumberHint = 'round it, or write it as a text, in quotes, where a text may stand';

/**
 * Replaces every spelled number that a double can hold by a plain number, at any depth. Other values are returned
 * unchanged.
 */
export function plainNumbers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof SpelledNumber) return value.isLong ? value : value.valueOf();
  return mapParts(value, plainNumbers);
}

/** Data from YAML is JSON once its numbers are plain. Its long numbers are spelled when it is written. */
export function toJson(value: unknown): JsonValue {
  return plainNumbers(value) as JsonValue;
}

/** Converts a map like `toJson`. Anything else becomes an empty object. */
export function toJsonObject(value: unknown): JsonObject {
  const plain = toJson(value);
  return isJsonObject(plain) ? plain : {};
}

/** Replaces every long number, at any depth. Other values are returned unchanged. */
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

/** Maps the items of a list or the members of a map. Returns the same object if nothing changes. */
export function mapParts(value: object, map: (part: unknown) => unknown): unknown {
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

/** A number as it is written, so that no digit is lost: 0.digits × 10^exponent. Zero has no digits. */
interface Decimal {
  readonly isNegative: boolean;
  /** Begins and ends with another digit than 0. */
  readonly digits: string;
  readonly exponent: bigint;
}

const decimalPattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function parseDecimal(text: string): Decimal | undefined {
  // YAML has hexadecimal and octal numbers too.
  const source = /^0[xo]/i.test(text) ? String(BigInt(text)) : text;
  const found = decimalPattern.exec(source);
  if (found === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found;
  const all = whole + fraction;
  const leading = /^0*/.exec(all)?.[0].length ?? 0;
  const digits = all.slice(leading).replace(/0+$/, '');
  if (digits === '') return { isNegative: false, digits, exponent: 0n };
  return { isNegative: sign === '-', digits, exponent: BigInt(exponent) + BigInt(whole.length - leading) };
}

/** False if a double would change the value: more digits than it holds, or beyond its range. 0.1 and -0 are kept. */
export function isKeptByDouble(source: string): boolean {
  const kept = String(Number(source));
  return kept === source || compareDecimals(source, kept) === 0;
}

/** Compares decimals: less than 0, 0 or more than 0. Undefined if one is not a number, such as Infinity. */
export function compareDecimals(a: string, b: string): number | undefined {
  const [left, right] = [parseDecimal(a), parseDecimal(b)];
  if (left === undefined || right === undefined) return undefined;
  if (left.isNegative !== right.isNegative) return left.isNegative ? -1 : 1;
  return left.isNegative ? -compareSizes(left, right) : compareSizes(left, right);
}

function compareSizes(a: Decimal, b: Decimal): number {
  if (a.digits === '' || b.digits === '') return Math.sign(a.digits.length - b.digits.length);
  if (a.exponent !== b.exponent) return a.exponent < b.exponent ? -1 : 1;
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1;
}

// Beyond that a number is written with an exponent.
const maxPlainDigits = 400n;

/** The canonical spelling of a number: 1.50 and 15e-1 become 1.5. */
export function canonicalDecimal(source: string): string {
  const decimal = parseDecimal(source);
  if (decimal === undefined) return source;
  const { isNegative, digits, exponent } = decimal;
  const sign = isNegative ? '-' : '';
  if (digits === '') return '0';
  if (exponent <= 0n || exponent > maxPlainDigits) {
    const power = exponent - 1n;
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits.charAt(0)}${fraction}${power === 0n ? '' : `e${power}`}`;
  }
  const point = Number(exponent);
  if (digits.length <= point) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** True for a number without a fraction. */
export function isWholeDecimal(source: string): boolean {
  const decimal = parseDecimal(source);
  return decimal !== undefined && decimal.exponent >= BigInt(decimal.digits.length);
}

/** How far two numbers lie apart, exact but for the rounding of the result. */
export function distanceOf(a: string, b: string): number {
  const [left, right] = [parseDecimal(a), parseDecimal(b)];
  if (left === undefined || right === undefined) return Number.POSITIVE_INFINITY;
  const scale = commonScale(left, right);
  // Too far apart for digits to matter.
  if ([left, right].some((one) => scaleOf(one) - scale > 2n * maxPlainDigits)) return Math.abs(Number(a) - Number(b));
  const [first, second] = [toInteger(left, scale), toInteger(right, scale)];
  const difference = first > second ? first - second : second - first;
  return Number(`${difference}e${scale}`);
}

/**
 * True if a double is a multiple of another, by the digits of both: 19.99 is a multiple of 0.01. Infinity stands for a
 * number that no double can hold, and counts as a multiple.
 */
export function isMultipleOf(value: number, divisor: number): boolean {
  const [left, right] = [parseDecimal(String(value)), parseDecimal(String(divisor))];
  if (left === undefined || right === undefined || right.digits === '') return true;
  const scale = commonScale(left, right);
  return toInteger(left, scale) % toInteger(right, scale) === 0n;
}

/** The power of ten of the last digit. */
function scaleOf({ digits, exponent }: Decimal): bigint {
  return exponent - BigInt(digits.length);
}

function commonScale(a: Decimal, b: Decimal): bigint {
  return [scaleOf(a), scaleOf(b)].reduce((least, next) => (next < least ? next : least), 0n);
}

function toInteger(decimal: Decimal, scale: bigint): bigint {
  const size = BigInt(decimal.digits === '' ? '0' : decimal.digits) * 10n ** (scaleOf(decimal) - scale);
  return decimal.isNegative ? -size : size;
}
