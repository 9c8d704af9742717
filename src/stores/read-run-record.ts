import { Buffer } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { UserError } from '../errors.ts';
import { NumberList } from '../lib/number-list.ts';
import { parseExactJson } from '../lib/parse-json.ts';
import { Scratch } from '../lib/scratch.ts';
import { type ByteLine, bytesOf } from '../lib/split-lines.ts';
import { systemErrorCode } from '../lib/storage-error.ts';
import type { CellKey } from '../model/cell.ts';
import type { Usage } from '../model/completion.ts';
import type { Problem } from '../model/problem.ts';
import type { CellRow, EndRow, RowHead, RunHeader } from '../model/record.ts';
import { recordFormat } from '../model/record.ts';
import { createPartReader } from './part-reader.ts';
import { readLines } from './read-lines.ts';
import { isCellRow, isEndRow, isResumeRow, isRunHeader, isUsage } from './row-guards.ts';
import { parseRowHead } from './row-layout.ts';
import { createHeadScanner } from './scan-row-head.ts';
import { scanUsage } from './scan-usage.ts';

/** Where a row lies in its file, in bytes. */
export interface RowPlace {
  readonly offset: number;
  readonly length: number;
}

/** Where the rows of a record lie, by their index. */
export interface RowPlaces extends Iterable<RowPlace> {
  at(rowIndex: number): RowPlace | undefined;
  readonly length: number;
}

