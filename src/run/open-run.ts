import { refuseUnwritableBaselines } from '../baseline/accept-baseline.ts';
import { type AcceptedPrompt, addBaselinePrompts } from '../baseline/accepted-prompts.ts';
import {
  checkBaselines,
  createFindAccepted,
  describeUnaccepted,
  type FindBaseline,
  type FindReference,
  openBaselines,
  openComparedRef,
  openReferences,
  promptIdsOf,
} from '../baseline/find-baselines.ts';
import { type Calls, isReplayed, openCalls } from '../calls/calls.ts';
import type { Dispatch } from '../calls/open-queue-dispatch.ts';
import { type BatchAnswers, createBatchAnswers } from '../calls/run-batches.ts';
import type { Stop } from '../calls/stop.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { JudgePorts } from '../judges/judge-answer.ts';
import { describeJudges } from '../judges/validated-judges.ts';
import { type CellKey, suiteVariantKey } from '../model/cell.ts';
import type { Loosened, RunHeader, RunSettings } from '../model/record.ts';
import { providerKey } from '../plan/build-plan.ts';
import { findRetirements } from '../plan/check-providers.ts';
import { describeRecordedSuites } from '../plan/describe-suites.ts';
import { type FindCell, indexCells } from '../plan/find-cells.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { findProvenance } from '../project/git/find-provenance.ts';
import { findLatelyFailed, runsFolder } from '../project/stored-runs.ts';
import { openMcpPorts } from '../snapshots/read-server.ts';
import { sha256Hex } from '../text/sha256.ts';
import { type CellRunner, createBailStop, createCellRunners } from './cell-runner.ts';
import { type CollectedBatches, checkBatchable } from './collect-batches.ts';
import { type ComparedAnswers, createComparedAnswers } from './compared-answers.ts';
import { findAcceptedPrompts, maskVariant } from './find-accepted-prompts.ts';
import { findLoosened } from './find-loosened.ts';
import { type OpenRecord, openRecord } from './open-record.ts';
import { checkToolRecording, createToolRecorder, type ToolRecorder } from './record-tools.ts';
import { type EarlierPart, openEarlierPart } from './resume.ts';
import { createAcceptedCells } from './retrial-cells.ts';
import { createToolOpener, refuseLiveTools } from './start-tools.ts';

/** What the steps of a run share. */
export interface Run {
  readonly options: RunOptions;
  readonly ports: RunPorts;
  readonly stop: Stop;
  readonly judgePorts: JudgePorts;
  /** Workers that make the calls, with `--queue`. */
  readonly dispatch: Dispatch | undefined;
  readonly findBaseline: FindBaseline;
  readonly findReference: FindReference;
  readonly planned: PlannedRun;
  readonly cellOf: FindCell;
  /** What the variants are compared with, by `suiteVariantKey`. */
  readonly acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>;
  readonly calls: Calls;
  /** True where a suite answers from its recordings or the cache alone, so that asking again gives the same answer. */
  readonly isHermetic: (suiteId: string) => boolean;
  /** Answers that come through batch APIs, with `--batch`. */
  readonly batchAnswers: BatchAnswers | undefined;
  /** The part of the run that this one continues, with `--resume`. */
  readonly earlier: EarlierPart | undefined;
  readonly record: OpenRecord;
  readonly comparedAnswers: ComparedAnswers;
  /** Writes what real tools answer, with `--record-tools`. */
  readonly toolRecorder: ToolRecorder | undefined;
  /** What the random order of an early run's cases is drawn by. */
  readonly order: string;
  /** Cases that failed in the latest run, as `suite/case`; read with `--early` alone. */
  readonly latelyFailed: ReadonlySet<string>;
  /** Runs the cells of a provider, by its key. */
  readonly runnerOf: (key: string) => CellRunner;
  /** Remarks that were known before the first call. */
  readonly remarks: readonly string[];
  readonly startedMs: number;
  /** What the steps find out. */
  readonly state: RunState;
}

interface RunState {
  failedCells: number;
  /** True where a cell failed or did not get its full score. */
  hasLowScore: boolean;
  /** True where something of the plan was not done. */
  isCutShort: boolean;
  /** True where cells were left out, since the others decided the run. */
  isDecidedEarly: boolean;
  batches?: CollectedBatches;
}

