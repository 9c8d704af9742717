import { join } from 'node:path';
import { checkBaselines, openBaselines } from '../baseline/find-baselines.ts';
import { addBaselinePrompts } from '../baseline/rerun-baseline.ts';
import { cacheKey } from '../cache/cache-key.ts';
import { type CacheStore, openCacheStore } from '../cache/file-store.ts';
import { readRecordings } from '../cache/recordings.ts';
import { withRecordings } from '../cache/with-recordings.ts';
import type { Cell } from '../model/cell.ts';
import type { Complete, Usage } from '../model/completion.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { boundCell, countJudgeRequests, countRequests } from '../plan/count-requests.ts';
import { inputBytes } from '../plan/estimate-tokens.ts';
import { type PlannedRun, planRun, pricedModel } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { lookupBatchApi } from '../providers/batch/index.ts';
import { checkBatchable } from './collect-batches.ts';
import { createFreshTrialCount } from './count-fresh-trials.ts';
import { createExpectUsage } from './expect-usage.ts';

/** What a variant would do, without sending anything. */
export interface VariantForecast {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly cells: number;
  readonly skipped: number;
  /** First requests that the cache or the recordings answer. */
  readonly answered: number;
  readonly requests: number;
  /** The most that checks ask judges: what the cache holds of it is known only with the answers. */
  readonly judgeRequests: number;
  /** What the requests to send use and cost by the baseline's answers; undefined where it has none for them. */
  readonly expected: ExpectedUsage | undefined;
  /** Estimated at four bytes a token, over the requests to send. */
  readonly inputTokens: number;
  /** An upper bound in USD; undefined where no price or no output limit is known. */
  readonly boundUsd: number | undefined;
  /** The most that fresh trials ask where cases fail. */
  readonly freshRequests: number;
  /** Their upper bound in USD, on top of the other one. */
  readonly freshBoundUsd: number | undefined;
}

export interface ExpectedUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** USD; undefined where no price is known. */
  readonly costUsd: number | undefined;
}

/** Plans a run and looks up every first request; what follows in a conversation depends on answers and counts as sent. */
export async function forecastRun(given: RunOptions, ports: RunPorts): Promise<readonly VariantForecast[]> {
  const findBaseline = openBaselines(given.settings.baseline, {
    root: given.project.root,
    cwd: ports.cwd,
    env: ports.env,
  });
  checkBaselines(given.project.suites, findBaseline);
  const options = given.rerunBaseline
    ? { ...given, project: await addBaselinePrompts(given.project, findBaseline) }
    : given;
  const planned = await planRun(options, ports);
  if (options.batch) checkBatchable(planned);
  const expectUsage = createExpectUsage(options.project.suites, findBaseline);
  const store = openCacheStore(join(options.project.root, '.llmcheck', 'cache'), {
    onWarning: () => {},
  });
  const answers = openAnswers(options, planned, store);
  const countFresh = createFreshTrialCount(options, planned, findBaseline);
  const forecasts = new Map<string, VariantForecast>();
  for (const lane of planned.plan.providerIds) {
    const provider = planned.providers.get(lane);
    if (provider === undefined) continue;
    const prices = openPrices(planned, provider, options.batch);
    for (const cell of planned.plan.cells(lane)) {
      const { suite, prompt } = cell.key;
      const key = JSON.stringify([suite, prompt, provider.id]);
      const before = forecasts.get(key) ?? { suite, prompt, provider: provider.id, ...noCells };
      if (cell.skip !== undefined) {
        forecasts.set(key, { ...before, cells: before.cells + 1, skipped: before.skipped + 1 });
        continue;
      }
      const isHermetic = answers.isHermetic(suite);
      const fresh = isHermetic ? 0 : countFresh(cell);
      const withFresh = addFresh({ ...before, cells: before.cells + 1 }, cell, fresh, prices);
      const judgeRequests = withFresh.judgeRequests + (isHermetic ? 0 : countJudgeRequests(cell));
      const isAnswered = await answers.find(cell);
      const usages = isAnswered ? undefined : expectUsage(cell.key);
      forecasts.set(key, addRequests({ ...withFresh, judgeRequests }, cell, { isHermetic, usages, prices }));
    }
  }
  return [...forecasts.values()];
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
  freshRequests: 0,
  freshBoundUsd: 0,
} satisfies Partial<VariantForecast>;

