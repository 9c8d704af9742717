import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { systemErrorCode } from '../lib/storage-error.ts';
import type { LineTable } from './line-table.ts';

/**
 * Where the lines of a segment stand, in a file beside it that is read in one piece: opening a large cache would take
 * seconds if each of its lines were looked at. It is derived: one that is missing, damaged, of another version or of
 * what the segment once was is made anew. Lines that were appended since are found by a look at the segment's end.
 */
export interface SegmentIndex {
  /** The offset behind the last line that it knows. */
  readonly coveredTo: number;
  readonly lineCount: number;
  /** Lines that don't begin like an entry. */
  readonly garbledCount: number;
  /** Undefined where there is none. */
  readonly firstGarbled: LineMark | undefined;
  /** Of the youngest entry. */
  readonly newestMs: number;
  /** Offsets by hash. */
  readonly table: LineTable;
}

export interface LineMark {
  readonly offset: number;
  /** 1-based. */
  readonly lineNumber: number;
}

/** The largest segment whose offsets fit into a table. */
export const maxIndexedBytes = 2 ** 32;

/** Undefined where there is none that can be read and fits the open segment. */
export function readSegmentIndex(path: string, segmentFd: number, segmentSize: number): SegmentIndex | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const index = parseIndex(readWhole(fd));
      if (index === undefined || index.coveredTo > segmentSize) return undefined;
      return anchorOf(segmentFd, index.coveredTo) === index.anchor ? index : undefined;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Replaces what is there in one step; on a disk that says no there is none afterwards, or the old one. */
export function writeSegmentIndex(path: string, segmentFd: number, index: SegmentIndex): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const { header, table } = renderIndex(segmentFd, index);
    const fd = openSync(temporary, 'wx');
    try {
      for (const bytes of [bytesOf(header), bytesOf(table)]) {
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      }
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    rmSync(temporary, { force: true });
  }
}

// In the byte order of the machine: on another one the number is another one, and the file no index.
const magic = 0x6c6c6d636b;
const indexVersion = 1;
const headerFields = 12;
const checksumField = headerFields - 1;
const headerBytes = headerFields * 8;
/** How much of the segment before `coveredTo` must be what it was. */
const anchorBytes = 4096;

function renderIndex(segmentFd: number, index: SegmentIndex) {
  const { coveredTo, lineCount, garbledCount, firstGarbled, newestMs, table } = index;
  const header = new Float64Array(headerFields);
  const garbled = firstGarbled ?? { offset: -1, lineNumber: 0 };
  const anchor = anchorOf(segmentFd, coveredTo);
  header.set([magic, indexVersion, coveredTo, lineCount, garbledCount, garbled.offset, garbled.lineNumber, newestMs]);
  header.set([anchor, table.length], 8);
  header[checksumField] = checksumOf(header, table);
  return { header, table };
}

function parseIndex(bytes: Buffer): (SegmentIndex & { readonly anchor: number }) | undefined {
  if (bytes.length < headerBytes) return undefined;
  const header = new Float64Array(headerFields);
  bytesOf(header).set(bytes.subarray(0, headerBytes));
  const [mark, version, coveredTo = 0, lineCount = 0, garbledCount = 0, offset = 0, lineNumber = 0, newestMs = 0] =
    header;
  const [anchor = 0, tableLength = 0, , checksum] = header.subarray(8);
  if (mark !== magic || version !== indexVersion || bytes.length !== headerBytes + tableLength * 4) return undefined;
  header[checksumField] = 0;
  const table = new Uint32Array(bytes.buffer, bytes.byteOffset + headerBytes, tableLength);
  if (checksumOf(header, table) !== checksum) return undefined;
  const firstGarbled = offset < 0 ? undefined : { offset, lineNumber };
  return { coveredTo, lineCount, garbledCount, firstGarbled, newestMs, table, anchor };
}

function checksumOf(header: Float64Array, table: LineTable): number {
  return crc32(bytesOf(table), crc32(bytesOf(header)));
}

/** What stands before an offset: another text there means that the segment is not the one that was looked at. */
function anchorOf(segmentFd: number, offset: number): number {
  const bytes = Buffer.alloc(Math.min(anchorBytes, offset));
  return crc32(bytes.subarray(0, readSync(segmentFd, bytes, 0, bytes.length, offset - bytes.length)));
}

function readWhole(fd: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(fstatSync(fd).size);
  let done = 0;
  for (let count = -1; count !== 0 && done < bytes.length; done += count) {
    count = readSync(fd, bytes, done, bytes.length - done, done);
  }
  return bytes.subarray(0, done);
}

function bytesOf(numbers: Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
