import { Drop } from 'liquidjs';
import { compareNumbers, SpelledNumber } from './spelled-number.ts';
import { TemplateError } from './template-error.ts';

/** A spelled number must print its spelling and still compare and count as a number, which Liquid grants to drops. */
export class SpelledDrop extends Drop {
  readonly number: SpelledNumber;

  constructor(number: SpelledNumber) {
    super();
    this.number = number;
  }

  override valueOf(): unknown {
    return this.number.valueOf();
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
  const converted = convertNumbers(vars);
  return typeof converted === 'object' && converted !== null ? converted : {};
}

function convertNumbers(value: unknown): unknown {
  if (value instanceof SpelledNumber) return new SpelledDrop(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const converted = items.map(convertNumbers);
    return converted.some((item, index) => item !== items[index]) ? converted : value;
  }
  const entries = Object.entries(value);
  const converted = entries.map(([key, item]): [string, unknown] => [key, convertNumbers(item)]);
  return converted.some(([, item], index) => item !== entries[index]?.[1]) ? Object.fromEntries(converted) : value;
}

export const arithmeticFilters: readonly string[] =
  'plus minus times divided_by modulo abs ceil floor round at_least at_most sum'.split(' ');

/** Doubles would lose digits of a long number. */
export function refuseLongNumbers(name: string, values: readonly unknown[]): void {
  const long = values.flat().find((value) => value instanceof SpelledDrop && value.number.isLong);
  if (!(long instanceof SpelledDrop)) return;
  throw new TemplateError(`the filter "${name}" can't calculate with ${long.toString()}, which has too many digits`, {
    kind: 'not-text',
  });
}

export function spellOut(value: unknown): unknown {
  return value instanceof SpelledDrop ? value.toString() : value;
}
