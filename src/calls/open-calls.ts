import { join } from 'node:path';
import { completionText } from '../cache/cache-entry.ts';
import { cacheKey, keyedText } from '../cache/cache-key.ts';
import { openCacheStore } from '../cache/file-store.ts';
import { type Recordings, readRecordings } from '../cache/recordings.ts';
import { type CacheMode, withCache } from '../cache/with-cache.ts';
import { withRecordings } from '../cache/with-recordings.ts';
import type { Complete, Completion, CompletionRequest } from '../model/completion.ts';
import type { ConnectedProvider } from '../model/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite.ts';
import { laneId } from '../plan/build-plan.ts';
import { createOutputEstimate, inputBytes, maxOutputTokens } from '../plan/estimate-tokens.ts';
import { type PlannedRun, pricedModel } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { findAdapter } from '../providers/index.ts';
import { accountId } from './account-id.ts';
import { type BatchSpending, openBatchSpending } from './batch-spending.ts';
import { AccountLimiter, SharedSlots } from './limiter.ts';
import type { Dispatch } from './open-dispatch.ts';
import { openConfiguredCache } from './open-shared-cache.ts';
import { readSuiteRecordings } from './read-suite-recordings.ts';
import { createRecorder } from './record-answers.ts';
import { type TimedAttempt, type TimedOutcome, timeAttempts } from './time-attempts.ts';
import type { BatchAnswers } from './with-batch.ts';
import { createBreaker } from './with-breaker.ts';
import { type BudgetPricing, createBudget } from './with-budget.ts';
import { withRetry } from './with-retry.ts';

/** Every endpoint that a run may ask, each behind its recordings or cache, its budget, retries and limits. */
export interface Calls {
  /** Of a provider or judge; those that are configured alike share one connection and its limits. */
  readonly completeFor: (config: ProviderConfig, suite: Suite) => Complete;
  /** The same past what the cache holds, which is then replaced; undefined where nothing may be sent. */
  readonly refreshFor: (config: ProviderConfig, suite: Suite) => Complete | undefined;
  readonly costOf: (
    config: ProviderConfig,
    completion: Pick<Completion, 'usage'>,
    how?: 'live' | 'batch',
  ) => number | undefined;
  /** True where the cache or recordings answer, or nothing may be asked. */
  readonly isAnswered: (request: CompletionRequest, suite: Suite) => boolean;
  /** What a provider's batches take of the budget. */
  readonly batchSpendingOf: (config: ProviderConfig) => BatchSpending;
  /** Cells or questions of one endpoint that are worth having in work at present. */
  readonly workersFor: (config: ProviderConfig) => () => number;
  /** True where a suite answers from its recordings or the cache alone, so that asking again gives the same answer. */
  readonly isHermetic: (suite: Suite) => boolean;
  readonly isBudgetExhausted: () => boolean;
  /** Once-per-run remarks. */
  readonly notes: () => readonly string[];
  readonly writeRecordings: () => void;
  readonly close: () => Promise<void>;
}

/** What is known of endpoints before anything is sent. */
export type KnownEndpoints = Pick<PlannedRun, 'endpointOf' | 'pricer' | 'providerEnv' | 'providers'>;

export interface CallOptions
  extends Pick<RunOptions, 'project' | 'concurrency' | 'timeoutMs' | 'record' | 'isCacheModeChosen'> {
  readonly settings: Pick<RunOptions['settings'], 'cacheMode' | 'maxCostUsd'>;
  /** Those whose recordings may be asked for: a damaged file is found before the first call. */
  readonly suites: readonly Suite[];
  /** What came through batch APIs before the first call. */
  readonly batchAnswers?: BatchAnswers;
  /** True for an answer from the cache that an earlier part of this run had asked for. */
  readonly isOwn?: (receivedAt: string) => boolean;
  /** False for a call that is not to be made any more once it has waited for its turn. */
  readonly mayBegin?: (request: CompletionRequest) => Promise<boolean>;
  /** Workers that make the calls, instead of this process. */
  readonly dispatch?: Dispatch;
}

const defaultConcurrency = 8;
/** Where nobody set a limit and more calls in flight get more answered; of workers there may be many. */
const maxConcurrency = 256;
const maxWorkersConcurrency = 1024;
const defaultRetries = 4;

