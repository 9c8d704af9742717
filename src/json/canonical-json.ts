import { canonicalDecimal, plainNumbers, SpelledNumber } from '../text/exact-numbers.ts';

/**
 * Writes a value as JSON with sorted keys and no spaces, so that equal values give equal text.
 * What plain JSON cannot say is treated as `JSON.stringify` does: undefined is dropped, NaN is null.
 */
export function canonicalJson(value: unknown): string {
  // Where the keys are in order already, JSON.stringify gives the same text faster.
  if (isInOrder(value)) return JSON.stringify(value) ?? 'null';
  return write(value, { sorted: true, indent: '' }) ?? 'null';
}

/** As `JSON.stringify`, with every digit of numbers that no double keeps. */
export function writeJson(value: unknown, indent = 0): string | undefined {
  return write(value, { sorted: false, indent: ' '.repeat(Math.min(10, indent)) });
}

/** True for plain data whose every object has its keys in order, so that plain JSON is canonical. */
function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint';
  if ('toJSON' in value) return false;
  if (Array.isArray(value)) return value.every(isInOrder);
  // A boxed string or number would be unboxed.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  let last: string | undefined;
  for (const name of Object.keys(value)) {
    if (last !== undefined && name < last) return false;
    if (!isInOrder((value as Record<string, unknown>)[name])) return false;
    last = name;
  }
  return true;
}

interface Style {
  readonly sorted: boolean;
  /** Of one level; empty for everything on one line. */
  readonly indent: string;
}

interface Place {
  /** The argument of `toJSON`. */
  readonly key: string;
  readonly margin: string;
}

const root: Place = { key: '', margin: '' };

function write(value: unknown, style: Style, place = root): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') throw new TypeError('A bigint has no JSON form.');
  if (typeof value !== 'object') return undefined;
  return value === null ? 'null' : writeObject(value, style, place);
}

function writeObject(value: object, style: Style, place: Place): string | undefined {
  if (value instanceof SpelledNumber && value.isLong) return canonicalDecimal(value.source);
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(place.key), style, place);
  const margin = place.margin + style.indent;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const texts = items.map((item, index) => write(item, style, { key: String(index), margin }) ?? 'null');
    return enclose('[', texts, ']', { style, margin, outer: place.margin });
  }
  const names = Object.keys(value);
  // The default sort compares UTF-16 code units, as RFC 8785 asks.
  if (style.sorted) names.sort();
  const colon = style.indent === '' ? ':' : ': ';
  const texts = names.flatMap((name) => {
    const member = write((value as Record<string, unknown>)[name], style, { key: name, margin });
    return member === undefined ? [] : [`${JSON.stringify(name)}${colon}${member}`];
  });
  return enclose('{', texts, '}', { style, margin, outer: place.margin });
}

function enclose(
  open: string,
  texts: readonly string[],
  close: string,
  { style, margin, outer }: { readonly style: Style; readonly margin: string; readonly outer: string },
): string {
  if (style.indent === '' || texts.length === 0) return `${open}${texts.join(',')}${close}`;
  return `${open}\n${margin}${texts.join(`,\n${margin}`)}\n${outer}${close}`;
}

/** The text of a scalar as its author wrote it; an object or array becomes compact JSON. */
export function spell(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof SpelledNumber) return value.source;
  return writeJson(plainNumbers(value)) ?? '';
}
