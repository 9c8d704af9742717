import { closeSync, readSync } from 'node:fs';
import { relative } from 'node:path';
import { type ByteLine, splitLines } from '../files/split-lines.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { CellKey } from '../model/run/cell.ts';
import type {
  ComparedLine,
  ContractsLine,
  DecidingLine,
  JudgedLine,
  StoredChecks,
} from '../model/run/deciding-lines.ts';
import { type CellRow, type EndRow, type RowHead, type RunHeader, recordFormat } from '../model/run/record.ts';
import type { RowSummary, RunSummary } from '../model/run/summary.ts';
import { summarizeRow } from './case-summaries.ts';
import {
  openRecordFile,
  openRowReader,
  parseRow,
  parseRowHead,
  type RowPlace,
  RowPlaces,
  readValuesAt,
  toReadError,
} from './read-rows.ts';
import { isCellRow, isDecidingLine, isEndRow, isResumeRow, parseRunHeader } from './row-guards.ts';
import { summarizeRun } from './summarize-run.ts';

/** A record as read once from end to end, without its rows. */
interface ReadRecord {
  readonly path: string;
  readonly header: RunHeader;
  /** The place of every row, by the index that the caller got. */
  readonly places: RowPlaces;
  /** Undefined if the run is still going on or was killed. */
  readonly end: EndRow | undefined;
  readonly deciding: DecidingLines;
  readonly warnings: readonly string[];
}

/** The lines of a record beside its cells that a decision needs. */
export interface DecidingLines {
  /** What the run is compared with, by role and suite. */
  readonly sides: readonly ComparedSideLines[];
  readonly checks: ReadonlyMap<string, StoredChecks>;
  readonly judged: readonly JudgedLine[];
  readonly contracts: ContractsLine | undefined;
}

/** The lines of a baseline in a record. They stay on disk. */
export interface ComparedSideLines extends Pick<ComparedLine, 'role' | 'suite'> {
  readonly head: NonNullable<ComparedLine['head']>;
  readonly places: readonly RowPlace[];
}

/**
 * Gets the number of each line that is not a row, which is then passed over. Such a line is a `UserError` if this is
 * not given.
 */
type OnDamaged = (lineNumber: number) => void;

/**
 * Reads a record in one pass. Memory holds the results of `summarize` for the last row of each cell, in the order of
 * first rows. It never holds the answers. A truncated last line is a warning.
 */
export function readRunRecord<Summary>(
  path: string,
  summarize: (row: CellRow, rowIndex: number) => Summary,
  { onDamaged }: { readonly onDamaged?: OnDamaged } = {},
): ReadRecord & { readonly summaries: readonly Summary[] } {
  const cells = new Map<string, Summary>();
  const record = visitRows(path, (row, index) => cells.set(cellKeyText(row), summarize(row, index)), onDamaged);
  return { ...record, summaries: [...cells.values()] };
}

/** Visits every row, also the earlier ones of a cell that ran again. */
export function visitRows(
  path: string,
  visit: (row: CellRow, rowIndex: number, place: RowPlace) => void,
  onDamaged?: OnDamaged,
): ReadRecord {
  return scanRecord<CellRow>(path, () => undefined, visit, onDamaged);
}

/**
 * Visits the heads of rows, in a fraction of the time; a row without a head is parsed whole. Damage behind a head is
 * found when that row is read.
 */
export function visitRowHeads(path: string, visit: (row: RowHead | CellRow, rowIndex: number) => void): ReadRecord {
  // A last line that was cut off may still have its head.
  return scanRecord(path, ({ bytes, isTerminated }) => (isTerminated ? parseRowHead(bytes) : undefined), visit);
}

