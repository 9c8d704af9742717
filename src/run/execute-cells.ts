import { runWorkers } from '../calls/run-workers.ts';
import type { Cell, CellResult, SkipReason } from '../model/cell.ts';
import { describeCell } from './run-cell.ts';

/** The cells of one provider, taken one after the other as its workers get free. */
export interface Lane {
  readonly cells: Iterable<Cell>;
  /** Cells of this lane that may be in work at present; the limits of calls are the provider's own. */
  readonly workers: () => number;
  run(cell: Cell): Promise<CellResult>;
}

export interface ExecuteOptions {
  readonly lanes: readonly Lane[];
  /** Asked before each cell: once it names a reason, the rest is skipped with it. */
  stopReason(): SkipReason | undefined;
  /**
   * Resolves once the result is kept: until then its worker takes no other cell. It must let the event loop have its
   * turn, or a run on cached answers would never leave its microtasks.
   */
  onResult(result: CellResult, cell: Cell): Promise<void>;
}

/** Executes every cell once; each gets a result, also those that are skipped. A bug in one ends all, once what is in work has ended. */
export async function executeCells(options: ExecuteOptions): Promise<void> {
  const bugs: unknown[] = [];
  await Promise.all(options.lanes.map((lane) => executeLane(lane, options, bugs)));
  if (bugs.length > 0) throw bugs[0];
}

function executeLane(lane: Lane, options: ExecuteOptions, bugs: unknown[]): Promise<void> {
  const cells = lane.cells[Symbol.iterator]();
  const work = async (): Promise<boolean> => {
    if (bugs.length > 0) return false;
    const next = cells.next();
    if (next.done === true) return false;
    const cell = next.value;
    const reason = options.stopReason();
    const isRun = reason === undefined || cell.skip !== undefined;
    await options.onResult(isRun ? await lane.run(cell) : skipped(cell, reason), cell);
    return true;
  };
  return runWorkers(work, lane.workers).catch((bug: unknown) => {
    bugs.push(bug);
  });
}

function skipped(cell: Cell, reason: SkipReason): CellResult {
  return { status: 'skipped', ...describeCell(cell, cell.identity), reason, calls: [] };
}
