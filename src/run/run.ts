import type { Dispatch } from '../calls/open-queue-dispatch.ts';
import { createStop, type Stop } from '../calls/stop.ts';
import { keepRecordings } from '../calls/suite-recordings.ts';
import { openJudgePorts } from '../judges/judge-answer.ts';
import type { Cell } from '../model/cell.ts';
import type { Report } from '../model/report.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { onAbort } from '../text/deadline.ts';
import { askAgain } from './ask-again.ts';
import { collectBatches } from './collect-batches.ts';
import { closeRecord, reportOn } from './end-run.ts';
import { executeInRun } from './execute-cells.ts';
import { openRun, type Run } from './open-run.ts';
import { keepStubs } from './record-tools.ts';

/** A run from its plan to its report. */
export async function runSuites(options: RunOptions, ports: RunPorts): Promise<Report> {
  const stop = createStop();
  const judges = openJudgePorts({ root: options.project.root, env: ports.env, signal: stop.signal });
  const dispatch = await openWorkers(options, ports, stop);
  try {
    const run = await openRun(options, ports, { stop, judgePorts: judges.ports, dispatch });
    await makeCalls(run);
    keepRecordings(run.calls, stop, ports);
    if (run.toolRecorder !== undefined) keepStubs(run.toolRecorder, stop, ports);
    const end = closeRecord(run);
    return await reportOn(run, end);
  } finally {
    judges.close();
    await dispatch?.close();
  }
}

/** Connects to the workers of `--queue`. The code is loaded where it is needed: most runs make their calls themselves. */
async function openWorkers(options: RunOptions, ports: RunPorts, stop: Stop): Promise<Dispatch | undefined> {
  if (options.queue === undefined) return undefined;
  const { openDispatch } = await import('../calls/open-queue-dispatch.ts');
  return openDispatch(options.queue, options, ports, () => stop.hard('queue'));
}

/** Everything that may be sent: batches, the planned cells, and confirmation trials of cases that look broken. */
async function makeCalls(run: Run): Promise<void> {
  const { planned, record, calls, stop, ports, dispatch, earlier } = run;
  const { plan } = planned;
  const keptCells = earlier?.doneCells ?? 0;
  const stopListening = listenForStops(run);
  ports.onProgress({ type: 'planned', cells: plan.cellCount - keptCells, suites: plan.suites.length, keptCells });
  try {
    await dispatch?.begin(record, planned, stop.signal);
    if (run.batchAnswers !== undefined) run.state.batches = await collectBatches(run, run.batchAnswers);
    const hasFailed = await askPlanned(run);
    if (!hasFailed && mayLookWorse(run)) {
      const isWhole = await askAgain(run);
      if (!isWhole) run.state.isCutShort = true;
    }
  } finally {
    stopListening();
    await dispatch?.close();
    await calls.close();
  }
}

/** Asks the planned cells. True where an early run has failed before it asked all of them. */
async function askPlanned(run: Run): Promise<boolean> {
  // Most runs ask everything.
  if (run.options.early !== undefined) return (await import('./ask-early.ts')).askEarly(run);
  await executeInRun(
    run,
    run.planned.plan.providerKeys.map((key) => [key, cellsToRun(run, key)]),
  );
  return false;
}

/** Stops the run at a signal, at its deadline, and once its files have changed, until the returned function is called. */
function listenForStops({ options, ports, stop }: Run): () => void {
  const { outdated } = ports;
  if (outdated?.aborted === true) stop.soft('interrupted');
  else if (outdated !== undefined) onAbort(outdated, () => stop.soft('interrupted'));
  return stop.listen(ports, options.deadlineMs);
}

/** The planned cells of a provider, without those that an earlier part of the run finished. */
function* cellsToRun({ planned, record }: Run, providerKey: string): Iterable<Cell> {
  for (const cell of planned.plan.cells(providerKey)) if (!record.countIfFinished(cell)) yield cell;
}

/**
 * True where a cell failed or lost score, where cost, steps or classes are gated, and where the run was resumed. Otherwise
 * nothing has to be compared before the report.
 */
function mayLookWorse({ state, earlier, planned }: Run): boolean {
  const isGatedBeside = planned.plan.suites.some(
    ({ suite: { gate, classes } }) =>
      gate.cost.maxIncrease !== undefined || gate.steps?.maxIncrease !== undefined || classes !== undefined,
  );
  return state.hasLowScore || isGatedBeside || (earlier?.doneCells ?? 0) > 0;
}
