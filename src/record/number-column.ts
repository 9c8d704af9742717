const chunkBits = 12;
const chunkRows = 1 << chunkBits;

/** Numbers of some rows, outside of the heap: nothing is taken for rows whose neighbours have none either. */
export class NumberColumn {
  readonly #chunks: (Float64Array | undefined)[] = [];

  set(row: number, value: number): void {
    const chunk = row >>> chunkBits;
    const values = this.#chunks[chunk] ?? new Float64Array(chunkRows).fill(Number.NaN);
    this.#chunks[chunk] = values;
    values[row & (chunkRows - 1)] = value;
  }

  clear(): void {
    this.#chunks.length = 0;
  }

  /** NaN where there is none. */
  at(row: number): number {
    return this.#chunks[row >>> chunkBits]?.[row & (chunkRows - 1)] ?? Number.NaN;
  }
}

/** Amounts are finite, which leaves room for what is not there and what is not known. */
export function encodeAmount(value: number | null | undefined): number {
  return value === undefined ? Number.NaN : (value ?? Number.POSITIVE_INFINITY);
}

export function decodeAmount(value: number): number | null | undefined {
  if (Number.isNaN(value)) return undefined;
  return value === Number.POSITIVE_INFINITY ? null : value;
}
