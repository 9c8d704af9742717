import { Buffer } from 'node:buffer';
import { NumberList } from './number-list.ts';

const chunkBytes = 1 << 16;
const maxChunks = 2 ** 32 / chunkBytes;
const maxLooped = 64;
const defaultMaxKept = 1 << 14;

/** Texts that are only ever added to; many of them lie outside of the heap, where a short one takes its length and eight bytes. */
export class TextList {
  readonly #maxKept: number;
  #kept: string[] | undefined = [];
  readonly #chunks: Buffer[] = [];
  /** 65,536 chunks: texts of four gigabytes. */
  readonly #starts = new NumberList(Uint32Array);
  /** Bytes, negative where they are UTF-16. */
  readonly #lengths = new NumberList(Int32Array);
  /** Chunks that hold texts, and bytes of the last one. */
  #filled = 0;
  #used = chunkBytes;

  /** Up to `maxKept` texts stay as they are, which takes less time. */
  constructor(maxKept: number = defaultMaxKept) {
    this.#maxKept = maxKept;
  }

  get length(): number {
    return this.#kept?.length ?? this.#starts.length;
  }

  push(text: string): void {
    if (this.#kept === undefined) {
      this.#write(text);
      return;
    }
    this.#kept.push(text);
    if (this.#kept.length < this.#maxKept) return;
    for (const kept of this.#kept) this.#write(kept);
    this.#kept = undefined;
  }

  /** Forgets the texts and keeps their memory for others. */
  clear(): void {
    if (this.#kept !== undefined) this.#kept = [];
    this.#starts.clear();
    this.#lengths.clear();
    this.#filled = 0;
    this.#used = chunkBytes;
  }

  at(index: number): string {
    const text = this.#kept === undefined ? this.#read(index) : this.#kept[index];
    if (text === undefined) throw new RangeError(`${index} of ${this.length}`);
    return text;
  }

  /** Negative where the first of two texts stands before the second by their code units, as `<` has it; 0 where they are the same. */
  compare(first: number, second: number): number {
    if (this.#kept === undefined) {
      const [length, other] = [this.#lengths.at(first), this.#lengths.at(second)];
      if (length >= 0 && other >= 0) return this.#compareNarrow(first, length, second, other);
    }
    const [text, against] = [this.at(first), this.at(second)];
    return text < against ? -1 : text === against ? 0 : 1;
  }

  #compareNarrow(first: number, length: number, second: number, other: number): number {
    const [place, against] = [this.#starts.at(first), this.#starts.at(second)];
    const bytes = this.#chunks[Math.floor(place / chunkBytes)];
    const others = this.#chunks[Math.floor(against / chunkBytes)];
    if (bytes === undefined || others === undefined) throw new RangeError(`${first}, ${second} of ${this.length}`);
    const [start, otherStart] = [place % chunkBytes, against % chunkBytes];
    for (let index = 0; index < length && index < other; index += 1) {
      const difference = (bytes[start + index] ?? 0) - (others[otherStart + index] ?? 0);
      if (difference !== 0) return difference;
    }
    return length - other;
  }

  #write(text: string): void {
    // UTF-8 would lose the half of a surrogate pair, which is a legal JSON string.
    const isNarrow = isLatin1(text);
    const bytes = isNarrow ? text.length : text.length * 2;
    if (this.#used >= chunkBytes || this.#used + bytes > chunkBytes) {
      this.#openChunk(bytes);
    }
    const chunk = this.#chunks[this.#filled - 1] ?? Buffer.alloc(0);
    if (isNarrow && text.length <= maxLooped) {
      // For a short text the way into native code takes longer than this.
      for (let index = 0; index < text.length; index += 1) chunk[this.#used + index] = text.charCodeAt(index);
    } else {
      chunk.write(text, this.#used, isNarrow ? 'latin1' : 'utf16le');
    }
    this.#starts.push((this.#filled - 1) * chunkBytes + this.#used);
    this.#lengths.push(isNarrow ? bytes : -bytes);
    this.#used += bytes;
  }

  #openChunk(bytes: number): void {
    if (this.#filled === maxChunks) throw new RangeError('there are too many texts');
    if ((this.#chunks[this.#filled]?.length ?? 0) < bytes || this.#filled === this.#chunks.length) {
      this.#chunks[this.#filled] = Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes));
    }
    this.#filled += 1;
    this.#used = 0;
  }

  #read(index: number): string | undefined {
    const place = this.#starts.at(index);
    const length = this.#lengths.at(index);
    const chunk = this.#chunks[Math.floor(place / chunkBytes)];
    if (chunk === undefined) return undefined;
    const start = place % chunkBytes;
    return length < 0
      ? chunk.toString('utf16le', start, start - length)
      : chunk.toString('latin1', start, start + length);
  }
}

function isLatin1(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0xff) return false;
  return true;
}
