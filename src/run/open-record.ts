import { StorageError } from '../files/storage-error.ts';
import type { CellKey } from '../model/cell.ts';
import type { CellRow, EndRow, RunHeader } from '../model/record.ts';
import type { RowSummary } from '../model/summary.ts';
import type { Plan } from '../plan/build-plan.ts';
import type { FindAccepted } from '../plan/identify.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { runsFolder } from '../project/stored-runs.ts';
import { summarizeRow } from '../record/case-summaries.ts';
import { openStoredRecord, type StoredRecord, toStoredRecord } from '../record/open-stored-record.ts';
import { openRowReader, type RowPlace } from '../record/read-rows.ts';
import { endSummary } from '../record/summarize-run.ts';
import type { RunRecordWriter } from '../record/write-run-record.ts';
import { createUnderFreeId, refuseStorageErrors } from './create-record.ts';
import { prepareResume } from './prepare-resume.ts';

/** The record of the run that is going on. */
export interface OpenRecord {
  readonly path: string;
  readonly id: string;
  /** ISO 8601; of its first part. */
  readonly startedAt: string;
  /** Cells that an earlier part of the run finished. */
  readonly keptCells: number;
  /** True where the record holds a verdict on exactly this cell. */
  readonly isDone: (key: CellKey) => boolean;
  /** True for an answer of that time which an earlier part of the run had asked for, though it left no row. */
  readonly isOwn: (receivedAt: string) => boolean;
  /** The row of a cell that an earlier part of the run finished. */
  readonly readDone: (key: CellKey) => CellRow | undefined;
  /**
   * Resolves once the row is on disk or the disk refused it; what was written before stays readable. Rows of one turn of
   * the event loop are written together: a write costs more than all else that is done with a row.
   */
  readonly append: (row: CellRow) => Promise<void>;
  readonly close: (end: EndRow) => void;
  /** The record as it stands, counted from its rows. */
  readonly read: (end: EndRow | undefined) => StoredRecord;
}

/** Opens a new record, or the one that a resumed run goes on in. */
export function openRecord(
  options: RunOptions,
  plan: Plan,
  newHeader: Omit<RunHeader, 'id'>,
  ports: RunPorts,
  { findAccepted, onRefused }: { readonly findAccepted: FindAccepted; readonly onRefused: () => void },
): OpenRecord {
  const resumed =
    options.resume === undefined ? undefined : prepareResume(options, plan, newHeader, { findAccepted, ports });
  // Rows are summarised as they are written, so that nothing has to be read again to count them.
  const summaries: RowSummary[] = [];
  const places: RowPlace[] = [];
  const addRow = (row: CellRow, place: RowPlace) => {
    summaries.push(summarizeRow(row, places.length));
    places.push(place);
  };
  const { id, writer } = refuseStorageErrors(() => {
    if (resumed === undefined) return createUnderFreeId(runsFolder(options.project), newHeader, ports);
    const opened = resumed.rewrite(addRow);
    opened.append({ type: 'resume', startedAt: newHeader.startedAt });
    return { id: resumed.id, writer: opened };
  });
  const startedAt = resumed?.startedAt ?? newHeader.startedAt;
  const readRow = openRowReader({ path: writer.path, places });
  /** With no row since, it differs in how it ended alone, and is large. */
  let counted: { readonly rows: number; readonly record: StoredRecord } | undefined;
  let isBroken = false;
  let isTakenOver = false;
  let waiting: CellRow[] = [];
  let written: Promise<void> | undefined;

  function append(row: CellRow): Promise<void> {
    waiting.push(row);
    written ??= new Promise((resolve) => {
      setImmediate(() => {
        flush();
        resolve();
      });
    });
    return written;
  }

  function flush(): void {
    const rows = waiting;
    waiting = [];
    written = undefined;
    // A full disk may have room for some of them.
    if (!write(rows) && rows.length > 1) rows.every((row) => write([row]));
  }

  /** False where the disk refused, which ends all writing. */
  function write(rows: readonly (CellRow | EndRow)[]): boolean {
    if (isBroken) return false;
    try {
      const found = writer.append(...rows);
      for (const [index, row] of rows.entries()) {
        const place = found[index];
        if (row.type !== 'cell' || place === undefined) continue;
        addRow(row, place);
      }
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (rows.length > 1) return false;
      ports.onProgress({ type: 'note', message: error.message });
      isBroken = true;
      isTakenOver = error.code === 'ESTALE';
      onRefused();
    }
    return !isBroken;
  }

  return {
    path: writer.path,
    id,
    startedAt,
    keptCells: resumed?.doneCells ?? 0,
    isDone: (key) => resumed?.indexOf(key) !== undefined,
    readDone(key) {
      const index = resumed?.indexOf(key);
      return index === undefined ? undefined : readRow(index);
    },
    isOwn: (receivedAt) => resumed?.isOwn(receivedAt) === true,
    append,
    close(end) {
      flush();
      write([end]);
      closeQuietly(writer);
    },
    read(end) {
      // What another run goes on with is counted as it stands there: rows lie elsewhere in it.
      if (isTakenOver) return openStoredRecord(writer.path, ports.cwd, end === undefined ? {} : { end });
      if (counted?.rows !== summaries.length) {
        const header = { ...newHeader, id, startedAt };
        const record = { path: writer.path, header, end, places, rows: summaries, warnings: [] };
        counted = { rows: summaries.length, record: toStoredRecord(record, ports.cwd) };
      }
      const { record } = counted;
      return { ...record, end, summary: { ...record.summary, ...endSummary(end) } };
    },
  };
}

function closeQuietly(writer: RunRecordWriter): void {
  try {
    writer.close();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
  }
}
