import { refuseUnwritableBaselines } from '../baseline/accept-baseline.ts';
import { describeUnaccepted } from '../baseline/describe-unaccepted.ts';
import { createFindAccepted } from '../baseline/find-accepted.ts';
import { checkBaselines, openBaselines } from '../baseline/find-baselines.ts';
import { addBaselinePrompts } from '../baseline/rerun-baseline.ts';
import type { Dispatch } from '../calls/open-dispatch.ts';
import { keepRecordings } from '../calls/record-answers.ts';
import { createStop, type Stop } from '../calls/stop.ts';
import { createBatchAnswers } from '../calls/with-batch.ts';
import { maskJson } from '../json/mask-json.ts';
import { findUncalibrated } from '../judges/find-uncalibrated.ts';
import type { JudgePorts } from '../judges/judge-answer.ts';
import { openJudgePorts } from '../judges/open-judge-ports.ts';
import type { Cell, CellKey, CellResult } from '../model/cell.ts';
import type { ProgressEvent } from '../model/progress.ts';
import type { CellRow, EndRow, RecordedVariant, RunHeader, RunSettings } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { describeRecordedSuites } from '../plan/describe-suites.ts';
import { describeRetirements, findRetirements } from '../plan/find-retirements.ts';
import { indexCells } from '../plan/index-cells.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { buildCellRow } from '../record/build-cell-row.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { onAbort } from '../text/on-abort.ts';
import { assessRecord, reportAssessment } from '../verdict/assess-run.ts';
import { judgeContracts } from '../verdict/judge-contracts.ts';
import { type CollectedBatches, checkBatchable, collectBatches } from './collect-batches.ts';
import { confirmCases } from './confirm-cases.ts';
import { executeCells } from './execute-cells.ts';
import { createOtherAnswers } from './find-other.ts';
import { openLanes } from './open-lanes.ts';
import { openRecord } from './open-record.ts';

/** Runs a plan to its end, asks again where a case's fate hangs on it, and reports on what the record holds. */
export async function runSuites(options: RunOptions, ports: RunPorts): Promise<Report> {
  const stop = createStop();
  const judge = openJudgePorts({ root: options.project.root, env: ports.env, signal: stop.signal });
  const dispatch = await openWorkers(options, ports, stop);
  try {
    return await runJudged(options, ports, {
      stop,
      judgePorts: judge.ports,
      ...(dispatch === undefined ? {} : { dispatch }),
    });
  } finally {
    judge.close();
    await dispatch?.close();
  }
}

