import { relative } from 'node:path';
import type { CellRow, EndRow, RunHeader } from '../model/record.ts';
import type { RowSummary, RunSummary } from '../model/summary.ts';
import { openRowReader, type RowPlace, visitRowHeads, visitRows } from './read-run-record.ts';
import { summarizeRow } from './summarize-row.ts';
import { summarizeRun } from './summarize-run.ts';

/** A record as read and counted; its answers stay on disk. */
export interface StoredRecord {
  readonly path: string;
  /** Relative to the working folder where that is below it. */
  readonly shownPath: string;
  readonly header: RunHeader;
  readonly end: EndRow | undefined;
  readonly summary: RunSummary;
  readonly warnings: readonly string[];
  readonly readRow: (rowIndex: number) => CellRow;
}

export interface OpenRecordOptions {
  /** How the run ended, where the record has no such line (yet). */
  readonly end?: EndRow;
}

export function openStoredRecord(path: string, cwd: string, options: OpenRecordOptions = {}): StoredRecord {
  const rows: RowSummary[] = [];
  const record = visitRows(path, (row, rowIndex) => rows.push(summarizeRow(row, rowIndex)));
  return toStoredRecord({ ...record, rows, end: record.end ?? options.end }, cwd);
}

/** The same by the heads of its rows, where most of the answers will never be looked at. */
export function openRecordHeads(path: string, cwd: string): StoredRecord {
  const rows: RowSummary[] = [];
  const record = visitRowHeads(path, (row, rowIndex) => rows.push(summarizeRow(row, rowIndex)));
  return toStoredRecord({ ...record, rows }, cwd);
}

interface ReadRecord {
  readonly path: string;
  readonly header: RunHeader;
  readonly end: EndRow | undefined;
  readonly rows: readonly RowSummary[];
  readonly places: readonly RowPlace[];
  readonly warnings: readonly string[];
}

/** Counts the rows of a record, whether they were just read or just written. */
export function toStoredRecord(record: ReadRecord, cwd: string): StoredRecord {
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
  };
}
