import type { AcceptedPrompt } from '../baseline/accepted-prompts.ts';
import { createFindAccepted } from '../baseline/find-baselines.ts';
import { cacheKey } from '../cache/cache-key.ts';
import { answersFromStoreOnly, type Calls, openCalls } from '../calls/calls.ts';
import { type BatchAnswers, createBatchAnswers } from '../calls/run-batches.ts';
import { createStop, type Stop } from '../calls/stop.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { openJudgePorts } from '../judges/judge-answer.ts';
import type { FindBaseline } from '../model/comparison/baseline.ts';
import { UserError } from '../model/problem.ts';
import { type Cell, type CellResult, firstProbeTrial, type StopReason } from '../model/run/cell.ts';
import type { ProviderFailure } from '../model/run/completion.ts';
import { type RenderedVariant } from '../model/run/plan.ts';
import { type Case, type Suite } from '../model/suite/suite.ts';
import { providerKey } from '../plan/build-plan.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import { pricedModel } from '../plan/price-variants.ts';
import { createRenderer } from '../plan/render-cells.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { type BatchRun, collectBatches, describeUnbatched, refuseUnbatchable } from '../run/asking/collect-batches.ts';
import { type CellRunner, createCellRunners } from '../run/cells/cell-runner.ts';
import { createToolOpener } from '../run/cells/start-tools.ts';
import { planWithBaselines } from '../run/planning/plan-with-baselines.ts';
import { refuseLiveTools } from '../run/planning/refuse-live-tools.ts';
import { openMcpPorts } from '../snapshots/read-server.ts';
import { addKnown } from '../stats/descriptive.ts';
import { loadTemplateEngine } from '../templates/template.ts';
import { TemplateError } from '../templates/template-error.ts';
import { groupBy } from '../text/group-by.ts';

/** A case on one variant of its suite. */
export interface ProbedCase {
  readonly suite: Suite;
  readonly variant: RenderedVariant;
  readonly testCase: Case;
}

/** The ids of a probed case. */
export function nameProbed({ suite, variant, testCase }: ProbedCase) {
  const { prompt, provider } = variant;
  return { suite: suite.id, caseId: testCase.id, prompt: prompt.id, provider: provider.id };
}

/** A prompt rendered for one trial of one case. */
export interface AskedCell {
  readonly cell: Cell;
  readonly made: RenderedVariant;
}

/** Result of one trial of a made prompt. */
export type ProbeTrial =
  | { readonly is: 'passed' | 'failed'; readonly reason?: string; readonly answer: string }
  | { readonly is: 'errored'; readonly failure: ProviderFailure }
  | { readonly is: 'stopped'; readonly reason: StopReason };

/** Asks cases with made prompts through the calls of a run: cache, limits, budget and judges. Writes no record. */
export interface Prober {
  readonly options: RunOptions;
  readonly planned: PlannedRun;
  readonly findBaseline: FindBaseline;
  /** The accepted prompt of each variant, by `suiteVariantKey`. */
  readonly acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>;
  /** True if a suite gets only stored answers, so no made prompt can be asked. */
  readonly answersFromStoreOnly: (suite: Suite) => boolean;
  /** Renders the first trial of a case on a made prompt; undefined if a template can't be rendered for the case. */
  render(probed: ProbedCase, made: RenderedVariant): Cell | undefined;
  /** A key that is equal for prompts that send the same request. */
  keyOf(cell: Cell): string;
  /**
   * Makes the trial with this number, counted from 0. The same number returns the cached answer, even after a restart.
   */
  ask(cell: Cell, made: RenderedVariant, trial: number): Promise<ProbeTrial>;
  /**
   * Asks first trials through the providers' batch APIs. Returns a note for each pending batch; its trials have no
   * answer yet.
   */
  askBatch(cells: readonly AskedCell[]): Promise<readonly string[]>;
  readonly spending: ProbeSpending;
  readonly stopReason: () => StopReason | undefined;
  readonly interrupted: () => 'SIGINT' | 'SIGTERM' | undefined;
  close(): Promise<void>;
}

