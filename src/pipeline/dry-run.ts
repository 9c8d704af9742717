import { join } from 'node:path';
import { cacheKey } from '../cache/cache-key.ts';
import { openCacheStore } from '../cache/file-store.ts';
import { readRecordings } from '../cache/recordings.ts';
import { withRecordings } from '../cache/with-recordings.ts';
import type { Complete, Usage } from '../model/completion.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { lookupBatchApi } from '../providers/batch/index.ts';
import { checkBatchable } from './collect-batches.ts';
import { inputBytes, maxOutputTokens } from './estimate-tokens.ts';
import { createExpectUsage } from './expect-usage.ts';
import { checkBaselines, openBaselines } from './find-baselines.ts';
import { planRun, pricedModel } from './plan-run.ts';
import type { RunOptions, RunPorts } from './run-options.ts';

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
  /** What checks would ask judges, repairs left out: those that the cache holds are known only with the answers. */
  readonly judgeRequests: number;
  /** What the requests to send use and cost by the baseline's answers; undefined where it has none for them. */
  readonly expected: ExpectedUsage | undefined;
  /** Estimated at four bytes a token, over the requests to send. */
  readonly inputTokens: number;
  /** An upper bound in USD; undefined where no price or no output limit is known. */
  readonly boundUsd: number | undefined;
}

export interface ExpectedUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** USD; undefined where no price is known. */
  readonly costUsd: number | undefined;
}

/** Plans a run and looks up every first request; later turns of a conversation depend on answers and count once each. */
export async function forecastRun(options: RunOptions, ports: RunPorts): Promise<readonly VariantForecast[]> {
  const planned = await planRun(options, ports);
  if (options.batch) checkBatchable(planned);
  const findBaseline = openBaselines(options.settings.baseline, {
    root: options.project.root,
    cwd: ports.cwd,
    env: ports.env,
  });
  checkBaselines(options.project.suites, findBaseline);
  const expectUsage = createExpectUsage(options.project.suites, findBaseline);
  const store = openCacheStore(join(options.project.root, '.llmcheck', 'cache'), {
    now: ports.now,
    onWarning: () => {},
  });
  const mode = options.settings.cacheMode;
  const forecasts = new Map<string, VariantForecast>();
  const recorded = new Map<string, Complete>();
  for (const { suite } of planned.plan.suites) {
    if (suite.recordings === undefined || options.record || (options.isCacheModeChosen && mode !== 'replay')) continue;
    recorded.set(suite.id, withRecordings(notSent, readRecordings(suite.recordings), { missing: 'fail' }));
  }
  for (const lane of planned.plan.providerIds) {
    const provider = planned.providers.get(lane);
    if (provider === undefined) continue;
    const endpoint = planned.endpointOf(provider);
    for (const cell of planned.plan.cells(lane)) {
      const { suite, prompt } = cell.key;
      const key = JSON.stringify([suite, prompt, provider.id]);
      const before = forecasts.get(key) ?? {
        suite,
        prompt,
        provider: provider.id,
        cells: 0,
        skipped: 0,
        answered: 0,
        requests: 0,
        judgeRequests: 0,
        inputTokens: 0,
        expected: nothing,
        boundUsd: 0,
      };
      if (cell.skip !== undefined) {
        forecasts.set(key, { ...before, cells: before.cells + 1, skipped: before.skipped + 1 });
        continue;
      }
      const replay = recorded.get(suite);
      const judgeRequests = before.judgeRequests + (replay === undefined ? countQuestions(cell.checks) : 0);
      const isAnswered =
        replay === undefined
          ? (mode === 'use' || mode === 'replay') && store.read(cacheKey(cell.request)) !== undefined
          : (await replay(cell.request, new AbortController().signal)).status === 'completed';
      if (isAnswered) {
        forecasts.set(key, { ...before, cells: before.cells + 1, answered: before.answered + 1, judgeRequests });
        continue;
      }
      const calls = 1 + cell.turns.filter(({ kind }) => kind === 'user').length;
      const bytes = inputBytes(cell.request);
      const output = maxOutputTokens(cell.request);
      // Later turns of a conversation are asked live.
      const isBatched = options.batch && calls === 1 && lookupBatchApi(provider.adapter) !== undefined;
      const priced = { ...pricedModel(provider, endpoint), isBatched };
      const bound =
        output === undefined
          ? undefined
          : planned.pricer.boundOf({ ...priced, inputTokens: bytes, maxOutputTokens: output });
      const priceOf = (usage: Usage) => planned.pricer.priceOf({ ...priced, usage });
      forecasts.set(key, {
        ...before,
        cells: before.cells + 1,
        requests: before.requests + calls,
        judgeRequests,
        inputTokens: before.inputTokens + Math.ceil(bytes / 4),
        expected: addExpected(before.expected, expectUsage(cell.key), priceOf),
        boundUsd: before.boundUsd === undefined || bound === undefined ? undefined : before.boundUsd + bound * calls,
      });
    }
  }
  store.close();
  return [...forecasts.values()];
}

function countQuestions(checks: readonly CheckSpec[]): number {
  return checks.reduce((sum, { asks, assertion, params, children = [] }) => {
    if (asks === undefined) return sum + countQuestions(children);
    const { votes = 1 } = params as { readonly votes?: number };
    return sum + votes * (assertion === 'pairwise' ? 2 : 1);
  }, 0);
}

const nothing: ExpectedUsage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

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
