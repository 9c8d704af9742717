/** A line without its line break; valid until the next one is asked for. */
export interface ByteLine {
  /** What holds the line, from `start` to `end`: a view for each of a hundred thousand lines has its price. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** From the start of the file. */
  readonly offset: number;
  /** 1-based. */
  readonly number: number;
  /** False for a last line that no line break ends. */
  readonly isTerminated: boolean;
}

/** Fills a buffer from `start`, with at most `length` bytes of what lies at `position`; 0 where there is no more. */
export type ReadBytes = (buffer: Buffer, start: number, length: number, position: number) => number;

/** The start of a line. */
export interface LineStart {
  readonly offset: number;
  readonly number: number;
}

export interface SplitOptions {
  readonly bufferBytes?: number;
  /** Undefined: the start of the file. */
  readonly from?: LineStart;
}

export function bytesOf({ buffer, start, end }: ByteLine): Buffer {
  return buffer.subarray(start, end);
}

/** The lines of a file, through one buffer that grows only for a line that needs it. */
export function* splitLines(
  read: ReadBytes,
  { bufferBytes = 1 << 18, from = { offset: 0, number: 1 } }: SplitOptions = {},
): Generator<ByteLine> {
  let buffer = Buffer.allocUnsafe(bufferBytes);
  let [start, filled, scanned] = [0, 0, 0];
  let { offset: fileOffset, number } = from;
  // A view for each line would cost as much as finding its end.
  let content = buffer.subarray(0, 0);
  for (;;) {
    const newline = content.indexOf(0x0a, scanned);
    if (newline !== -1) {
      yield { buffer, start, end: newline, offset: fileOffset + start, number, isTerminated: true };
      number += 1;
      start = newline + 1;
      scanned = start;
      continue;
    }
    // What is left of a line moves to the front, into a larger buffer where it fills this one.
    const target = filled - start === buffer.length ? Buffer.allocUnsafe(buffer.length * 2) : buffer;
    buffer.copy(target, 0, start, filled);
    buffer = target;
    fileOffset += start;
    filled -= start;
    [start, scanned] = [0, filled];
    const count = read(buffer, filled, buffer.length - filled, fileOffset + filled);
    if (count === 0) break;
    filled += count;
    content = buffer.subarray(0, filled);
  }
  if (filled > 0) yield { buffer, start: 0, end: filled, offset: fileOffset, number, isTerminated: false };
}
