import { cacheKey } from '../cache/cache-key.ts';
import { openCacheStore } from '../cache/cache-store.ts';
import { answersFolder } from '../cache/project-cache.ts';
import { readRecordings } from '../cache/recordings.ts';
import { withRecordings } from '../cache/with-recordings.ts';
import { isRecorded } from '../calls/calls.ts';
import type { Baseline, FindBaseline, VariantKey } from '../model/comparison/baseline.ts';
import { type Cell, type CellKey, suiteVariantKey } from '../model/run/cell.ts';
import type { Complete, Usage } from '../model/run/completion.ts';
import type { CaseSummary } from '../model/run/summary.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import {
  boundJudges,
  boundRequests,
  countJudgeRequests,
  countRequests,
  inputBytes,
  type JudgeBound,
  pricedModel,
} from '../plan/price-variants.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { lookupBatchApi } from '../providers/batch/index.ts';
import { addKnown } from '../stats/descriptive.ts';
import type { Spend } from '../verdict/confirm/choose-next.ts';
import { findFreshBudget, isAskedAgain } from './asking/asking-budget.ts';
import { refuseUnbatchable } from './asking/collect-batches.ts';
import { addUsd, createSpendOfSides, whyUnbounded } from './asking/fresh-cells.ts';
import { planWithBaselines } from './planning/plan-with-baselines.ts';

/** The forecast of a variant, made without sending a request. */
export interface VariantForecast {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly cells: number;
  readonly skipped: number;
  /** Number of first requests that the cache or the recordings answer. */
  readonly answered: number;
  readonly requests: number;
  /** The maximum number of requests to judges. Without the answers, it is unknown how many the cache answers. */
  readonly judgeRequests: number;
  /** The expected usage and cost of the requests, estimated from the baseline's answers; undefined if it has none. */
  readonly expected: ExpectedUsage | undefined;
  /** Estimated at four bytes a token, over the requests to send. */
  readonly inputTokens: number;
  /** An upper bound in USD without judges; undefined if no price or no output limit is known. */
  readonly boundUsd: number | undefined;
  /** The bound for judges of planned cells with a known bound; undefined if there is none. */
  readonly judgeBoundUsd: number | undefined;
  /** Models whose cost has no bound, each with the reason. */
  readonly uncounted: readonly string[];
  /** Judges whose cost has no bound, each with the reason. */
  readonly uncountedJudges: readonly string[];
}

export interface RunForecast {
  readonly variants: readonly VariantForecast[];
  /** The most that fresh trials may spend, judges included, where something looks worse. */
  readonly fresh: Spend;
}

/**
 * Plans a run and looks up every first request. Later requests of a conversation depend on answers, and count as sent.
 */
export async function forecastRun(given: RunOptions, ports: RunPorts): Promise<RunForecast> {
  const planning = await planWithBaselines(given, ports);
  const { options, findBaseline, planned, acceptedPrompts } = planning;
  if (options.batch) refuseUnbatchable(planned);
  const expectUsage = createExpectUsage(options.project.suites, findBaseline);
  const answers = openAnswers(options, planned);
  const suites = new Map(planned.plan.suites.map(({ suite }) => [suite.id, suite]));
  const spendOf = createSpendOfSides(planned, acceptedPrompts);
  const forecasts = new Map<string, VariantForecast>();
  for (const [providerKey, provider] of planned.providers) {
    const prices = openPrices(planned, provider, options.batch);
    const unbounded = [whyUnbounded(planned, provider)];
    for (const cell of planned.plan.cells(providerKey)) {
      const { suite, prompt } = cell.key;
      const key = suiteVariantKey({ suite, prompt, provider: provider.id });
      const before = forecasts.get(key) ?? { suite, prompt, provider: provider.id, ...noCells };
      if (cell.skip !== undefined) {
        forecasts.set(key, { ...before, cells: before.cells + 1, skipped: before.skipped + 1 });
        continue;
      }
      const answersFromStoreOnly = answers.answersFromStoreOnly(suite);
      const isAsked = !answersFromStoreOnly && isAskedAgain(cell);
      const usages = (await answers.hasStoredAnswer(cell)) ? undefined : expectUsage(cell.key);
      const counted = addRequests({ ...before, cells: before.cells + 1 }, cell, {
        answersFromStoreOnly,
        usages,
        prices,
      });
      const isBounded = counted.boundUsd !== undefined;
      const named = isBounded ? counted : { ...counted, uncounted: addNames(counted.uncounted, unbounded) };
      const judges = suites.get(suite);
      const judged =
        answersFromStoreOnly || judges === undefined
          ? named
          : addJudges(named, cell, boundJudges(planned, judges, cell));
      const { uncounted } = isAsked ? spendOf(provider, cell) : judged;
      forecasts.set(key, { ...judged, uncounted: addNames(judged.uncounted, uncounted) });
    }
  }
  const { allowed } = findFreshBudget(planning, (suite) => !answers.answersFromStoreOnly(suite));
  return { variants: [...forecasts.values()], fresh: allowed };
}

