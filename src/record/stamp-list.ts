import { parseHexWord, renderHexWord } from '../lib/hash-words.ts';
import { NumberList } from '../lib/number-list.ts';

const defaultMaxKept = 1 << 14;
const stampLength = 25;
const dotAt = 12;

/** Stamps of cases, twelve hex digits, a dot and twelve more, as three numbers each outside of the heap; other texts as they are. */
export class StampList {
  readonly #maxKept: number;
  #kept: string[] | undefined = [];
  readonly #words = new NumberList(Uint32Array);
  /** Texts of another form. */
  readonly #others = new Map<number, string>();

  /** Up to `maxKept` stamps stay as they are, which takes less time. */
  constructor(maxKept: number = defaultMaxKept) {
    this.#maxKept = maxKept;
  }

  get length(): number {
    return this.#kept?.length ?? this.#words.length / 3;
  }

  push(stamp: string): void {
    if (this.#kept === undefined) {
      this.#pack(stamp);
      return;
    }
    this.#kept.push(stamp);
    if (this.#kept.length < this.#maxKept) return;
    for (const kept of this.#kept) this.#pack(kept);
    this.#kept = undefined;
  }

  /** Forgets the stamps and keeps their memory for others. */
  clear(): void {
    if (this.#kept !== undefined) this.#kept = [];
    this.#words.clear();
    this.#others.clear();
  }

  at(index: number): string {
    if (index >= this.length) throw new RangeError(`${index} of ${this.length}`);
    if (this.#kept !== undefined) return this.#kept[index] ?? '';
    const other = this.#others.size === 0 ? undefined : this.#others.get(index);
    if (other !== undefined) return other;
    const middle = renderHexWord(this.#words.at(3 * index + 1));
    const first = renderHexWord(this.#words.at(3 * index)) + middle.slice(0, 4);
    return `${first}.${middle.slice(4)}${renderHexWord(this.#words.at(3 * index + 2))}`;
  }

  #pack(stamp: string): void {
    const isWhole = stamp.length === stampLength && stamp[dotAt] === '.';
    const first = isWhole ? parseHexWord(stamp, 0) : undefined;
    const middle = isWhole ? parseHexWord(stamp.slice(8, dotAt) + stamp.slice(dotAt + 1, dotAt + 5), 0) : undefined;
    const last = isWhole ? parseHexWord(stamp, dotAt + 5) : undefined;
    if (first === undefined || middle === undefined || last === undefined) {
      this.#others.set(this.#words.length / 3, stamp);
    }
    this.#words.push(first ?? 0);
    this.#words.push(middle ?? 0);
    this.#words.push(last ?? 0);
  }
}
