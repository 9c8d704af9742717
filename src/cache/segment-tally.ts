import type { EntryHead } from './cache-entry.ts';
import { describeForeignLine, readEntryHead } from './cache-entry.ts';
import { hashKey } from './line-table.ts';
import type { ScannedLine } from './scan-lines.ts';
import type { LineMark } from './segment-index.ts';

/** What the lines of a segment amount to, as far as it was looked at. */
export interface SegmentTally {
  lineCount: number;
  /** Lines that don't begin like an entry. */
  garbledCount: number;
  firstGarbled: LineMark | undefined;
  /** Of the youngest entry. */
  newestMs: number;
}

export function createSegmentTally(): SegmentTally {
  return { lineCount: 0, garbledCount: 0, firstGarbled: undefined, newestMs: -Infinity };
}

/** Counts the next line, which stands at an offset; undefined where it holds no entry that anyone could ask for. */
export function tallyLine(tally: SegmentTally, line: ScannedLine, offset: number): EntryHead | undefined {
  tally.lineCount += 1;
  if (line.length === 0) return undefined;
  const head = readLineHead(line);
  if (head === undefined) {
    tally.garbledCount += 1;
    tally.firstGarbled ??= { offset, lineNumber: tally.lineCount };
    return undefined;
  }
  if (head.createdAtMs > tally.newestMs) tally.newestMs = head.createdAtMs;
  return head;
}

/** Key and time of a line that begins like an entry and is not too long to be one. */
export function readLineHead({ bytes, start, length }: Omit<ScannedLine, 'offset'>): EntryHead | undefined {
  const head = length > maxLineBytes ? undefined : readEntryHead(bytes, start, length);
  return head === undefined || hashKey(head.key) === 0 ? undefined : head;
}

/** Says what a line is that `readLineHead` does not take. */
export function describeGarbledLine(start: Buffer): string {
  return describeForeignLine(start.toString('latin1', 0, Math.min(start.length, 200)));
}

// Far beyond any answer, and short enough for one string.
export const maxLineBytes = 256 * 1024 * 1024;
