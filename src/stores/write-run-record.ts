import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { withStorageErrors } from '../lib/storage-error.ts';
import type { CellRow, EndRow, ResumeRow, RunHeader } from '../model/record.ts';
import { findIntactEnd, type RowPlace } from './read-run-record.ts';
import { renderRow } from './row-layout.ts';

/** An open run record. Every call throws a `StorageError` where the disk says no. */
export interface RunRecordWriter {
  readonly path: string;
  /**
   * Returns where the rows lie, once they are with the operating system: a kill of this process no longer loses them.
   * Where the disk refuses one, none of them is kept.
   */
  append(...rows: readonly (CellRow | ResumeRow | EndRow)[]): readonly RowPlace[];
  close(): void;
}

export interface RunRecordOptions {
  /** Node's own, unless a test needs a full disk. */
  readonly writeSync?: (fd: number, bytes: Buffer) => number;
}

/** Makes the file of a new run and writes its header. An id that is taken is a `StorageError` with code `EEXIST`. */
export function createRunRecord(folder: string, header: RunHeader, options: RunRecordOptions = {}): RunRecordWriter {
  const path = join(folder, `${header.id}.jsonl`);
  const fd = withStorageErrors('Creating', path, () => {
    mkdirSync(folder, { recursive: true });
    return openSync(path, 'ax');
  });
  return openWriter(path, fd, 0, options, header);
}

/** Opens the record of an earlier run to go on in it; a last line that was cut off is removed. */
export function openRunRecordForResume(path: string, options: RunRecordOptions = {}): RunRecordWriter {
  const { end, needsLineBreak } = findIntactEnd(path);
  const fd = withStorageErrors('Opening', path, () => {
    const opened = openSync(path, 'a');
    ftruncateSync(opened, end);
    return opened;
  });
  return openWriter(path, fd, end, options, needsLineBreak ? '\n' : undefined);
}

type Line = RunHeader | CellRow | ResumeRow | EndRow | '\n';

function openWriter(
  path: string,
  fd: number,
  intactBytes: number,
  { writeSync: writeBytes = writeSync }: RunRecordOptions,
  first: Line | undefined,
): RunRecordWriter {
  let size = intactBytes;
  let isTorn = false;
  let isOpen = true;
  // One for all writes, since each is over when it returns.
  let scratch = Buffer.allocUnsafe(64 * 1024);
  if (first !== undefined) {
    try {
      append(first);
    } catch (error) {
      close();
      throw error;
    }
  }
  return { path, append, close };

  function append(...rows: readonly Line[]): readonly RowPlace[] {
    const lengths: number[] = [];
    let end = 0;
    for (const row of rows) {
      const line = row === '\n' ? row : `${renderLine(row)}\n`;
      // A UTF-16 code unit takes three bytes at most.
      makeRoom(end, line.length * 3);
      const length = scratch.write(line, end);
      lengths.push(length - 1);
      end += length;
    }
    const bytes = scratch.subarray(0, end);
    withStorageErrors('Writing', path, () => {
      if (isTorn) removeTorn();
      isTorn = true;
      for (let written = 0; written < bytes.length; ) written += writeBytes(fd, bytes.subarray(written));
      isTorn = false;
    });
    return lengths.map((length) => {
      const place = { offset: size, length };
      size += length + 1;
      return place;
    });
  }

  function makeRoom(used: number, wanted: number): void {
    if (scratch.length - used >= wanted) return;
    const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, used + wanted));
    scratch.copy(larger, 0, 0, used);
    scratch = larger;
  }

  /** Half a row would be garbage in the middle of the file as soon as another follows. */
  function removeTorn(): void {
    ftruncateSync(fd, size);
    isTorn = false;
  }

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    withStorageErrors('Closing', path, () => {
      try {
        if (isTorn) removeTorn();
      } finally {
        closeSync(fd);
      }
    });
  }
}

function renderLine(row: Exclude<Line, '\n'>): string {
  return row.type === 'cell' ? renderRow(row) : JSON.stringify(row);
}
