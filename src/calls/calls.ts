import { cacheKey } from '../cache/cache-key.ts';
import type { Recordings } from '../cache/recordings.ts';
import { withRecordings } from '../cache/with-recordings.ts';
import type { Complete, Completion, CompletionRequest } from '../model/run/completion.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import { providerKey } from '../plan/build-plan.ts';
import { createOutputEstimate, inputBytes, pricedModel } from '../plan/price-variants.ts';
import type { RunPorts } from '../plan/run-options.ts';
import { formatCount } from '../text/format-amount.ts';
import { openProviderCalls, type ProviderCalls } from './call-chain.ts';
import {
  type CallOptions,
  type KnownEndpoints,
  openRunResources,
  priceAnswer,
  type RunResources,
} from './run-resources.ts';
import { readSuiteRecordings } from './suite-recordings.ts';
import { type BatchSpending, openBatchSpending } from './with-budget.ts';

/** The calls of a run to every provider and judge, behind recordings or cache, budget, retries and limits. */
export interface Calls {
  /** The calls of a provider or judge. Equal configurations share one connection and its limits. */
  readonly completeFor: (config: ProviderConfig, suite: Suite) => Complete;
  /** Like `completeFor`, but ignores and replaces the cached answer. Undefined if nothing may be sent. */
  readonly refreshFor: (config: ProviderConfig, suite: Suite) => Complete | undefined;
  readonly costOf: (
    config: ProviderConfig,
    completion: Pick<Completion, 'usage'>,
    how?: 'live' | 'batch',
  ) => number | undefined;
  /**
   * True if the request is not sent: its suite answers from the store only, or the cache has its answer. With `before`,
   * an answer that came at this time or later does not count.
   */
  readonly needsNoCall: (request: CompletionRequest, suite: Suite, before?: string) => boolean;
  /** The part of the budget that a provider's batches use. */
  readonly batchSpendingOf: (config: ProviderConfig) => BatchSpending;
  /** The number of one provider's cells or questions to run at once at present. */
  readonly cellsAtOnceFor: (config: ProviderConfig) => () => number;
  /** True if asking again gives the same answer, from the suite's recordings or the cache. */
  readonly answersFromStoreOnly: (suite: Suite) => boolean;
  readonly isBudgetExhausted: () => boolean;
  /** Remarks that each appear once in a run. */
  readonly notes: () => readonly string[];
  readonly writeRecordings: () => void;
  readonly close: () => Promise<void>;
}

/** Opens the calls of a run. The chain of one provider is in call-chain.ts. */
export function openCalls(known: KnownEndpoints, options: CallOptions, ports: Omit<RunPorts, 'onSignal'>): Calls {
  const notes = new Set<string>();
  const run = openRunResources(known, options, { ports, notes });
  const { cacheMode } = options.settings;
  const hasRecordings = (suite: Suite) => isRecorded(suite, options);
  const recordings = readSuiteRecordings(options.suites.filter(hasRecordings), ports.cwd);
  const opened = new Map<string, ProviderCalls>();

  function callsOf(config: ProviderConfig): ProviderCalls {
    const id = providerKey(config);
    const calls = opened.get(id) ?? openProviderCalls(config, run);
    opened.set(id, calls);
    return calls;
  }

  return {
    completeFor(config, suite) {
      const calls = callsOf(config);
      const recorded = recordings.get(suite.id);
      return recorded === undefined ? calls.answered : replay(calls, suite, recorded);
    },
    refreshFor: (config, suite) =>
      cacheMode === 'use' && !hasRecordings(suite) ? callsOf(config).refreshed : undefined,
    costOf: (config, completion, how) => priceAnswer(run, config, completion, how),
    needsNoCall(request, suite, before) {
      if (answersFromStoreOnly(suite, options)) return true;
      const stored = cacheMode === 'use' ? run.store.read(cacheKey(request)) : undefined;
      return stored !== undefined && (before === undefined || stored.receivedAt < before);
    },
    batchSpendingOf: (config) => openBatches(run, config),
    cellsAtOnceFor: (config) => callsOf(config).cellsAtOnce,
    answersFromStoreOnly: (suite) => answersFromStoreOnly(suite, options),
    isBudgetExhausted: () => run.budget?.isExhausted === true,
    notes: () => [...notes, ...describeForeign(run)],
    writeRecordings: () => run.recorder?.write(),
    async close() {
      await run.sharedCache?.close();
      run.store.close();
      // A provider that could not be connected has nothing to close; its cells carry the error.
      await Promise.allSettled(run.connected.map(async (provider) => (await provider).close()));
    },
  };
}

/** Who wrote such an entry is unknown: it may come from a restored folder, an import or a repository. */
function describeForeign({ foreignAnswers: { count } }: RunResources): readonly string[] {
  if (count === 0) return [];
  return [`${formatCount(count, 'answer')} from cache entries that neither this machine nor its shared cache wrote`];
}

type ReplayOptions = Pick<CallOptions, 'record' | 'isCacheModeChosen' | 'settings'>;

/** True if the suite's recordings answer, or a replay of the cache: nothing is sent. */
export function answersFromStoreOnly(suite: Suite, options: ReplayOptions): boolean {
  return options.settings.cacheMode === 'replay' || isRecorded(suite, options);
}

/** True if the suite's recordings are read: they are not with `--record`, or with another mode of the cache. */
export function isRecorded({ recordings }: Suite, { record, isCacheModeChosen, settings }: ReplayOptions): boolean {
  return recordings !== undefined && !record && (!isCacheModeChosen || settings.cacheMode === 'replay');
}

/** Answers only by the recordings of a suite. */
function replay(calls: ProviderCalls, suite: Suite, recordings: Recordings): Complete {
  const replayed =
    calls.replayed.get(suite.id) ?? calls.bounded(withRecordings(calls.live, recordings, { missing: 'fail' }));
  calls.replayed.set(suite.id, replayed);
  return replayed;
}

function openBatches(run: RunResources, config: ProviderConfig): BatchSpending {
  const { known, note, budget } = run;
  return openBatchSpending(budget, {
    boundOf: (request) =>
      known.pricer.boundOf({
        ...pricedModel(config, known.endpointOf(config)),
        isBatched: true,
        inputTokens: inputBytes(request),
        maxOutputTokens: createOutputEstimate(note).boundOf(request),
      }) ?? 0,
    costOf: (completion) => priceAnswer(run, config, completion, 'batch'),
  });
}