function scanRecord<Row extends RowHead>(
  path: string,
  parseHead: (line: ByteLine) => Row | undefined,
  visit: (row: Row | CellRow, rowIndex: number, place: RowPlace) => void,
  onDamaged?: OnDamaged,
): ReadRecord {
  const places = new RowPlaces();
  const warnings: string[] = [];
  const problems: Problem[] = [];
  let header: RunHeader | undefined;
  let end: EndRow | undefined;
  const deciding = new CollectedLines();
  const take = (row: Row | CellRow, { offset, bytes }: ByteLine) => {
    const place = { offset, length: bytes.length };
    visit(row, places.size, place);
    places.add(place);
  };
  for (const line of linesOf(path)) {
    const head = header === undefined ? undefined : parseHead(line);
    if (head !== undefined) {
      take(head, line);
      continue;
    }
    const row = parseRow(line.bytes);
    if (header === undefined) header = checkHeader(row, line, path);
    else if (isCellRow(row)) take(row, line);
    else if (isEndRow(row)) end = row;
    // A run that was resumed has not ended.
    else if (isResumeRow(row)) end = undefined;
    else if (isDecidingLine(row)) deciding.add(row, { offset: line.offset, length: line.bytes.length });
    else if (onDamaged !== undefined) onDamaged(line.number);
    else if (!line.isTerminated) {
      warnings.push(`The last line of ${path} was cut off when the run was killed; its cell counts as not finished.`);
    } else if (problems.length < maxProblems) problems.push(damagedLine(path, line.number));
  }
  if (header === undefined) throw notARecord(path, 'it is empty');
  if (problems.length > 0) throw new UserError(problems);
  return { path, header, places, end, deciding, warnings };
}

/** Collects the lines that a decision needs. A resumed run writes them again, so the last ones count. */
export class CollectedLines implements DecidingLines {
  readonly #sides = new Map<string, ComparedSideLines & { readonly places: RowPlace[] }>();
  readonly #judged = new Map<string, JudgedLine>();
  readonly checks = new Map<string, StoredChecks>();
  contracts: ContractsLine | undefined;

