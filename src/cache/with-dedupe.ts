import type { Complete, CompletionOutcome } from '../model/run/completion.ts';
import { onAbort } from '../text/deadline.ts';
import { cacheKey } from './cache-key.ts';

/**
 * Sends identical requests in flight once. The others share the outcome of the first without their own attempt. If the
 * first is aborted, the next one is sent, because an abort says nothing about the request.
 */
export function withDedupe(next: Complete): Complete {
  const inFlight = new Map<string, Promise<LedOutcome>>();

  return async (request, signal) => {
    const key = cacheKey(request);
    for (;;) {
      const led = inFlight.get(key);
      if (led === undefined) {
        const own = lead(key, () => next(request, signal), signal);
        inFlight.set(key, own);
        const result = await own;
        if ('error' in result) throw result.error;
        return result.outcome;
      }
      const result = await untilAborted(led, signal);
      if (result === undefined) return aborted;
      if (result.isAborted) continue;
      if ('error' in result) throw result.error;
      return asFollower(result.outcome);
    }
  };

  /** Never rejects, and frees the key before anyone who waits goes on. */
  async function lead(key: string, ask: () => Promise<CompletionOutcome>, signal: AbortSignal): Promise<LedOutcome> {
    try {
      const outcome = await ask();
      return {
        outcome,
        isAborted: outcome.status === 'failed' && (signal.aborted || outcome.failure.kind === 'aborted'),
      };
    } catch (error) {
      return { error, isAborted: signal.aborted };
    } finally {
      inFlight.delete(key);
    }
  }
}

type LedOutcome = { readonly isAborted: boolean } & (
  | { readonly outcome: CompletionOutcome }
  | { readonly error: unknown }
);

const aborted: CompletionOutcome = {
  status: 'failed',
  failure: { kind: 'aborted', message: 'stopped while an identical request was in flight' },
  attempts: 0,
};

function asFollower(outcome: CompletionOutcome): CompletionOutcome {
  return outcome.status === 'completed' ? { ...outcome, cached: true, attempts: 0 } : { ...outcome, attempts: 0 };
}

/** Undefined if the signal aborts first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => resolve(undefined));
    promise.then(resolve, reject).finally(stopListening);
  });
}
