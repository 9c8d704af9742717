import { systemErrorCode } from '../lib/storage-error.ts';
import type { CacheEntry } from './cache-entry.ts';
import { keyOffset, renderEntry } from './cache-entry.ts';
import type { KnownLinesOptions } from './known-lines.ts';
import { createKnownLines, maxMoves } from './known-lines.ts';
import type { KnownSegment } from './known-segment.ts';
import type { SegmentSizes } from './segment-files.ts';
import { defaultSegmentSizes } from './segment-files.ts';
import { createSegmentReader } from './segment-reader.ts';
import { readLineHead } from './segment-tally.ts';
import { createSegmentWriter } from './segment-writer.ts';

/** The entries of a folder, whoever writes them, as one map. The latest line of a key counts. Calls throw system errors. */
export interface SegmentLog {
  /** Takes in what has come and gone since the last time. */
  refresh(): void;
  /** A key's line, unchecked. */
  read(key: string): StoredLine | undefined;
  /** Names the line for messages: `file:line`. */
  describe(line: StoredLine): string;
  /** Makes a damaged entry count as missing until there is a later one. */
  forget(key: string): void;
  /** Takes an entry to be written with the next flush. */
  append(entry: CacheEntry): void;
  /** Writes what was appended, in one piece where the disk takes it. Entries that could not be written are dropped. */
  flush(): void;
  /** Closes what is open; a later call opens it again. */
  close(): void;
}

export interface StoredLine {
  /** Without its line break; a view of what the next call may replace. */
  readonly bytes: Buffer;
  readonly segment: KnownSegment;
  readonly offset: number;
}

export interface SegmentLogOptions extends Omit<KnownLinesOptions, 'reader' | 'sizes'> {
  readonly sizes?: SegmentSizes;
}

export function openSegmentLog(
  folder: string,
  { now, onGarbled, onUnreadable, sizes = defaultSegmentSizes }: SegmentLogOptions,
): SegmentLog {
  const writer = createSegmentWriter(folder, now);
  const reader = createSegmentReader(() => writer.openSegment());
  const lines = createKnownLines(folder, { now, onGarbled, onUnreadable, sizes, reader });
  let unwritten = new Map<string, UnwrittenLine>();
  let unwrittenLength = 0;

  return {
    refresh: () => lines.refresh(),
    read,
    describe: ({ segment, offset }) => `${segment.file.path}:${reader.lineNumberOf(segment, offset)}`,
    forget: (key) => lines.forget(key),
    append,
    flush,
    close,
  };

  function read(key: string): StoredLine | undefined {
    if (unwritten.has(key)) flush();
    if (lines.forgottenMs(key) !== undefined) return undefined;
    for (let attempt = 0; attempt < maxMoves; attempt += 1) {
      try {
        const line = readOnce(key);
        if (line !== stale) return line;
      } catch (error) {
        // The entry has moved to another segment, or it was removed.
        if (systemErrorCode(error) !== 'ENOENT') throw error;
        lines.refresh();
      }
    }
    return undefined;
  }

  function readOnce(key: string): StoredLine | typeof stale | undefined {
    const place = lines.locate(key);
    if (place === undefined) return undefined;
    const { segment, offset } = place;
    const bytes = reader.readLine(segment, offset);
    if (isLineOf(bytes, key)) return { bytes, segment, offset };
    if (readLineHead({ bytes, start: 0, length: bytes.length }) !== undefined) return undefined;
    // What is no entry was none when the segment was looked through: the index tells of another one.
    if (offset < segment.indexedTo && !segment.isIndexStale) {
      lines.lookThroughAgain(segment);
      return stale;
    }
    return { bytes, segment, offset };
  }

  function append(entry: CacheEntry): void {
    const knownMs = knownTimeOf(entry.key);
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
    const waiting = [...unwritten.values()];
    unwritten = new Map();
    unwrittenLength = 0;
    try {
      writeLines(waiting);
    } catch (error) {
      if (waiting.length === 1) throw error;
      // A full disk may have room for some of them.
      for (const line of waiting) writeLines([line]);
    }
  }

  /** When the entry was written that a new one is to replace. */
  function knownTimeOf(key: string): number {
    const knownMs = unwritten.get(key)?.createdAtMs ?? lines.forgottenMs(key);
    if (knownMs !== undefined) return knownMs;
    for (let attempt = 0; attempt < maxMoves; attempt += 1) {
      try {
        const place = lines.locate(key);
        return (place === undefined ? undefined : lines.withTime(place, key))?.createdAtMs ?? -Infinity;
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT') throw error;
        lines.refresh();
      }
    }
    return -Infinity;
  }

  function writeLines(written: readonly UnwrittenLine[]): void {
    const { file } = writer.append(Buffer.from(written.map(({ text }) => text).join('')));
    const segment = lines.segmentOf(file);
    for (const { key, text, createdAtMs } of written) {
      lines.add(segment, { key, bytes: Buffer.byteLength(text), createdAtMs });
    }
    if (segment.scannedTo >= sizes.maxBytes) endSegment();
  }

  function endSegment(): void {
    const own = writer.openSegment();
    if (own !== undefined) lines.seal(lines.segmentOf(own.file));
    writer.close();
  }

  function close(): void {
    try {
      flush();
    } finally {
      endSegment();
      reader.close();
    }
  }
}

interface UnwrittenLine {
  readonly key: string;
  /** Its line break included. */
  readonly text: string;
  readonly createdAtMs: number;
}

const stale = Symbol('stale');

const maxUnwrittenLength = 1024 * 1024;
const lastMs = Date.UTC(9999, 11, 31);
/** Digits of the key that are compared where a line is found by its hash, which are the first eight. */
const [comparedFrom, comparedTo] = [8, 24];

/** True for the line of a key whose hash is known to be the same; whoever uses it compares all of it. */
function isLineOf(bytes: Buffer, key: string): boolean {
  for (let at = comparedFrom; at < comparedTo; at += 1) {
    if (bytes[keyOffset + at] !== key.charCodeAt(at)) return false;
  }
  return true;
}
