import type { Cell, CellResult } from '../model/cell.ts';
import { buildCellRow } from '../record/build-cell-row.ts';
import { onAbort } from '../text/on-abort.ts';
import { describeProgress } from './describe-progress.ts';
import { executeCells } from './execute-cells.ts';
import type { Run } from './open-run.ts';

/** Stops the run at a signal, at its deadline, and where its files have changed; the function it returns ends that. */
export function listenForStops({ options, ports, stop, state }: Run): () => void {
  const stopListening = ports.onSignal((signal) => {
    state.interrupted ??= signal;
    stop.hard('interrupted');
  });
  const { outdated } = ports;
  if (outdated?.aborted === true) stop.soft('interrupted');
  else if (outdated !== undefined) onAbort(outdated, () => stop.soft('interrupted'));
  const stopDeadline =
    options.deadlineMs === undefined
      ? undefined
      : ports.clock.startTimer(options.deadlineMs, () => stop.hard('deadline'));
  return () => {
    stopDeadline?.();
    stopListening();
  };
}

/** Runs cells of some providers; each row is in the record before its cell counts as done. */
export function executeInRun(
  run: Run,
  cellsOf: (laneId: string) => Iterable<Cell>,
  laneIds: Iterable<string>,
): Promise<void> {
  return executeCells({
    lanes: [...laneIds].map((id) => run.lanes.lane(id, cellsOf(id))),
    stopReason: run.stop.reason,
    onResult: (result, cell) => keepResult(run, result, cell),
  });
}

async function keepResult(run: Run, result: CellResult, cell: Cell): Promise<void> {
  const { options, ports, others, stop, record, dispatch, state } = run;
  // Those that were skipped before they began were not posted by their lane.
  if (result.status === 'skipped') others.post(result.key, undefined);
  const row = buildCellRow(result, ports.mask, cell);
  ports.onProgress(describeProgress(result, row));
  ports.trace?.result(result);
  if (result.status === 'skipped' && result.reason !== 'case') state.isCutShort = true;
  if (result.status === 'judged' && !result.passed && !result.observe && result.confirmation !== true) {
    state.failedCells += 1;
    if (state.failedCells === options.bail) stop.soft('bail');
  }
  await record.append(row);
  dispatch?.forget(result.key);
}
