import type { ZodType } from 'zod';
import type { JsonObject } from '../json/json.ts';
import type { Complete, Completion, CompletionRequest, ProviderFailure } from './completion.ts';
import type { LoadedPlugin, ProviderPlugin } from './own-code.ts';
import type { ProviderConfig } from './suite.ts';

/** What a provider may see of the world. */
export interface ProviderEnv {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; nothing outside it is read. */
  readonly projectRoot: string;
}

/** Where a configured provider's requests go, known without connecting. */
export interface Endpoint {
  /** Part of the cache key. */
  readonly adapterVersion: string;
  /** Part of the cache key; undefined for adapters that open no connection. */
  readonly baseUrl?: string;
  /** The variable that holds the key; undefined if no key is sent. */
  readonly apiKeyEnv?: string;
  /** The adapter's usual key variable. It is not sent where the provider has a base URL and names no key. */
  readonly withheldKeyEnv?: string;
  /** The variable that moved the address, and where it would be without it. */
  readonly movedBy?: { readonly variable: string; readonly from?: string };
  /** Further variables whose values are as secret as a key. */
  readonly secretEnv?: readonly string[];
  /** Names the provider in the price table, such as `openai`; undefined: looked up by model only. */
  readonly priceProvider?: string;
  /** False for adapters that never send anything, such as `replay`. */
  readonly sends: boolean;
  /** Absolute paths of the files whose content decides the answers, including paths that do not exist. */
  readonly files?: readonly string[];
  /** Absolute paths of folders: a file that comes or goes in one decides too. */
  readonly folders?: readonly string[];
  /** Names of the variables of a case that its requests hold. */
  readonly vars?: readonly string[];
  /** What a run says of it before its first call. */
  readonly remark?: string;
  /** True if a request with a JSON Schema in `response_format` is refused by some or all models. */
  readonly refusesSchema?: true;
  /** The parts of a request that a template of the user's sends, such as `system`; undefined if all are sent. */
  readonly reads?: ReadonlySet<string>;
  /** The media types of files that can go along with a message; undefined if that is up to what is called. */
  readonly takes?: RegExp;
}

export interface AdapterDeclaration {
  readonly summary: string;
  /** A complete provider shorthand. */
  readonly example: string;
  /** Keys of its own beside those every provider has, such as `api`; strict. */
  readonly options: ZodType;
  /** Members of the request that the adapter writes itself, so that a parameter of that name would be lost. */
  readonly writes?: readonly string[];
  /** The member that takes the system messages of a prompt, where they are not among the others. */
  readonly systemMember?: string;
  /** True if the adapter can read streamed answers of a provider. */
  readonly canStream?: (config: ProviderConfig) => boolean;
  /** The options under which an answer is the request's embedding, a JSON list of numbers; undefined: it gives none. */
  readonly embeddings?: JsonObject;
  /** Names of the variables of a case that its requests hold. */
  readonly varsOf?: (config: ProviderConfig) => readonly string[] | undefined;
  /** The plug-in that it comes from. */
  readonly plugin?: LoadedPlugin<ProviderPlugin>;
}

/** One kind of API. */
export interface Adapter extends AdapterDeclaration {
  resolve(config: ProviderConfig, env: ProviderEnv): Endpoint;
  /** Imports the SDK and returns a function that makes exactly one attempt a call. */
  connect(config: ProviderConfig, env: ProviderEnv): Promise<ConnectedProvider>;
}

export interface ConnectedProvider {
  readonly complete: Complete;
  /** Closes sockets and children. */
  close(): Promise<void>;
}

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

/**
 * What is kept on disk of a batch. It is written before the batch is handed in, and removed once its answers are in a
 * record.
 */
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
