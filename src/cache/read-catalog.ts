import { closeSync, fstatSync, openSync } from 'node:fs';
import { systemErrorCode, withStorageErrors } from '../lib/storage-error.ts';
import type { LineRow } from './line-rows.ts';
import { createLineRows } from './line-rows.ts';
import { scanLines } from './scan-lines.ts';
import type { SegmentFile } from './segment-files.ts';
import { listSegmentFiles } from './segment-files.ts';
import { createSegmentTally, tallyLine } from './segment-tally.ts';

/**
 * Every line of a cache folder that counts, found by a look at all of them: what is to be counted, sorted or removed is
 * taken from the segments themselves, whatever their indexes say. An entry takes 60 bytes.
 */
export interface Catalog {
  readonly segments: readonly CatalogSegment[];
  /** Entries, each of which has an index. */
  readonly size: number;
  lineAt(index: number): CatalogLine;
  /** The indexes in the order of keys, as far as their first 32 bits tell those apart, with these. */
  sorted(): { readonly hashes: Uint32Array; readonly rows: Uint32Array };
}

export interface CatalogLine {
  /** Index of its segment. */
  readonly segment: number;
  readonly offset: number;
  /** Without its line break. */
  readonly length: number;
  /** 1-based. */
  readonly lineNumber: number;
  readonly createdAtMs: number;
}

export interface CatalogSegment {
  readonly file: SegmentFile;
  readonly size: number;
  /** As far as its lines are whole. */
  readonly scannedTo: number;
  readonly lineCount: number;
  /** Lines that don't begin like an entry, a last one that is cut off included. */
  readonly garbledCount: number;
  /** The line number of a last line that nobody is writing any more. */
  readonly cutOffLine: number | undefined;
  /** Another process has removed it since. */
  readonly isGone: boolean;
}

/** Throws system errors, those of a file as `StorageError`s. */
export function readCatalog(folder: string, now: () => Date): Catalog {
  const segments: MutableSegment[] = [];
  const rows = createLineRows();
  let lengths = new Uint32Array(firstRoom);
  let lineNumbers = new Uint32Array(firstRoom);

  // A segment that is claimed between its listing and its opening stands under another name in the next listing.
  for (let attempt = 0; attempt < maxMoves; attempt += 1) {
    if (takeInListing()) break;
  }
  return {
    segments,
    size: rows.size,
    lineAt: (index) => ({ ...rows.rowAt(index), length: lengths[index] ?? 0, lineNumber: lineNumbers[index] ?? 0 }),
    sorted: () => rows.sorted(),
  };

  function takeInListing(): boolean {
    const files = listSegmentFiles(folder);
    const listed = new Set(files.map(({ id }) => id));
    for (const segment of segments) segment.isGone = !listed.has(segment.file.id);
    return files.map((file) => takeIn(file)).every(Boolean);
  }

  /** False where it was not there any more. */
  function takeIn(file: SegmentFile): boolean {
    const known = segments.find(({ file: { id } }) => id === file.id);
    if (known !== undefined) {
      known.file = file;
      return true;
    }
    return withStorageErrors('Reading', file.path, () => {
      const fd = openIfThere(file.path);
      if (fd === undefined) return false;
      try {
        scan(file, fd);
        return true;
      } finally {
        closeSync(fd);
      }
    });
  }

  function scan(file: SegmentFile, fd: number): void {
    const segment = segments.length;
    const tally = createSegmentTally();
    const scannedTo = scanLines(fd, 0, (line) => {
      const head = tallyLine(tally, line, line.offset);
      if (head === undefined) return;
      const place = { segment, offset: line.offset, createdAtMs: head.createdAtMs };
      const known = rows.find(head.key);
      if (known !== undefined && !isLater(file, place, rows.rowAt(known))) return;
      note(rows.setKey(head.key, place) ?? 0, line.length, tally.lineCount);
    });
    const { size, mtimeMs } = fstatSync(fd);
    const isCutOff = size > scannedTo && Math.abs(now().getTime() - mtimeMs) > quietMs;
    segments.push({
      file,
      size,
      scannedTo,
      lineCount: tally.lineCount,
      garbledCount: tally.garbledCount + (isCutOff ? 1 : 0),
      cutOffLine: isCutOff ? tally.lineCount + 1 : undefined,
      isGone: false,
    });
  }

  /** As every process chooses that shares the folder. */
  function isLater(file: SegmentFile, place: LineRow, known: LineRow): boolean {
    const other = segments[known.segment];
    if (other?.isGone === true) return true;
    if (place.createdAtMs !== known.createdAtMs) return place.createdAtMs > known.createdAtMs;
    return other === undefined ? place.offset > known.offset : file.id > other.file.id;
  }

  function note(row: number, length: number, lineNumber: number): void {
    if (row === lengths.length) {
      lengths = growTo(2 * row, lengths);
      lineNumbers = growTo(2 * row, lineNumbers);
    }
    lengths[row] = length;
    lineNumbers[row] = lineNumber;
  }
}

type MutableSegment = { -readonly [Key in keyof CatalogSegment]: CatalogSegment[Key] };

const firstRoom = 64;
const maxMoves = 20;
const quietMs = 60_000;

function growTo(length: number, numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(length);
  grown.set(numbers);
  return grown;
}

/** Undefined where the segment has just been removed or claimed by another process. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
