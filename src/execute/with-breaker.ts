import type { Complete, ProviderFailure } from '../model/completion.ts';
import { failurePolicies } from './failure-policies.ts';

/** Wraps calls of one provider; once it stopped, all that it wraps is refused. */
export type Breaker = (next: Complete) => Complete;

/**
 * Asks a provider nothing more once it refused the key, does not know the model or has no quota. Wrapped around the limits
 * it spares later calls their wait, around the attempt it catches those that wait already.
 */
export function createBreaker(onStop: (failure: ProviderFailure) => void): Breaker {
  let stopped: ProviderFailure | undefined;
  return (next) => async (request, signal) => {
    if (stopped !== undefined) {
      const message = `not sent, since the provider was stopped: ${stopped.message}`;
      return { status: 'failed', failure: { ...stopped, message }, attempts: 0 };
    }
    const outcome = await next(request, signal);
    if (outcome.status === 'failed' && failurePolicies[outcome.failure.kind].stopsProvider && stopped === undefined) {
      stopped = outcome.failure;
      onStop(stopped);
    }
    return outcome;
  };
}
