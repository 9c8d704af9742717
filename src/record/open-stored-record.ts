import { relative } from 'node:path';
import type { CellRow, EndRow, RunHeader } from '../model/record.ts';
import type { RowSummary, RunSummary } from '../model/summary.ts';
import { summarizeRow } from './case-summaries.ts';
import { openRowReader } from './read-rows.ts';
import { type ReadRecord, visitRowHeads, visitRows } from './read-run-record.ts';
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

/** `end` says how the run ended where the record does not say so (yet). */
export function openStoredRecord(path: string, cwd: string, { end }: { readonly end?: EndRow } = {}): StoredRecord {
  const rows: RowSummary[] = [];
  const record = visitRows(path, (row, rowIndex) => rows.push(summarizeRow(row, rowIndex)));
  return toStoredRecord({ ...record, rows, end: record.end ?? end }, cwd);
}

/** Reads the heads of the rows alone: faster where most of the answers will never be looked at. */
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
  };
}
