import type { ZodType } from 'zod';
import type { JsonObject } from '../../json/json.ts';
import type { Complete, Completion, CompletionRequest, ProviderFailure } from '../run/completion.ts';
import type { LoadedPlugin, ProviderPlugin } from './own-code.ts';
import type { SourceGlob } from './sources.ts';
import type { ProviderConfig } from './suite.ts';

/** The environment of a provider. */
export interface ProviderEnv {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. Providers read no file outside it. */
  readonly projectRoot: string;
}

/** The destination of a configured provider's requests, known without connecting. */
export interface Endpoint {
  /** Part of the cache key. */
  readonly adapterVersion: string;
  /** Part of the cache key; undefined for adapters that open no connection. */
  readonly baseUrl?: string;
  /** Part of the cache key: a hash of the headers and `stream`. Absent if the provider has neither. */
  readonly settings?: string;
  /** The variable that holds the key; undefined if no key is sent. */
  readonly apiKeyEnv?: string;
  /** The adapter's usual key variable. Its key is not sent if the provider has a base URL and names no key. */
  readonly withheldKeyEnv?: string;
  /** The environment variable that changed the address, and the address without that variable. */
  readonly movedBy?: { readonly variable: string; readonly from?: string };
  /** Further variables whose values are as secret as a key. */
  readonly secretEnv?: readonly string[];
  /** Names the provider in the price table, such as `openai`; undefined: looked up by model only. */
  readonly priceProvider?: string;
  /** False for adapters that never send anything, such as `replay`. */
  readonly sends: boolean;
  /** Absolute paths of files whose content affects the answers, including paths that do not exist. */
  readonly files?: readonly string[];
  /** Patterns of such files. A file that starts to match one affects the answers too. */
  readonly globs?: readonly SourceGlob[];
  /**
   * What the project's own code reads that can't be followed, in words: an edit there does not change the adapter's
   * version. Its answers are not stored, and never called unchanged.
   */
  readonly unfollowed?: readonly string[];
  /** Absolute paths of folders. A file that is added or removed there affects the answers too. */
  readonly folders?: readonly string[];
  /** Names of the case variables that its requests contain. */
  readonly vars?: readonly string[];
  /** A remark that a run prints before its first call. */
  readonly remark?: string;
  /** True if some of its models refuse a request with a JSON Schema in `response_format`. */
  readonly refusesSchema?: true;
  /** The parts of a request that the user's template sends, such as `system`; undefined if it sends all. */
  readonly reads?: ReadonlySet<string>;
  /** The media types that a message can attach; undefined if the server decides. */
  readonly takes?: RegExp;
}

export interface AdapterDeclaration {
  readonly summary: string;
  /** A complete provider shorthand. */
  readonly example: string;
  /** Its additional keys, such as `api`, as a strict schema. */
  readonly options: ZodType;
  /** Members of the request that the adapter sets. A parameter of the same name would be lost. */
  readonly writes?: readonly string[];
  /** The member for the system messages of a prompt, if the API separates them from the others. */
  readonly systemMember?: string;
  /** Whether the adapter can read streamed answers of a provider. */
  readonly canStream?: (config: ProviderConfig) => boolean;
  /** The options for embeddings: an answer is then a JSON list of numbers. Undefined if it has none. */
  readonly embeddings?: JsonObject;
  /** Names of the case variables that its requests contain. */
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

/** An API that takes many requests at once and answers within a day, at a lower price. */
export interface BatchApi {
  /** The limits of one batch. */
  readonly maxRequests: number;
  readonly maxBytes: number;
  /** Writes a request in the API's form for batches. */
  encode(item: BatchItem): Promise<BatchReply<string>>;
  /** Submits a batch and returns the provider's id of it. */
  submit(submission: BatchSubmission, signal: AbortSignal): Promise<BatchReply<string>>;
  /**
   * Finds ids of batches that may come from a submission whose reply was lost. There can be several if the API has no
   * names for batches. The keys of the answers then tell which one it is.
   */
  find(submission: SubmittedBatch, signal: AbortSignal): Promise<BatchReply<readonly string[]>>;
  read(id: string, signal: AbortSignal): Promise<BatchReply<BatchStatus>>;
  /** The outcome of each request by its key. Requests with neither answer nor error are missing. */
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
  /** Unique, so that it finds a batch whose submission got no reply. */
  readonly name: string;
  readonly items: readonly { readonly key: string; readonly text: string }[];
}

/** A batch that is submitted, or may be. */
export interface SubmittedBatch {
  readonly name: string;
  readonly keys: readonly string[];
  /** The time just before the submission, ISO 8601. */
  readonly startedAt: string;
}

export type BatchStatus =
  | { readonly state: 'running' }
  | { readonly state: 'ended' }
  /** The provider refused the batch as a whole. */
  | { readonly state: 'refused'; readonly failure: ProviderFailure }
  /** The provider does not know the batch, or no longer. */
  | { readonly state: 'unknown' };

export type BatchReply<T> = { readonly value: T } | { readonly failure: ProviderFailure };

/** One answer of a batch. It has no latency, because batches are not timed. */
export type BatchAnswer = { readonly completion: Completion } | { readonly failure: ProviderFailure };

export const batchHandleFormat = 1;

/** The file of a batch. It is written before submission and removed when a record has the answers. */
export interface BatchHandle extends SubmittedBatch {
  readonly format: typeof batchHandleFormat;
  /** For people who read the file. */
  readonly provider: string;
  /** Hash of the address and of the key variable's name. */
  readonly endpoint: string;
  /** Empty while it is unknown whether it was submitted. */
  readonly batchIds: readonly string[];
  /** True if the provider returned the id on submission. Otherwise `batchIds` are candidates. */
  readonly isConfirmed: boolean;
}
