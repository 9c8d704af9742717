import { readSync } from 'node:fs';

/** A line without its line break. Its first bytes lie in `bytes` from `start` on: all of them, or as many as a chunk holds. */
export interface ScannedLine {
  readonly bytes: Buffer;
  readonly start: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * Visits the whole lines of an open file from a byte offset on and returns where the first one that isn't whole begins.
 * `bytes` is reused: what a visitor keeps it must copy.
 */
export function scanLines(fd: number, from: number, visit: (line: ScannedLine) => void): number {
  const chunk = Buffer.allocUnsafeSlow(chunkBytes);
  let at = from;
  for (;;) {
    const count = readSync(fd, chunk, 0, chunk.length, at);
    const bytes = chunk.subarray(0, count);
    let start = 0;
    for (let end = bytes.indexOf(lineBreak); end !== -1; end = bytes.indexOf(lineBreak, start)) {
      visit({ bytes, start, offset: at + start, length: end - start });
      start = end + 1;
    }
    if (start > 0) {
      // The line that the chunk cut in two is read again, which spares joining its halves.
      at += start;
      continue;
    }
    // Short of a chunk the file ends here: what comes while somebody is writing is left to the next look.
    const end = count < chunk.length ? undefined : findLineBreak(fd, at + count);
    if (end === undefined) return at;
    visit({ bytes, start, offset: at, length: end - at });
    at = end + 1;
  }
}

// Small enough to stay in a processor's cache while its lines are looked at.
const chunkBytes = 256 * 1024;
const lineBreak = 0x0a;

/** For a line that fills a whole chunk. */
function findLineBreak(fd: number, from: number): number | undefined {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  for (let at = from; ; ) {
    const count = readSync(fd, chunk, 0, chunk.length, at);
    if (count === 0) return undefined;
    const index = chunk.subarray(0, count).indexOf(lineBreak);
    if (index !== -1) return at + index;
    at += count;
  }
}
