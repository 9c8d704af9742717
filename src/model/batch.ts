import type { Completion, CompletionRequest, ProviderFailure } from './completion.ts';

/** Many requests in one, answered within a day at a lower price. */
export interface BatchApi {
  /** What one batch may hold. */
  readonly maxRequests: number;
  readonly maxBytes: number;
  /** Writes a request as the API takes it within a batch. */
  encode(item: BatchItem): Promise<BatchReply<string>>;
  /** Hands a batch in and returns the provider's id of it. */
  submit(submission: BatchSubmission, signal: AbortSignal): Promise<BatchReply<string>>;
  /**
   * Ids of the batches that may be the one of a submission whose answer was lost. More than one where the API gives
   * batches no name; which it is, the keys of its answers tell.
   */
  find(submission: SubmittedBatch, signal: AbortSignal): Promise<BatchReply<readonly string[]>>;
  read(id: string, signal: AbortSignal): Promise<BatchReply<BatchStatus>>;
  /** The outcome of each request, by its key; requests without an answer of any kind are missing. */
  collect(
    id: string,
    batch: SubmittedBatch,
    signal: AbortSignal,
  ): Promise<BatchReply<ReadonlyMap<string, BatchAnswer>>>;
  readonly close: () => void;
}

export interface BatchItem {
  /** The request's cache key: 64 hex digits. */
  readonly key: string;
  readonly request: CompletionRequest;
}

export interface BatchSubmission {
  /** Never used twice, so that a batch whose submission was not answered can be found by it. */
  readonly name: string;
  readonly items: readonly { readonly key: string; readonly text: string }[];
}

/** What is known of a batch once it is, or may be, handed in. */
export interface SubmittedBatch {
  readonly name: string;
  readonly keys: readonly string[];
  /** Just before it was handed in, ISO 8601. */
  readonly startedAt: string;
}

export type BatchStatus =
  | { readonly state: 'running' }
  | { readonly state: 'ended' }
  /** The provider refused the batch as a whole. */
  | { readonly state: 'refused'; readonly failure: ProviderFailure }
  /** The provider does not know it, or not any more. */
  | { readonly state: 'unknown' };

export type BatchReply<T> = { readonly value: T } | { readonly failure: ProviderFailure };

/** Answers of a batch are not timed, so they have no latency. */
export type BatchAnswer = { readonly completion: Completion } | { readonly failure: ProviderFailure };

export const batchHandleFormat = 1;

/** What is kept on disk of a batch from before it is handed in until its answers are in a record. */
export interface BatchHandle extends SubmittedBatch {
  readonly format: typeof batchHandleFormat;
  /** For people who read the file. */
  readonly provider: string;
  /** Hash of where it was handed in, and of the variable that holds the key. */
  readonly endpoint: string;
  /** Empty while it is unknown whether it was handed in. */
  readonly batchIds: readonly string[];
  /** The provider named the id when it took the batch. Otherwise `batchIds` are candidates, of which one may be it. */
  readonly isConfirmed: boolean;
}
