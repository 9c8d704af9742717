import { createFindAccepted, describeUnaccepted } from '../baseline/find-baselines.ts';
import { noSides, openRecordedSides, renderSides } from '../baseline/recorded-sides.ts';
import { type Calls, openCalls } from '../calls/calls.ts';
import type { Dispatch } from '../calls/open-queue-dispatch.ts';
import { type BatchAnswers, createBatchAnswers } from '../calls/run-batches.ts';
import type { Stop } from '../calls/stop.ts';
import { defined } from '../json/defined.ts';
import type { JudgePorts } from '../judges/judge-answer.ts';
import type { Sides } from '../model/comparison/baseline.ts';
import { type CellKey, type FindCell } from '../model/run/cell.ts';
import type { ComparedLine } from '../model/run/deciding-lines.ts';
import { findRetirements } from '../plan/check-providers.ts';
import { indexCells } from '../plan/find-cells.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { findFailedInLatestRun, runsFolder } from '../project/stored-runs.ts';
import { openMcpPorts } from '../snapshots/read-server.ts';
import { type CollectedBatches, describeUnbatched } from './asking/collect-batches.ts';
import { createAcceptedCells } from './asking/fresh-cells.ts';
import { createBailStop } from './cells/bail.ts';
import { type CellRunner, createCellRunners } from './cells/cell-runner.ts';
import { type ComparedAnswers, createComparedAnswers } from './cells/compared-answers.ts';
import { createToolRecorder, type ToolRecorder } from './cells/record-tools.ts';
import { createToolOpener } from './cells/start-tools.ts';
import { findLoosened } from './planning/find-loosened.ts';
import type { Planning } from './planning/plan-with-baselines.ts';
import { type OpenRecord, openRecord } from './record/open-record.ts';
import { type EarlierPart, openEarlierPart } from './record/resume.ts';
import { buildHeader } from './record/run-header.ts';

/** The state that the steps of a run share. */
export interface Run extends Planning {
  readonly ports: RunPorts;
  readonly stop: Stop;
  readonly judgePorts: JudgePorts;
  /** The workers that make the calls, with `--queue`. */
  readonly dispatch: Dispatch | undefined;
  readonly cellOf: FindCell;
  readonly calls: Calls;
  /** Like `Calls.answersFromStoreOnly`, but by suite id. */
  readonly answersFromStoreOnly: (suiteId: string) => boolean;
  /** Answers that come through batch APIs, with `--batch`. */
  readonly batchAnswers: BatchAnswers | undefined;
  /** The part of the run that this one continues, with `--resume`. */
  readonly earlier: EarlierPart | undefined;
  readonly record: OpenRecord;
  /** What the run is compared with, as the record keeps it. */
  readonly sides: Sides;
  readonly comparedAnswers: ComparedAnswers;
  /** Writes the answers of real tools, with `--record-tools`. */
  readonly toolRecorder: ToolRecorder | undefined;
  /** The seed of the random case order in an early run. */
  readonly caseOrderSeed: string;
  /** Cases that failed in the latest run, as `suite/case`; read with `--early` alone. */
  readonly failedInLatestRun: ReadonlySet<string>;
  /** Runs the cells of a provider, by its key. */
  readonly runnerOf: (key: string) => CellRunner;
  /** Remarks that were known before the first call. */
  readonly remarks: readonly string[];
  readonly startedMs: number;
  /** The results of the steps so far. */
  readonly state: RunState;
}

/**
 * The results of the steps so far. `executeCells` updates them for each result, unless a member names another writer.
 */
interface RunState {
  /** Failed cells that `--bail` counts: neither observed ones nor fresh trials. */
  failedCells: number;
  /** True if a cell failed or did not get its full score. */
  hasLowScore: boolean;
  /** True if a part of the plan was not done. `confirm` sets it too. */
  isCutShort: boolean;
  /** True if cells were left out because the others decided the run. */
  isDecidedEarly: boolean;
  /** Written by `makeCalls` in run.ts, with `--batch`. */
  batches?: CollectedBatches;
}

/**
 * Opens the earlier part, the calls, the tools and the record of a planned run. Sends nothing, but creates the record's
 * file, or rewrites it for a resumed run.
 */
export async function openRun(
  planning: Planning,
  ports: RunPorts,
  shared: Pick<Run, 'stop' | 'judgePorts' | 'dispatch'>,
): Promise<Run> {
  const { options, planned, ref, findBaseline, acceptedPrompts } = planning;
  const { project, resume, early } = options;
  const { stop, judgePorts } = shared;
  const { loosened, remarks: uncompared } = await findLoosened(options, ports, ref);
  const header = buildHeader(planning, loosened, ports);
  const findAccepted = createFindAccepted(project.suites, findBaseline);
  const acceptedCellOf = createAcceptedCells(planned, acceptedPrompts);
  const earlier =
    resume && openEarlierPart({ resume, options, plan: planned.plan, header, findAccepted, acceptedCellOf, ports });
  const own = { ...shared, earlier };
  const { calls, answersFromStoreOnly, batchAnswers, bailStop } = openRunCalls(planning, ports, own);
  const remarks = [...findRemarks(planning, ports, answersFromStoreOnly), ...uncompared];
  for (const message of remarks) ports.onProgress({ type: 'note', message });
  const { toolRecorder, openTools } = openRunTools(options, ports);
  // This run's own record will be the latest.
  const failedInLatestRun = early === undefined ? new Set<string>() : findFailedInLatestRun(project, earlier?.id);
  const record = openRecord({
    folder: runsFolder(project),
    header: earlier?.header ?? header,
    earlier,
    compared: renderPlannedSides(planning),
    ports,
    onRefused: () => stop.hard('storage'),
  });
  const sides = openSides(record);
  const cellOf = indexCells(planned.plan);
  const comparedAnswers = openComparedAnswers(planning, { cellOf, earlier, record });
  const { trace } = ports;
  const forCells = { planned, calls, judgePorts, findAccepted, comparedAnswers, stop, bailStop, openTools, trace };
  const runnerOf = createCellRunners(forCells);
  return {
    ...planning,
    ...own,
    ports,
    calls,
    answersFromStoreOnly,
    batchAnswers,
    cellOf,
    record,
    sides,
    comparedAnswers,
    toolRecorder,
    failedInLatestRun,
    caseOrderSeed: header.settings.early?.order ?? '',
    runnerOf,
    remarks,
    startedMs: ports.clock.now(),
    state: { failedCells: 0, hasLowScore: false, isCutShort: false, isDecidedEarly: false },
  };
}