export function openCalls(known: KnownEndpoints, options: CallOptions, ports: Omit<RunPorts, 'onSignal'>): Calls {
  const notes = new Set<string>();
  const note = (message: string) => {
    if (notes.has(message)) return;
    notes.add(message);
    ports.onProgress({ type: 'note', message });
  };
  const shared = options.concurrency === undefined ? undefined : new SharedSlots(options.concurrency);
  const { dispatch } = options;
  const { maxCostUsd, cacheMode } = options.settings;
  const budget = maxCostUsd === undefined ? undefined : createBudget(maxCostUsd);
  const store = openCacheStore(join(options.project.root, '.llmcheck', 'cache'), { onWarning: note });
  const { cache } = options.project;
  const sharedCache =
    cache === undefined || cacheMode === 'off'
      ? undefined
      : openConfiguredCache(cache, { ...ports, root: options.project.root, onWarning: note });
  const connected: Promise<ConnectedProvider>[] = [];
  const recordings = new Map<string, Recordings>();
  const endpoints = new Map<string, OpenEndpoint>();
  const accounts = new Map<string, AccountLimiter>();
  const recorder = options.record ? createRecorder(options.suites, ports.mask) : undefined;

  const isClean = (text: string) => ports.mask(text) === text;

  function findAccount(config: ProviderConfig): AccountLimiter {
    const { baseUrl } = known.endpointOf(config);
    const id = accountId(config, known.endpointOf(config));
    let account = accounts.get(id);
    if (account === undefined) {
      account = new AccountLimiter({
        // Only what a network is between may take more than the default.
        concurrency: defaultConcurrency,
        maxConcurrency:
          dispatch !== undefined ? maxWorkersConcurrency : baseUrl === undefined ? defaultConcurrency : maxConcurrency,
        timeoutMs: config.limits.timeoutMs ?? options.timeoutMs,
        ...(shared === undefined ? {} : { shared }),
        clock: ports.clock,
        random: ports.random,
      });
      accounts.set(id, account);
    }
    return account;
  }

  function openProvider(config: ProviderConfig): Pick<OpenEndpoint, 'live' | 'workers'> {
    const endpoint = known.endpointOf(config);
    const { limits } = config;
    const breaker = createBreaker((failure) =>
      ports.onProgress({ type: 'provider-stopped', provider: config.id, failure }),
    );
    const { rpm, tpm } = limits;
    const concurrency = Math.min(limits.concurrency ?? Infinity, options.concurrency ?? Infinity);
    const limiter = findAccount(config).open({
      ...(concurrency === Infinity ? {} : { concurrency }),
      ...(rpm === undefined ? {} : { rpm }),
      ...(tpm === undefined ? {} : { tpm }),
      estimateTokens: (request) => ({
        input: Math.ceil(inputBytes(request) / 4),
        output: maxOutputTokens(request) ?? 256,
      }),
    });
    let waitingForRetry = 0;
    const outputs = createOutputEstimate(note);
    const spending = endpoint.sends ? budget : undefined;
    const pricing: BudgetPricing = {
      boundOf: (request) =>
        known.pricer.boundOf({
          ...pricedModel(config, endpoint),
          inputTokens: inputBytes(request),
          maxOutputTokens: outputs.boundOf(request),
        }) ?? 0,
      costOf: (_request, completion) => {
        outputs.observe(completion);
        return costOf(config, completion);
      },
    };
    const wrap = (sent: Complete): Complete => {
      const guarded = breaker(ports.trace?.attempts(config, endpoint, sent) ?? sent, 'attempt');
      return spending?.guard(guarded, pricing) ?? guarded;
    };
    const attempt =
      dispatch === undefined || !endpoint.sends
        ? timeAttempts(wrap(connectLazily(config)), ports.clock)
        : wrapAttempts(dispatch.attemptFor(config, endpoint), wrap);
    const retried = withRetry(attempt, {
      retries: limits.retries ?? defaultRetries,
      timeoutMs: limits.timeoutMs ?? options.timeoutMs,
      limiter,
      clock: ports.clock,
      random: ports.random,
      ...(options.mayBegin === undefined ? {} : { mayBegin: options.mayBegin }),
      onWait: (isWaiting) => {
        waitingForRetry += isWaiting ? 1 : -1;
      },
    });
    const call = breaker(retried, 'call');
    return {
      live: spending?.wrap(call, pricing) ?? call,
      // As many again as have a slot wait for one, so that none stays empty; those that wait for a retry come on top.
      workers: () => limiter.room * 2 + Math.min(waitingForRetry, maxConcurrency),
    };
  }

  /** The SDK is loaded by the first call that really is sent. */
  function connectLazily(config: ProviderConfig): Complete {
    let connecting: Promise<ConnectedProvider> | undefined;
    return async (request, signal) => {
      if (connecting === undefined) {
        const adapter = findAdapter(config);
        if (adapter === undefined) throw new Error(`adapter ${config.adapter} is not registered`);
        connecting = adapter.connect(config, known.providerEnv);
        connected.push(connecting);
      }
      const connection = await connecting;
      return connection.complete(request, signal);
    };
  }

  function costOf(
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

  function isReplayed(suite: Suite): boolean {
    return suite.recordings !== undefined && !options.record && (!options.isCacheModeChosen || cacheMode === 'replay');
  }

  function recordingsOf(suite: Suite, path: string): Recordings {
    let found = recordings.get(suite.id);
    if (found === undefined) {
      found = readRecordings(path, relativeTo(ports.cwd, path));
      recordings.set(suite.id, found);
    }
    return found;
  }

  function openEndpoint(config: ProviderConfig): OpenEndpoint {
    const { live: direct, workers } = openProvider(config);
    const live = options.batchAnswers?.wrap(direct, cacheKey) ?? direct;
    const open = (mode: CacheMode): Complete => {
      const cached = withCache(live, {
        store,
        mode,
        ...(sharedCache === undefined ? {} : { shared: sharedCache }),
        now: ports.now,
        ...(options.isOwn === undefined ? {} : { isOwn: options.isOwn }),
        // A secret that a server echoes, or that is part of an address, must not reach the disk.
        canStore: (completion, request) => isClean(completionText(completion)) && isClean(keyedText(request)),
      });
      return recorder?.wrap(cached) ?? cached;
    };
    return { live, workers, answered: open(cacheMode), refreshed: open('refresh'), replayed: new Map() };
  }

  for (const [id, found] of readSuiteRecordings(options.suites.filter(isReplayed), ports.cwd))
    recordings.set(id, found);

  function findEndpoint(config: ProviderConfig): OpenEndpoint {
    const lane = laneId(config);
    let endpoint = endpoints.get(lane);
    if (endpoint === undefined) {
      endpoint = openEndpoint(config);
      endpoints.set(lane, endpoint);
    }
    return endpoint;
  }

  return {
    completeFor(config, suite) {
      const endpoint = findEndpoint(config);
      const { recordings: path } = suite;
      if (path === undefined || !isReplayed(suite)) return endpoint.answered;
      let replayed = endpoint.replayed.get(suite.id);
      if (replayed === undefined) {
        replayed = withRecordings(endpoint.live, recordingsOf(suite, path), { missing: 'fail' });
        endpoint.replayed.set(suite.id, replayed);
      }
      return replayed;
    },
    refreshFor: (config, suite) =>
      cacheMode === 'use' && !isReplayed(suite) ? findEndpoint(config).refreshed : undefined,
    costOf,
    isAnswered: (request, suite) =>
      isReplayed(suite) ||
      cacheMode === 'replay' ||
      (cacheMode === 'use' && store.read(cacheKey(request)) !== undefined),
    batchSpendingOf: (config) =>
      openBatchSpending(budget, {
        boundOf: (request) =>
          known.pricer.boundOf({
            ...pricedModel(config, known.endpointOf(config)),
            isBatched: true,
            inputTokens: inputBytes(request),
            maxOutputTokens: createOutputEstimate(note).boundOf(request),
          }) ?? 0,
        costOf: (completion) => costOf(config, completion, 'batch'),
      }),
    workersFor: (config) => findEndpoint(config).workers,
    isHermetic: (suite) => cacheMode === 'replay' || isReplayed(suite),
    isBudgetExhausted: () => budget?.exhausted === true,
    notes: () => [...notes],
    writeRecordings: () => recorder?.write(),
    async close() {
      await sharedCache?.close();
      // A provider that could not be connected has nothing to close; its cells carry the error.
      await Promise.allSettled(connected.map(async (provider) => (await provider).close()));
    },
  };
}

/** Puts around attempts that are made elsewhere what is put around those of this process. */
function wrapAttempts(attempt: TimedAttempt, wrap: (sent: Complete) => Complete): TimedAttempt {
  return async (request, signal, timeoutMs) => {
    let timed: TimedOutcome | undefined;
    const outcome = await wrap(async (...call) => {
      timed = await attempt(...call, timeoutMs);
      return timed.outcome;
    })(request, signal);
    return { outcome, isTimeUp: timed?.isTimeUp ?? false, elapsedMs: timed?.elapsedMs ?? 0 };
  };
}

interface OpenEndpoint {
  readonly live: Complete;
  /** Cells or questions that are worth having in work at present. */
  readonly workers: () => number;
  /** By the cache, else live. */
  readonly answered: Complete;
  /** Live, and into the cache. */
  readonly refreshed: Complete;
  /** By recordings alone, for each suite that has some. */
  readonly replayed: Map<string, Complete>;
}

function relativeTo(cwd: string, path: string): string {
  return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}
