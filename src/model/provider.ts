import type { ZodType } from 'zod';
import type { JsonObject } from '../json/json.ts';
import type { Complete } from './completion.ts';
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
  /** The variable that holds the key; undefined where no key is sent. */
  readonly apiKeyEnv?: string;
  /** The adapter's usual key variable, where it is not sent because the provider has a base URL and names no key. */
  readonly withheldKeyEnv?: string;
  /** The variable that moved the address, and where it would be without it. */
  readonly movedBy?: { readonly variable: string; readonly from?: string };
  /** Further variables whose values are as secret as a key. */
  readonly secretEnv?: readonly string[];
  /** Names the provider in the price table, such as `openai`; undefined: looked up by model only. */
  readonly priceProvider?: string;
  /** False for adapters that never send anything, such as `replay`. */
  readonly sends: boolean;
  /** Absolute paths of the files whose content decides the answers, those that were looked for in vain included. */
  readonly files?: readonly string[];
  /** True where a request with a JSON Schema in `response_format` is refused by some or all models. */
  readonly refusesSchema?: true;
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
  /** The options under which an answer is the request's embedding, a JSON list of numbers; undefined: it gives none. */
  readonly embeddings?: JsonObject;
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
