import { readSync } from 'node:fs';
import { type ByteLine, type ReadBytes, splitLines } from '../lib/split-lines.ts';

/** The lines of an open file from where it stands. */
export function readLines(fd: number, bufferBytes?: number): Generator<ByteLine> {
  // Without a position: a pipe has none.
  const read: ReadBytes = (buffer, start, length) => readSync(fd, buffer, start, length, null);
  return splitLines(read, bufferBytes === undefined ? {} : { bufferBytes });
}
