/** A number that remembers how it was written, so that `1.0` can be compared with a text. */
export class SpelledNumber extends Number {
  readonly source: string;

  constructor(value: number, source: string) {
    super(value);
    this.source = source;
  }

  override toString(): string {
    return this.source;
  }

  toJSON(): number {
    return this.valueOf();
  }
}

/** Replaces every spelled number by a plain one, at any depth. What holds none comes back as it was. */
export function plainNumbers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof SpelledNumber) return value.valueOf();
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const plain = items.map(plainNumbers);
    return plain.some((item, index) => item !== items[index]) ? plain : value;
  }
  const entries = Object.entries(value);
  const plain = entries.map(([key, item]): [string, unknown] => [key, plainNumbers(item)]);
  // Object.fromEntries defines its keys, so a `__proto__` key stays data.
  return plain.some(([, item], index) => item !== entries[index]?.[1]) ? Object.fromEntries(plain) : value;
}

/** The text of a scalar as its author wrote it; an object or array becomes compact JSON. */
export function spell(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof SpelledNumber) return value.source;
  return JSON.stringify(plainNumbers(value)) ?? '';
}