export interface ProbeSpending {
  /** Number of trials, including cached ones. */
  trials: number;
  cached: number;
  /** USD billed; undefined if a price is unknown. */
  usd: number | undefined;
}

/** Opens a prober, passes it to `use` and closes it afterwards. Writes no record and no baseline. */
export async function withProber<Result>(
  run: RunOptions,
  ports: RunPorts,
  use: (prober: Prober) => Result | Promise<Result>,
): Promise<Result> {
  const { early: _early, bail: _bail, queue: _queue, resume: _resume, ...rest } = run;
  const off = { record: false, recordTools: false, rerunBaseline: false, updateBaseline: false };
  const prober = await openProber({ ...rest, ...off }, ports);
  try {
    return await use(prober);
  } finally {
    await prober.close();
  }
}

/** Plans the suites like a run and opens their calls. Sends nothing. */
async function openProber(given: RunOptions, ports: RunPorts): Promise<Prober> {
  await loadTemplateEngine();
  const planning = await planWithBaselines(given, ports);
  const { options, findBaseline, acceptedPrompts } = planning;
  const { project } = options;
  // A made prompt may use the model of either side.
  const providers = new Map(planning.planned.providers);
  const planned: PlannedRun = { ...planning.planned, providers };
  const { env } = ports;
  refuseLiveTools(planned, { answersFromStoreOnly: (suite) => answersFromStoreOnly(suite, options), env });
  const stop = createStop();
  const judges = openJudgePorts({ root: project.root, env, signal: stop.signal });
  if (options.batch) refuseUnbatchable(planned);
  for (const message of options.batch ? describeUnbatched(planned) : []) ports.onProgress({ type: 'note', message });
  const batchAnswers = options.batch ? createBatchAnswers() : undefined;
  const callOptions = { ...options, record: false, suites: project.suites, ...defined({ batchAnswers }) };
  const calls = openCalls(planned, callOptions, ports);
  const runnerOf = openRunners(planned, { calls, judges, stop, project, findBaseline, env });
  const stopListening = stop.listen(ports, options.deadlineMs);
  const spending: ProbeSpending = { trials: 0, cached: 0, usd: 0 };
  const ask: Prober['ask'] = async (cell, made, trial) => {
    const reason = stop.reason();
    if (reason !== undefined) return { is: 'stopped', reason };
    const key = providerKey(made.provider);
    providers.set(key, made.provider);
    const result = await runnerOf(key).run(numbered(cell, trial));
    addSpending(spending, result);
    return toTrial(result);
  };
  return {
    options,
    planned,
    findBaseline,
    acceptedPrompts,
    answersFromStoreOnly: (suite) => answersFromStoreOnly(suite, options),
    render: (probed, made) => renderProbe(planned, probed, made),
    keyOf: (cell) => cacheKey(cell.request),
    ask,
    askBatch: (cells) => askInBatch(cells, { options, ports, planned, calls, earlier: undefined, stop }, batchAnswers),
    spending,
    stopReason: stop.reason,
    interrupted: stop.interrupted,
    async close() {
      stopListening();
      await calls.close();
      judges.close();
    },
  };
}

/** Runs cells like a run, without checks that compare two answers: a made prompt has no counterpart. */
function openRunners(
  planned: PlannedRun,
  { calls, judges, stop, project, findBaseline, env }: ProberParts,
): (key: string) => CellRunner {
  return createCellRunners({
    planned,
    calls,
    judgePorts: judges.ports,
    findAccepted: createFindAccepted(project.suites, findBaseline),
    comparedAnswers: { find: () => Promise.resolve(undefined), post: () => {} },
    stop,
    bailStop: undefined,
    trace: undefined,
    openTools: createToolOpener(env, { mcp: openMcpPorts(project.root, env) }),
  });
}

