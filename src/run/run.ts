import type { Dispatch } from '../calls/open-dispatch.ts';
import { keepRecordings } from '../calls/record-answers.ts';
import { createStop, type Stop } from '../calls/stop.ts';
import { openJudgePorts } from '../judges/open-judge-ports.ts';
import type { CellKey } from '../model/cell.ts';
import type { Report } from '../model/report.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { collectBatches } from './collect-batches.ts';
import { confirmCases } from './confirm-cases.ts';
import { assess, closeRecord, reportOn } from './end-run.ts';
import { executeInRun, listenForStops } from './execute-in-run.ts';
import { openRun, type Run } from './open-run.ts';

/** A run from its plan to its report. */
export async function runSuites(options: RunOptions, ports: RunPorts): Promise<Report> {
  const stop = createStop();
  const judge = openJudgePorts({ root: options.project.root, env: ports.env, signal: stop.signal });
  const dispatch = await openWorkers(options, ports, stop);
  try {
    const run = await openRun(options, ports, { stop, judgePorts: judge.ports, dispatch });
    await makeCalls(run);
    keepRecordings(run.lanes, stop, ports);
    const end = closeRecord(run);
    return await reportOn(run, end);
  } finally {
    judge.close();
    await dispatch?.close();
  }
}

/** Loaded where it is asked for: most runs make their calls themselves. */
async function openWorkers(options: RunOptions, ports: RunPorts, stop: Stop): Promise<Dispatch | undefined> {
  if (options.queue === undefined) return undefined;
  const { openDispatch } = await import('../calls/open-dispatch.ts');
  return openDispatch(options.queue, options, ports, () => stop.hard('queue'));
}

/** Everything that may be sent: batches, the planned cells, and confirmation trials of what looks broken. */
async function makeCalls(run: Run): Promise<void> {
  const { planned, record, lanes, stop, ports, dispatch } = run;
  const { keptCells } = record;
  const { plan } = planned;
  const stopListening = listenForStops(run);
  ports.onProgress({ type: 'planned', cells: plan.cellCount - keptCells, suites: plan.suites.length, keptCells });
  try {
    await dispatch?.begin(record, planned, stop.signal);
    await collect(run);
    await executeInRun(run, (id) => notDone(plan.cells(id), record.isDone), plan.providerIds);
    await confirm(run);
  } finally {
    stopListening();
    await dispatch?.close();
    await lanes.close();
  }
}

async function collect({ options, ports, planned, lanes, record, batchAnswers, stop, state }: Run): Promise<void> {
  if (batchAnswers === undefined) return;
  const { isDone } = record;
  state.batches = await collectBatches(options, ports, { planned, lanes, isDone, answers: batchAnswers, stop });
}

async function confirm(run: Run): Promise<void> {
  const { planned, record, lanes, stop, state } = run;
  if (state.failedCells === 0 && record.keptCells === 0) return;
  const isSettled = await confirmCases({
    plan: planned.plan,
    planned,
    execute: (cellsOf, laneIds) => executeInRun(run, cellsOf, laneIds),
    assess: () => assess(run),
    isHermetic: lanes.isHermetic,
    isStopped: () => stop.reason() !== undefined,
  });
  if (!isSettled) state.isCutShort = true;
}

function* notDone<Item extends { readonly key: CellKey }>(
  cells: Iterable<Item>,
  isDone: (key: CellKey) => boolean,
): Iterable<Item> {
  for (const cell of cells) {
    if (!isDone(cell.key)) yield cell;
  }
}
