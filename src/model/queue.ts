import type { CompletionOutcome, CompletionRequest } from './completion.ts';

/** What a run sends to a worker: one attempt of one call. Address and key come from the worker's own checkout. */
export interface AttemptTask {
  readonly runId: string;
  readonly request: QueuedRequest;
  readonly timeoutMs: number;
}

/** A request without what follows from the provider: an address may hold a secret. */
export type QueuedRequest = Pick<CompletionRequest, 'messages' | 'params' | 'trial' | 'origin'>;

/** The outcome of an attempt. */
export interface AttemptAnswer {
  readonly outcome: CompletionOutcome;
  readonly isTimeUp: boolean;
  readonly elapsedMs: number;
}

/** A provider as a queue knows it. */
export interface QueuedProvider {
  /** Its queue's name: a hash of the program's version and of all that decides what becomes of a request. */
  readonly queue: string;
  /** For messages: the provider's id. */
  readonly label: string;
}

/** Limits set by hand that Redis holds over all workers and runs. */
export interface QueueLimits {
  readonly concurrency?: number;
  readonly rpm?: number;
}