/** Plans a run, refuses what can't work, and opens its calls and its record. Nothing is sent. */
export async function openRun(
  given: RunOptions,
  ports: RunPorts,
  shared: Pick<Run, 'stop' | 'judgePorts' | 'dispatch'>,
): Promise<Run> {
  const { stop, judgePorts, dispatch } = shared;
  const { refusedBaselines, ref, ...found } = await planWithBaselines(given, ports);
  const { options, findBaseline, planned, acceptedPrompts } = found;
  const { plan } = planned;
  const { project, resume, settings } = options;
  if (options.updateBaseline) refuseUnwritableBaselines(plan.suites, project.root);
  if (options.recordTools === true) checkToolRecording(planned, options, ports);
  const batchRemarks = options.batch ? checkBatchable(planned) : [];
  const cellOf = indexCells(plan);
  const findAccepted = createFindAccepted(project.suites, findBaseline);
  const { loosened, remarks: uncompared } = await findLoosened(options, ports, ref);
  const header = buildHeader(options, { planned, acceptedPrompts, loosened, ports });
  const acceptedCellOf = createAcceptedCells(planned, acceptedPrompts);
  const resumed = { options, plan, header, findAccepted, acceptedCellOf, ports };
  const earlier = resume === undefined ? undefined : openEarlierPart({ ...resumed, resume });
  const { calls, isHermetic, batchAnswers, bailStop } = openRunCalls(planned, {
    options,
    ports,
    stop,
    dispatch,
    earlier,
  });
  const ofPlan = findRemarks(planned, { options, ports, isHermetic, findBaseline });
  const remarks = [...refusedBaselines, ...uncompared, ...ofPlan, ...batchRemarks];
  for (const message of remarks) ports.onProgress({ type: 'note', message });
  const { toolRecorder, openTools } = openRunTools(planned, options, ports);
  // This run's own record will be the latest.
  const latelyFailed = options.early === undefined ? new Set<string>() : findLatelyFailed(project, earlier?.id);
  const onRefused = () => stop.hard('storage');
  const folder = runsFolder(project);
  const record = openRecord({ folder, header: earlier?.header ?? header, earlier, ports, onRefused });
  const compared = { suites: project.suites, findBaseline, cellOf, findDone: createFindDone(earlier, record) };
  const comparedAnswers = createComparedAnswers({ ...compared, ...defined({ compare: settings.compare }) });
  const ofCells = { planned, calls, judgePorts, findAccepted, comparedAnswers, stop, bailStop, openTools };
  return {
    ...found,
    ...shared,
    ports,
    cellOf,
    calls,
    isHermetic,
    batchAnswers,
    earlier,
    record,
    comparedAnswers,
    toolRecorder,
    latelyFailed,
    order: header.settings.early?.order ?? '',
    runnerOf: createCellRunners({ ...ofCells, trace: ports.trace }),
    remarks,
    startedMs: ports.clock.now(),
    state: { failedCells: 0, hasLowScore: false, isCutShort: false, isDecidedEarly: false },
  };
}

/** What the calls of the run pass, and what of it the run asks later. */
function openRunCalls(
  planned: PlannedRun,
  { options, ports, stop, dispatch, earlier }: Pick<Run, 'options' | 'ports' | 'stop' | 'dispatch' | 'earlier'>,
) {
  const suites = planned.plan.suites.map(({ suite }) => suite);
  const batchAnswers = options.batch ? createBatchAnswers() : undefined;
  const bailStop = options.bail === undefined ? undefined : createBailStop(stop);
  const further = defined({ batchAnswers, dispatch, isOwn: earlier?.isOwn, mayBegin: bailStop?.mayBegin });
  const calls = openCalls(planned, { ...options, suites, ...further }, ports);
  const byId = new Map(suites.map((suite) => [suite.id, suite]));
  const isHermetic = (suiteId: string) => {
    const suite = byId.get(suiteId);
    return suite !== undefined && calls.isHermetic(suite);
  };
  return { calls, isHermetic, batchAnswers, bailStop };
}

/** What answers the tool calls of models. */
function openRunTools(planned: PlannedRun, options: RunOptions, ports: RunPorts) {
  const { env } = ports;
  refuseLiveTools(planned, { isReplayed: (suite) => isReplayed(suite, options), env });
  const toolRecorder = options.recordTools === true ? createToolRecorder(ports) : undefined;
  const mcp = openMcpPorts(options.project.root, env);
  const openTools = createToolOpener(env, { mcp, ...defined({ recorder: toolRecorder }) });
  return { toolRecorder, openTools };
}

/** Finds the row of a cell that an earlier part of this run has finished. */
function createFindDone(
  earlier: ReturnType<typeof openEarlierPart> | undefined,
  { readRow }: Pick<ReturnType<typeof openRecord>, 'readRow'>,
) {
  return (key: CellKey) => {
    const row = earlier?.rowOf(key);
    return row === undefined ? undefined : readRow(row);
  };
}

