import { hashText } from './hash-text.ts';

const defaultMaxMapped = 1 << 14;

/**
 * Numbers texts in the order in which they come, and finds those that came before. Many of them are not kept: a text takes
 * 22 bytes at most then, outside of the heap. Hashes decide who is asked, and `isSame` whether the texts are the same.
 */
export class TextNumbers {
  readonly #maxMapped: number;
  #mapped: Map<string, number> | undefined = new Map();
  #slots = new Uint32Array(0);
  #count = 0;

  /** Up to `maxMapped` texts are kept in a map, which finds them in less time. */
  constructor(maxMapped: number = defaultMaxMapped) {
    this.#maxMapped = maxMapped;
  }

  /** The number of the same text; undefined where there was none, which then has the next number. */
  add(text: string, isSame: (number: number) => boolean): number | undefined {
    if (this.#mapped !== undefined) {
      const known = this.#mapped.get(text);
      if (known !== undefined && isSame(known)) return known;
      this.#mapped.set(text, this.#count);
      this.#count += 1;
      if (this.#count >= this.#maxMapped) this.#moveOut(this.#mapped);
      return undefined;
    }
    const hash = hashText(text);
    const found = this.#find(hash, isSame);
    if (found !== undefined) return found;
    if ((this.#count + 1) * 4 > (this.#slots.length / 2) * 3) this.#grow();
    this.#count += 1;
    this.#put(hash, this.#count);
    return undefined;
  }

  /** Forgets the texts and keeps their memory for others. */
  clear(): void {
    this.#mapped?.clear();
    this.#slots.fill(0);
    this.#count = 0;
  }

  #moveOut(mapped: ReadonlyMap<string, number>): void {
    this.#slots = new Uint32Array(2 * 2 * 2 ** Math.ceil(Math.log2(mapped.size)));
    for (const [text, number] of mapped) this.#put(hashText(text), number + 1);
    this.#mapped = undefined;
  }

  #find(hash: number, isSame: (number: number) => boolean): number | undefined {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const count = slots[2 * slot + 1] ?? 0;
      if (count === 0) return undefined;
      if (slots[2 * slot] === hash && isSame(count - 1)) return count - 1;
    }
  }

  #put(hash: number, count: number): void {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = count;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const count = old[at + 1] ?? 0;
      if (count > 0) this.#put(old[at] ?? 0, count);
    }
  }
}
