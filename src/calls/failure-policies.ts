import type { FailureKind, ProviderFailure } from '../model/run/completion.ts';

export interface FailurePolicy {
  /** Ask again, within the retry budget. */
  readonly retry: boolean;
  /** Ask this provider nothing more. */
  readonly stopsProvider: boolean;
  /** The failure shows something about the prompt, so the cell fails instead of being errored. */
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
  tooLarge: fail,
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

/** The outcome of a call that was stopped while it waited for an attempt. */
export const abortedOutcome = {
  status: 'failed',
  failure: { kind: 'aborted', message: 'the run was stopped before the request was sent' },
  attempts: 0,
} as const;
