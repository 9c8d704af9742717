import { defined } from '../json/defined.ts';
import type { Cell, CellKey } from '../model/cell.ts';
import type { CellRow, RunHeader } from '../model/record.ts';
import type { Plan } from '../plan/build-plan.ts';
import type { FindAccepted } from '../plan/identify.ts';
import { identify } from '../plan/identify.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { findStoredRun } from '../project/stored-runs.ts';
import { type RowPlace } from '../record/read-rows.ts';
import { cellKeyText, visitRows } from '../record/read-run-record.ts';
import { type RunRecordWriter, rewriteRunRecord } from '../record/write-run-record.ts';
import type { Mask } from '../secrets/mask-secrets.ts';

/** An earlier part of a run that is gone on with. */
export interface Resumed {
  readonly id: string;
  readonly startedAt: string;
  /** Cells that it finished. */
  readonly doneCells: number;
  /**
   * True for an answer of that time which the earlier part had asked for: one that reached the cache when its row had not
   * reached the record. It was billed to this run, and the baseline does not hold it.
   */
  readonly isOwn: (receivedAt: string) => boolean;
  /** Where the row of a cell that it finished is in the record as written again; undefined for every other cell. */
  readonly indexOf: (key: CellKey) => number | undefined;
  /** Writes the record again with the rows that are kept; `onRow` gets each of them and its new place. Call it once. */
  readonly rewrite: (onRow: (row: CellRow, place: RowPlace) => void) => RunRecordWriter;
}

/** How much later than the last row an answer may have come whose own row a kill prevented: judges take their time. */
const unwrittenMs = 60_000;

export interface ResumePorts {
  readonly findAccepted: FindAccepted;
  readonly ports: Pick<RunPorts, 'onProgress' | 'mask'>;
}

/**
 * Keeps the verdicts on cells, fresh trials included, that would run again exactly as they did. Errored and interrupted cells, and those whose
 * request, checks or place in the plan changed, are dropped and so run again; so are damaged lines.
 */
export function prepareResume(
  options: RunOptions,
  plan: Plan,
  newHeader: Omit<RunHeader, 'id'>,
  { findAccepted, ports }: ResumePorts,
): Resumed {
  const { path, modifiedMs } = findStoredRun(options.project, options.resume?.runId);
  const { header, cells, damagedLines } = readEarlierCells(path, options);
  if (damagedLines > 0) ports.onProgress({ type: 'note', message: describeDamage(path, damagedLines) });
  const kept = findKept(cells, plan, findAccepted);
  const { id, startedAt } = header;
  /** Of the cells that need not run, the rows in the record as written again. */
  const indexes = new Map<string, number>();
  for (const [index, [key, { isConfirmation }]] of [...kept].entries()) if (!isConfirmation) indexes.set(key, index);
  return {
    id,
    startedAt,
    doneCells: indexes.size,
    // Where files are watched the run never died, and asks again for what it had.
    isOwn: (receivedAt) =>
      options.resume?.isTouched === undefined &&
      receivedAt >= startedAt &&
      Date.parse(receivedAt) <= modifiedMs + unwrittenMs,
    indexOf: (key) => indexes.get(cellKeyText(key)),
    rewrite(onRow) {
      const places = Array.from(kept.values(), ({ place }) => place);
      const writer = rewriteRunRecord(path, { ...newHeader, id, startedAt }, places, {
        renew: (row) => renewRow(row, kept.get(cellKeyText(row))?.detail, ports.mask),
        onRow,
      });
      kept.clear();
      return writer;
    },
  };
}

/** A cell of the earlier part, as its last row says. */
interface EarlierCell {
  readonly key: CellKey;
  readonly place: RowPlace;
  /** The hash of all that it ran. */
  readonly identity: string;
  readonly isVerdict: boolean;
  /** True for a fresh trial, which lies outside the plan. */
  readonly isConfirmation: boolean;
}

/** The cells of a record by their keys, in the order in which they first finished. */
function readEarlierCells(path: string, options: RunOptions) {
  const cells = new Map<string, EarlierCell>();
  let damagedLines = 0;
  const { header } = visitRows(
    path,
    (row, _rowIndex, place) => {
      const { suite, prompt, provider, caseId, trial, identity } = row;
      const key = { suite, prompt, provider, caseId, trial };
      const isConfirmation = row.confirmation === true;
      cells.set(cellKeyText(key), { key, place, identity, isVerdict: isVerdict(row, options), isConfirmation });
    },
    () => {
      damagedLines += 1;
    },
  );
  return { header, cells, damagedLines };
}

/** What a row says of its case that no identity holds, so that it may have changed since. */
type CellDetail = Pick<Cell, 'at' | 'tags' | 'description'>;

interface KeptCell extends Pick<EarlierCell, 'place' | 'isConfirmation'> {
  readonly detail: CellDetail;
}

/** The cells whose rows are kept, by their keys and in the order of the record. */
function findKept(
  cells: ReadonlyMap<string, EarlierCell>,
  plan: Plan,
  findAccepted: FindAccepted,
): Map<string, KeptCell> {
  const confirmations = groupConfirmations(cells.values());
  const details = new Map<string, CellDetail>();
  const planned = new Set<string>();
  for (const lane of plan.providerIds) {
    for (const cell of plan.cells(lane)) {
      const key = cellKeyText(cell.key);
      const found = cells.get(key);
      // A fresh trial whose number is planned by now runs as a planned one.
      if (found?.isConfirmation === true) planned.add(key);
      else if (found !== undefined && isSame(found, cell, findAccepted)) details.set(key, detailOf(cell));
      if (cell.key.trial !== 0) continue;
      for (const confirmation of confirmations.get(key) ?? []) {
        const { trial } = confirmation.key;
        // It is what its case's first trial would be under another number.
        const fresh = { ...cell, key: { ...cell.key, trial }, request: { ...cell.request, trial } };
        if (isSame(confirmation, fresh, findAccepted)) details.set(cellKeyText(confirmation.key), detailOf(cell));
      }
    }
  }
  const kept = new Map<string, KeptCell>();
  for (const [key, { place, isConfirmation }] of cells) {
    const detail = planned.has(key) ? undefined : details.get(key);
    if (detail !== undefined) kept.set(key, { place, isConfirmation, detail });
  }
  return kept;
}

/** Fresh trials by the key of their case's first trial. */
function groupConfirmations(cells: Iterable<EarlierCell>): ReadonlyMap<string, readonly EarlierCell[]> {
  const groups = new Map<string, EarlierCell[]>();
  for (const cell of cells) {
    if (!cell.isConfirmation) continue;
    const key = cellKeyText({ ...cell.key, trial: 0 });
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return groups;
}

function isSame({ isVerdict, identity }: EarlierCell, cell: Cell, findAccepted: FindAccepted): boolean {
  return isVerdict && identity === identify(cell, findAccepted);
}

function detailOf({ at, tags, description }: Cell): CellDetail {
  return { at, ...defined({ tags, description }) };
}

function isVerdict({ status, suite }: CellRow, { resume }: RunOptions): boolean {
  return status === 'passed' || status === 'failed' || (status === 'errored' && resume?.isTouched?.(suite) === false);
}

function renewRow(row: CellRow, detail: CellDetail | undefined, mask: Mask): CellRow {
  if (detail === undefined) return row;
  const { at, tags, description } = detail;
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
