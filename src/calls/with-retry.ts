import type { Clock } from '../model/clock.ts';
import {
  type Complete,
  type CompletionRequest,
  maxRetryAfterMs,
  type ProviderFailure,
} from '../model/run/completion.ts';
import { abortedOutcome, isRetryable } from './failure-policies.ts';
import { type Limiter, refusals } from './limiter.ts';
import type { TimedAttempt, TimedOutcome } from './time-attempts.ts';

export interface RetryOptions {
  /** Further attempts after the first. */
  readonly retries: number;
  /** Bounds all attempts of a call together. Waits for a slot or a rate are outside, and retries have a bound of their own. */
  readonly timeoutMs: number;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
  /** Called when the call has its slot, before its first attempt. Resolves to false if it must no longer be made. */
  mayBegin?(request: CompletionRequest): Promise<boolean>;
  /** Called when a call begins to wait for its retry, which takes no slot. The returned function is called at its end. */
  onWait?(waitMs: number, failure: ProviderFailure): () => void;
}

const baseDelayMs = 500;
const maxDelayMs = 30_000;

/**
 * The most that all waits of a call's retries take together, and that an account is asked while it refuses every call. A
 * longer time limit allows longer waits.
 */
export function boundWaits(timeoutMs: number): number {
  return Math.max(maxRetryAfterMs, 2 * timeoutMs);
}

/**
 * Retries failures that a retry can fix, with full jitter (Brooker 2015,
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) or after the wait that the server
 * requested.
 */
export function withRetry(attempt: TimedAttempt, options: RetryOptions): Complete {
  const { clock, limiter, retries, timeoutMs } = options;
  return async (request, signal) => {
    let attempts = 0;
    let remainingMs = timeoutMs;
    let waitsLeftMs = boundWaits(timeoutMs);
    for (let retriesDone = 0; ; retriesDone += 1) {
      const lease = await limiter.acquire(request, signal, retriesDone);
      if (lease === undefined) return { ...abortedOutcome, attempts };
      if (retriesDone === 0 && options.mayBegin !== undefined && !(await options.mayBegin(request))) {
        lease.release(undefined);
        return { ...abortedOutcome, attempts };
      }
      let timed: TimedOutcome | undefined;
      try {
        timed = await attempt(request, signal, remainingMs);
      } finally {
        lease.release(timed?.outcome);
      }
      const { outcome, isTimeUp } = timed;
      // A timer may fire a moment before the clock agrees, so the clock would allow another attempt.
      remainingMs = isTimeUp ? 0 : remainingMs - timed.elapsedMs;
      attempts += outcome.attempts;
      if (outcome.status === 'completed') return attempts === outcome.attempts ? outcome : { ...outcome, attempts };
      const failure = isTimeUp && !signal.aborted ? describeTimeout(outcome.failure, timeoutMs) : outcome.failure;
      const isLast = retriesDone >= retries || remainingMs <= 0 || !isRetryable(failure);
      if (isLast) return { ...outcome, failure, attempts };
      const seconds = boundWaits(timeoutMs) / 1000;
      if (waitsLeftMs <= 0) {
        const bound = `the waits of its retries took ${seconds} s, the most for a call`;
        return { ...outcome, failure: endedBy(failure, bound), attempts };
      }
      const isGivenUp = refusals.has(failure.kind) && limiter.refusedForMs >= boundWaits(timeoutMs);
      if (isGivenUp) {
        const bound = `every call was refused for ${seconds} s, the most that a run waits`;
        return { ...outcome, failure: endedBy(failure, bound), attempts };
      }
      const waitMs = Math.min(delayFor(failure, retriesDone, options), waitsLeftMs);
      waitsLeftMs -= waitMs;
      const endWait = options.onWait?.(waitMs, failure);
      await clock.wait(waitMs, signal);
      endWait?.();
    }
  };
}

function delayFor(failure: ProviderFailure, retriesDone: number, options: RetryOptions): number {
  const jitterMs = options.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** retriesDone);
  if (failure.retryAfterMs === undefined) return jitterMs;
  const askedMs = Math.min(Math.max(0, failure.retryAfterMs), maxRetryAfterMs);
  // A call that was refused twice, although it waited as the server said, lets others that wait go first.
  return retriesDone < 2 ? askedMs : askedMs + jitterMs;
}

/** Names the bound that ended the retries. */
function endedBy(failure: ProviderFailure, bound: string): ProviderFailure {
  return { ...failure, message: `${failure.message}; ${bound} (a minute, or twice --timeout or limits.timeout)` };
}

/** A provider's message on an aborted request is the same for every cause. Only this wrapper knows the cause. */
function describeTimeout(failure: ProviderFailure, timeoutMs: number): ProviderFailure {
  if (failure.kind !== 'timeout' && failure.kind !== 'aborted') return failure;
  const came = failure.partial === undefined ? '' : `; ${failure.partial}`;
  const message = `no answer within ${timeoutMs / 1000} s (--timeout, or limits.timeout of the provider)${came}`;
  return { ...failure, kind: 'timeout', message };
}
