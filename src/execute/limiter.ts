import type { CompletionOutcome, CompletionRequest } from '../model/completion.ts';
import type { Clock } from './clock.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';
import { createTokenBucket } from './token-bucket.ts';

export interface LimiterOptions {
  /** Calls of this provider in flight, at most. */
  readonly concurrency: number;
  readonly rpm?: number;
  readonly tpm?: number;
  /** Slots shared by all providers of the run. */
  readonly shared: Semaphore;
  readonly clock: Clock;
  /** Tokens a request is expected to use, for `tpm`. */
  estimateTokens(request: CompletionRequest): number;
}

/** Holds attempts back until their provider and the run have room; the provider's room shrinks while it refuses. */
export interface Limiter {
  /** Undefined where the signal aborted first. */
  acquire(request: CompletionRequest, signal: AbortSignal): Promise<Lease | undefined>;
}

/** The right to make one attempt; to be given back with what came of it. */
export interface Lease {
  release(outcome: CompletionOutcome | undefined): void;
}

const longestWaitMs = 250;

export function createLimiter(options: LimiterOptions): Limiter {
  const { shared, clock } = options;
  const own = createSemaphore(options.concurrency);
  const turnstile = createSemaphore(1);
  const requests = options.rpm === undefined ? undefined : createTokenBucket(options.rpm);
  const tokens = options.tpm === undefined ? undefined : createTokenBucket(options.tpm);

  async function waitForRate(estimate: number, signal: AbortSignal): Promise<void> {
    // One after the other, or small requests would overtake a large one for ever.
    if (!(await turnstile.acquire(signal))) return;
    for (const [bucket, amount] of [
      [tokens, estimate],
      [requests, 1],
    ] as const) {
      while (!signal.aborted) {
        const waitMs = bucket?.take(amount, clock.now()) ?? 0;
        if (waitMs === 0) break;
        // Answers that come meanwhile may give back tokens.
        await clock.wait(Math.min(waitMs, longestWaitMs), signal);
      }
    }
    turnstile.release();
  }

  let cuts = 0;
  let answersSinceChange = 0;

  /** Halves on a refusal, grows by one a round of answers (Chiu and Jain 1989, https://doi.org/10.1016/0169-7552(89)90019-6). */
  function adapt(outcome: CompletionOutcome | undefined, cutsAtStart: number): void {
    if (
      outcome?.status === 'failed' &&
      (outcome.failure.kind === 'rateLimit' || outcome.failure.kind === 'overloaded')
    ) {
      // Calls that were under way together are refused together: one cut answers them all.
      if (cuts !== cutsAtStart) return;
      cuts += 1;
      answersSinceChange = 0;
      own.resize(Math.max(1, Math.floor(own.size / 2)));
    } else if (outcome?.status === 'completed' && own.size < options.concurrency) {
      answersSinceChange += 1;
      if (answersSinceChange < own.size) return;
      answersSinceChange = 0;
      own.resize(own.size + 1);
    }
  }

  return {
    async acquire(request, signal) {
      const estimate = tokens === undefined ? 0 : options.estimateTokens(request);
      // The provider's slot comes first: calls that wait for their rate must not starve other providers of shared slots.
      if (!(await own.acquire(signal))) return undefined;
      if (requests !== undefined || tokens !== undefined) await waitForRate(estimate, signal);
      if (!(await shared.acquire(signal))) {
        own.release();
        return undefined;
      }
      const cutsAtStart = cuts;
      return {
        release(outcome) {
          adapt(outcome, cutsAtStart);
          shared.release();
          own.release();
          if (tokens === undefined || outcome?.status !== 'completed' || outcome.completion.usage === undefined) return;
          const { inputTokens, outputTokens } = outcome.completion.usage;
          tokens.adjust(inputTokens + outputTokens - estimate);
        },
      };
    },
  };
}
