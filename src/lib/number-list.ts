type NumberArray = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

const chunkBits = 13;
const chunkLength = 1 << chunkBits;

/**
 * Numbers that are only ever added to, outside of the heap and in chunks: to double one array would need three times its
 * size for a moment.
 */
export class NumberList {
  readonly #makeChunk: () => NumberArray;
  readonly #chunks: NumberArray[] = [];
  #length = 0;

  constructor(Kind: new (length: number) => NumberArray) {
    this.#makeChunk = () => new Kind(chunkLength);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const index = this.#length;
    if (index === this.#chunks.length * chunkLength) this.#chunks.push(this.#makeChunk());
    this.#length = index + 1;
    this.set(index, value);
  }

  /** Forgets the numbers and keeps their memory for others. */
  clear(): void {
    this.#length = 0;
  }

  /** NaN behind the end. */
  at(index: number): number {
    return index < this.#length
      ? (this.#chunks[index >>> chunkBits]?.[index & (chunkLength - 1)] ?? Number.NaN)
      : Number.NaN;
  }

  /** All of them in one piece. */
  join(): Float64Array {
    const joined = new Float64Array(this.#length);
    for (let start = 0; start < this.#length; start += chunkLength) {
      const chunk = this.#chunks[start >>> chunkBits];
      if (chunk !== undefined) joined.set(chunk.subarray(0, this.#length - start), start);
    }
    return joined;
  }

  set(index: number, value: number): void {
    const chunk = this.#chunks[index >>> chunkBits];
    if (index >= this.#length || chunk === undefined) throw new RangeError(`${index} of ${this.#length}`);
    chunk[index & (chunkLength - 1)] = value;
  }
}