const noCells = {
  cells: 0,
  skipped: 0,
  answered: 0,
  requests: 0,
  judgeRequests: 0,
  inputTokens: 0,
  expected: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
  boundUsd: 0,
  judgeBoundUsd: undefined,
  uncounted: [],
  uncountedJudges: [],
} satisfies Partial<VariantForecast>;

/**
 * Adds the requests of a cell. `usages` is undefined if the first request is answered. A conversation may still send
 * the others.
 */
function addRequests(
  before: VariantForecast,
  cell: Cell,
  {
    answersFromStoreOnly,
    usages,
    prices,
  }: { readonly answersFromStoreOnly: boolean; readonly usages: readonly Usage[] | undefined; readonly prices: Prices },
): VariantForecast {
  const isAnswered = usages === undefined;
  const requests = countRequests(cell) - (isAnswered ? 1 : 0);
  const answered = before.answered + (isAnswered ? 1 : 0);
  if (requests === 0 || (isAnswered && answersFromStoreOnly)) return { ...before, answered };
  return {
    ...before,
    answered,
    requests: before.requests + requests,
    inputTokens: before.inputTokens + Math.ceil(inputBytes(cell.request) / 4),
    expected: addExpected(before.expected, usages ?? [], prices.priceOf),
    boundUsd: addKnown(before.boundUsd, prices.boundOf(cell)),
  };
}

function addJudges(before: VariantForecast, cell: Cell, { usd, uncounted }: JudgeBound): VariantForecast {
  return {
    ...before,
    judgeRequests: before.judgeRequests + countJudgeRequests(cell),
    judgeBoundUsd: addUsd(before.judgeBoundUsd, usd),
    uncountedJudges: addNames(before.uncountedJudges, uncounted),
  };
}

function addNames(names: readonly string[], more: readonly string[]): readonly string[] {
  return more.every((name) => names.includes(name)) ? names : [...new Set([...names, ...more])];
}

interface Prices {
  readonly priceOf: (usage: Usage) => number | undefined;
  readonly boundOf: (cell: Cell) => number | undefined;
}

function openPrices(planned: PlannedRun, provider: ProviderConfig, batch: boolean): Prices {
  const model = pricedModel(provider, planned.endpointOf(provider));
  const isBatchable = batch && lookupBatchApi(provider.adapter) !== undefined;
  const boundAt = (isBatched: boolean) => (cell: Cell) => boundRequests(planned, provider, cell, isBatched);
  return {
    priceOf: (usage) => planned.pricer.priceOf({ ...model, isBatched: isBatchable, usage }),
    // Later turns of a conversation are asked live.
    boundOf: (cell) => boundAt(isBatchable && countRequests(cell) === 1)(cell),
  };
}

