import { runConcurrently } from '../../calls/run-concurrently.ts';
import { defined } from '../../json/defined.ts';
import { type Cell, type CellResult, firstFreshTrial, type SkipReason } from '../../model/run/cell.ts';
import type { ProgressEvent } from '../../model/run/progress.ts';
import type { CellRow } from '../../model/run/record.ts';
import { buildCellRow } from '../../record/build-cell-row.ts';
import type { CellRunner } from '../cells/cell-runner.ts';
import { describeCell } from '../cells/describe-cell.ts';
import type { Run } from '../open-run.ts';

/** The cells of one provider. They start in order, as many at once as the provider allows. */
export interface CellQueue extends CellRunner {
  readonly cells: Iterable<Cell>;
}

export interface ExecuteOptions {
  readonly queues: readonly CellQueue[];
  /** Called before each cell. If it returns a reason, the cell is skipped with that reason. */
  skipReasonOf(cell: Cell): SkipReason | undefined;
  /**
   * Resolves once the result is stored. Until then, no other cell takes its place. It must yield to the event loop, or
   * a run on cached answers would never leave its microtasks. `position` is the number of cells of the queue that began
   * earlier.
   */
  onResult(result: CellResult, cell: Cell, position: number): Promise<void>;
}

/**
 * Executes every cell once. Each cell gets a result, even if it is skipped. Rejects with the first bug, after the
 * running cells have ended.
 */
export async function executeQueues(options: ExecuteOptions): Promise<void> {
  const bugs: unknown[] = [];
  await Promise.all(options.queues.map((queue) => executeQueue(queue, options, bugs)));
  if (bugs.length > 0) throw bugs[0];
}

function executeQueue(queue: CellQueue, options: ExecuteOptions, bugs: unknown[]): Promise<void> {
  const cells = queue.cells[Symbol.iterator]();
  let begun = 0;
  const work = async (): Promise<boolean> => {
    if (bugs.length > 0) return false;
    const next = cells.next();
    if (next.done === true) return false;
    const cell = next.value;
    const position = begun;
    begun += 1;
    const reason = options.skipReasonOf(cell);
    // A case that the suite skips keeps its own reason.
    const isRun = reason === undefined || cell.skip !== undefined;
    await options.onResult(isRun ? await queue.run(cell) : skipped(cell, reason), cell, position);
    return true;
  };
  return runConcurrently(work, queue.cellsAtOnce).catch((bug: unknown) => {
    bugs.push(bug);
  });
}

function skipped(cell: Cell, reason: SkipReason): CellResult {
  return { ...describeCell(cell, cell.cellHash), status: 'skipped', reason, calls: [] };
}

/** Runs cells by provider key. A cell counts as done only when its row is in the record. */
export function executeCells(
  run: Run,
  cells: Iterable<readonly [string, Iterable<Cell>]>,
  skipReasonOf: (cell: Cell) => SkipReason | undefined = () => undefined,
): Promise<void> {
  return executeQueues({
    queues: Array.from(cells, ([key, own]) => ({ cells: own, ...run.runnerOf(key) })),
    skipReasonOf: (cell) => run.stop.reason() ?? skipReasonOf(cell),
    onResult: (result, cell, position) => keepResult(run, result, cell, position),
  });
}

async function keepResult(run: Run, result: CellResult, cell: Cell, position: number): Promise<void> {
  const { options, ports, comparedAnswers, stop, record, dispatch, state } = run;
  // A cell that was skipped before it began was not posted by its runner.
  if (result.status === 'skipped') comparedAnswers.post(result.key, undefined);
  const row = buildCellRow(result, ports.mask, cell, position);
  ports.onProgress(describeProgress(result, row));
  ports.trace?.result(result);
  if (result.status === 'skipped' && result.reason === 'decided') state.isDecidedEarly = true;
  else if (result.status === 'skipped' && result.reason !== 'case') state.isCutShort = true;
  // A required check without a weight fails a cell that has its full score.
  if (result.status === 'judged' && (result.score < 1 || !result.passed)) state.hasLowScore = true;
  if (result.status === 'judged' && !result.passed && !result.observe && result.confirmation !== true) {
    state.failedCells += 1;
    if (state.failedCells === options.bail) stop.soft('bail');
  }
  await record.append(row, cell);
  dispatch?.forget(result.key);
}

/** The progress event of a finished cell. */
function describeProgress(result: CellResult, row: CellRow): ProgressEvent {
  const { suite, caseId, prompt, provider } = result.key;
  const reason = reasonOf(result);
  const { unusable = { billedUsd: 0 } } = result;
  return {
    type: 'cell-finished',
    key: result.key,
    label: `${suite}/${caseId} · ${prompt} × ${provider}${describeTrial(result)}`,
    status: result.status === 'judged' ? (result.passed ? 'passed' : 'failed') : result.status,
    row,
    cached: result.calls.length > 0 && result.calls.every(({ cached }) => cached),
    spentUsd: result.calls.reduce<number | undefined>((sum, { cached, costUsd, billed = { costUsd } }) => {
      if (cached) return sum;
      return sum === undefined || billed.costUsd === undefined ? undefined : sum + billed.costUsd;
    }, unusable.billedUsd),
    ...defined({ reason }),
  };
}

function describeTrial({ key: { trial }, side }: CellResult): string {
  if (side === 'accepted') return ' · accepted prompt';
  // Fresh trials have numbers that say nothing to readers.
  if (trial >= firstFreshTrial) return ' · fresh trial';
  return trial === 0 ? '' : ` · trial ${trial + 1}`;
}

function reasonOf(result: CellResult): string | undefined {
  switch (result.status) {
    case 'skipped':
      return result.message ?? result.reason;
    case 'errored':
      return result.failure.message;
    case 'judged':
      return result.passed ? undefined : (result.failure?.message ?? result.verdicts.find(({ pass }) => !pass)?.reason);
  }
}
