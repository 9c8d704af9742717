import type { Complete, CompletionOutcome, FailureKind, ProviderFailure } from '../model/run/completion.ts';
import { failurePolicies } from './failure-policies.ts';
import { refusals } from './limiter.ts';

/** Wraps calls of one provider, with their retries, or single attempts; once it stopped, all that it wraps is refused. */
export type Breaker = (next: Complete, scope: 'call' | 'attempt') => Complete;

/**
 * Stops calls to a provider that refused the key, does not know the model, has no quota, or always failed. It also stops them
 * after too long a time of refusals alone. Around the limits it spares later calls their wait. Around the attempt it catches
 * calls that already wait.
 */
export function createBreaker(
  onStop: (failure: ProviderFailure) => void,
  isRefusedTooLong: () => boolean = () => false,
): Breaker {
  let stopped: ProviderFailure | undefined;
  let hasAnswered = false;
  let unansweredCalls = 0;

  function observe(outcome: CompletionOutcome, scope: 'call' | 'attempt'): void {
    if (outcome.status === 'failed' && failurePolicies[outcome.failure.kind].stopsProvider)
      return stop(outcome.failure);
    if (scope === 'attempt' || outcome.attempts === 0) return;
    if (outcome.status === 'failed' && outcome.failure.kind === 'aborted') return;
    if (outcome.status === 'failed' && refusals.has(outcome.failure.kind) && isRefusedTooLong())
      return stop(outcome.failure);
    if (outcome.status === 'completed' || !unanswered.has(outcome.failure.kind)) {
      hasAnswered = true;
    } else if (!hasAnswered) {
      unansweredCalls += 1;
      const message = `${unansweredCalls} calls failed and none was answered; the last: ${outcome.failure.message}`;
      if (unansweredCalls >= maxUnansweredCalls) stop({ ...outcome.failure, message });
    }
  }

  function stop(failure: ProviderFailure): void {
    if (stopped !== undefined) return;
    stopped = failure;
    onStop(failure);
  }

  return (next, scope) => async (request, signal) => {
    if (stopped !== undefined) {
      const message = `not sent, since the provider was stopped: ${stopped.message}`;
      return { status: 'failed', failure: { ...stopped, message }, attempts: 0 };
    }
    const outcome = await next(request, signal);
    observe(outcome, scope);
    return outcome;
  };
}

/** Counts calls with all their retries. A server that is down costs a run seconds, not one backoff for each cell. */
const maxUnansweredCalls = 10;

const unanswered: ReadonlySet<FailureKind> = new Set(['network', 'timeout', 'server', 'overloaded']);
