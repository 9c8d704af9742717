import { refuseUnwritableBaselines } from '../baseline/accept-baseline.ts';
import { describeUnaccepted } from '../baseline/describe-unaccepted.ts';
import { createFindAccepted } from '../baseline/find-accepted.ts';
import { checkBaselines, type FindBaseline, openBaselines } from '../baseline/find-baselines.ts';
import { addBaselinePrompts } from '../baseline/rerun-baseline.ts';
import type { Dispatch } from '../calls/open-dispatch.ts';
import type { Stop } from '../calls/stop.ts';
import { type BatchAnswers, createBatchAnswers } from '../calls/with-batch.ts';
import { defined } from '../json/defined.ts';
import type { JudgePorts } from '../judges/judge-answer.ts';
import type { FindCell } from '../plan/find-cells.ts';
import { describeRetirements, findRetirements } from '../plan/find-retirements.ts';
import { indexCells } from '../plan/index-cells.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { buildHeader } from './build-header.ts';
import { type CollectedBatches, checkBatchable } from './collect-batches.ts';
import { createOtherAnswers, type OtherAnswers } from './find-other.ts';
import { type Lanes, openLanes } from './open-lanes.ts';
import { type OpenRecord, openRecord } from './open-record.ts';

/** What the steps of a run share. */
export interface Run {
  readonly options: RunOptions;
  readonly ports: RunPorts;
  readonly stop: Stop;
  readonly judgePorts: JudgePorts;
  /** Workers that make the calls, where there are some. */
  readonly dispatch: Dispatch | undefined;
  readonly findBaseline: FindBaseline;
  readonly planned: PlannedRun;
  readonly cellOf: FindCell;
  readonly others: OtherAnswers;
  readonly lanes: Lanes;
  readonly record: OpenRecord;
  /** Answers that come through batch APIs; undefined without `--batch`. */
  readonly batchAnswers: BatchAnswers | undefined;
  /** Remarks that were known before the first call. */
  readonly remarks: readonly string[];
  readonly startedMs: number;
  /** What the steps find out. */
  readonly state: RunState;
}

export interface RunState {
  failedCells: number;
  /** True where something of the plan was not done. */
  isCutShort: boolean;
  interrupted?: 'SIGINT' | 'SIGTERM';
  batches?: CollectedBatches;
}

export interface GivenRun {
  readonly stop: Stop;
  readonly judgePorts: JudgePorts;
  readonly dispatch: Dispatch | undefined;
}

/** Plans a run, refuses what can't work, and opens its calls and its record. Nothing is sent. */
export async function openRun(
  given: RunOptions,
  ports: RunPorts,
  { stop, judgePorts, dispatch }: GivenRun,
): Promise<Run> {
  const { root, suites } = given.project;
  const findBaseline = openBaselines(given.settings.baseline, { root, cwd: ports.cwd, env: ports.env });
  // A damaged baseline is found before the first call.
  checkBaselines(suites, findBaseline);
  const options = given.rerunBaseline
    ? { ...given, project: await addBaselinePrompts(given.project, findBaseline) }
    : given;
  const planned = await planRun(options, ports);
  const { plan } = planned;
  if (options.updateBaseline) refuseUnwritableBaselines(plan.suites, root);
  const findAccepted = createFindAccepted(options.project.suites, findBaseline);
  const cellOf = indexCells(plan);
  const { compare } = options.settings;
  const others = createOtherAnswers({
    suites: options.project.suites,
    ...defined({ compare }),
    findBaseline,
    cellOf,
    findDone: (key) => record.readDone(key),
    signal: stop.signal,
  });
  const batchAnswers = options.batch ? createBatchAnswers() : undefined;
  const batchRemarks = options.batch ? checkBatchable(planned) : [];
  const lanes = openLanes(planned, options, ports, {
    stop,
    others,
    judgePorts: { findAccepted, ...judgePorts },
    ...defined({ dispatch, batchAnswers }),
    ...(options.resume === undefined ? {} : { isOwn: (receivedAt) => record.isOwn(receivedAt) }),
  });
  const remarks = [...findRemarks(planned, { options, ports, lanes, findBaseline }), ...batchRemarks];
  for (const message of remarks) ports.onProgress({ type: 'note', message });
  const record = openRecord(options, plan, buildHeader(options, planned, ports), ports, {
    findAccepted,
    onRefused: () => stop.hard('storage'),
  });
  return {
    options,
    ports,
    stop,
    judgePorts,
    dispatch,
    findBaseline,
    planned,
    cellOf,
    others,
    lanes,
    record,
    batchAnswers,
    remarks,
    startedMs: ports.clock.now(),
    state: { failedCells: 0, isCutShort: false },
  };
}

interface RemarkPorts {
  readonly options: RunOptions;
  readonly ports: RunPorts;
  readonly lanes: Lanes;
  readonly findBaseline: FindBaseline;
}

/** Models that retire soon, and variants that nothing was accepted of. */
function findRemarks(planned: PlannedRun, { options, ports, lanes, findBaseline }: RemarkPorts): readonly string[] {
  const isHermetic = ({ id }: { readonly id: string }) => lanes.isHermetic(id);
  const retirements = describeRetirements(findRetirements({ planned, isHermetic, now: ports.now() }));
  // A user who accepts the run knows, and two versions side by side need no file.
  const isKnown = options.updateBaseline || options.settings.compare !== undefined;
  return [...retirements, ...(isKnown ? [] : describeUnaccepted(planned.plan, findBaseline))];
}
