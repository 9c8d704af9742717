import { closeSync, openSync, readSync } from 'node:fs';
import { systemErrorCode } from '../lib/storage-error.ts';
import type { ParsedEntry } from './cache-entry.ts';
import { parseEntry } from './cache-entry.ts';
import { scanLines } from './scan-lines.ts';
import { maxLineBytes } from './segment-log.ts';

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

/** Undefined where the segment has just been removed or claimed by another process. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
