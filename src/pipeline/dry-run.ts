import { join } from 'node:path';
import { cacheKey } from '../cache/cache-key.ts';
import { openCacheStore } from '../cache/file-store.ts';
import { readRecordings } from '../cache/recordings.ts';
import { withRecordings } from '../cache/with-recordings.ts';
import type { Complete } from '../model/completion.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { inputBytes, maxOutputTokens } from './estimate-tokens.ts';
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
  /** Estimated at four bytes a token, over the requests to send. */
  readonly inputTokens: number;
  /** An upper bound in USD; undefined where no price or no output limit is known. */
  readonly boundUsd: number | undefined;
}

/** Plans a run and looks up every first request; later turns of a conversation depend on answers and count once each. */
export async function forecastRun(options: RunOptions, ports: RunPorts): Promise<readonly VariantForecast[]> {
  const planned = await planRun(options, ports);
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
      const bound =
        output === undefined
          ? undefined
          : planned.pricer.boundOf({ ...pricedModel(provider, endpoint), inputTokens: bytes, maxOutputTokens: output });
      forecasts.set(key, {
        ...before,
        cells: before.cells + 1,
        requests: before.requests + calls,
        judgeRequests,
        inputTokens: before.inputTokens + Math.ceil(bytes / 4),
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

const notSent: Complete = async () => ({
  status: 'failed',
  failure: { kind: 'recording', message: 'a dry run sends nothing' },
  attempts: 0,
});
