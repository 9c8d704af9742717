import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { privateFile, privateFolder } from '../files/state-folder.ts';
import { drawUnfinishedEnding } from '../files/unfinished-name.ts';
import { makeFolder, StorageError, withStorageErrors } from '../files/write-files.ts';
import { writeJson } from '../json/canonical-json.ts';
import type { DecidingLine } from '../model/run/deciding-lines.ts';
import type { CellRow, EndRow, ResumeRow, RunHeader } from '../model/run/record.ts';
import { type RowPlace, readRowsAt, renderRow } from './read-rows.ts';

type RecordLine = CellRow | DecidingLine | ResumeRow | EndRow;

/** An open run record. Every call throws a `StorageError` if the disk refuses. */
export interface RunRecordWriter {
  readonly path: string;
  /**
   * Returns the places of the rows when the operating system has them. A kill of this process then does not lose them.
   * If the disk refuses one, none of them is kept.
   */
  append(...rows: readonly RecordLine[]): readonly RowPlace[];
  close(): void;
  /** Closes the file and removes it, so that no half of a record stays. */
  discard(): void;
}

export interface RunRecordOptions {
  /** Node's own, unless a test needs a full disk. */
  readonly writeSync?: (fd: number, bytes: Buffer) => number;
}

/** Makes the file of a new run and writes its header. An id that is taken is a `StorageError` with code `EEXIST`. */
export function createRunRecord(folder: string, header: RunHeader, options: RunRecordOptions = {}): RunRecordWriter {
  const path = join(folder, `${header.id}.jsonl`);
  const fd = withStorageErrors('Creating', path, () => {
    makeFolder(folder, privateFolder);
    return openSync(path, 'ax', privateFile);
  });
  return withStorageErrors('Writing', path, () => {
    try {
      return openWriter(path, fd, writeAll(fd, renderHeader(header), options.writeSync), options);
    } catch (error) {
      closeSync(fd);
      // A file without its header would be the latest record, and unreadable.
      rmSync(path, { force: true });
      throw error;
    }
  });
}

/**
 * Replaces and continues the record of an earlier run. The new one has another header and only the rows at `places`. A
 * kill leaves the old record or the new one. A process that still writes the old one fails with its next row.
 */
export function rewriteRunRecord(
  path: string,
  header: RunHeader,
  places: Iterable<RowPlace>,
  { preamble = [], renew = (row) => row, onLine, onRow, ...options }: RewriteOptions = {},
): RunRecordWriter {
  // Two processes that resume the same run must not write to the same file.
  const temporary = `${path}${drawUnfinishedEnding()}`;
  return withStorageErrors('Rewriting', path, () => {
    const fd = openSync(temporary, 'ax+', privateFile);
    try {
      // The disk's own clock decides their age.
      removeLeftovers(dirname(path), fstatSync(fd).mtimeMs);
      let size = writeAll(fd, renderHeader(header), options.writeSync);
      for (const line of preamble) {
        const bytes = Buffer.from(`${renderLine(line)}\n`);
        onLine?.(line, { offset: size, length: bytes.length - 1 });
        size += writeAll(fd, bytes, options.writeSync);
      }
      for (const old of readRowsAt(path, places)) {
        const row = renew(old);
        const bytes = Buffer.from(`${renderRow(row)}\n`);
        onRow?.(row, { offset: size, length: bytes.length - 1 });
        size += writeAll(fd, bytes, options.writeSync);
      }
      fsyncSync(fd);
      renameSync(temporary, path);
      return openWriter(path, fd, size, options);
    } catch (error) {
      closeSync(fd);
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/**
 * Removes temporary files of killed processes. A process that rewrites a record writes all the time, so an old file is
 * abandoned.
 */
function removeLeftovers(folder: string, nowMs: number): void {
  withStorageErrors('Looking through', folder, () => {
    for (const name of readdirSync(folder)) {
      if (!/\.jsonl\.[0-9a-f]{12}\.tmp$/.test(name)) continue;
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats !== undefined && nowMs - stats.mtimeMs > abandonedAfterMs) rmSync(path, { force: true });
    }
  });
}

const abandonedAfterMs = 60_000;

export interface RewriteOptions extends RunRecordOptions {
  /** Lines between the header and the rows. */
  readonly preamble?: Iterable<DecidingLine>;
  /** Gets each line of the preamble and its place. */
  readonly onLine?: (line: DecidingLine, place: RowPlace) => void;
  /** A row as it would be written today. */
  readonly renew?: (row: CellRow) => CellRow;
  /** Gets each written row and its place. */
  readonly onRow?: (row: CellRow, place: RowPlace) => void;
}

function writeAll(fd: number, bytes: Buffer, writeBytes: RunRecordOptions['writeSync'] = writeSync): number {
  for (let written = 0; written < bytes.length; ) written += writeBytes(fd, bytes.subarray(written));
  return bytes.length;
}

function openWriter(
  path: string,
  fd: number,
  intactBytes: number,
  { writeSync: writeBytes }: RunRecordOptions,
): RunRecordWriter {
  // Another run that takes the record over renames another file, with another inode, to this path.
  const { ino } = fstatSync(fd, { bigint: true });
  let size = intactBytes;
  let isTorn = false;
  let isOpen = true;
  return { path, append, close, discard };

  function append(...rows: readonly RecordLine[]): readonly RowPlace[] {
    const lines = rows.map(renderLine);
    const bytes = Buffer.from([...lines, ''].join('\n'));
    withStorageErrors('Writing', path, () => {
      checkUntouched();
      if (isTorn) removeTorn();
      isTorn = true;
      writeAll(fd, bytes, writeBytes);
      isTorn = false;
    });
    return lines.map((line) => {
      const place = { offset: size, length: Buffer.byteLength(line) };
      size += place.length + 1;
      return place;
    });
  }

  function checkUntouched(): void {
    const found = statSync(path, { throwIfNoEntry: false, bigint: true });
    if (found?.ino !== ino) throw new StorageError('Writing', path, found === undefined ? 'ENOENT' : 'ESTALE');
    if (found.size < size) throw new StorageError('Writing', path, 'TRUNCATED');
  }

  /** Half a row would be damage in the middle of the file as soon as another row follows. */
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

  function discard(): void {
    if (isOpen) closeSync(fd);
    isOpen = false;
    withStorageErrors('Removing', path, () => rmSync(path, { force: true }));
  }
}

function renderHeader(header: RunHeader): Buffer {
  return Buffer.from(`${JSON.stringify(header)}\n`);
}

function renderLine(row: RecordLine): string {
  if (row.type === 'cell') return renderRow(row);
  // Accepted tool calls may hold numbers that no double keeps.
  return (row.type === 'compared' ? writeJson({ ...row }) : undefined) ?? JSON.stringify(row);
}
