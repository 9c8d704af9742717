import { Buffer } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { type ByteLine, splitLines } from '../files/split-lines.ts';
import { systemErrorCode } from '../files/storage-error.ts';
import { parseExactJson } from '../json/parse-json.ts';
import type { CellKey } from '../model/cell.ts';
import { UserError } from '../model/errors.ts';
import type { Problem } from '../model/problem.ts';
import type { CellRow, EndRow, RowHead, RunHeader } from '../model/record.ts';
import { recordFormat } from '../model/record.ts';
import { createPartReader } from './part-reader.ts';
import { isCellRow, isEndRow, isResumeRow, isRunHeader } from './row-guards.ts';
import { parseRowHead } from './row-layout.ts';

/** Where a row lies in its file, in bytes. */
export interface RowPlace {
  readonly offset: number;
  readonly length: number;
}

/** A record as read once from end to end, its rows apart. */
interface ReadRecord {
  readonly path: string;
  readonly header: RunHeader;
  /** Of every row, by the index that the caller was given. */
  readonly places: readonly RowPlace[];
  /** Undefined where the run is still going on or was killed. */
  readonly end: EndRow | undefined;
  /** How often the run was resumed. */
  readonly resumes: number;
  readonly warnings: readonly string[];
}

/** A record with what the caller took of the last row of each cell, in the order in which the cells first finished. */
export interface RunRecord<Summary> extends ReadRecord {
  readonly summaries: readonly Summary[];
}

export interface ReadOptions {
  /** Told of each line that is no row, which is then passed over; without it such a line is a `UserError`. */
  readonly onDamaged?: (lineNumber: number) => void;
}

/**
 * Reads a record in one pass; memory holds what `summarize` returns and the places, never the answers.
 * A last line that was cut off is a warning; anything else that is no row is a UserError with its line.
 */
export function readRunRecord<Summary>(
  path: string,
  summarize: (row: CellRow, rowIndex: number) => Summary,
  { onDamaged }: ReadOptions = {},
): RunRecord<Summary> {
  const cells = new Map<string, Summary>();
  const record = visitRows(path, (row, index) => cells.set(cellKeyText(row), summarize(row, index)), onDamaged);
  return { ...record, summaries: [...cells.values()] };
}

/** The same row by row, those of a cell that ran again included; nothing is kept but the places. */
export function visitRows(
  path: string,
  visit: (row: CellRow, rowIndex: number, place: RowPlace) => void,
  onDamaged?: ReadOptions['onDamaged'],
): ReadRecord {
  return scanRecord<CellRow>(path, () => undefined, visit, onDamaged);
}

/**
 * The same of the rows' heads alone, in a fraction of the time; a row without a head is parsed whole. What is damaged
 * behind a head is found when that row is read.
 */
export function visitRowHeads(path: string, visit: (row: RowHead | CellRow, rowIndex: number) => void): ReadRecord {
  // A last line that was cut off may have its head still.
  return scanRecord(path, ({ bytes, isTerminated }) => (isTerminated ? parseRowHead(bytes) : undefined), visit);
}

function scanRecord<Row extends RowHead>(
  path: string,
  parseHead: (line: ByteLine) => Row | undefined,
  visit: (row: Row | CellRow, rowIndex: number, place: RowPlace) => void,
  onDamaged?: (lineNumber: number) => void,
): ReadRecord {
  const places: RowPlace[] = [];
  const warnings: string[] = [];
  const problems: Problem[] = [];
  let header: RunHeader | undefined;
  let end: EndRow | undefined;
  let resumes = 0;
  const take = (row: Row | CellRow, { offset, bytes }: ByteLine) => {
    const place = { offset, length: bytes.length };
    visit(row, places.length, place);
    places.push(place);
  };
  for (const line of linesOf(path)) {
    const head = header === undefined ? undefined : parseHead(line);
    if (head !== undefined) {
      take(head, line);
      continue;
    }
    const row = parseRow(line.bytes);
    if (header === undefined) {
      header = checkHeader(row, line, path);
    } else if (isCellRow(row)) {
      take(row, line);
    } else if (isEndRow(row)) {
      end = row;
    } else if (isResumeRow(row)) {
      end = undefined;
      resumes += 1;
    } else if (onDamaged !== undefined) {
      onDamaged(line.number);
    } else if (line.isTerminated) {
      if (problems.length < maxProblems) problems.push(garbageProblem(path, line.number));
    } else {
      warnings.push(`The last line of ${path} was cut off when the run was killed; its cell counts as not finished.`);
    }
  }
  if (header === undefined) throw new UserError([notARecord(path, 'it is empty')]);
  if (problems.length > 0) throw new UserError(problems);
  return { path, header, places, end, resumes, warnings };
}

