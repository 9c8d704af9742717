import type { JsonObject, JsonValue } from '../json/json.ts';
import type { Message, Usage } from './completion.ts';
import type { AssertionInput, AssertionVerdict } from './own-code.ts';

/** A JSON Schema of a map of parameters, or a schema made with zod 4. */
export type ParamsSchema = JsonObject | TypedSchema<unknown>;

/** What a zod 4 schema shows of its type, so that nobody who writes none needs zod. */
export interface TypedSchema<Output> {
  readonly _zod: { readonly output: Output };
}

/** What a check or a provider is given: as the schema parsed it, or JSON. */
export type ParamsOf<Schema> = Schema extends TypedSchema<infer Output> ? Output : Readonly<Record<string, JsonValue>>;

/** What a plug-in's check is given: the answer, and the parameters with their templates rendered. */
export interface PluginCheckInput<Params = unknown> extends Omit<AssertionInput, 'args'> {
  readonly params: Params;
}

/** An assertion that suites name like a built-in one. */
export interface AssertionPlugin {
  readonly kind: 'assertion';
  /** A word in lowerCamelCase that no built-in assertion has. */
  readonly name: string;
  /** One line for `llmcheck list assertions`. */
  readonly summary: string;
  /** A YAML snippet of one assertion. */
  readonly example?: string;
  /** Default: it takes none. */
  readonly params?: ParamsSchema;
  /** The parameter that the short form fills (`polite: strict`). */
  readonly main?: string;
  /** How long one check may take, in milliseconds; default 10,000. */
  readonly timeoutMs?: number;
  /** Changes when the same answer is judged differently. What is loaded from a file is hashed as well. */
  readonly version?: string;
  /** What it throws makes the check errored, not failed. */
  readonly check: (input: PluginCheckInput) => AssertionVerdict | Promise<AssertionVerdict>;
}

/** A request as a plug-in's provider is given it. */
export interface ProviderRequest<Options = unknown> {
  readonly model: string;
  readonly messages: readonly Message[];
  /** As the suite has them: temperature, tools … */
  readonly params: JsonObject;
  /** The provider's own keys in the suite. */
  readonly options: Options;
  /** From 0. */
  readonly trial: number;
  /** Names of the cell, for logs: an answer should not depend on them. */
  readonly suite: string;
  readonly prompt: string;
  readonly caseId: string;
  /** The value of the variable that `apiKeyEnv` names; undefined where it is not set or none is named. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  /** Aborted where the call's time is up or the run is stopped. */
  readonly signal: AbortSignal;
}

/** An answer with more than its text. */
export interface ProviderAnswer {
  readonly text: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  readonly toolCalls?: readonly { readonly id?: string; readonly name: string; readonly arguments: JsonValue }[];
  readonly finishReason?: 'stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal' | 'other';
  readonly usage?: Usage;
  /** The model snapshot that answered. */
  readonly model?: string;
}

/** An adapter that suites name like a built-in one: `name:model`. */
export interface ProviderPlugin {
  readonly kind: 'provider';
  /** A word that no built-in adapter has. */
  readonly name: string;
  readonly summary: string;
  readonly example?: string;
  /** Keys of its own beside those that every provider has. Default: none. */
  readonly options?: ParamsSchema;
  /** Part of the cache key: changes when the same request is answered differently. */
  readonly version?: string;
  /** Makes one attempt. What it throws is an errored cell; an error with a `status` (429, 503 …) is retried as such. */
  readonly complete: (request: ProviderRequest) => string | ProviderAnswer | Promise<string | ProviderAnswer>;
}

/** A plug-in as found when the project was loaded. */
export interface LoadedPlugin<Kind> {
  readonly plugin: Kind;
  /** Hash of its source: part of stamps and cache keys. */
  readonly hash: string;
}
