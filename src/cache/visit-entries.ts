import { closeSync, readSync } from 'node:fs';
import type { ParsedEntry } from './cache-entry.ts';
import { parseEntry } from './cache-entry.ts';
import { openIfThere } from './read-catalog.ts';
import { scanLines } from './scan-lines.ts';
import { maxLineBytes } from './segment-tally.ts';

export interface VisitedEntry {
  readonly parsed: ParsedEntry;
  readonly offset: number;
  readonly lineNumber: number;
}

/** Parses every line of a segment that is not empty. */
export function visitEntries(path: string, visit: (entry: VisitedEntry) => void): void {
  const fd = openIfThere(path);
  if (fd === undefined) return;
  let lineNumber = 0;
  try {
    scanLines(fd, 0, ({ offset, length }) => {
      lineNumber += 1;
      if (length === 0) return;
      // A line that is too long for a string is no entry, and its beginning says so.
      const bytes = Buffer.allocUnsafe(Math.min(length, maxLineBytes));
      const count = readSync(fd, bytes, 0, bytes.length, offset);
      visit({ parsed: parseEntry(bytes.toString('utf8', 0, count)), offset, lineNumber });
    });
  } finally {
    closeSync(fd);
  }
}
