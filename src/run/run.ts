import type { Dispatch } from '../calls/open-queue-dispatch.ts';
import { createStop, type Stop } from '../calls/stop.ts';
import { keepRecordings } from '../calls/suite-recordings.ts';
import { openJudgePorts } from '../judges/judge-answer.ts';
import type { Report } from '../model/report/report.ts';
import type { Cell } from '../model/run/cell.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { onAbort } from '../text/deadline.ts';
import { confirm } from './asking/ask-again.ts';
import { collectBatches } from './asking/collect-batches.ts';
import { executeCells } from './asking/execute-cells.ts';
import { keepStubs } from './cells/record-tools.ts';
import { endRun } from './end-run.ts';
import { openRun, type Run } from './open-run.ts';
import { planWithBaselines } from './planning/plan-with-baselines.ts';
import { refuseUnworkable } from './planning/refuse-unworkable.ts';

/** A run from its loaded project to its report. */
export async function runSuites(options: RunOptions, ports: RunPorts): Promise<Report> {
  const stop = createStop();
  const judges = openJudgePorts({ root: options.project.root, env: ports.env, signal: stop.signal });
  const dispatch = await openWorkers(options, ports, stop);
  try {
    const planning = await planWithBaselines(options, ports);
    refuseUnworkable(planning, ports);
    const run = await openRun(planning, ports, { stop, judgePorts: judges.ports, dispatch });
    await makeCalls(run);
    keepAnswers(run);
    return await endRun(run);
  } finally {
    judges.close();
    // A run that could not be planned or opened has not closed it.
    await dispatch?.close();
  }
}

/** Connects to the workers of `--queue`. The code is loaded on demand, because most runs make their own calls. */
async function openWorkers(options: RunOptions, ports: RunPorts, stop: Stop): Promise<Dispatch | undefined> {
  if (options.queue === undefined) return undefined;
  const { openDispatch } = await import('../calls/open-queue-dispatch.ts');
  return openDispatch(options.queue, options, ports, () => stop.hard('queue'));
}

/** Makes all calls: batches, the planned cells, and fresh trials of what looks worse. */
async function makeCalls(run: Run): Promise<void> {
  const { planned, record, calls, stop, dispatch } = run;
  const stopListening = listenForStops(run);
  announcePlan(run);
  try {
    await dispatch?.begin(record, planned, stop.signal);
    if (run.batchAnswers !== undefined) run.state.batches = await collectBatches(run, run.batchAnswers);
    const isDecided = await askPlanned(run);
    if (!isDecided) await confirm(run);
  } finally {
    stopListening();
    // Stop the workers before closing the resources that they share with this process.
    await dispatch?.close();
    await calls.close();
  }
}

/** Asks the planned cells. True if `--early` has decided that the run fails, before it asked all of them. */
async function askPlanned(run: Run): Promise<boolean> {
  // Most runs ask everything.
  if (run.options.early !== undefined) return (await import('./asking/ask-early.ts')).askEarly(run);
  const { providerKeys } = run.planned.plan;
  await executeCells(
    run,
    providerKeys.map((key) => [key, cellsToRun(run, key)]),
  );
  return false;
}

/** The planned cells of a provider, without cells that an earlier part of the run finished. */
function* cellsToRun({ planned, record }: Run, providerKey: string): Iterable<Cell> {
  for (const cell of planned.plan.cells(providerKey)) if (!record.countIfFinished(cell)) yield cell;
}

/**
 * Stops the run at a signal, at its deadline, or when its files change. The returned function removes these listeners.
 */
function listenForStops({ options, ports, stop }: Run): () => void {
  const { outdated } = ports;
  if (outdated?.aborted === true) stop.soft('interrupted');
  const ignoreChanges = outdated && onAbort(outdated, () => stop.soft('interrupted'));
  const stopListening = stop.listen(ports, options.deadlineMs);
  return () => {
    ignoreChanges?.();
    stopListening();
  };
}

function announcePlan({ planned: { plan }, ports, earlier }: Run): void {
  const keptCells = earlier?.doneCells ?? 0;
  ports.onProgress({ type: 'planned', cells: plan.cellCount - keptCells, suites: plan.suites.length, keptCells });
}

/** Writes recordings and stubs, if the run records them. */
function keepAnswers({ calls, toolRecorder, stop, ports }: Run): void {
  keepRecordings(calls, stop, ports);
  if (toolRecorder !== undefined) keepStubs(toolRecorder, stop, ports);
}
