import type { LineTable } from './line-table.ts';
import type { SegmentFile } from './segment-files.ts';
import type { LineMark } from './segment-index.ts';
import { createSegmentTally, type SegmentTally } from './segment-tally.ts';

/** A segment as far as it was looked at. */
export interface KnownSegment {
  file: SegmentFile;
  readonly number: number;
  tally: SegmentTally;
  /** Of the lines before `indexedTo`. */
  table: LineTable | undefined;
  indexedTo: number;
  /** The file beside it was found wrong. */
  isIndexStale: boolean;
  scannedTo: number;
  /** The size at which it ended in half a line that nobody was writing. */
  tornSize: number;
  toldOfTornSize: number;
  /** A line whose number is known. */
  counted: LineMark;
  isGone: boolean;
}

export type IndexedSegment = KnownSegment & { readonly table: LineTable };

export function createKnownSegment(file: SegmentFile, number: number): KnownSegment {
  return {
    file,
    number,
    tally: createSegmentTally(),
    table: undefined,
    indexedTo: 0,
    isIndexStale: false,
    scannedTo: 0,
    tornSize: 0,
    toldOfTornSize: 0,
    counted: { offset: 0, lineNumber: 1 },
    isGone: false,
  };
}

export function hasTable(segment: KnownSegment): segment is IndexedSegment {
  return segment.table !== undefined;
}

/** Forgets what was found in it. */
export function resetSegment(segment: KnownSegment): void {
  segment.tally = createSegmentTally();
  segment.table = undefined;
  segment.indexedTo = 0;
  segment.scannedTo = 0;
}
