import { existsSync, readSync, statSync } from 'node:fs';
import { systemErrorCode } from '../lib/storage-error.ts';
import type { IndexedSegment, KnownSegment } from './known-segment.ts';
import { createKnownSegment, hasTable, resetSegment } from './known-segment.ts';
import type { LineRow, LineRows } from './line-rows.ts';
import { createLineRows } from './line-rows.ts';
import { findInTable, findNextInTable, hashKey } from './line-table.ts';
import { scanLines } from './scan-lines.ts';
import type { SegmentFile, SegmentSizes } from './segment-files.ts';
import { indexPathOf, listCacheFolder } from './segment-files.ts';
import type { LineMark } from './segment-index.ts';
import { maxIndexedBytes, readSegmentIndex, writeSegmentIndex } from './segment-index.ts';
import type { SegmentReader } from './segment-reader.ts';
import { describeGarbledLine, readLineHead, tallyLine } from './segment-tally.ts';

/** Where the lines of a folder stand: those of large segments by their indexes, all others by a look at them. */
export interface KnownLines {
  /** Takes in what has come and gone since the last time. */
  refresh(): void;
  /** The line of a key that counts; one of another key with the same hash where there is none. */
  locate(key: string): Place | undefined;
  /** Undefined where another key's line stands there. */
  withTime(place: Place, key: string): TimedPlace | undefined;
  /** Mistrusts the index of a segment. */
  lookThroughAgain(segment: KnownSegment): void;
  /** Makes a damaged entry count as missing until there is a later one. */
  forget(key: string): void;
  /** When the entry was written that was forgotten and has no later one. */
  forgottenMs(key: string): number | undefined;
  segmentOf(file: SegmentFile): KnownSegment;
  /** Takes in a line that this process has written to the end of a segment. */
  add(segment: KnownSegment, line: OwnLine): void;
  /** Makes the index of a segment that is not written to any more. */
  seal(segment: KnownSegment): void;
}

export interface Place {
  readonly segment: KnownSegment;
  readonly offset: number;
  /** Undefined where the line has not been looked at. */
  readonly createdAtMs: number | undefined;
}

export type TimedPlace = Place & { readonly createdAtMs: number };

export interface OwnLine {
  readonly key: string;
  /** Its line break included. */
  readonly bytes: number;
  readonly createdAtMs: number;
}

export interface GarbledLines {
  readonly path: string;
  readonly count: number;
  /** Of the first one. */
  readonly lineNumber: number;
  readonly reason: string;
}

export interface KnownLinesOptions {
  /** The wall clock. */
  readonly now: () => Date;
  /** Told once for each segment that has some. */
  readonly onGarbled: (lines: GarbledLines) => void;
  /** Told of a segment that can't be read; the others are. */
  readonly onUnreadable: (error: unknown, path: string) => void;
  readonly sizes: SegmentSizes;
  readonly reader: SegmentReader;
}