  get sides(): readonly ComparedSideLines[] {
    return [...this.#sides.values()];
  }

  get judged(): readonly JudgedLine[] {
    return [...this.#judged.values()];
  }

  add(line: DecidingLine, place: RowPlace): void {
    switch (line.type) {
      case 'compared': {
        const { role, suite, head } = line;
        const key = JSON.stringify([role, suite]);
        const side = head === undefined ? this.#sides.get(key) : { role, suite, head, places: [] };
        if (side === undefined) return;
        this.#sides.set(key, side);
        side.places.push(place);
        return;
      }
      case 'checks':
        this.checks.set(line.hash, line);
        return;
      case 'judged': {
        const role = line.by === 'accepted-checks' ? '' : line.role;
        this.#judged.set(JSON.stringify([line.by, role, line.suite, line.prompt, line.provider, line.caseId]), line);
        return;
      }
      case 'contracts':
        this.contracts = line;
        return;
    }
  }
}

const maxProblems = 20;

/** The key of a cell as text, the same for all its rows. */
export function cellKeyText(key: CellKey): string {
  return JSON.stringify([key.suite, key.prompt, key.provider, key.caseId, key.trial]);
}

/** True if a file begins like a run record. Distinguishes it from a baseline file. */
export function isRunRecord(path: string): boolean {
  const line = readFirstLine(path);
  return line !== undefined && parseRunHeader(line.row) !== undefined;
}

/** False if the first line is incomplete, as in the record of a run that was killed at its start. */
export function hasHeader(path: string): boolean {
  const line = readFirstLine(path);
  return line !== undefined && (line.isTerminated || parseRunHeader(line.row) !== undefined);
}

/** The first line of a record, without reading the rest. */
export function readRunHeader(path: string): RunHeader {
  const line = readFirstLine(path);
  if (line === undefined) throw notARecord(path, 'it is empty');
  return checkHeader(line.row, line, path);
}

function readFirstLine(path: string): { readonly row: unknown; readonly isTerminated: boolean } | undefined {
  for (const { bytes, isTerminated } of linesOf(path)) return { row: parseRow(bytes), isTerminated };
  return undefined;
}

function* linesOf(path: string): Generator<ByteLine> {
  const fd = openRecordFile(path);
  try {
    // Without a position: a pipe has none.
    yield* splitLines((buffer, start, length) => readSync(fd, buffer, start, length, null));
  } catch (error) {
    throw toReadError(error, path);
  } finally {
    closeSync(fd);
  }
}

function checkHeader(row: unknown, { isTerminated }: Pick<ByteLine, 'isTerminated'>, path: string): RunHeader {
  const header = parseRunHeader(row);
  if (header === undefined) {
    throw notARecord(path, isTerminated ? 'its first line is not a run header' : 'its first line was cut off');
  }
  if (!('otherFormat' in header)) return header;
  const message = `The run record ${path} has format ${JSON.stringify(header.otherFormat)}; this version reads format ${recordFormat}.`;
  const hint = 'read it with the version of llmcheck that wrote it, or run again';
  throw new UserError({ code: 'record', message, hint, at: { file: path, line: 1, column: 1 } });
}

function notARecord(path: string, found: string): UserError {
  const hint = 'a run record is made by `llmcheck run`, and `llmcheck list runs` shows them';
  const message = `${path} is not a run record: ${found}.`;
  return new UserError({ code: 'record', message, hint, at: { file: path, line: 1, column: 1 } });
}

function damagedLine(path: string, number: number): Problem {
  const message = `Line ${number} of the run record ${path} is damaged.`;
  const hint = 'run again, or `llmcheck run --resume`: it leaves the line out and runs its cell again';
  return { code: 'record', severity: 'error', message, hint, at: { file: path, line: number, column: 1 } };
}

/** A record as read and counted; its answers stay on disk. */
export interface StoredRecord {
  readonly path: string;
  /** Relative to the working folder if it is below that folder. */
  readonly shownPath: string;
  readonly header: RunHeader;
  readonly end: EndRow | undefined;
  readonly summary: RunSummary;
  readonly warnings: readonly string[];
  readonly readRow: (rowIndex: number) => CellRow;
  /** What the run was compared with. Undefined in older records. */
  readonly sides: RecordedSides | undefined;
  /** The checks with this hash, as written; undefined if the record does not keep them. */
  readonly checksOf: (hash: string) => StoredChecks | undefined;
  readonly judged: readonly JudgedLine[];
  readonly contracts?: ContractsLine | undefined;
}

/** The baselines in a record. Lines are read on demand. */
export interface RecordedSides {
  readonly list: readonly ComparedSideLines[];
  /** The lines of a baseline, its header first. `line` counts them from 1. */
  lines(
    side: ComparedSideLines,
  ): Iterable<{ readonly line: number; readonly value: unknown; readonly readAgain: () => unknown }>;
}

/** Opens a record. `end` tells how the run ended, if the record does not contain this yet. */
export function openStoredRecord(path: string, cwd: string, { end }: { readonly end?: EndRow } = {}): StoredRecord {
  const rows: RowSummary[] = [];
  const record = visitRows(path, (row, rowIndex) => rows.push(summarizeRow(row, rowIndex)));
  return toStoredRecord({ ...record, rows, end: record.end ?? end }, cwd);
}

/**
 * Opens a record and reads only the heads of its rows. Most answers are not needed, and a comparison of two records of
 * 100,000 cells may take 5 s.
 */
export function openRecordHeads(path: string, cwd: string): StoredRecord {
  const rows: RowSummary[] = [];
  const record = visitRowHeads(path, (row, rowIndex) => rows.push(summarizeRow(row, rowIndex)));
  return toStoredRecord({ ...record, rows }, cwd);
}

/** Counts the rows of a record, whether they were just read or just written. */
export function toStoredRecord(
  record: ReadRecord & { readonly rows: readonly RowSummary[] },
  cwd: string,
): StoredRecord {
  const { path, header, end, rows, warnings } = record;
  const shown = relative(cwd, path);
  return {
    path,
    shownPath: shown.startsWith('..') ? path : shown,
    header,
    end,
    summary: summarizeRun(header, rows, end),
    warnings,
    readRow: openRowReader(record),
    sides: header.settings.isSelfContained === true ? openSides(path, record.deciding.sides) : undefined,
    checksOf: (hash) => record.deciding.checks.get(hash),
    judged: record.deciding.judged,
    contracts: record.deciding.contracts,
  };
}

function openSides(path: string, list: readonly ComparedSideLines[]): RecordedSides {
  const lineOf = (row: unknown): unknown => (isDecidingLine(row) && row.type === 'compared' ? row.line : undefined);
  return {
    list,
    *lines({ places }) {
      let line = 0;
      for (const row of readValuesAt(path, places)) {
        const again = places.slice(line, line + 1);
        line += 1;
        yield { line, value: lineOf(row), readAgain: () => lineOf([...readValuesAt(path, again)][0]) };
      }
    },
  };
}
