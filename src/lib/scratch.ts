import { Buffer } from 'node:buffer';

/**
 * Bytes that are done with before anybody else asks for some: one for each of a hundred thousand rows would pile up outside
 * of the heap, where nothing hurries to clean them up.
 */
export class Scratch {
  #bytes = Buffer.allocUnsafeSlow(0);

  /** The first `length` of them; valid until they are asked for again. */
  take(length: number): Buffer {
    // A long row must not stay for good.
    if (length > maxKeptBytes) return Buffer.allocUnsafeSlow(length);
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(Math.max(minBytes, length));
    return this.#bytes.subarray(0, length);
  }
}

const minBytes = 1 << 14;
const maxKeptBytes = 1 << 20;