/** A record as read once from end to end, its rows apart. */
interface ReadRecord {
  readonly path: string;
  readonly header: RunHeader;
  /** Of every row, by the index that the caller was given. */
  readonly places: RowPlaces;
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

/** A record with what the caller took of each row, one after the other: of a cell that ran again the last one counts. */
export interface RecordHeads<Summary> extends ReadRecord {
  readonly rows: readonly Summary[];
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
  const summaries: Summary[] = [];
  const findCell = createCellIndex();
  const record = visitRows(
    path,
    (row, rowIndex) => {
      summaries[findCell(row)] = summarize(row, rowIndex);
    },
    onDamaged,
  );
  return { ...record, summaries };
}

/** The same row by row, those of a cell that ran again included; nothing is kept but the places. */
export function visitRows(
  path: string,
  visit: (row: CellRow, rowIndex: number) => void,
  onDamaged?: ReadOptions['onDamaged'],
): ReadRecord {
  return scanRecord<CellRow>(path, () => undefined, visit, onDamaged);
}

/**
 * The same of the rows' heads alone, in a fraction of the time; rows of before they had heads are parsed whole.
 * What is damaged behind a head is found by whoever reads that row.
 */
export function readRowHeads<Summary>(
  path: string,
  summarize: (row: RowHead | CellRow, rowIndex: number) => Summary,
): RecordHeads<Summary> {
  const rows: Summary[] = [];
  const record = visitRowHeads(path, (row, rowIndex) => {
    rows.push(summarize(row, rowIndex));
  });
  return { ...record, rows };
}

/** The same row by row; nothing is kept but the places. */
export function visitRowHeads(path: string, visit: (row: RowHead | CellRow, rowIndex: number) => void): ReadRecord {
  const scanHead = createHeadScanner();
  const parseHead = (line: ByteLine) => {
    // A last line that was cut off may have its head still.
    if (!line.isTerminated) return undefined;
    return scanHead(line.buffer, line.start, line.end) ?? parseRowHead(bytesOf(line));
  };
  return scanRecord(path, parseHead, visit);
}

function scanRecord<Row extends RowHead>(
  path: string,
  parseHead: (line: ByteLine) => Row | undefined,
  visit: (row: Row | CellRow, rowIndex: number) => void,
  onDamaged?: (lineNumber: number) => void,
): ReadRecord {
  const places = new PlaceList();
  const warnings: string[] = [];
  const problems: Problem[] = [];
  let header: RunHeader | undefined;
  let end: EndRow | undefined;
  let resumes = 0;
  const take = (row: Row | CellRow, line: ByteLine) => {
    visit(row, places.length);
    places.push(line.offset, line.end - line.start);
  };
  for (const line of linesOf(path)) {
    const head = header === undefined ? undefined : parseHead(line);
    if (head !== undefined) {
      take(head, line);
      continue;
    }
    const row = parseRow(line);
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

/** Two numbers a row instead of an object, since there may be a million of them. */
export class PlaceList implements RowPlaces {
  readonly #offsets = new NumberList(Float64Array);
  readonly #lengths = new NumberList(Uint32Array);

  get length(): number {
    return this.#offsets.length;
  }

  push(offset: number, length: number): void {
    this.#offsets.push(offset);
    this.#lengths.push(length);
  }

  at(rowIndex: number): RowPlace | undefined {
    if (!(rowIndex >= 0 && rowIndex < this.length)) return undefined;
    return { offset: this.#offsets.at(rowIndex), length: this.#lengths.at(rowIndex) };
  }

  *[Symbol.iterator](): Generator<RowPlace> {
    for (let rowIndex = 0; rowIndex < this.length; rowIndex += 1) {
      yield { offset: this.#offsets.at(rowIndex), length: this.#lengths.at(rowIndex) };
    }
  }
}

/** Numbers cells in the order in which they are asked for first; no text is made for any of them. */
function createCellIndex(): (key: CellKey) => number {
  const variants = new Map<string, Map<number, Map<string, number>>>();
  let [suite, prompt, provider]: (string | undefined)[] = [];
  let trials = new Map<number, Map<string, number>>();
  let count = 0;
  return (key) => {
    if (key.suite !== suite || key.prompt !== prompt || key.provider !== provider) {
      ({ suite, prompt, provider } = key);
      const variant = JSON.stringify([suite, prompt, provider]);
      trials = variants.get(variant) ?? new Map<number, Map<string, number>>();
      variants.set(variant, trials);
    }
    const cases = trials.get(key.trial) ?? new Map<string, number>();
    trials.set(key.trial, cases);
    const known = cases.get(key.caseId);
    if (known !== undefined) return known;
    cases.set(key.caseId, count);
    count += 1;
    return count - 1;
  };
}

/** The key of a cell as text, the same for its every row. */
export function cellKeyText(key: Pick<CellRow, 'suite' | 'prompt' | 'provider' | 'caseId' | 'trial'>): string {
  return JSON.stringify([key.suite, key.prompt, key.provider, key.caseId, key.trial]);
}

const maxProblems = 20;
const scratch = new Scratch();

function readRowAt(fd: number, { offset, length }: RowPlace, path: string): CellRow {
  const bytes = scratch.take(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  const row = parseText(bytes.subarray(0, read));
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
    yield* readLines(fd);
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

function parseRow(line: ByteLine): unknown {
  return parseText(bytesOf(line));
}

/** Undefined where it is not JSON. */
function parseText(bytes: Buffer): unknown {
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
    const place = places.at(rowIndex);
    if (place === undefined) throw new RangeError(`row ${rowIndex} of ${path}, which has ${places.length}`);
    const fd = openOrRefuse(() => file.open(), path);
    if (fd === undefined) throw new UserError([changedProblem(path, place.offset)]);
    return readRowAt(fd, place, path);
  };
}

/**
 * Reads the usages of rows by their index, those of the whole record in one pass when the first is asked for; equal ones
 * are one object. Who asks for them all would else parse a hundred thousand rows one by one.
 */
export function openUsageReader(record: Pick<ReadRecord, 'path' | 'places'>): (rowIndex: number) => Usage | undefined {
  const readRow = openRowReader(record);
  let usages: readonly (Usage | undefined)[] | undefined;
  return (rowIndex) => {
    usages ??= readUsages(record);
    // Where the pass found none, the row itself knows why.
    return usages[rowIndex] ?? readRow(rowIndex).usage;
  };
}

function readUsages({ path, places }: Pick<ReadRecord, 'path' | 'places'>): readonly (Usage | undefined)[] {
  const usages: (Usage | undefined)[] = [];
  const known = new Map<string, Usage | undefined>();
  for (const { buffer, start, end, offset } of linesOf(path)) {
    if (places.at(usages.length)?.offset !== offset) continue;
    const text = scanUsage(buffer, start + 1, end);
    if (text !== undefined && !known.has(text)) known.set(text, parseUsage(text));
    usages.push(text === undefined ? undefined : known.get(text));
  }
  return usages;
}

function parseUsage(text: string): Usage | undefined {
  const usage = parseText(Buffer.from(text, 'latin1'));
  return isUsage(usage) ? usage : undefined;
}

/** Whether a file begins like a run record; tells one from a baseline file. */
export function isRunRecord(path: string): boolean {
  for (const line of linesOf(path)) return isRunHeader(parseRow(line));
  return false;
}

/** False where the first line is not whole, as a run leaves it that is killed while it begins. */
export function hasHeader(path: string): boolean {
  for (const line of linesOf(path)) return line.isTerminated || isRunHeader(parseRow(line));
  return false;
}

/** The first line of a record, without reading the rest. */
export function readRunHeader(path: string): RunHeader {
  for (const line of linesOf(path)) return checkHeader(parseRow(line), line, path);
  throw new UserError([notARecord(path, 'it is empty')]);
}
