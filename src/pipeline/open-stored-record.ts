import { relative } from 'node:path';
import type { Usage } from '../model/completion.ts';
import type { CellRow, EndRow, RunHeader } from '../model/record.ts';
import type { RunSummary } from '../model/summary.ts';
import { RowTable } from '../record/row-table.ts';
import { summarizeRun } from '../record/summarize-run.ts';
import { openRowReader, openUsageReader, type RowPlaces, visitRowHeads, visitRows } from '../stores/read-run-record.ts';

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
  /** Of one row after the other, for who needs them all. */
  readonly readUsage: (rowIndex: number) => Usage | undefined;
}

export interface OpenRecordOptions {
  /** How the run ended, where the record has no such line (yet). */
  readonly end?: EndRow;
}

export function openStoredRecord(path: string, cwd: string, options: OpenRecordOptions = {}): StoredRecord {
  const rows = new RowTable();
  const record = visitRows(path, (row, rowIndex) => rows.add(row, rowIndex));
  return toStoredRecord({ ...record, rows, end: record.end ?? options.end }, cwd);
}

/** The same by the heads of its rows, where most of the answers will never be looked at. */
export function openRecordHeads(
  path: string,
  cwd: string,
  // Nothing else is in memory while two records are compared.
  { rows = new RowTable(1 << 20) }: { readonly rows?: RowTable } = {},
): StoredRecord {
  const record = visitRowHeads(path, (row, rowIndex) => rows.add(row, rowIndex));
  return toStoredRecord({ ...record, rows }, cwd);
}

interface ReadRecord {
  readonly path: string;
  readonly header: RunHeader;
  readonly end: EndRow | undefined;
  readonly rows: RowTable;
  readonly places: RowPlaces;
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
    readUsage: openUsageReader(record),
  };
}
