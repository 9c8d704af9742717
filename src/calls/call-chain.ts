import { cacheKey } from '../cache/cache-key.ts';
import { withCache } from '../cache/with-cache.ts';
import { withDedupe } from '../cache/with-dedupe.ts';
import { defined } from '../json/defined.ts';
import type { Complete } from '../model/run/completion.ts';
import type { CacheMode } from '../model/run/record.ts';
import { defaultAnswerLimits } from '../model/suite/limits.ts';
import type { ConnectedProvider, Endpoint } from '../model/suite/provider.ts';
import type { ProviderConfig } from '../model/suite/suite.ts';
import { accountId } from '../plan/build-plan.ts';
import { createOutputEstimate, inputBytes, maxOutputTokens, pricedModel } from '../plan/price-variants.ts';
import { findAdapter } from '../providers/index.ts';
import { AccountLimiter, type Limiter } from './limiter.ts';
import { priceAnswer, type RunResources } from './run-resources.ts';
import { type TimedAttempt, type TimedOutcome, timeAttempts } from './time-attempts.ts';
import { watchCode } from './watch-code.ts';
import { withAnswerLimits } from './with-answer-limits.ts';
import { createBreaker } from './with-breaker.ts';
import type { BudgetPricing } from './with-budget.ts';
import { boundWaits, type RetryOptions, withRetry } from './with-retry.ts';

/** The calls of a provider or judge. Equal configurations share one. */
export interface ProviderCalls {
  readonly live: Complete;
  /** The number of cells or questions to run at once at present. */
  readonly cellsAtOnce: () => number;
  /** Answers from the cache, else live. */
  readonly answered: Complete;
  /** Answers live, and stores the answer in the cache. */
  readonly refreshed: Complete;
  /** Fails an answer that is larger than the provider's limits. */
  readonly bounded: (call: Complete) => Complete;
  /** Answers only from recordings, for each suite that has some. */
  readonly replayed: Map<string, Complete>;
}

const defaultConcurrency = 8;
/** The most calls in flight without a user's limit, reached while throughput grows. */
const maxConcurrency = 256;
const maxWorkersConcurrency = 1024;
const defaultRetries = 4;

/**
 * The chain from a request to its answer. The cache or a recording answers, so that nothing is sent; else the batch does,
 * which was sent before the first call. Else the call is paid from the budget, unless its provider has stopped answering,
 * and is repeated within the limits. Each attempt ends at its time limit, is counted and is traced.
 */
export function openProviderCalls(config: ProviderConfig, run: RunResources): ProviderCalls {
  const { cached, bounded, batched, paid, unlessStopped, repeated, attempted, counted, traced, cellsAtOnce } =
    openLinks(config, run);
  const live = bounded(batched(paid(unlessStopped(repeated(attempted((connected) => counted(traced(connected))))))));
  return {
    live,
    answered: bounded(cached(live, run.options.settings.cacheMode)),
    refreshed: cached(live, 'refresh'),
    bounded,
    replayed: new Map(),
    cellsAtOnce,
  };
}

/** The links around a call and around each of its attempts. The budget and the breaker need both. */
function openLinks(config: ProviderConfig, run: RunResources) {
  const { known, options, ports } = run;
  const endpoint = known.endpointOf(config);
  const budget = endpoint.sends ? run.budget : undefined;
  const pricing = openPricing(config, run);
  const limiter = openLimiter(config, run);
  const timeoutMs = config.limits.timeoutMs ?? options.timeoutMs;
  const breaker = createBreaker(
    (failure) => ports.onProgress({ type: 'provider-stopped', provider: config.id, failure }),
    () => limiter.refusedForMs >= boundWaits(timeoutMs),
  );
  const isSameCode = openCodeWatch(config, run);
  let waitingForRetry = 0;
  const showWait = openWaits(config, endpoint, ports);
  const limits: RetryOptions = {
    retries: config.limits.retries ?? defaultRetries,
    timeoutMs,
    limiter,
    clock: ports.clock,
    random: ports.random,
    ...defined({ mayBegin: options.mayBegin }),
    onWait: (waitMs, failure) => {
      waitingForRetry += 1;
      const endShown = showWait(waitMs, failure);
      return () => {
        waitingForRetry -= 1;
        endShown();
      };
    },
  };
  return {
    bounded: (call: Complete) => withAnswerLimits(call, config.limits.maxAnswer ?? defaultAnswerLimits),
    cached: (live: Complete, mode: CacheMode) => withStored(live, mode, config, run, isSameCode),
    batched: (paid: Complete) => options.batchAnswers?.wrap(paid, cacheKey) ?? paid,
    paid: (call: Complete) => budget?.wrap(call, pricing) ?? call,
    unlessStopped: (call: Complete) => breaker(call, 'call'),
    repeated: (attempt: TimedAttempt) => withRetry(attempt, limits),
    /** An attempt of this process or, with `--queue`, of a worker. */
    attempted: (guard: (connected: Complete) => Complete): TimedAttempt =>
      options.dispatch === undefined || !endpoint.sends
        ? timeAttempts(guard(connectWhenAsked(config, run)), ports.clock)
        : guardElsewhere(options.dispatch.attemptFor(config, endpoint), guard),
    counted: (attempt: Complete): Complete => {
      const noticed = breaker(attempt, 'attempt');
      return budget?.guard(noticed, pricing) ?? noticed;
    },
    traced: (attempt: Complete) => ports.trace?.attempts(config, endpoint, attempt) ?? attempt,
    // Twice the slots, so that no slot stays empty, plus the calls that wait for a retry.
    cellsAtOnce: () => limiter.room * 2 + Math.min(waitingForRetry, maxConcurrency),
  };
}