async function runJudged(
  given: RunOptions,
  ports: RunPorts,
  {
    stop,
    judgePorts,
    dispatch,
  }: { readonly stop: Stop; readonly judgePorts: JudgePorts; readonly dispatch?: Dispatch },
): Promise<Report> {
  const findBaseline = openBaselines(given.settings.baseline, {
    root: given.project.root,
    cwd: ports.cwd,
    env: ports.env,
  });
  // A damaged baseline is found before the first call.
  checkBaselines(given.project.suites, findBaseline);
  const options = given.rerunBaseline
    ? { ...given, project: await addBaselinePrompts(given.project, findBaseline) }
    : given;
  const planned = await planRun(options, ports);
  const { plan } = planned;
  if (options.updateBaseline) refuseUnwritableBaselines(plan.suites, options.project.root);
  const findAccepted = createFindAccepted(options.project.suites, findBaseline);
  const cellOf = indexCells(plan);
  const others = createOtherAnswers({
    suites: options.project.suites,
    ...(options.settings.compare === undefined ? {} : { compare: options.settings.compare }),
    findBaseline,
    cellOf,
    findDone: (key) => record.readDone(key),
    signal: stop.signal,
  });
  const batch = options.batch ? { answers: createBatchAnswers(), notes: checkBatchable(planned) } : undefined;
  for (const message of batch?.notes ?? []) ports.onProgress({ type: 'note', message });
  const lanes = openLanes(planned, options, ports, {
    stop,
    others,
    judgePorts: { findAccepted, ...judgePorts },
    ...(dispatch === undefined ? {} : { dispatch }),
    ...(batch === undefined ? {} : { batchAnswers: batch.answers }),
    ...(options.resume === undefined ? {} : { isOwn: (receivedAt) => record.isOwn(receivedAt) }),
  });
  const { isHermetic } = lanes;
  const now = ports.now();
  const retirements = describeRetirements(findRetirements({ planned, isHermetic: ({ id }) => isHermetic(id), now }));
  for (const message of retirements) ports.onProgress({ type: 'note', message });
  const { updateBaseline, settings } = options;
  // Who accepts the run knows, and two versions side by side need no file.
  const unaccepted = updateBaseline || settings.compare !== undefined ? [] : describeUnaccepted(plan, findBaseline);
  for (const message of unaccepted) ports.onProgress({ type: 'note', message });
  const record = openRecord(options, plan, buildHeader(options, planned, ports), ports, {
    findAccepted,
    onRefused: () => stop.hard('storage'),
  });
  const startedMs = ports.clock.now();
  let interrupted: 'SIGINT' | 'SIGTERM' | undefined;
  const stopListening = ports.onSignal((signal) => {
    interrupted ??= signal;
    stop.hard('interrupted');
  });
  const { outdated } = ports;
  if (outdated?.aborted === true) stop.soft('interrupted');
  else if (outdated !== undefined) onAbort(outdated, () => stop.soft('interrupted'));
  const stopDeadline =
    options.deadlineMs === undefined
      ? undefined
      : ports.clock.startTimer(options.deadlineMs, () => stop.hard('deadline'));
  const { keptCells } = record;
  ports.onProgress({ type: 'planned', cells: plan.cellCount - keptCells, suites: plan.suites.length, keptCells });

  let failedCells = 0;
  let isCutShort = false;
  const onResult = (result: CellResult, cell: Cell): Promise<void> => {
    // Those that were skipped before they began were not posted by their lane.
    if (result.status === 'skipped') others.post(result.key, undefined);
    const row = buildCellRow(result, ports.mask, cell);
    ports.onProgress(describeProgress(result, row));
    ports.trace?.result(result);
    if (result.status === 'skipped' && result.reason !== 'case') isCutShort = true;
    if (result.status === 'judged' && !result.passed && !result.observe && result.confirmation !== true) {
      failedCells += 1;
      if (failedCells === options.bail) stop.soft('bail');
    }
    return dispatch === undefined ? record.append(row) : record.append(row).then(() => dispatch.forget(result.key));
  };
  const execute = (cellsOf: (laneId: string) => Iterable<Cell>, laneIds: Iterable<string>) =>
    executeCells({
      lanes: [...laneIds].map((id) => lanes.lane(id, cellsOf(id))),
      stopReason: stop.reason,
      onResult,
    });
  const assess = (end?: EndRow) =>
    assessRecord({
      record: record.read(end),
      findBaseline,
      costOf: planned.costOfRecorded,
      cellOf,
      judgePorts,
      ...(end === undefined
        ? { confirmability: (suite: string) => (lanes.isHermetic(suite) ? 'stands' : 'fresh') }
        : {}),
    });

  let batches: CollectedBatches | undefined;
  try {
    await dispatch?.begin(record, planned, stop.signal);
    if (batch !== undefined) {
      const { isDone } = record;
      batches = await collectBatches(options, ports, { planned, lanes, isDone, answers: batch.answers, stop });
    }
    await execute(
      (id) => (record.keptCells === 0 ? plan.cells(id) : notDone(plan.cells(id), record.isDone)),
      plan.providerIds,
    );
    const isAnyCaseOpen = failedCells > 0 || record.keptCells > 0;
    if (isAnyCaseOpen) {
      const isStopped = () => stop.reason() !== undefined;
      const isSettled = await confirmCases({ plan, planned, execute, assess, isHermetic, isStopped });
      if (!isSettled) isCutShort = true;
    }
  } finally {
    stopDeadline?.();
    stopListening();
    await dispatch?.close();
    await lanes.close();
  }
  keepRecordings(lanes, stop, ports);
  // A limit that was reached with the last cell has cut nothing off.
  const reached = stop.reason() ?? (lanes.isBudgetExhausted() ? 'budget' : undefined);
  const stopReason =
    reached === 'interrupted' || reached === 'storage' || reached === 'queue' || isCutShort ? reached : undefined;
  const end: EndRow = {
    type: 'end',
    durationMs: Math.round(ports.clock.now() - startedMs),
    ...(stopReason === undefined ? {} : { stopReason }),
    notes: [
      ...(options.notes ?? []),
      ...lanes.notes(),
      ...retirements,
      ...unaccepted,
      ...(batch?.notes ?? []),
      ...(batches?.notes ?? []),
    ].map(ports.mask),
  };
  record.close(end);
  // What was cut off is collected again by the next run, without being handed in again.
  if (!isCutShort) batches?.forget();
  ports.onProgress({ type: 'finished' });
  const assessment = await assess(end);
  const suites = new Map(options.project.suites.map((suite) => [suite.id, suite]));
  const contracts = await judgeContracts(assessment, {
    findBaseline,
    locate: async (suite, prompt, pointer) => suites.get(suite)?.locateContract?.(prompt, pointer),
  });
  const { root } = options.project;
  return reportAssessment(assessment, { contracts, root, ...(interrupted === undefined ? {} : { interrupted }) });
}

