import type { Mask } from '../lib/mask-secrets.ts';
import type { CellKey } from '../model/cell.ts';
import type { CellRow, RunHeader } from '../model/record.ts';
import type { Plan } from '../plan/build-plan.ts';
import { type RowPlace, visitRows } from '../stores/read-run-record.ts';
import { type RunRecordWriter, rewriteRunRecord } from '../stores/write-run-record.ts';
import type { CellDetail } from './cell-details.ts';
import { EarlierCells } from './earlier-cells.ts';
import type { FindAccepted } from './find-accepted.ts';
import type { RunOptions, RunPorts } from './run-options.ts';
import { findStoredRun } from './stored-runs.ts';

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
  /** Where the row of a cell that it finished stands in the record as written anew; undefined for every other cell. */
  readonly indexOf: (key: CellKey) => number | undefined;
  /** Writes the record anew, with what is kept of it; told of each row that is, and where it lies then. */
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
  const earlier = new EarlierCells();
  let damagedLines = 0;
  const record = visitRows(
    path,
    (row, rowIndex) => earlier.add(row, rowIndex, isVerdict(row, options)),
    () => {
      damagedLines += 1;
    },
  );
  if (damagedLines > 0) ports.onProgress({ type: 'note', message: describeDamage(path, damagedLines) });
  for (const lane of plan.providerIds) {
    for (const cell of plan.cells(lane)) earlier.match(cell, findAccepted);
  }
  earlier.keep();
  const { id, startedAt } = record.header;
  return {
    id,
    startedAt,
    doneCells: earlier.doneCells,
    // Where files are watched the run never died, and asks again for what it had.
    isOwn: (receivedAt) =>
      options.resume?.isTouched === undefined &&
      receivedAt >= startedAt &&
      Date.parse(receivedAt) <= modifiedMs + unwrittenMs,
    indexOf: (key) => earlier.indexOf(key),
    rewrite(onRow) {
      const writer = rewriteRunRecord(path, { ...newHeader, id, startedAt }, earlier.places(record.places), {
        renew: (row) => renewRow(row, earlier.detailOf(row), ports.mask),
        onRow,
      });
      earlier.forget();
      return writer;
    },
  };
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
