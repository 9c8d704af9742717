import { Drop } from 'liquidjs';
import { compareNumbers, isKeptByDouble, SpelledNumber } from '../text/exact-numbers.ts';
import { TemplateError } from './template-error.ts';

/** A spelled number must print its spelling and still compare and count as a number, which Liquid grants to drops. */
export class SpelledDrop extends Drop {
  readonly number: SpelledNumber;

  constructor(number: SpelledNumber) {
    super();
    this.number = number;
  }

  /** A long number stays what it is: Liquid would compare its double. */
  override valueOf(): unknown {
    return this.number.isLong ? this : this.number.valueOf();
  }

  [Symbol.toPrimitive](hint: string): unknown {
    if (!this.number.isLong) return hint === 'string' ? this.toString() : this.number.valueOf();
    if (hint === 'number') throw tooManyDigits(`a template can't sort or calculate with ${this.toString()}`);
    return this.toString();
  }

  override toString(): string {
    return this.number.source;
  }

  toJSON(): SpelledNumber {
    return this.number;
  }

  equals(other: unknown): boolean {
    return compareNumbers(this.number, numberOf(other)) === 0;
  }

  gt(other: unknown): boolean {
    return (compareNumbers(this.number, numberOf(other)) ?? 0) > 0;
  }

  geq(other: unknown): boolean {
    return (compareNumbers(this.number, numberOf(other)) ?? -1) >= 0;
  }

  lt(other: unknown): boolean {
    return (compareNumbers(this.number, numberOf(other)) ?? 0) < 0;
  }

  leq(other: unknown): boolean {
    return (compareNumbers(this.number, numberOf(other)) ?? 1) <= 0;
  }
}

function numberOf(value: unknown): unknown {
  return value instanceof SpelledDrop ? value.number : value;
}

/** The variables with every spelled number as a drop; what holds none comes back as it was. */
export function comparable(vars: Readonly<Record<string, unknown>>): object {
  const converted = convertNumbers(vars, new Map());
  return typeof converted === 'object' && converted !== null ? converted : {};
}

/** Equal numbers share one drop, since `uniq` and `group_by` tell objects apart by identity. */
function convertNumbers(value: unknown, drops: Map<string, SpelledDrop>): unknown {
  if (value instanceof SpelledNumber) {
    const drop = drops.get(value.source) ?? new SpelledDrop(value);
    drops.set(value.source, drop);
    return drop;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const converted = items.map((item) => convertNumbers(item, drops));
    return converted.some((item, index) => item !== items[index]) ? converted : value;
  }
  const entries = Object.entries(value);
  const converted = entries.map(([key, item]): [string, unknown] => [key, convertNumbers(item, drops)]);
  return converted.some(([, item], index) => item !== entries[index]?.[1]) ? Object.fromEntries(converted) : value;
}

export const arithmeticFilters: readonly string[] =
  'plus minus times divided_by modulo abs ceil floor round at_least at_most sum'.split(' ');

/** Doubles would lose digits of a long number, whether it is a number or a text. */
export function refuseLongNumbers(name: string, values: readonly unknown[]): void {
  const long = values.flat().map(spellOut).find(isLongText);
  if (long !== undefined) throw tooManyDigits(`the filter "${name}" can't calculate with ${long}`);
}

function isLongText(value: unknown): value is string {
  return typeof value === 'string' && /^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(value) && !isKeptByDouble(value.trim());
}

/** Beyond 2^53 a double may have been rounded to another whole number. */
export function refuseLongResult(name: string, result: unknown): void {
  if (typeof result !== 'number' || !Number.isInteger(result) || Number.isSafeInteger(result)) return;
  throw tooManyDigits(`the result of the filter "${name}" is beyond 2^53, where whole numbers are rounded`);
}

function tooManyDigits(message: string): TemplateError {
  return new TemplateError(message, { kind: 'not-text', hint: 'compute it in the variables of the case' });
}

export function spellOut(value: unknown): unknown {
  return value instanceof SpelledDrop ? value.toString() : value;
}
