import { close, closeSync, openSync, readSync } from 'node:fs';
import type { KnownSegment } from './known-segment.ts';
import type { SegmentWriter } from './segment-writer.ts';

/** Reads lines of many segments by their offsets. Calls throw system errors. */
export interface SegmentReader {
  /** An open file that may be closed with the next call. */
  fdOf(segment: KnownSegment): number;
  /** Up to its line break, or to the end; a view of what the next call may replace. */
  readLine(segment: KnownSegment, offset: number): Buffer;
  /** 1-based; found by a look at all that stands before. */
  lineNumberOf(segment: KnownSegment, offset: number): number;
  /** Lets go of a segment that was removed. */
  drop(segment: KnownSegment): void;
  close(): void;
}

/** What the writer has open is read through it. */
export function createSegmentReader(openSegment: SegmentWriter['openSegment']): SegmentReader {
  const readers = new Map<KnownSegment, number>();
  let page: Page | undefined;

  return { fdOf, readLine, lineNumberOf, drop, close: closeAll };

  /** A run asks about in the order in which an earlier one has written, so neighbours are read together. */
  function readLine(segment: KnownSegment, offset: number): Buffer {
    const isKnown = page?.segment === segment && offset >= page.start && offset < page.start + page.bytes.length;
    let { start, bytes, isLast } = isKnown && page !== undefined ? page : readPage(segment, offset);
    let end = bytes.indexOf(lineBreak, offset - start);
    // A line that was half there when the page was read may be whole by now.
    if (end === -1 && isKnown) ({ start, bytes, isLast } = readPage(segment, offset));
    while (end === -1) {
      end = bytes.indexOf(lineBreak, offset - start);
      if (end !== -1 || isLast) break;
      ({ start, bytes, isLast } = readBytes(segment, offset, 4 * (start + bytes.length - offset)));
    }
    return bytes.subarray(offset - start, end === -1 ? bytes.length : end);
  }

  function readPage(segment: KnownSegment, offset: number): Page {
    const end = page === undefined ? 0 : page.start + page.bytes.length;
    if (page?.segment !== segment || Math.abs(offset - end) > pageBytes) {
      return readBytes(segment, offset, usualBytes(segment));
    }
    return readBytes(segment, Math.max(0, offset - pageBytes / 4), pageBytes);
  }

  function readBytes(segment: KnownSegment, start: number, length: number): Page {
    const bytes = Buffer.allocUnsafe(length);
    const count = readSync(fdOf(segment), bytes, 0, length, start);
    page = { segment, start, bytes: bytes.subarray(0, count), isLast: count < length };
    return page;
  }

  /** Holds nearly every line of the segment. */
  function usualBytes({ scannedTo, tally }: KnownSegment): number {
    return Math.min(pageBytes, Math.max(1024, Math.ceil((2 * scannedTo) / Math.max(1, tally.lineCount))));
  }

  function lineNumberOf(segment: KnownSegment, offset: number): number {
    // Damage is found in the order of lines, mostly.
    let { lineNumber } = segment.counted;
    let at = segment.counted.offset;
    if (at > offset) [at, lineNumber] = [0, 1];
    const bytes = Buffer.allocUnsafe(pageBytes);
    while (at < offset) {
      const count = readSync(fdOf(segment), bytes, 0, Math.min(bytes.length, offset - at), at);
      if (count === 0) break;
      for (let end = bytes.indexOf(lineBreak); end !== -1 && end < count; end = bytes.indexOf(lineBreak, end + 1)) {
        lineNumber += 1;
      }
      at += count;
    }
    segment.counted = { offset, lineNumber };
    return lineNumber;
  }

  function fdOf(segment: KnownSegment): number {
    const own = openSegment();
    if (own?.file.id === segment.file.id) return own.fd;
    let fd = readers.get(segment);
    if (fd === undefined) {
      fd = openSync(segment.file.path, 'r');
      // All at once: a pass over many segments would keep a finer choice from helping anyway.
      if (readers.size >= maxReaders) closeAll();
      readers.set(segment, fd);
    }
    return fd;
  }

  function drop(segment: KnownSegment): void {
    const fd = readers.get(segment);
    if (fd === undefined) return;
    readers.delete(segment);
    // In the background: whoever lets go last of a large file that was removed waits until the disk has freed it.
    close(fd, () => {});
  }

  function closeAll(): void {
    for (const fd of readers.values()) closeSync(fd);
    readers.clear();
  }
}

/** A part of a segment that was read in one piece. Lines never change where they stand. */
interface Page {
  readonly segment: KnownSegment;
  readonly start: number;
  readonly bytes: Buffer;
  /** Nothing more stood behind it. */
  readonly isLast: boolean;
}

const maxReaders = 64;
const pageBytes = 128 * 1024;
const lineBreak = 0x0a;
