import { executeCells } from '../execute/execute-cells.ts';
import type { CellResult } from '../model/cell.ts';
import type { ProgressEvent } from '../model/progress.ts';
import type { EndRow, RunHeader } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import type { Plan } from '../plan/build-plan.ts';
import { buildCellRow } from '../record/build-cell-row.ts';
import { describeRecordedSuites } from './describe-suites.ts';
import { openLanes } from './open-lanes.ts';
import { openRecord } from './open-record.ts';
import { planRun } from './plan-run.ts';
import { reportOnRun } from './report-on-run.ts';
import type { RunOptions, RunPorts } from './run-options.ts';
import { createStop } from './stop.ts';

/** Runs a plan to its end and reports on what its record holds. */
export async function runSuites(options: RunOptions, ports: RunPorts): Promise<Report> {
  const planned = await planRun(options, ports);
  const { plan } = planned;
  const stop = createStop();
  const lanes = openLanes(planned, options, ports, stop);
  const record = openRecord(options, plan, buildHeader(options, plan, ports), ports);
  const startedMs = ports.clock.now();
  let interrupted: 'SIGINT' | 'SIGTERM' | undefined;
  const stopListening = ports.onSignal((signal) => {
    interrupted ??= signal;
    stop.hard('interrupted');
  });
  const stopDeadline =
    options.deadlineMs === undefined
      ? undefined
      : ports.clock.startTimer(options.deadlineMs, () => stop.hard('deadline'));
  ports.onProgress({ type: 'planned', cells: plan.cellCount - record.keptCells, suites: plan.suites.length });

  let failedCells = 0;
  const onResult = (result: CellResult): void => {
    if (!record.append(buildCellRow(result, ports.mask))) stop.hard('storage');
    ports.onProgress(describeProgress(result));
    if (result.status !== 'judged' || result.passed || result.observe) return;
    failedCells += 1;
    if (failedCells === options.bail) stop.soft('bail');
  };

  try {
    await executeCells({
      lanes: plan.providerIds.map((id) => lanes.lane(id, record.isDone)),
      stopReason: stop.reason,
      onResult,
      yieldToEventLoop,
    });
  } finally {
    stopDeadline?.();
    stopListening();
    await lanes.close();
  }
  const stopReason = stop.reason() ?? (lanes.isBudgetExhausted() ? 'budget' : undefined);
  const end: EndRow = {
    type: 'end',
    durationMs: Math.round(ports.clock.now() - startedMs),
    ...(stopReason === undefined ? {} : { stopReason }),
    notes: lanes.notes(),
  };
  record.close(end);
  lanes.writeRecordings();
  ports.onProgress({ type: 'finished' });
  return reportOnRun({ path: record.path, cwd: ports.cwd, end, ...(interrupted === undefined ? {} : { interrupted }) });
}

function buildHeader(options: RunOptions, plan: Plan, ports: RunPorts): Omit<RunHeader, 'id'> {
  return {
    type: 'run',
    format: 1,
    startedAt: ports.now().toISOString(),
    tool: { name: 'llmcheck', version: options.toolVersion },
    settings: options.settings,
    invocation: options.invocation,
    suites: describeRecordedSuites(plan),
  };
}

function describeProgress(result: CellResult): ProgressEvent {
  const { suite, caseId, prompt, provider, trial } = result.key;
  const label = `${suite}/${caseId} · ${prompt} × ${provider}${trial === 0 ? '' : ` · trial ${trial + 1}`}`;
  const status = result.status === 'judged' ? (result.passed ? 'passed' : 'failed') : result.status;
  const reason = reasonOf(result);
  return {
    type: 'cell-finished',
    label,
    status,
    cached: result.calls.length > 0 && result.calls.every(({ cached }) => cached),
    spentUsd: result.calls.reduce<number | undefined>(
      (sum, { cached, costUsd }) =>
        cached ? sum : sum === undefined || costUsd === undefined ? undefined : sum + costUsd,
      0,
    ),
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

function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
