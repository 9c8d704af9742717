import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { systemErrorCode } from '../lib/storage-error.ts';
import type { CacheEntry } from './cache-entry.ts';
import { describeForeignLine, readEntryHead, renderEntry } from './cache-entry.ts';
import type { ScannedLine } from './scan-lines.ts';
import { scanLines } from './scan-lines.ts';
import type { SegmentFile } from './segment-files.ts';
import { listSegmentFiles } from './segment-files.ts';
import type { LinePlace } from './segment-index.ts';
import { createSegmentIndex } from './segment-index.ts';
import { createSegmentWriter } from './segment-writer.ts';

/** The entries of a folder, whoever writes them, as one map. The latest line of a key counts. Calls throw system errors. */
export interface SegmentLog {
  /** Takes in what has come and gone since the last time. */
  refresh(): void;
  /** A key's line, unchecked. */
  read(key: string): StoredLine | undefined;
  /** Makes a damaged entry count as missing until there is a later one. */
  forget(key: string): void;
  /** Takes an entry to be written with the next flush. */
  append(entry: CacheEntry): void;
  /** Writes what was appended, in one piece where the disk takes it. Entries that could not be written are dropped. */
  flush(): void;
  find(key: string): FoundLine | undefined;
  keys(): IterableIterator<string>;
  segments(): readonly ScannedSegment[];
  /** Closes what is open; a later call opens it again. */
  close(): void;
}

export interface StoredLine {
  /** Without its line break; a view of what the next call may replace. */
  readonly bytes: Buffer;
  readonly path: string;
  /** 1-based. */
  readonly lineNumber: number;
}

export interface FoundLine {
  readonly segmentId: string;
  readonly offset: number;
  /** Its line break included. */
  readonly bytes: number;
  readonly createdAtMs: number;
}

export interface ScannedSegment {
  readonly file: SegmentFile;
  readonly scannedTo: number;
  readonly lineCount: number;
  /** Lines that don't begin like an entry. */
  readonly garbledCount: number;
  /** The line number of a last line that nobody is writing any more. */
  readonly cutOffLine: number | undefined;
}

export interface GarbledLines {
  readonly path: string;
  readonly count: number;
  /** Of the first one. */
  readonly lineNumber: number;
  readonly reason: string;
}

export interface SegmentLogOptions {
  /** The wall clock. */
  readonly now: () => Date;
  /** Told once for each segment that has some. */
  readonly onGarbled: (lines: GarbledLines) => void;
  /** Told of a segment that can't be read; the others are. */
  readonly onUnreadable: (error: unknown, path: string) => void;
}