/** Opens the sources that answer first requests: the recordings of a suite, or the cache. */
function openAnswers(options: RunOptions, { plan }: PlannedRun) {
  const mode = options.settings.cacheMode;
  const store = openCacheStore(answersFolder(options.project.root), { onWarning: () => {} });
  const recorded = new Map<string, Complete>();
  for (const { suite } of plan.suites) {
    if (suite.recordings === undefined || !isRecorded(suite, options)) continue;
    recorded.set(suite.id, withRecordings(notSent, readRecordings(suite.recordings), { missing: 'fail' }));
  }
  return {
    /** True if asking again gives the same answer. */
    answersFromStoreOnly: (suite: string) => mode === 'replay' || recorded.has(suite),
    async hasStoredAnswer({ key, request }: Cell): Promise<boolean> {
      const replay = recorded.get(key.suite);
      if (replay !== undefined) return (await replay(request, new AbortController().signal)).status === 'completed';
      return (mode === 'use' || mode === 'replay') && store.read(cacheKey(request)) !== undefined;
    },
  };
}

const notSent: Complete = async () => ({
  status: 'failed',
  failure: { kind: 'recording', message: 'a dry run sends nothing' },
  attempts: 0,
});

interface ExpectedUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** USD; undefined if no price is known. */
  readonly costUsd: number | undefined;
}

/** Finds the usage of the baseline's answers to a cell, else of answers to similar cells. */
type ExpectUsage = (key: CellKey) => readonly Usage[];

/**
 * Takes the baseline's answers to the same case with the same prompt, else with the prompt that it replaces. Without
 * such answers it takes the answers of either prompt to all cases. A whole conversation counts as one usage. Empty if
 * the baseline has no answer.
 */
function createExpectUsage(suites: readonly Suite[], findBaseline: FindBaseline): ExpectUsage {
  const bySuite = new Map(suites.map((suite) => [suite.id, describeKnown(suite, findBaseline)]));
  return ({ suite, prompt, provider, caseId }) => {
    const known = bySuite.get(suite);
    if (known === undefined) return [];
    const prompts = [prompt, known.replaces.get(prompt)].filter((id) => id !== undefined);
    for (const id of prompts) {
      const found = known.baseline.casesOf({ prompt: id, provider }).get(caseId);
      const usages = found === undefined ? [] : usagesOf([found]);
      if (usages.length > 0) return usages;
    }
    for (const id of prompts) {
      const usages = known.usagesOf({ prompt: id, provider });
      if (usages.length > 0) return usages;
    }
    return [];
  };
}

interface KnownUsage {
  readonly replaces: ReadonlyMap<string, string | undefined>;
  readonly baseline: Baseline;
  /** The usages of all answers of a variant. */
  readonly usagesOf: (key: VariantKey) => readonly Usage[];
}

function describeKnown(suite: Suite, findBaseline: FindBaseline): KnownUsage | undefined {
  const found = findBaseline(suite);
  if (found === undefined) return undefined;
  const { baseline } = found;
  const byVariant = new Map<string, readonly Usage[]>();
  return {
    replaces: new Map(suite.prompts.map(({ id, replaces }) => [id, replaces])),
    baseline,
    usagesOf(key) {
      const name = JSON.stringify([key.prompt, key.provider]);
      const usages = byVariant.get(name) ?? usagesOf(baseline.casesOf(key).values());
      byVariant.set(name, usages);
      return usages;
    },
  };
}

function usagesOf(cases: Iterable<CaseSummary>): readonly Usage[] {
  const usages: Usage[] = [];
  for (const { trials } of cases) {
    for (const { usage } of trials) if (usage !== undefined) usages.push(usage);
  }
  return usages;
}

/** Adds the mean usage of similar answers. Undefined once a cell has no similar answer. */
function addExpected(
  sum: ExpectedUsage | undefined,
  usages: readonly Usage[],
  priceOf: (usage: Usage) => number | undefined,
): ExpectedUsage | undefined {
  if (sum === undefined || usages.length === 0) return undefined;
  const costs = usages.map(priceOf);
  const mean = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;
  const known = costs.filter((cost) => cost !== undefined);
  return {
    inputTokens: sum.inputTokens + mean(usages.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum.outputTokens + mean(usages.map(({ outputTokens }) => outputTokens)),
    costUsd: sum.costUsd === undefined || known.length < costs.length ? undefined : sum.costUsd + mean(known),
  };
}