/** Loaded where it is asked for: most runs make their calls themselves. */
async function openWorkers(options: RunOptions, ports: RunPorts, stop: Stop): Promise<Dispatch | undefined> {
  if (options.queue === undefined) return undefined;
  const { openDispatch } = await import('../calls/open-dispatch.ts');
  return openDispatch(options.queue, options, ports, () => stop.hard('queue'));
}

function* notDone(cells: Iterable<Cell>, isDone: (key: CellKey) => boolean): Iterable<Cell> {
  for (const cell of cells) {
    if (!isDone(cell.key)) yield cell;
  }
}

function buildHeader(
  options: RunOptions,
  { plan, describeProvider, isEmptyShard, emptySelections, shard }: PlannedRun,
  ports: RunPorts,
): Omit<RunHeader, 'id'> {
  return {
    type: 'run',
    format: 1,
    startedAt: ports.now().toISOString(),
    tool: { name: 'llmcheck', version: options.toolVersion },
    // An empty shard is nobody's mistake, a selection that matches nothing is one in every shard.
    settings: {
      ...(plan.cellCount === 0 && !isEmptyShard
        ? withoutShard(options.settings)
        : { ...options.settings, ...(shard === undefined ? {} : { shard }) }),
      ...(emptySelections.length === 0 ? {} : { emptySelections }),
    },
    invocation: options.invocation,
    suites: describeRecordedSuites(plan, describeProvider, options.settings.compare, (suite) =>
      findUncalibrated(suite, options.project.root, ports.cwd),
    ).map((suite) => ({
      ...suite,
      variants: suite.variants.map((variant) => maskVariant(variant, ports.mask)),
    })),
  };
}

/** Ids stay as they are: they are what rows are found by. */
function maskVariant(variant: RecordedVariant, mask: Mask): RecordedVariant {
  const { params, messages, contract, baseUrl } = variant;
  return {
    ...variant,
    params: maskJson(params, mask),
    messages: maskJson(messages, mask),
    contract: maskJson(contract, mask),
    ...(baseUrl === undefined ? {} : { baseUrl: mask(baseUrl) }),
  };
}

function withoutShard({ shard: _shard, ...settings }: RunSettings): RunSettings {
  return settings;
}

function describeProgress(result: CellResult, row: CellRow): ProgressEvent {
  const { suite, caseId, prompt, provider, trial } = result.key;
  const label = `${suite}/${caseId} · ${prompt} × ${provider}${trial === 0 ? '' : ` · trial ${trial + 1}`}`;
  const status = result.status === 'judged' ? (result.passed ? 'passed' : 'failed') : result.status;
  const reason = reasonOf(result);
  const { unusable = { billedUsd: 0 } } = result;
  return {
    type: 'cell-finished',
    key: result.key,
    label,
    status,
    row,
    cached: result.calls.length > 0 && result.calls.every(({ cached }) => cached),
    spentUsd: result.calls.reduce<number | undefined>((sum, { cached, costUsd, billed = { costUsd } }) => {
      if (cached) return sum;
      return sum === undefined || billed.costUsd === undefined ? undefined : sum + billed.costUsd;
    }, unusable.billedUsd),
    ...(reason === undefined ? {} : { reason }),
  };
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