interface ProberParts extends Pick<RunPorts, 'env'>, Pick<RunOptions, 'project'> {
  readonly calls: Calls;
  readonly judges: ReturnType<typeof openJudgePorts>;
  readonly stop: Stop;
  readonly findBaseline: FindBaseline;
}

async function askInBatch(
  cells: readonly AskedCell[],
  run: BatchRun,
  answers: BatchAnswers | undefined,
): Promise<readonly string[]> {
  if (answers === undefined) return [];
  const ofProvider = groupBy(cells, ({ made }) => providerKey(made.provider));
  const providerKeys = [...ofProvider.keys()];
  const cellsOf = (key: string) => (ofProvider.get(key) ?? []).map(({ cell }) => cell);
  const plan = { ...run.planned.plan, providerKeys, cells: cellsOf };
  const collected = await collectBatches({ ...run, planned: { ...run.planned, plan } }, answers);
  // The first trials follow; they put these answers into the cache.
  collected.forgetCollected();
  return collected.notes;
}

/** Numbers a trial beyond all numbers of a run. The search must not reuse the run's trials: they led to it. */
export function numbered(cell: Cell, trial: number): Cell {
  const number = firstProbeTrial + trial;
  return { ...cell, key: { ...cell.key, trial: number }, request: { ...cell.request, trial: number } };
}

/** Why variants of a suite can't be asked with any prompt; undefined if they can. */
export function whyUnaskable(prober: Prober, suite: Suite, variants: readonly RenderedVariant[]): string | undefined {
  if (prober.answersFromStoreOnly(suite))
    return 'stored answers alone answer this suite: --cache use asks its provider';
  if (prober.options.settings.maxCostUsd === undefined) return undefined;
  const { pricer, endpointOf } = prober.planned;
  const unpriced = variants.find(({ provider }) => !pricer.hasPrice(pricedModel(provider, endpointOf(provider))));
  return unpriced && `no price is known for ${unpriced.provider.model}, so --max-cost can't be held`;
}

function renderProbe({ rendering }: PlannedRun, probed: ProbedCase, made: RenderedVariant): Cell | undefined {
  try {
    return createRenderer(probed.suite, made, rendering)(probed.testCase, 1)[0];
  } catch (error) {
    if (!(error instanceof TemplateError) && !(error instanceof UserError)) throw error;
    return undefined;
  }
}

function toTrial(result: CellResult): ProbeTrial {
  switch (result.status) {
    case 'skipped':
      return {
        is: 'stopped',
        reason: result.reason === 'case' || result.reason === 'decided' ? 'bail' : result.reason,
      };
    case 'errored':
      return { is: 'errored', failure: result.failure };
    case 'judged': {
      const reason = result.failure?.message ?? result.verdicts.find(({ pass }) => !pass)?.reason;
      return {
        is: result.passed ? 'passed' : 'failed',
        answer: answerOf(result),
        ...defined({ reason: result.passed ? undefined : reason }),
      };
    }
  }
}

/** The texts, refusals and tool calls of an answer, as one text. */
function answerOf({ calls }: CellResult): string {
  return calls
    .flatMap(({ completion: { text, refusal = '', toolCalls } }) => [
      text,
      refusal,
      ...toolCalls.map(({ name, arguments: args }) => `${name} ${canonicalJson(args ?? null)}`),
    ])
    .filter((part) => part !== '')
    .join('\n');
}

function addSpending(spending: ProbeSpending, result: CellResult): void {
  const { calls, unusable = { billedUsd: 0 } } = result;
  spending.trials += 1;
  if (calls.length > 0 && calls.every(({ cached }) => cached)) spending.cached += 1;
  const billed = calls.map(({ cached, costUsd }) => (cached ? 0 : costUsd));
  const { judgeCostUsd } = result.status === 'skipped' ? { judgeCostUsd: 0 } : result;
  for (const usd of [...billed, unusable.billedUsd, judgeCostUsd]) {
    spending.usd = addKnown(spending.usd, usd);
  }
}
