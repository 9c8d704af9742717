import type { Completion, CompletionOutcome, FailureKind, ProviderFailure } from '../model/completion.ts';

export interface FailurePolicy {
  /** Ask again, within the retry budget. */
  readonly retry: boolean;
  /** Ask this provider nothing more. */
  readonly stopsProvider: boolean;
  /** A fact about the prompt: the cell fails instead of being errored. */
  readonly failsCell: boolean;
}

const retry: FailurePolicy = { retry: true, stopsProvider: false, failsCell: false };
const error: FailurePolicy = { retry: false, stopsProvider: false, failsCell: false };
const stop: FailurePolicy = { retry: false, stopsProvider: true, failsCell: false };
const fail: FailurePolicy = { retry: false, stopsProvider: false, failsCell: true };

/** The one policy of each kind of failure. */
export const failurePolicies: Readonly<Record<FailureKind, FailurePolicy>> = {
  auth: stop,
  notFound: stop,
  quota: stop,
  badRequest: error,
  contextLength: fail,
  contentFilter: fail,
  stepLimit: fail,
  rateLimit: retry,
  overloaded: retry,
  server: retry,
  network: retry,
  timeout: retry,
  malformed: error,
  recording: error,
  cacheMiss: error,
  check: error,
  budget: error,
  aborted: error,
};

export function isRetryable(failure: ProviderFailure): boolean {
  return failurePolicies[failure.kind].retry && failure.retryable !== false;
}

/**
 * Finds the usage of a call that was billed but brought no answer to judge. The usage of an unreadable body may be
 * unknown. Undefined if nothing is known to have been billed.
 */
export function findUnusable(outcome: CompletionOutcome): Pick<Completion, 'usage'> | undefined {
  if (outcome.status === 'completed' || outcome.attempts === 0) return undefined;
  const { kind, usage } = outcome.failure;
  if (usage !== undefined) return { usage };
  // A batch bills nothing for a request that brought no answer at all.
  return kind === 'malformed' && outcome.batched !== true ? {} : undefined;
}