function renderPlannedSides(planning: Planning): Iterable<ComparedLine> {
  return renderSides(
    planning.planned.plan.suites.map(({ suite }) => suite),
    planning,
  );
}

function openSides(record: OpenRecord): Sides {
  const { sides } = record.read(undefined);
  return sides === undefined ? noSides : openRecordedSides(sides);
}

/** Opens the call chain of the run, with the parts that the run reads later. */
function openRunCalls(
  { options, planned }: Planning,
  ports: RunPorts,
  { stop, dispatch, earlier }: Pick<Run, 'stop' | 'dispatch' | 'earlier'>,
) {
  const suites = planned.plan.suites.map(({ suite }) => suite);
  const batchAnswers = options.batch ? createBatchAnswers() : undefined;
  const bailStop = options.bail === undefined ? undefined : createBailStop(stop);
  const further = defined({ batchAnswers, dispatch, isOwn: earlier?.isOwn, mayBegin: bailStop?.mayBegin });
  const calls = openCalls(planned, { ...options, suites, ...further }, ports);
  const byId = new Map(suites.map((suite) => [suite.id, suite]));
  const answersFromStoreOnly = (suiteId: string) => {
    const suite = byId.get(suiteId);
    return suite !== undefined && calls.answersFromStoreOnly(suite);
  };
  return { calls, answersFromStoreOnly, batchAnswers, bailStop };
}

/** Opens the tools that answer the models' tool calls. */
function openRunTools(options: RunOptions, ports: RunPorts) {
  const { env } = ports;
  const toolRecorder = options.recordTools === true ? createToolRecorder(ports) : undefined;
  const mcp = openMcpPorts(options.project.root, env);
  const openTools = createToolOpener(env, { mcp, ...defined({ recorder: toolRecorder }) });
  return { toolRecorder, openTools };
}

/** Answers of other variants and of the baseline, for the checks that compare with them. */
function openComparedAnswers(
  { options: { project, settings }, findBaseline }: Planning,
  { cellOf, earlier, record }: Pick<Run, 'cellOf' | 'earlier' | 'record'>,
): ComparedAnswers {
  const { suites } = project;
  /** The row of a cell that an earlier part of this run has finished. */
  const findDone = (key: CellKey) => {
    const row = earlier?.rowOf(key);
    return row === undefined ? undefined : record.readRow(row);
  };
  return createComparedAnswers({ suites, findBaseline, cellOf, findDone, ...defined({ compare: settings.compare }) });
}

/** Names what own code of suites reads that can't be followed. Providers are named by their first call. */
function describeOpenCode({ plan }: Planning['planned']): readonly string[] {
  const reads = new Set(plan.suites.flatMap(({ suite }) => suite.sources.unfollowed ?? []));
  return [...reads].map(
    (read) =>
      `What own code reads can't be followed, so that a change there is not seen: ${read}. Write the whole name there, ` +
      'or name the files in inputs of the check or prompt.',
  );
}

/** Remarks on baselines that are not read, models that retire soon, and variants without accepted answers. */
function findRemarks(
  { options, planned, findBaseline, refusedBaselines }: Planning,
  ports: RunPorts,
  answersFromStoreOnly: Run['answersFromStoreOnly'],
): readonly string[] {
  const retirements = findRetirements({
    planned,
    answersFromStoreOnly: ({ id }) => answersFromStoreOnly(id),
    now: ports.now(),
    ...defined({ candidates: options.settings.swap?.flatMap(({ candidates }) => candidates) }),
  });
  const used = planned.plan.suites.flatMap(({ suite, variants }) => (answersFromStoreOnly(suite.id) ? [] : variants));
  const ofProviders = used.flatMap(({ provider }) => planned.endpointOf(provider).remark ?? []);
  const known = [...retirements, ...planned.warnings].map(({ message, hint }) => `${message}; ${hint ?? ''}`);
  const unbatched = options.batch ? describeUnbatched(planned) : [];
  const remarks = [...refusedBaselines, ...known, ...new Set(ofProviders), ...unbatched, ...describeOpenCode(planned)];
  // A user who accepts the run knows, and two versions side by side need no file.
  if (options.updateBaseline || options.settings.compare !== undefined) return remarks;
  return [...remarks, ...describeUnaccepted(planned.plan, findBaseline, options.settings.baseline)];
}
