import type { Mask } from '../lib/mask-secrets.ts';
import { StorageError } from '../lib/storage-error.ts';
import type { Cell, CellKey } from '../model/cell.ts';
import type { CellRow, EndRow, RunHeader } from '../model/record.ts';
import type { Plan } from '../plan/build-plan.ts';
import { RowTable } from '../record/row-table.ts';
import { endSummary } from '../record/summarize-run.ts';
import { cellKeyText, PlaceList, readRunRecord } from '../stores/read-run-record.ts';
import { type RunRecordWriter, rewriteRunRecord } from '../stores/write-run-record.ts';
import { createUnderFreeId, refuseStorageErrors } from './create-record.ts';
import type { FindAccepted } from './find-accepted.ts';
import { identify } from './identify.ts';
import { indexCells } from './index-cells.ts';
import { openStoredRecord, type StoredRecord, toStoredRecord } from './open-stored-record.ts';
import type { RunOptions, RunPorts } from './run-options.ts';
import { findStoredRun, runsFolder } from './stored-runs.ts';

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
  const { id, writer } = refuseStorageErrors(() => {
    if (resumed === undefined) return createUnderFreeId(runsFolder(options.project), newHeader, ports);
    const opened = resumed.rewrite();
    opened.append({ type: 'resume', startedAt: newHeader.startedAt });
    return { id: resumed.id, writer: opened };
  });
  // The rows of this process are summarised as they are written, so that nothing has to be read again to count them.
  const table = new RowTable();
  const places = new PlaceList();
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
        table.add(row, places.length);
        places.push(place.offset, place.length);
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
    startedAt: resumed?.startedAt ?? newHeader.startedAt,
    keptCells: resumed?.done.size ?? 0,
    isDone: (key) => resumed?.done.has(cellKeyText(key)) === true,
    readDone: (key) => resumed?.readDone(cellKeyText(key)),
    append,
    close(end) {
      flush();
      write([end]);
      closeQuietly(writer);
    },
    read(end) {
      // What another run goes on with is counted as it stands there: rows lie elsewhere in it.
      if (resumed !== undefined || isTakenOver)
        return openStoredRecord(writer.path, ports.cwd, end === undefined ? {} : { end });
      if (counted?.rows !== table.length) {
        const header = { ...newHeader, id };
        const record = { path: writer.path, header, end, places, rows: table, warnings: [] };
        counted = { rows: table.length, record: toStoredRecord(record, ports.cwd) };
      }
      const { record } = counted;
      return { ...record, end, summary: { ...record.summary, ...endSummary(end) } };
    },
  };
}

interface Resumed {
  readonly path: string;
  readonly id: string;
  readonly startedAt: string;
  readonly done: ReadonlySet<string>;
  readonly readDone: (key: string) => CellRow | undefined;
  readonly rewrite: () => RunRecordWriter;
}

/** What a row says of its case that no identity holds, so that it may have changed since. */
interface PlannedCell extends Pick<Cell, 'at' | 'tags' | 'description'> {
  readonly identity: string;
}

/**
 * Keeps the verdicts on cells, fresh trials included, that would run again exactly as they did. Errored and interrupted cells, and those whose
 * request, checks or place in the plan changed, are dropped and so run again; so are damaged lines.
 */
function prepareResume(
  options: RunOptions,
  plan: Plan,
  newHeader: Omit<RunHeader, 'id'>,
  { findAccepted, ports }: { readonly findAccepted: FindAccepted; readonly ports: RunPorts },
): Resumed {
  const stored = findStoredRun(options.project, options.resume?.runId);
  const planned = new Map<string, PlannedCell>();
  for (const lane of plan.providerIds) {
    for (const cell of plan.cells(lane)) {
      const { at, tags, description } = cell;
      planned.set(cellKeyText(cell.key), {
        at,
        identity: identify(cell, findAccepted),
        ...(tags === undefined ? {} : { tags }),
        ...(description === undefined ? {} : { description }),
      });
    }
  }
  const cellOf = indexCells(plan);
  /** A fresh trial is what its case's first trial would be under another number, and lies outside the plan. */
  const isSameConfirmation = ({ suite, prompt, provider, caseId, trial, identity }: CellRow): boolean => {
    const first = cellOf(suite, prompt, provider, caseId);
    if (first === undefined) return false;
    const fresh = { ...first, key: { ...first.key, trial }, request: { ...first.request, trial } };
    return identify(fresh, findAccepted) === identity;
  };
  let damagedLines = 0;
  const record = readRunRecord(
    stored.path,
    (row, rowIndex) => {
      const key = cellKeyText(row);
      const isUntouched = options.resume?.isTouched?.(row.suite) === false;
      const isVerdict = row.status === 'passed' || row.status === 'failed' || (isUntouched && row.status === 'errored');
      const isConfirmation = row.confirmation === true;
      const isKept =
        isVerdict &&
        (isConfirmation ? !planned.has(key) && isSameConfirmation(row) : planned.get(key)?.identity === row.identity);
      return { key, isKept, isConfirmation, rowIndex };
    },
    {
      onDamaged: () => {
        damagedLines += 1;
      },
    },
  );
  if (damagedLines > 0) ports.onProgress({ type: 'note', message: describeDamage(stored.path, damagedLines) });
  const kept = record.summaries.filter(({ isKept }) => isKept);
  const { id, startedAt } = record.header;
  const places = kept.flatMap(({ rowIndex }) => record.places.at(rowIndex) ?? []);
  const renew = (row: CellRow): CellRow => {
    const cell = planned.get(cellKeyText(row.confirmation === true ? { ...row, trial: 0 } : row));
    return cell === undefined ? row : renewRow(row, cell, ports.mask);
  };
  const done = new Set(kept.flatMap(({ key, isConfirmation }) => (isConfirmation ? [] : [key])));
  return {
    path: stored.path,
    id,
    startedAt,
    done,
    readDone: createDoneReader(stored.path, done),
    rewrite: () => rewriteRunRecord(stored.path, { ...newHeader, id, startedAt }, places, { renew }),
  };
}

function renewRow(row: CellRow, { at, tags, description }: PlannedCell, mask: Mask): CellRow {
  if (row.asked === undefined) return { ...row, at };
  const { tags: _tags, description: _description, ...asked } = row.asked;
  return {
    ...row,
    at,
    asked: {
      ...asked,
      ...(tags === undefined ? {} : { tags: tags.map(mask) }),
      ...(description === undefined ? {} : { description: mask(description) }),
    },
  };
}

function describeDamage(path: string, count: number): string {
  const lines = count === 1 ? 'A line' : `${count} lines`;
  return `${lines} of ${path} could not be read; what is missing for it runs again.`;
}

/** Few runs ask for rows of their earlier part, so the record is read again by the first that does. */
function createDoneReader(path: string, done: ReadonlySet<string>): Resumed['readDone'] {
  let rows: Map<string, CellRow> | undefined;
  return (key) => {
    if (!done.has(key)) return undefined;
    if (rows === undefined) {
      const found = new Map<string, CellRow>();
      readRunRecord(path, (row) => {
        const text = cellKeyText(row);
        if (done.has(text)) found.set(text, row);
      });
      rows = found;
    }
    return rows.get(key);
  };
}

function closeQuietly(writer: RunRecordWriter): void {
  try {
    writer.close();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
  }
}