export function openSegmentLog(folder: string, { now, onGarbled, onUnreadable }: SegmentLogOptions): SegmentLog {
  const index = createSegmentIndex();
  const segments: Segment[] = [];
  const numbers = new Map<string, number>();
  const readers = new Map<Segment, number>();
  const writer = createSegmentWriter(folder, now);
  let unwritten = new Map<string, UnwrittenLine>();
  let unwrittenLength = 0;
  let page: Page | undefined;

  return {
    refresh,
    read,
    forget,
    append,
    flush,
    find,
    keys: () => index.keys(),
    segments: () =>
      segments
        .filter(({ isGone }) => !isGone)
        .map((segment) => ({ ...segment, cutOffLine: segment.tornSize > 0 ? segment.lineCount + 1 : undefined })),
    close,
  };

  function refresh(): void {
    // A segment that is claimed between its listing and its opening stands under another name in the next listing.
    for (let attempt = 0; attempt < maxMoves; attempt += 1) {
      if (takeInListing()) return;
    }
  }

  /** False where a listed file was not there any more. */
  function takeInListing(): boolean {
    const files = listSegmentFiles(folder);
    const listed = new Set(files.map(({ id }) => id));
    for (const segment of segments) {
      segment.isGone = !listed.has(segment.file.id);
      if (segment.isGone) closeReader(segment);
    }
    // Not `every`: one that has moved must not hide those after it.
    return files.map((file) => takeIn(file)).every(Boolean);
  }

  function takeIn(file: SegmentFile): boolean {
    const segment = segmentOf(file);
    segment.file = file;
    try {
      const stats = statSync(file.path, { throwIfNoEntry: false });
      if (stats === undefined) return false;
      const { size, mtimeMs } = stats;
      if (size > segment.scannedTo && size !== segment.tornSize) scan(segment, size, mtimeMs);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      onUnreadable(error, file.path);
      return true;
    }
  }

  function scan(segment: Segment, size: number, mtimeMs: number): void {
    const { number, garbledCount } = segment;
    let first: { readonly lineNumber: number; readonly reason: string } | undefined;
    const fd = readerOf(segment);
    const end = scanLines(fd, segment.scannedTo, (line) => {
      segment.lineCount += 1;
      const head = line.length > maxLineBytes ? undefined : readEntryHead(line.bytes, line.start, line.length);
      const { lineCount: lineNumber } = segment;
      if (head !== undefined) {
        const { offset, length } = line;
        const place = { segment: number, offset, length, lineNumber, createdAtMs: head.createdAtMs };
        if (isLater(place, index.find(head.key))) index.set(head.key, place);
      } else if (line.length > 0) {
        first ??= { lineNumber, reason: describeForeignLine(startOf(line)) };
        segment.garbledCount += 1;
      }
    });
    segment.scannedTo = end;
    // A writer is in the middle of a last line that is not whole, or was killed there, or the file was cut off.
    if (Math.abs(now().getTime() - mtimeMs) > quietMs && readSync(fd, Buffer.alloc(1), 0, 1, end) > 0) {
      segment.tornSize = size;
      segment.garbledCount += 1;
      first ??= { lineNumber: segment.lineCount + 1, reason: 'is cut off' };
    }
    const count = segment.garbledCount - garbledCount;
    if (first !== undefined) onGarbled({ path: segment.file.path, count, ...first });
  }

  /** Every process comes to the same choice, in whatever order it reads the segments. */
  function isLater(place: LinePlace, known: LinePlace | undefined): boolean {
    if (known === undefined || known.length === 0) return true;
    const [segment, other] = [segments[place.segment], segments[known.segment]];
    if (segment === undefined || other === undefined || other.isGone) return true;
    if (place.createdAtMs !== known.createdAtMs) return place.createdAtMs > known.createdAtMs;
    return segment === other ? place.offset > known.offset : segment.file.id > other.file.id;
  }

  function read(key: string): StoredLine | undefined {
    if (unwritten.has(key)) flush();
    for (let attempt = 0; attempt < maxMoves; attempt += 1) {
      const place = index.find(key);
      const segment = segments[place?.segment ?? -1];
      if (place === undefined || place.length === 0 || segment === undefined || segment.isGone) return undefined;
      try {
        return { bytes: readLine(segment, place), path: segment.file.path, lineNumber: place.lineNumber };
      } catch (error) {
        // The entry has moved to another segment, or it was removed.
        if (systemErrorCode(error) !== 'ENOENT') throw error;
        refresh();
      }
    }
    return undefined;
  }

  /** A run asks about in the order in which an earlier one has written, so neighbours are read together. */
  function readLine(segment: Segment, { offset, length }: LinePlace): Buffer {
    const end = offset + length;
    if (page?.segment !== segment || offset < page.start || end > page.end) {
      const isNear = page?.segment === segment && Math.abs(offset - page.end) <= pageBytes;
      const start = isNear ? Math.max(0, offset - pageBytes / 4) : offset;
      const bytes = Buffer.allocUnsafe(isNear ? Math.max(end - start, pageBytes) : length);
      page = { segment, start, end: start + readSync(readerOf(segment), bytes, 0, bytes.length, start), bytes };
    }
    return page.bytes.subarray(offset - page.start, Math.min(end, page.end) - page.start);
  }

  function forget(key: string): void {
    const place = index.find(key);
    if (place !== undefined) index.set(key, { ...place, length: 0 });
  }

  function append(entry: CacheEntry): void {
    const knownMs = index.find(entry.key)?.createdAtMs ?? -Infinity;
    const writtenMs = Date.parse(entry.createdAt);
    // Clocks differ between machines, and what is written last must count.
    const createdAtMs = knownMs >= writtenMs && knownMs < lastMs ? knownMs + 1 : writtenMs;
    const text = `${renderEntry({ ...entry, createdAt: new Date(createdAtMs).toISOString() })}\n`;
    unwritten.set(entry.key, { key: entry.key, text, createdAtMs });
    unwrittenLength += text.length;
    if (unwrittenLength >= maxUnwrittenLength) flush();
  }

  function flush(): void {
    if (unwritten.size === 0) return;
    const lines = [...unwritten.values()];
    unwritten = new Map();
    unwrittenLength = 0;
    try {
      writeLines(lines);
    } catch (error) {
      if (lines.length === 1) throw error;
      // A full disk may have room for some of them.
      for (const line of lines) writeLines([line]);
    }
  }

  function writeLines(lines: readonly UnwrittenLine[]): void {
    const { file, offset: start } = writer.append(Buffer.from(lines.map(({ text }) => text).join('')));
    const segment = segmentOf(file);
    const { number } = segment;
    let offset = start;
    for (const { key, text, createdAtMs } of lines) {
      const length = Buffer.byteLength(text) - 1;
      segment.lineCount += 1;
      index.set(key, { segment: number, offset, length, lineNumber: segment.lineCount, createdAtMs });
      offset += length + 1;
    }
    segment.scannedTo = offset;
  }

  function find(key: string): FoundLine | undefined {
    const place = index.find(key);
    const segment = segments[place?.segment ?? -1];
    if (place === undefined || place.length === 0 || segment === undefined || segment.isGone) return undefined;
    const { offset, length, createdAtMs } = place;
    return { segmentId: segment.file.id, offset, bytes: length + 1, createdAtMs };
  }

  function segmentOf(file: SegmentFile): Segment {
    const known = segments[numbers.get(file.id) ?? -1];
    if (known !== undefined) return known;
    const segment = {
      file,
      number: segments.length,
      scannedTo: 0,
      lineCount: 0,
      garbledCount: 0,
      tornSize: 0,
      isGone: false,
    };
    numbers.set(file.id, segments.length);
    segments.push(segment);
    return segment;
  }

  function readerOf(segment: Segment): number {
    const own = writer.openSegment();
    if (own?.file.id === segment.file.id) return own.fd;
    let fd = readers.get(segment);
    if (fd === undefined) {
      fd = openSync(segment.file.path, 'r');
      // All at once: a pass over many segments would keep a finer choice from helping anyway.
      if (readers.size >= maxReaders) closeReaders();
      readers.set(segment, fd);
    }
    return fd;
  }

  function closeReader(segment: Segment): void {
    const fd = readers.get(segment);
    if (fd === undefined) return;
    readers.delete(segment);
    closeSync(fd);
  }

  function closeReaders(): void {
    for (const segment of readers.keys()) closeReader(segment);
  }

  function close(): void {
    try {
      flush();
    } finally {
      closeReaders();
      writer.close();
    }
  }
}

interface UnwrittenLine {
  readonly key: string;
  /** Its line break included. */
  readonly text: string;
  readonly createdAtMs: number;
}

/** A part of a segment that was read in one piece. Lines never change where they stand. */
interface Page {
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

interface Segment {
  file: SegmentFile;
  readonly number: number;
  scannedTo: number;
  lineCount: number;
  garbledCount: number;
  /** The size at which it ended in half a line that nobody was writing. */
  tornSize: number;
  isGone: boolean;
}

/** Others may rewrite segments one after the other under a reader's hands; each time the entry stands elsewhere. */
const maxMoves = 20;
const maxReaders = 64;
const pageBytes = 128 * 1024;
const maxUnwrittenLength = 1024 * 1024;
// Far beyond any answer, and short enough for one string.
export const maxLineBytes = 256 * 1024 * 1024;
const quietMs = 60_000;
const lastMs = Date.UTC(9999, 11, 31);

function startOf({ bytes, start, length }: ScannedLine): string {
  return bytes.toString('latin1', start, Math.min(start + length, start + 200, bytes.length));
}
