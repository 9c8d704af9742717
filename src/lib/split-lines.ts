import { readSync } from 'node:fs';

/** A line without its line break; valid until the next one is asked for. */
export interface FileLine {
  /** What holds the line, from `start` to `end`: a view for each of a hundred thousand lines has its price. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** In the file. */
  readonly offset: number;
  /** 1-based. */
  readonly number: number;
  /** False for a last line that no line break ends. */
  readonly isTerminated: boolean;
}

export function bytesOf({ buffer, start, end }: FileLine): Buffer {
  return buffer.subarray(start, end);
}

/** The lines of an open file from its start, through one buffer that grows only for a line that needs it. */
export function* readLines(fd: number, bufferBytes = 1 << 18): Generator<FileLine> {
  let buffer = Buffer.allocUnsafe(bufferBytes);
  let [start, filled, scanned, fileOffset, number] = [0, 0, 0, 0, 0];
  // A view for each line would cost as much as finding its end.
  let content = buffer.subarray(0, 0);
  for (;;) {
    const newline = content.indexOf(0x0a, scanned);
    if (newline !== -1) {
      number += 1;
      yield { buffer, start, end: newline, offset: fileOffset + start, number, isTerminated: true };
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
    const count = readSync(fd, buffer, filled, buffer.length - filled, null);
    if (count === 0) break;
    filled += count;
    content = buffer.subarray(0, filled);
  }
  if (filled > 0) yield { buffer, start: 0, end: filled, offset: fileOffset, number: number + 1, isTerminated: false };
}
