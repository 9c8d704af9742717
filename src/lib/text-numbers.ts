const defaultMaxMapped = 1 << 14;

/**
 * Numbers texts in the order in which they come, and finds those that came before. Many of them are not kept: a text takes
 * 24 bytes at most then, outside of the heap. Hashes decide who is asked, and `isSame` whether the texts are the same.
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
    const first = hash(text, 0x811c9dc5);
    const second = rehash(text, first);
    const found = this.#find(first, second, isSame);
    if (found !== undefined) return found;
    if ((this.#count + 1) * 2 > this.#slots.length / 3) this.#grow();
    this.#count += 1;
    this.#put(first, second, this.#count);
    return undefined;
  }

  #moveOut(mapped: ReadonlyMap<string, number>): void {
    this.#slots = new Uint32Array(3 * 4 * 2 ** Math.ceil(Math.log2(mapped.size)));
    for (const [text, number] of mapped) {
      const first = hash(text, 0x811c9dc5);
      this.#put(first, rehash(text, first), number + 1);
    }
    this.#mapped = undefined;
  }

  #find(first: number, second: number, isSame: (number: number) => boolean): number | undefined {
    const slots = this.#slots;
    const mask = slots.length / 3 - 1;
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const count = slots[3 * slot + 2] ?? 0;
      if (count === 0) return undefined;
      if (slots[3 * slot] === first && slots[3 * slot + 1] === second && isSame(count - 1)) return count - 1;
    }
  }

  #put(first: number, second: number, count: number): void {
    const slots = this.#slots;
    const mask = slots.length / 3 - 1;
    let slot = first & mask;
    while (slots[3 * slot + 2] !== 0) slot = (slot + 1) & mask;
    slots[3 * slot] = first;
    slots[3 * slot + 1] = second;
    slots[3 * slot + 2] = count;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 3) {
      const count = old[at + 2] ?? 0;
      if (count > 0) this.#put(old[at] ?? 0, old[at + 1] ?? 0, count);
    }
  }
}

/** Of the code units, mixed as in MurmurHash3 (public domain, A. Appleby). */
function hash(text: string, seed: number): number {
  let mixed = seed;
  for (let index = 0; index < text.length; index += 1) {
    mixed = Math.imul(mixed ^ text.charCodeAt(index), 0xcc9e2d51);
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  }
  mixed ^= text.length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A second number of a text, from the first and four of its units: what both agree on is looked at anyway. */
function rehash(text: string, first: number): number {
  let mixed = Math.imul(first ^ text.length, 0x9e3779b1);
  for (let index = text.length - 4; index < text.length; index += 1) {
    mixed = Math.imul((mixed ^ (index < 0 ? 0 : text.charCodeAt(index))) + (mixed >>> 15), 0x85ebca6b);
  }
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
