import { cacheKey } from '../cache/cache-key.ts';
import { withCache } from '../cache/with-cache.ts';
import { defined } from '../json/defined.ts';
import type { Complete } from '../model/completion.ts';
import type { ConnectedProvider } from '../model/provider.ts';
import type { CacheMode } from '../model/record.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { accountId } from '../plan/build-plan.ts';
import { createOutputEstimate, inputBytes, maxOutputTokens, pricedModel } from '../plan/price-variants.ts';
import { findAdapter } from '../providers/index.ts';
import { AccountLimiter, type Limiter } from './limiter.ts';
import { priceAnswer, type RunResources } from './run-resources.ts';
import { type TimedAttempt, type TimedOutcome, timeAttempts } from './time-attempts.ts';
import { watchCode } from './watch-code.ts';
import { createBreaker } from './with-breaker.ts';
import type { BudgetPricing } from './with-budget.ts';
import { withRetry } from './with-retry.ts';

/** A provider or judge as configured; those that are configured alike share one. */
export interface ProviderCalls {
  readonly live: Complete;
  /** Cells or questions that are worth having in work at present. */
  readonly workers: () => number;
  /** By the cache, else live. */
  readonly answered: Complete;
  /** Live, and into the cache. */
  readonly refreshed: Complete;
  /** Only by recordings, for each suite that has some. */
  readonly replayed: Map<string, Complete>;
}

const defaultConcurrency = 8;
/** Used where no limit is set and more calls in flight get more answers. */
const maxConcurrency = 256;
const maxWorkersConcurrency = 1024;
const defaultRetries = 4;

/**
 * The chain from a request to its answer. From the outside in:
 * 1. a recording or the cache answers, so that nothing is sent;
 * 2. the batch answers what it was sent before the first call;
 * 3. the budget reserves the most that the call may cost;
 * 4. the breaker refuses calls to a provider that has stopped answering;
 * 5. the call waits for its turn, and is repeated within its limits;
 * 6. each attempt ends at its time limit;
 * 7. the budget and the breaker count the attempt, and it is traced;
 * 8. the provider is connected when first asked.
 */
export function openProviderCalls(config: ProviderConfig, run: RunResources): ProviderCalls {
  const { known, options, ports } = run;
  const endpoint = known.endpointOf(config);
  const breaker = createBreaker((failure) =>
    ports.onProgress({ type: 'provider-stopped', provider: config.id, failure }),
  );
  const budget = endpoint.sends ? run.budget : undefined;
  const pricing = openPricing(config, run);
  const limiter = openLimiter(config, run);
  let waitingForRetry = 0;

  const guard = (sent: Complete): Complete => {
    const counted = breaker(ports.trace?.attempts(config, endpoint, sent) ?? sent, 'attempt');
    return budget?.guard(counted, pricing) ?? counted;
  };
  const attempt =
    options.dispatch === undefined || !endpoint.sends
      ? timeAttempts(guard(connectWhenAsked(config, run)), ports.clock)
      : guardElsewhere(options.dispatch.attemptFor(config, endpoint), guard);
  const retried = withRetry(attempt, {
    retries: config.limits.retries ?? defaultRetries,
    timeoutMs: config.limits.timeoutMs ?? options.timeoutMs,
    limiter,
    clock: ports.clock,
    random: ports.random,
    ...defined({ mayBegin: options.mayBegin }),
    onWait: (isWaiting) => {
      waitingForRetry += isWaiting ? 1 : -1;
    },
  });
  const call = breaker(retried, 'call');
  const paid = budget?.wrap(call, pricing) ?? call;
  const live = options.batchAnswers?.wrap(paid, cacheKey) ?? paid;
  const isUnchanged = watchCode(config, endpoint, known.providerEnv);
  const isSameCode = () => {
    if (!isUnchanged()) run.note(describeChange(config));
    return isUnchanged();
  };
  return {
    live,
    answered: cached(live, options.settings.cacheMode, config, run, isSameCode),
    refreshed: cached(live, 'refresh', config, run, isSameCode),
    replayed: new Map(),
    // As many again as have a slot wait for one, so that none stays empty; those that wait for a retry come on top.
    workers: () => limiter.room * 2 + Math.min(waitingForRetry, maxConcurrency),
  };
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

/** Puts around attempts that workers make what is put around those of this process. */
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
    ...(calls === Infinity ? {} : { concurrency: calls }),
    ...defined({ rpm, tpm }),
    // Counted only when a limit reads them: most runs have no limit.
    estimateTokens: (request) => ({
      get input() {
        return Math.ceil(inputBytes(request) / 4);
      },
      get output() {
        return maxOutputTokens(request) ?? 256;
      },
    }),
  });
}

function findAccount(config: ProviderConfig, { known, options, ports, accounts, slots }: RunResources): AccountLimiter {
  const endpoint = known.endpointOf(config);
  const id = accountId(config, endpoint);
  // Only what a network is between may take more than the default.
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

function cached(
  live: Complete,
  mode: CacheMode,
  { stream }: ProviderConfig,
  { options, ports, store, sharedCache, recorder }: RunResources,
  isSameCode: () => boolean,
): Complete {
  const answered = withCache(live, {
    store,
    mode,
    ...defined({ shared: sharedCache }),
    now: ports.now,
    isTimed: stream === true,
    ...defined({ isOwn: options.isOwn }),
    // A secret that a server echoes, or that is part of an address, must not reach the disk.
    canStore: (text) => ports.mask(text) === text && isSameCode(),
  });
  return recorder?.wrap(answered, isSameCode) ?? answered;
}
