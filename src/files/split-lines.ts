/** A line without its line break. */
export interface ByteLine {
  /** Valid until the next line is asked for. */
  readonly bytes: Buffer;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** 1-based. */
  readonly number: number;
  /** False for a last line that no line break ends. */
  readonly isTerminated: boolean;
}

/** Fills a buffer from `start`, with at most `length` bytes of what lies at `position`; 0 where there is no more. */
export type ReadBytes = (buffer: Buffer, start: number, length: number, position: number) => number;

/** The start of a line. */
interface LineStart {
  readonly offset: number;
  readonly number: number;
}

export interface SplitOptions {
  readonly bufferBytes?: number;
  /** Undefined: the start of the file. */
  readonly from?: LineStart;
}

/** The lines of a file, through one buffer that grows only for a line that needs it. */
export function* splitLines(
  read: ReadBytes,
  { bufferBytes = 1 << 18, from = { offset: 0, number: 1 } }: SplitOptions = {},
): Generator<ByteLine> {
  let buffer = Buffer.allocUnsafe(bufferBytes);
  let filled = 0;
  // The place of the buffer's first byte.
  let { offset, number } = from;
  for (;;) {
    const count = read(buffer, filled, buffer.length - filled, offset + filled);
    if (count === 0) break;
    const content = buffer.subarray(0, filled + count);
    let start = 0;
    for (let end = content.indexOf(0x0a, filled); end !== -1; end = content.indexOf(0x0a, start)) {
      yield { bytes: content.subarray(start, end), offset: offset + start, number, isTerminated: true };
      number += 1;
      start = end + 1;
    }
    // What is left of a line moves to the front, into a larger buffer where it fills this one.
    filled = content.length - start;
    const target = filled === buffer.length ? Buffer.allocUnsafe(buffer.length * 2) : buffer;
    content.copy(target, 0, start);
    buffer = target;
    offset += start;
  }
  if (filled > 0) yield { bytes: buffer.subarray(0, filled), offset, number, isTerminated: false };
}