export function createKnownLines(
  folder: string,
  { now, onGarbled, onUnreadable, sizes: { indexMinBytes }, reader }: KnownLinesOptions,
): KnownLines {
  const segments: KnownSegment[] = [];
  const numbers = new Map<string, number>();
  /** Those with a table, the one with the youngest entry first. */
  let indexed: IndexedSegment[] = [];
  /** The lines that no table knows. */
  const tail = createLineRows();
  const forgotten = new Map<string, LineRow>();

  return {
    refresh,
    locate,
    withTime,
    lookThroughAgain,
    forget,
    forgottenMs: (key) => (forgotten.size === 0 ? undefined : forgotten.get(key)?.createdAtMs),
    segmentOf,
    add,
    seal,
  };

  function refresh(): void {
    // A segment that is claimed between its listing and its opening stands under another name in the next listing.
    for (let attempt = 0; attempt < maxMoves; attempt += 1) {
      if (takeInListing()) return;
    }
  }

  /** False where a listed file was not there any more. */
  function takeInListing(): boolean {
    const listing = listCacheFolder(folder);
    const listed = new Set(listing.segments.map(({ id }) => id));
    let hasChanged = false;
    for (const segment of segments) {
      const isGone = !listed.has(segment.file.id);
      if (isGone !== segment.isGone) hasChanged = true;
      segment.isGone = isGone;
      if (isGone) reader.drop(segment);
    }
    if (hasChanged) sortIndexed();
    // Not `every`: one that has moved must not hide those after it.
    return listing.segments.map((file) => takeIn(file, listing.indexed.has(file.id))).every(Boolean);
  }

  function takeIn(file: SegmentFile, hasIndex: boolean): boolean {
    const segment = segmentOf(file);
    segment.file = file;
    try {
      const stats = statSync(file.path, { throwIfNoEntry: false });
      if (stats === undefined) return false;
      const { size, mtimeMs } = stats;
      if (hasIndex && size - segment.scannedTo >= indexMinBytes) takeIndex(segment, size);
      if (size > segment.scannedTo && size !== segment.tornSize) scan(segment, size, mtimeMs);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      onUnreadable(error, file.path);
      return true;
    }
  }

  function takeIndex(segment: KnownSegment, size: number): void {
    if (segment.isIndexStale) return;
    const index = readSegmentIndex(indexPathOf(folder, segment.file), reader.fdOf(segment), size);
    if (index === undefined || index.coveredTo <= segment.scannedTo) return;
    // Written in the middle of a run that was killed, or is going on: a better one is worth a look at all lines.
    if (segment.scannedTo === 0 && size - index.coveredTo >= Math.max(indexMinBytes, index.coveredTo)) return;
    const told = segment.tally.garbledCount;
    const { coveredTo, table, ...tally } = index;
    tail.remove(segment.number);
    segment.tally = tally;
    segment.table = table;
    segment.indexedTo = coveredTo;
    segment.scannedTo = coveredTo;
    sortIndexed();
    // It may hold what they wait for.
    for (const key of forgotten.keys()) if (findInTable(table, hashKey(key)) !== -1) forgotten.delete(key);
    tellOfGarbled(segment, tally.garbledCount - told, tally.firstGarbled);
  }

  function sortIndexed(): void {
    indexed = segments.filter(hasTable).filter(({ isGone }) => !isGone);
    indexed.sort((a, b) => b.tally.newestMs - a.tally.newestMs);
  }

  function scan(segment: KnownSegment, size: number, mtimeMs: number): void {
    const { number, tally } = segment;
    const { garbledCount, firstGarbled } = tally;
    tally.firstGarbled = undefined;
    const fd = reader.fdOf(segment);
    // What is young and what is small may still grow, and is soon looked through.
    const isWorthAnIndex = segment.scannedTo === 0 && size >= indexMinBytes && size < maxIndexedBytes;
    const rows = isWorthAnIndex ? createLineRows() : tail;
    const end = scanLines(fd, segment.scannedTo, (line) => {
      const head = tallyLine(tally, line, line.offset);
      if (head === undefined) return;
      const place = { segment: number, offset: line.offset, createdAtMs: head.createdAtMs };
      const row = rows.find(head.key);
      if (row === undefined || isLater(place, rows.rowAt(row))) rows.setKey(head.key, place);
      if (forgotten.size > 0) remember(head.key, place);
    });
    const firstNew = tally.firstGarbled;
    tally.firstGarbled = firstGarbled ?? firstNew;
    segment.scannedTo = end;
    if (isWorthAnIndex) indexSegment(segment, rows);
    // A writer is in the middle of a last line that is not whole, or was killed there, or the file was cut off.
    if (Math.abs(now().getTime() - mtimeMs) > quietMs && readSync(fd, Buffer.alloc(1), 0, 1, end) > 0) {
      segment.tornSize = size;
    }
    tellOfGarbled(segment, tally.garbledCount - garbledCount, firstNew);
  }

  /** Puts the lines of a segment into a table of its own, and that beside it for the next one who opens it. */
  function indexSegment(segment: KnownSegment, rows: LineRows): void {
    segment.table = rows.tableOf(segment.number);
    segment.indexedTo = segment.scannedTo;
    segment.isIndexStale = false;
    sortIndexed();
    const index = { ...segment.tally, coveredTo: segment.indexedTo, table: segment.table };
    writeSegmentIndex(indexPathOf(folder, segment.file), reader.fdOf(segment), index);
  }

  function tellOfGarbled(segment: KnownSegment, count: number, first: LineMark | undefined): void {
    const { tally, tornSize, scannedTo, file } = segment;
    const isTorn = tornSize > scannedTo && segment.toldOfTornSize !== tornSize;
    if (count === 0 && !isTorn) return;
    segment.toldOfTornSize = tornSize;
    const lineNumber = first?.lineNumber ?? tally.lineCount + 1;
    const reason = first === undefined ? 'is cut off' : describeGarbledLine(reader.readLine(segment, first.offset));
    onGarbled({ path: file.path, count: isTorn ? count + 1 : count, lineNumber, reason });
  }

  /** Every process comes to the same choice, in whatever order it reads the segments. */
  function isLater(place: LineRow, known: LineRow): boolean {
    const [segment, other] = [segments[place.segment], segments[known.segment]];
    if (segment === undefined || other === undefined || other.isGone) return true;
    if (place.createdAtMs !== known.createdAtMs) return place.createdAtMs > known.createdAtMs;
    return segment === other ? place.offset > known.offset : segment.file.id > other.file.id;
  }

  function remember(key: string, { segment, offset }: LineRow): void {
    const damaged = forgotten.get(key);
    if (damaged?.segment === segment && damaged.offset === offset) return;
    forgotten.delete(key);
  }

  /** The line that counts; one of another key with the same hash where there is none. */
  function locate(key: string): Place | undefined {
    const hash = hashKey(key);
    if (hash === 0) return undefined;
    let found: Place | undefined;
    const row = tail.size === 0 ? undefined : tail.find(key);
    if (row !== undefined) {
      const { segment: number, offset, createdAtMs } = tail.rowAt(row);
      const segment = segments[number];
      if (segment !== undefined && !segment.isGone) found = { segment, offset, createdAtMs };
    }
    for (const segment of indexed) {
      const { table } = segment;
      for (let at = findInTable(table, hash); at !== -1; at = findNextInTable(table, hash, at)) {
        const place = { segment, offset: table[at + 1] ?? 0, createdAtMs: undefined };
        found = found === undefined ? place : chooseLater(found, place, key);
      }
    }
    return found;
  }

  function chooseLater(first: Place, second: Place, key: string): Place {
    const known = withTime(first, key);
    if (known === undefined) return second;
    if (known.createdAtMs > second.segment.tally.newestMs) return known;
    const other = withTime(second, key);
    if (other === undefined) return known;
    return isLater(rowOf(other), rowOf(known)) ? other : known;
  }

  /** Undefined where another key's line stands there. */
  function withTime(place: Place, key: string): TimedPlace | undefined {
    if (place.createdAtMs !== undefined) return { ...place, createdAtMs: place.createdAtMs };
    const bytes = reader.readLine(place.segment, place.offset);
    const head = readLineHead({ bytes, start: 0, length: bytes.length });
    return head?.key === key ? { ...place, createdAtMs: head.createdAtMs } : undefined;
  }

  function lookThroughAgain(segment: KnownSegment): void {
    tail.remove(segment.number);
    resetSegment(segment);
    segment.isIndexStale = true;
    sortIndexed();
    refresh();
  }

  function forget(key: string): void {
    const place = locate(key);
    if (place !== undefined) forgotten.set(key, rowOf(withTime(place, key) ?? { ...place, createdAtMs: -Infinity }));
  }

  function segmentOf(file: SegmentFile): KnownSegment {
    const known = segments[numbers.get(file.id) ?? -1];
    if (known !== undefined) return known;
    const segment = createKnownSegment(file, segments.length);
    numbers.set(file.id, segments.length);
    segments.push(segment);
    return segment;
  }

  function add(segment: KnownSegment, { key, bytes, createdAtMs }: OwnLine): void {
    const { number, tally, scannedTo } = segment;
    tally.lineCount += 1;
    tally.newestMs = Math.max(tally.newestMs, createdAtMs);
    tail.setKey(key, { segment: number, offset: scannedTo, createdAtMs });
    segment.scannedTo += bytes;
    forgotten.delete(key);
  }

  function seal(segment: KnownSegment): void {
    // One that was claimed is somebody else's, who makes new ones of it.
    if (segment.scannedTo < indexMinBytes || !existsSync(segment.file.path)) return;
    indexSegment(segment, tail);
    tail.remove(segment.number);
  }
}

/** Others may rewrite segments one after the other under a reader's hands; each time the entry stands elsewhere. */
export const maxMoves = 20;
const quietMs = 60_000;

function rowOf({ segment, offset, createdAtMs }: TimedPlace): LineRow {
  return { segment: segment.number, offset, createdAtMs };
}