/** Reads rows again, in the order asked for, one at a time. */
export function* readRowsAt(path: string, places: Iterable<RowPlace>): Generator<CellRow> {
  const fd = openOrRefuse(() => openSync(path, 'r'), path);
  try {
    for (const place of places) yield readRowAt(fd, place, path);
  } finally {
    closeSync(fd);
  }
}

/** The key of a cell as text, the same for its every row. */
export function cellKeyText(key: CellKey): string {
  return JSON.stringify([key.suite, key.prompt, key.provider, key.caseId, key.trial]);
}

const maxProblems = 20;

function readRowAt(fd: number, { offset, length }: RowPlace, path: string): CellRow {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  const row = parseRow(bytes.subarray(0, read));
  if (isCellRow(row)) return row;
  throw new UserError([changedProblem(path, offset)]);
}

function changedProblem(path: string, offset: number): Problem {
  const message = `${path} was changed while it was being read: there is no row at byte ${offset} any more.`;
  return { code: 'record', severity: 'error', message, hint: 'run the command again' };
}

function* linesOf(path: string): Generator<ByteLine> {
  const fd = openOrRefuse(() => openSync(path, 'r'), path);
  try {
    // Without a position: a pipe has none.
    yield* splitLines((buffer, start, length) => readSync(fd, buffer, start, length, null));
  } catch (error) {
    throw asUserError(error, path);
  } finally {
    closeSync(fd);
  }
}

function openOrRefuse<T>(open: () => T, path: string): T {
  try {
    return open();
  } catch (error) {
    throw asUserError(error, path);
  }
}

function asUserError(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  const message =
    code === 'ENOENT' ? `There is no run record ${path}.` : `The run record ${path} can't be read (${code}).`;
  const hint = '`llmcheck list runs` shows those that there are';
  return new UserError([{ code: 'record', severity: 'error', message, hint }], { cause: error });
}

/** Undefined where it is not JSON. */
function parseRow(bytes: Buffer): unknown {
  try {
    return parseExactJson(bytes.toString('utf8'));
  } catch (error) {
    // A line may also be longer than any string; no row of ours is.
    if (error instanceof SyntaxError || systemErrorCode(error) === 'ERR_STRING_TOO_LONG') return undefined;
    throw error;
  }
}

function checkHeader(row: unknown, line: ByteLine, path: string): RunHeader {
  if (isRunHeader(row) && row.format === recordFormat) return row;
  if (!isRunHeader(row)) {
    const found = line.isTerminated ? 'its first line is no run header' : 'its first line was cut off';
    throw new UserError([notARecord(path, found)]);
  }
  const message = `The run record ${path} has format ${JSON.stringify(row.format)}; this version reads format ${recordFormat}.`;
  const hint = 'read it with the version of llmcheck that wrote it, or run again';
  throw new UserError([{ code: 'record', severity: 'error', message, hint, at: { file: path, line: 1, column: 1 } }]);
}

function notARecord(path: string, found: string): Problem {
  const hint = 'a run record is made by `llmcheck run`, and `llmcheck list runs` shows them';
  const message = `${path} is no run record: ${found}.`;
  return { code: 'record', severity: 'error', message, hint, at: { file: path, line: 1, column: 1 } };
}

function garbageProblem(path: string, number: number): Problem {
  const message = `Line ${number} of the run record ${path} is damaged.`;
  const hint = 'run again, or `llmcheck run --resume`: it leaves the line out and runs its cell again';
  return { code: 'record', severity: 'error', message, hint, at: { file: path, line: number, column: 1 } };
}

/** Reads single rows of a record by their index. Throws a `UserError` where another run has replaced the record. */
export function openRowReader({ path, places }: Pick<ReadRecord, 'path' | 'places'>): (rowIndex: number) => CellRow {
  const file = createPartReader(path);
  return (rowIndex) => {
    const place = places[rowIndex];
    if (place === undefined) throw new RangeError(`row ${rowIndex} of ${path}, which has ${places.length}`);
    const fd = openOrRefuse(() => file.open(), path);
    if (fd === undefined) throw new UserError([changedProblem(path, place.offset)]);
    return readRowAt(fd, place, path);
  };
}

/** Whether a file begins like a run record; tells one from a baseline file. */
export function isRunRecord(path: string): boolean {
  for (const line of linesOf(path)) return isRunHeader(parseRow(line.bytes));
  return false;
}

/** False where the first line is not whole, as a run leaves it that is killed while it begins. */
export function hasHeader(path: string): boolean {
  for (const line of linesOf(path)) return line.isTerminated || isRunHeader(parseRow(line.bytes));
  return false;
}

/** The first line of a record, without reading the rest. */
export function readRunHeader(path: string): RunHeader {
  for (const line of linesOf(path)) return checkHeader(parseRow(line.bytes), line, path);
  throw new UserError([notARecord(path, 'it is empty')]);
}
