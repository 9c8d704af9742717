import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { systemErrorCode } from '../files/write-files.ts';
import { writeJson } from '../json/canonical-json.ts';
import { parseExactJson } from '../json/parse-json.ts';
import { inOrderOf } from '../json/stored.ts';
import { UserError } from '../model/problem.ts';
import { type CellRow, cellRowSchema, type RowHead } from '../model/run/record.ts';
import { isCellRow, isRowHead } from './row-guards.ts';

/** The place of a row in its file, in bytes. */
export interface RowPlace {
  readonly offset: number;
  readonly length: number;
}

/**
 * The places of a record's rows by their index, as numbers. Objects for 1,000,000 rows take 32 MB more, and a run of
 * that size must stay below 1 GB.
 */
export class RowPlaces {
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];

  get size(): number {
    return this.#offsets.length;
  }

  add({ offset, length }: RowPlace): void {
    this.#offsets.push(offset);
    this.#lengths.push(length);
  }

  at(rowIndex: number): RowPlace | undefined {
    const offset = this.#offsets[rowIndex];
    const length = this.#lengths[rowIndex];
    return offset === undefined || length === undefined ? undefined : { offset, length };
  }

  *[Symbol.iterator](): Generator<RowPlace, undefined> {
    for (const [rowIndex, offset] of this.#offsets.entries()) yield { offset, length: this.#lengths[rowIndex] ?? 0 };
  }
}

/** Reads rows again, one at a time, in the order of `places`. */
export function* readRowsAt(path: string, places: Iterable<RowPlace>): Generator<CellRow> {
  const fd = openRecordFile(path);
  try {
    for (const place of places) yield readRowAt(fd, place, path);
  } finally {
    closeSync(fd);
  }
}

/** Reads lines as JSON, one at a time, in the order of `places`. */
export function* readValuesAt(path: string, places: Iterable<RowPlace>): Generator {
  const fd = openRecordFile(path);
  try {
    for (const place of places) yield parseRow(readBytes(fd, place));
  } finally {
    closeSync(fd);
  }
}

/** Reads single rows of a record by their index. Throws a `UserError` if another run has replaced the record. */
export function openRowReader({
  path,
  places,
}: {
  readonly path: string;
  readonly places: RowPlaces;
}): (rowIndex: number) => CellRow {
  let fd: number | undefined;
  let firstFile: string | undefined;
  return (rowIndex) => {
    const place = places.at(rowIndex);
    if (place === undefined) throw new RangeError(`row ${rowIndex} of ${path}, which has ${places.size}`);
    fd ??= open(place);
    return readRowAt(fd, place, path);
  };

  /**
   * Closes the file in a microtask. A report has no end of life, and a program may compare a thousand records at once.
   */
  function open(place: RowPlace): number {
    const opened = openRecordFile(path);
    // Unlike a path, device and inode identify a file.
    const { dev, ino } = fstatSync(opened, { bigint: true });
    const file = `${dev} ${ino}`;
    firstFile ??= file;
    if (file !== firstFile) {
      closeSync(opened);
      throw changedError(path, place);
    }
    queueMicrotask(() => {
      fd = undefined;
      closeSync(opened);
    });
    return opened;
  }
}

/** Opens a record for reading. A file that is missing or refused is a `UserError`. */
export function openRecordFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw toReadError(error, path);
  }
}

/** A system error as a `UserError`; anything else as it is. */
export function toReadError(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  const message =
    code === 'ENOENT' ? `There is no run record ${path}.` : `The run record ${path} can't be read (${code}).`;
  const hint = '`llmcheck list runs` shows those that there are';
  return new UserError({ code: 'record', message, hint }, { cause: error });
}

/** The value of one line; undefined if it is not JSON, or has a key twice. */
export function parseRow(bytes: Buffer): unknown {
  try {
    return parseExactJson(bytes.toString('utf8'));
  } catch (error) {
    // No row of ours is longer than a string can be, but a damaged line may be.
    if (error instanceof SyntaxError || systemErrorCode(error) === 'ERR_STRING_TOO_LONG') return undefined;
    throw error;
  }
}

function readRowAt(fd: number, place: RowPlace, path: string): CellRow {
  const row = parseRow(readBytes(fd, place));
  if (isCellRow(row)) return row;
  throw changedError(path, place);
}

function readBytes(fd: number, { offset, length }: RowPlace): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

function changedError(path: string, { offset }: RowPlace): UserError {
  const message = `${path} was changed while it was being read: there is no row at byte ${offset} any more.`;
  return new UserError({ code: 'record', message, hint: 'run the command again' });
}

/**
 * A row as its line, without the line break: its head, then `cellHash`, then the rest. Counting and comparing parse the
 * heads only, which are a third of the bytes.
 */
export function renderRow(row: CellRow): string {
  // A head without the hash of an answer would mean that there is no answer. A line that begins with the cellHash has
  // no head.
  if (row.answerHash === undefined && row.output !== undefined) {
    const { cellHash, ...rest } = row;
    return writeJson({ cellHash, ...rest }) ?? '';
  }
  const line = inOrderOf(cellRowSchema, row);
  // Arguments of tools may hold numbers that no double keeps.
  return (row.toolCalls === undefined && row.state === undefined ? undefined : writeJson(line)) ?? JSON.stringify(line);
}

/**
 * The head of a row's line; undefined if the line must be parsed whole. This is so if `renderRow` did not write it, or
 * if an older version wrote the usage after the head. Inside a text, the quotes of the key would be escaped, so the
 * first match is the row's own.
 */
export function parseRowHead(line: Buffer): RowHead | undefined {
  const end = line.indexOf(',"cellHash":');
  if (end === -1 || !line.subarray(-1).equals(closingBrace)) return undefined;
  try {
    const head = parseExactJson(`${line.toString('utf8', 0, end)}}`);
    return isRowHead(head) && (head.answerHash === undefined || head.usage !== undefined) ? head : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const closingBrace = Buffer.from('}');
