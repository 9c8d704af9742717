import { Drop } from 'liquidjs';
import { SpelledNumber } from './spelled-number.ts';

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

  toJSON(): number {
    return this.number.valueOf();
  }
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