/** A plan over the suites, with the baselines' own prompts where `--rerun-baseline` wants them. */
export async function planWithBaselines(given: RunOptions, ports: Pick<RunPorts, 'cwd' | 'env' | 'mask'>) {
  const { project, settings, selection } = given;
  const ref = openComparedRef(settings.baseline, { root: project.root, env: ports.env });
  const place = { root: project.root, cwd: ports.cwd, env: ports.env, ...defined({ ref }) };
  const refusedBaselines: string[] = [];
  const onRefused = (why: string) => void refusedBaselines.push(why);
  const findBaseline = openBaselines(settings.baseline, {
    ...place,
    promptIds: promptIdsOf(project.suites),
    onRefused,
  });
  const findReference = openReferences(settings.baseline, place);
  // A damaged baseline is reported before the first call.
  checkBaselines(project.suites, findBaseline, findReference);
  const options = given.rerunBaseline
    ? { ...given, project: await addBaselinePrompts(project, findBaseline, selection) }
    : given;
  const planned = await planRun(options, ports);
  const acceptedPrompts = await findAcceptedPrompts(planned, { options, findBaseline, mask: ports.mask });
  // The accepted prompt may have been asked on another model.
  const providers = new Map(planned.providers);
  for (const { variant } of acceptedPrompts.values()) {
    if (variant !== undefined) providers.set(providerKey(variant.provider), variant.provider);
  }
  const run = { ...planned, providers };
  return { options, ref, findBaseline, findReference, acceptedPrompts, refusedBaselines, planned: run };
}

/** What a record says before its first row: settings, suites and variants, without secrets. */
function buildHeader(
  options: RunOptions,
  {
    planned,
    acceptedPrompts,
    loosened,
    ports,
  }: Pick<Run, 'planned' | 'acceptedPrompts' | 'ports'> & { readonly loosened: readonly Loosened[] },
): Omit<RunHeader, 'id'> {
  const { plan, describeProvider, emptySelections } = planned;
  const { root } = options.project;
  const suites = describeRecordedSuites(plan, {
    describeProvider,
    pairing: options.settings,
    judgesOf: (suite) => describeJudges(suite, root, ports.cwd),
    isReplayed: (suite) => isReplayed(suite, options),
    acceptedOf: (suite, { prompt, provider }) =>
      acceptedPrompts.get(suiteVariantKey({ suite: suite.id, prompt: prompt.id, provider: provider.id }))?.state,
  });
  return {
    type: 'run',
    format: 1,
    startedAt: ports.now().toISOString(),
    tool: { name: 'llmcheck', version: options.toolVersion },
    ...defined({ provenance: findProvenance(root, ports.env) }),
    settings: {
      ...settingsOf(options.settings, planned),
      ...(options.early === undefined ? {} : { early: { order: findOrder(options.early, suites) } }),
      ...(emptySelections.length === 0 ? {} : { emptySelections }),
      ...(loosened.length === 0 ? {} : { loosened }),
    },
    invocation: options.invocation,
    suites: suites.map((suite) => ({
      ...suite,
      variants: suite.variants.map((variant) => maskVariant(variant, ports.mask)),
    })),
  };
}

/**
 * What the random order of an early run is drawn by: the seed or, without one, what the prompts send. Another prompt then
 * gets another order, and the same prompt asks its cached cases again.
 */
function findOrder({ seed }: NonNullable<RunOptions['early']>, suites: RunHeader['suites']): string {
  if (seed !== undefined) return `${seed}`;
  const prompts = suites.map(({ suite, variants }) => [
    suite,
    ...variants.map(({ model, params, messages }) => [model, params, ...messages.map(({ content }) => content)]),
  ]);
  return sha256Hex(canonicalJson(prompts)).slice(0, 8);
}

/**
 * A run that selects no case in any shard has no shard: its emptiness is a mistake, that of a single shard is not. Under
 * --allow-empty it is none either, and its shards are merged as others are.
 */
function settingsOf(settings: RunSettings, { plan, isEmptyShard, shard }: PlannedRun): RunSettings {
  const { shard: _shard, ...unsharded } = settings;
  const isMistake = plan.cellCount === 0 && !isEmptyShard && !settings.allowEmpty;
  return isMistake ? unsharded : { ...settings, ...defined({ shard }) };
}

/** Models that retire soon, and variants of which nothing was accepted. */
function findRemarks(
  planned: PlannedRun,
  { options, ports, isHermetic, findBaseline }: Pick<Run, 'options' | 'ports' | 'isHermetic' | 'findBaseline'>,
): readonly string[] {
  const retirements = findRetirements({
    planned,
    isHermetic: ({ id }) => isHermetic(id),
    now: ports.now(),
    ...defined({ candidates: options.settings.swap?.flatMap(({ candidates }) => candidates) }),
  });
  const used = planned.plan.suites.flatMap(({ suite, variants }) => (isHermetic(suite.id) ? [] : variants));
  const ofProviders = used.flatMap(({ provider }) => planned.endpointOf(provider).remark ?? []);
  const known = [...retirements, ...planned.warnings].map(({ message, hint }) => `${message}; ${hint ?? ''}`);
  const remarks = [...known, ...new Set(ofProviders)];
  // A user who accepts the run knows, and two versions side by side need no file.
  if (options.updateBaseline || options.settings.compare !== undefined) return remarks;
  return [...remarks, ...describeUnaccepted(planned.plan, findBaseline, options.settings.baseline)];
}
