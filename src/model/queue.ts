import type { CompletionOutcome, CompletionRequest } from './completion.ts';

/** What a run asks of a worker: one attempt of one call. Where it goes, and with which key, the worker's own checkout says. */
export interface AttemptTask {
  readonly runId: string;
  readonly request: QueuedRequest;
  readonly timeoutMs: number;
  readonly limits: QueuedLimits;
  /** Tokens that it is expected to use. */
  readonly tokens: number;
}

/** A request without what follows from the provider: an address may hold a secret. */
export type QueuedRequest = Pick<CompletionRequest, 'messages' | 'params' | 'trial' | 'origin'>;

/** Limits set by hand that hold over all workers and runs. */
export interface QueuedLimits {
  /** Of the provider. */
  readonly concurrency?: number;
  readonly rpm?: number;
  readonly tpm?: number;
  /** The largest of all providers with the same key at the same address. */
  readonly accountRpm?: number;
  readonly accountTpm?: number;
}

/** What came of an attempt. */
export interface AttemptAnswer {
  readonly outcome: CompletionOutcome;
  readonly isTimeUp: boolean;
  readonly elapsedMs: number;
}

/** A provider as a queue knows it. */
export interface QueuedProvider {
  /** Hash of the program's version and of all that decides what becomes of a request: whoever has it does the same with it. */
  readonly stamp: string;
  /** For messages: the provider's id. */
  readonly label: string;
}