/** A shorter wait is over before a reader asks why nothing happens. */
const shownWaitMs = 1000;

/** Reports the waits of a provider's calls. */
function openWaits(
  { id }: ProviderConfig,
  { baseUrl }: Endpoint,
  { onProgress }: RunResources['ports'],
): NonNullable<RetryOptions['onWait']> {
  const host = baseUrl === undefined ? id : new URL(baseUrl).hostname;
  return (waitMs, { status, kind }) => {
    if (waitMs < shownWaitMs) return () => undefined;
    const wait = { host, waitMs, reason: status === undefined ? kind : `${status}` };
    onProgress({ type: 'wait-started', wait });
    return () => onProgress({ type: 'wait-ended', wait });
  };
}

/** False once the code of a provider has changed, which is noted. */
function openCodeWatch(config: ProviderConfig, { known, note }: RunResources): () => boolean {
  const isUnchanged = watchCode(config, known.endpointOf(config), known.providerEnv);
  return () => {
    const isSame = isUnchanged();
    if (!isSame) note(describeChange(config));
    return isSame;
  };
}

function describeUnstored({ id }: ProviderConfig, unfollowed: readonly string[]): string {
  const [first = '', ...others] = unfollowed;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return (
    `The answers of provider ${id} are not stored, because its code reads what can't be followed: ${first}${more}. ` +
    'Write the whole name there, or name the files in inputs of the provider, such as inputs: ["lib/*.mjs"].'
  );
}

function describeChange({ id }: ProviderConfig): string {
  return (
    `The code of provider ${id} changed while the run went on. Answers since then are not stored, and the verdict may ` +
    'be of both versions: run it again.'
  );
}

/** The SDK is loaded by the first call that really is sent. */
function connectWhenAsked(config: ProviderConfig, { known, connected }: RunResources): Complete {
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

/** Applies the same guards to attempts of workers as to attempts of this process. */
function guardElsewhere(attempt: TimedAttempt, guard: (sent: Complete) => Complete): TimedAttempt {
  return async (request, signal, timeoutMs) => {
    let timed: TimedOutcome | undefined;
    const outcome = await guard(async (...call) => {
      timed = await attempt(...call, timeoutMs);
      return timed.outcome;
    })(request, signal);
    return { outcome, isTimeUp: timed?.isTimeUp ?? false, elapsedMs: timed?.elapsedMs ?? 0 };
  };
}

function openPricing(config: ProviderConfig, run: RunResources): BudgetPricing {
  const outputs = createOutputEstimate(run.note);
  const priced = pricedModel(config, run.known.endpointOf(config));
  return {
    boundOf: (request) =>
      run.known.pricer.boundOf({
        ...priced,
        inputTokens: inputBytes(request),
        maxOutputTokens: outputs.boundOf(request),
      }) ?? 0,
    costOf: (_request, completion) => {
      outputs.observe(completion);
      return priceAnswer(run, config, completion);
    },
  };
}

function openLimiter(config: ProviderConfig, run: RunResources): Limiter {
  const { rpm, tpm, concurrency = Infinity } = config.limits;
  const calls = Math.min(concurrency, run.options.concurrency ?? Infinity);
  return findAccount(config, run).open({
    ...defined({ concurrency: calls === Infinity ? undefined : calls, rpm, tpm }),
    estimateTokens: (request) => ({
      input: Math.ceil(inputBytes(request) / 4),
      output: maxOutputTokens(request) ?? 256,
    }),
  });
}

function findAccount(config: ProviderConfig, { known, options, ports, accounts, slots }: RunResources): AccountLimiter {
  const endpoint = known.endpointOf(config);
  const id = accountId(config, endpoint);
  // Only a provider behind a network may take more calls than the default.
  const most = endpoint.baseUrl === undefined ? defaultConcurrency : maxConcurrency;
  const account =
    accounts.get(id) ??
    new AccountLimiter({
      concurrency: defaultConcurrency,
      maxConcurrency: options.dispatch === undefined ? most : maxWorkersConcurrency,
      timeoutMs: config.limits.timeoutMs ?? options.timeoutMs,
      ...defined({ shared: slots }),
      clock: ports.clock,
      random: ports.random,
    });
  accounts.set(id, account);
  return account;
}

/** Asks for each answer, because nothing tells whether a stored one is of the same code. */
function withoutStore(live: Complete, mode: CacheMode, why: string, { note }: RunResources): Complete {
  const asked = withDedupe(live);
  return (request, signal) => {
    if (mode === 'replay') {
      return Promise.resolve({ status: 'failed', failure: { kind: 'cacheMiss', message: why }, attempts: 0 });
    }
    note(why);
    return asked(request, signal);
  };
}

/** Answers are taken from the cache and stored in it, as the mode says; recordings are written on the way. */
function withStored(
  live: Complete,
  mode: CacheMode,
  config: ProviderConfig,
  run: RunResources,
  isSameCode: () => boolean,
): Complete {
  const { options, ports, store, sharedCache, recorder } = run;
  const { unfollowed } = run.known.endpointOf(config);
  if (unfollowed !== undefined) {
    const asked = withoutStore(live, mode, describeUnstored(config, unfollowed), run);
    return recorder?.wrap(asked, isSameCode) ?? asked;
  }
  const answered = withCache(live, {
    store,
    mode,
    ...defined({ shared: sharedCache }),
    now: ports.now,
    isTimed: config.stream === true,
    ...defined({ isOwn: options.isOwn }),
    onForeign: () => {
      run.foreignAnswers.count += 1;
    },
    // A secret that a server echoes, or that is part of an address, must not reach the disk.
    canStore: (text) => ports.mask(text) === text && isSameCode(),
  });
  return recorder?.wrap(answered, isSameCode) ?? answered;
}
