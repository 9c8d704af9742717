import type { CacheStore } from '../cache/cache-store.ts';
import { openProjectCache } from '../cache/project-cache.ts';
import type { SharedCache } from '../cache/shared-cache.ts';
import type { Completion, CompletionRequest } from '../model/run/completion.ts';
import type { ConnectedProvider } from '../model/suite/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import { pricedModel } from '../plan/price-variants.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import type { AccountLimiter } from './limiter.ts';
import type { Dispatch } from './open-queue-dispatch.ts';
import { openConfiguredCache } from './open-shared-cache.ts';
import type { BatchAnswers } from './run-batches.ts';
import { SharedSlots } from './shared-slots.ts';
import { createRecorder, type Recorder } from './suite-recordings.ts';
import { Budget } from './with-budget.ts';

/** The data about endpoints that is known before anything is sent. */
export type KnownEndpoints = Pick<PlannedRun, 'endpointOf' | 'pricer' | 'providerEnv' | 'providers'>;

export interface CallOptions
  extends Pick<RunOptions, 'project' | 'concurrency' | 'timeoutMs' | 'record' | 'isCacheModeChosen'> {
  readonly settings: Pick<RunOptions['settings'], 'cacheMode' | 'maxCostUsd'>;
  /** Suites whose recordings may be read: a damaged file is found before the first call. */
  readonly suites: readonly Suite[];
  /** The answers that batch APIs gave before the first call. */
  readonly batchAnswers?: BatchAnswers;
  /** True once for an answer from the cache that an earlier part of this run had sent. */
  readonly isOwn?: (receivedAt: string, key: string) => boolean;
  /** Resolves to false for a call that must no longer be made after its wait. */
  readonly mayBegin?: (request: CompletionRequest) => Promise<boolean>;
  /** Workers that make the calls, instead of this process. */
  readonly dispatch?: Dispatch;
}

/** The resources that all endpoints of a run share. */
export interface RunResources {
  readonly known: KnownEndpoints;
  readonly options: CallOptions;
  readonly ports: Omit<RunPorts, 'onSignal'>;
  /** Adds a remark, which appears only once in a run. */
  readonly note: (message: string) => void;
  /** Undefined if the run has no cost limit. */
  readonly budget: Budget | undefined;
  readonly store: CacheStore;
  /** The answers that were taken from cache entries of other machines. */
  readonly foreignAnswers: { count: number };
  readonly sharedCache: SharedCache | undefined;
  /** Undefined if nothing is recorded. */
  readonly recorder: Recorder | undefined;
  /** `-j` over all accounts. */
  readonly slots: SharedSlots | undefined;
  /** The limiters by account. Calls with the same key and address share their limits. */
  readonly accounts: Map<string, AccountLimiter>;
  readonly connected: Promise<ConnectedProvider>[];
}

/** Opens what all calls of a run share. Runs once, before the first call. */
export function openRunResources(
  known: KnownEndpoints,
  options: CallOptions,
  { ports, notes }: { readonly ports: Omit<RunPorts, 'onSignal'>; readonly notes: Set<string> },
): RunResources {
  const note = (message: string) => {
    if (notes.has(message)) return;
    notes.add(message);
    ports.onProgress({ type: 'note', message });
  };
  const { root, cache } = options.project;
  const { maxCostUsd, cacheMode } = options.settings;
  return {
    known,
    options,
    ports,
    note,
    budget: maxCostUsd === undefined ? undefined : new Budget(maxCostUsd),
    store: openProjectCache(root, { onWarning: note, random: ports.random }),
    foreignAnswers: { count: 0 },
    sharedCache:
      cache === undefined || cacheMode === 'off'
        ? undefined
        : openConfiguredCache(cache, { ...ports, root, onWarning: note }),
    recorder: options.record ? createRecorder(options.suites, ports.mask) : undefined,
    slots: options.concurrency === undefined ? undefined : new SharedSlots(options.concurrency),
    accounts: new Map(),
    connected: [],
  };
}

/** USD; undefined if no price or usage is known. */
export function priceAnswer(
  { known }: RunResources,
  config: ProviderConfig,
  { usage }: Pick<Completion, 'usage'>,
  how: 'live' | 'batch' = 'live',
): number | undefined {
  return known.pricer.priceOf({
    usage,
    isBatched: how === 'batch',
    ...pricedModel(config, known.endpointOf(config)),
  });
}