/** `usages` is undefined where the first request is answered; a conversation may ask the rest all the same. */
function addRequests(
  before: VariantForecast,
  cell: Cell,
  {
    isHermetic,
    usages,
    prices,
  }: { readonly isHermetic: boolean; readonly usages: readonly Usage[] | undefined; readonly prices: Prices },
): VariantForecast {
  const isAnswered = usages === undefined;
  const requests = countRequests(cell) - (isAnswered ? 1 : 0);
  const answered = before.answered + (isAnswered ? 1 : 0);
  if (requests === 0 || (isAnswered && isHermetic)) return { ...before, answered };
  return {
    ...before,
    answered,
    requests: before.requests + requests,
    inputTokens: before.inputTokens + Math.ceil(inputBytes(cell.request) / 4),
    expected: addExpected(before.expected, usages ?? [], prices.priceOf),
    boundUsd: addUsd(before.boundUsd, prices.boundOf(cell)),
  };
}

function addFresh(before: VariantForecast, cell: Cell, fresh: number, prices: Prices): VariantForecast {
  if (fresh === 0) return before;
  const bound = prices.liveBoundOf(cell);
  return {
    ...before,
    freshRequests: before.freshRequests + fresh * countRequests(cell),
    judgeRequests: before.judgeRequests + fresh * countJudgeRequests(cell),
    freshBoundUsd: addUsd(before.freshBoundUsd, bound === undefined ? undefined : bound * fresh),
  };
}

function addUsd(sum: number | undefined, usd: number | undefined): number | undefined {
  return sum === undefined || usd === undefined ? undefined : sum + usd;
}

interface Prices {
  readonly priceOf: (usage: Usage) => number | undefined;
  readonly boundOf: (cell: Cell) => number | undefined;
  /** The same where nothing goes through a batch API. */
  readonly liveBoundOf: (cell: Cell) => number | undefined;
}

function openPrices(planned: PlannedRun, provider: ProviderConfig, batch: boolean): Prices {
  const model = pricedModel(provider, planned.endpointOf(provider));
  const isBatchable = batch && lookupBatchApi(provider.adapter) !== undefined;
  const boundAt = (isBatched: boolean) => (cell: Cell) =>
    boundCell(cell, (inputTokens, maxOutputTokens) =>
      planned.pricer.boundOf({ ...model, isBatched, inputTokens, maxOutputTokens }),
    );
  return {
    priceOf: (usage) => planned.pricer.priceOf({ ...model, isBatched: isBatchable, usage }),
    // Later turns of a conversation are asked live.
    boundOf: (cell) => boundAt(isBatchable && countRequests(cell) === 1)(cell),
    liveBoundOf: boundAt(false),
  };
}

/** What answers first requests: the recordings of a suite, or the cache. */
function openAnswers(options: RunOptions, { plan }: PlannedRun, store: CacheStore) {
  const mode = options.settings.cacheMode;
  const recorded = new Map<string, Complete>();
  for (const { suite } of plan.suites) {
    if (suite.recordings === undefined || options.record || (options.isCacheModeChosen && mode !== 'replay')) continue;
    recorded.set(suite.id, withRecordings(notSent, readRecordings(suite.recordings), { missing: 'fail' }));
  }
  return {
    /** True where asking again gives the same answer. */
    isHermetic: (suite: string) => mode === 'replay' || recorded.has(suite),
    async find({ key, request }: Cell): Promise<boolean> {
      const replay = recorded.get(key.suite);
      if (replay !== undefined) return (await replay(request, new AbortController().signal)).status === 'completed';
      return (mode === 'use' || mode === 'replay') && store.read(cacheKey(request)) !== undefined;
    },
  };
}

/** Adds the mean of what similar answers used; undefined from the first cell of which nothing is known. */
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

const notSent: Complete = async () => ({
  status: 'failed',
  failure: { kind: 'recording', message: 'a dry run sends nothing' },
  attempts: 0,
});
