import type { JsonObject, JsonValue } from '../json/json.ts';
import type { FinishReason, Message, Usage } from './completion.ts';

/** What a user's own check is given: everything that the answer is, and what the suite hands over. */
export interface AssertionInput {
  /** The part that `select` picks: a text, or a JSON value. The whole text where the suite selects nothing. */
  readonly target: JsonValue;
  /** The answer's text. */
  readonly text: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  /** Arguments that are not JSON are the text that came. */
  readonly toolCalls: readonly { readonly name: string; readonly arguments: JsonValue }[];
  /** Absent if none was given. */
  readonly finishReason?: FinishReason;
  /** In tokens; absent if the API reported none. */
  readonly usage?: Usage;
  /** In milliseconds, summed over a conversation; null if it was not measured. */
  readonly latencyMs: number | null;
  /** In US dollars; null if no price is known. */
  readonly costUsd: number | null;
  /** `args` of the assertion, its templates rendered; null if there are none. */
  readonly args: JsonValue;
}

/** What a function is given that makes something of an answer, for `select`. */
export interface SelectInput extends AssertionInput {
  /** The variables of the case. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** The final state of the case's tools, or the one that its provider reports. */
  readonly state?: JsonValue;
}

/** What a user's own check says. Anything else, and any further key, makes the check errored. */
export interface AssertionVerdict {
  readonly pass: boolean;
  /** From 0 to 1; 1 or 0 if it is left out. */
  readonly score?: number;
  readonly reason?: string;
}

/** The export that the `module` assertion calls. What it throws makes the check errored, not failed. */
export type AssertionModule = (input: AssertionInput) => AssertionVerdict | Promise<AssertionVerdict>;

/**
 * The export `tools`, or the default export, of a module that answers the tool calls of a case. It maps names of tools
 * to functions. Text that one returns is sent as it is, any other value as JSON. What it throws is the tool's error for
 * the model. An export `state`, a function without arguments, gives the final state of the tools as JSON.
 */
export type ToolsModule = Readonly<Record<string, ToolFunction>>;

/** Written as a method, so that a function may name the type of its own arguments. */
export type ToolFunction = { run(args: Readonly<Record<string, JsonValue>>): unknown }['run'];

/** Code that a check runs, as found when the suite was loaded. */
export interface CodeSource {
  /** Absolute: where relative paths and the child's working folder are. */
  readonly folder: string;
  /** Absolute path of a module; undefined for a command. */
  readonly file?: string;
  /** SHA-256 over its files: part of the case's hash. */
  readonly hash: string;
  /** Names of the variables that it gets beside the basic ones. Their values are part of the case hash of a cell. */
  readonly envNames?: readonly string[];
}

export interface CodeLimits {
  readonly timeoutMs: number;
  readonly memoryMb: number;
}

/** One call of a function that a module exports, in a child. */
export interface ModuleJob extends CodeLimits {
  /** Absolute. */
  readonly file: string;
  readonly exportName: string;
  /** JSON. */
  readonly input: unknown;
  /** What it should return, in messages; default a verdict. */
  readonly noun?: string;
  /** Default 64 KiB. */
  readonly maxReturnedBytes?: number;
  /** Set if the export is data, or a function that makes it. */
  readonly isValue?: true;
  /** Set if a tool of the module is called, or the state of its tools is read. */
  readonly tool?: 'call' | 'state';
  /** Set if the export makes prompts: `input` is a list of variables, and each has an answer. */
  readonly prompts?: {
    /** Set before the module is loaded. */
    readonly clockOffsetMs: number;
    /** True if an answer is only compared with another one. */
    readonly wantsDigests: boolean;
  };
  /** Kills the child that works on it. */
  readonly signal?: AbortSignal;
}

/** A prompt in code and what it is called with. Either `module` or `argv` is set. */
export interface PromptJob {
  readonly module?: {
    /** Absolute. */
    readonly file: string;
    readonly exportName: string;
    /** Its files at another commit, absolute; undefined if those on disk are meant. */
    readonly files?: readonly { readonly path: string; readonly text: string }[];
  };
  readonly argv?: readonly string[];
  /** Absolute: where a program starts. */
  readonly folder: string;
  /** The project's root, and the folder that all of its files are in. */
  readonly root: string;
  readonly boundary: string;
  /** Of each case, as JSON. */
  readonly vars: readonly Readonly<Record<string, unknown>>[];
}

/** What a prompt in code said for one case. */
export interface PromptAnswer {
  readonly returned?: unknown;
  /** Hash of what it returned, in place of it or beside it. */
  readonly digest?: string;
  /** Set on the second answer where it is the first one again. */
  readonly isSame?: true;
  /** The end of a sentence about the prompt. */
  readonly fault?: string;
  /** Set if the fault is another case's. */
  readonly isFollowing?: true;
  /** Variables that the code read, and those of them that are not set. */
  readonly reads?: readonly string[];
  readonly missing?: readonly string[];
}

/** The answers to two rounds of calls, each in the order of the cases. */
export interface RenderedPrompts {
  readonly first: readonly PromptAnswer[];
  readonly second: readonly PromptAnswer[];
}

export type RenderPrompts = (job: PromptJob) => Promise<RenderedPrompts>;

interface ModuleCall extends ModuleJob {
  readonly input: AssertionInput;
  /** Variables that it is handed beside the basic ones. */
  readonly envNames?: readonly string[];
}

export interface CommandCall extends CodeLimits {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly folder: string;
  /** Names of variables that it may see beside the basic ones. */
  readonly envNames: readonly string[];
  readonly input: AssertionInput;
}

/** The result, unchecked; or why there is none, as the end of a sentence about the code ("took longer than 10 s"). */
export type CodeOutcome = { readonly returned: unknown } | { readonly fault: string };

/** Runs a user's own code in children with a deadline and a bound on memory. Never rejects for what the code does. */
export interface OwnCode {
  readonly runModule: (call: ModuleCall) => Promise<CodeOutcome>;
  readonly runCommand: (call: CommandCall) => Promise<CodeOutcome>;
}

/** A JSON Schema of a map of parameters, or a schema made with zod 4. */
export type ParamsSchema = JsonObject | TypedSchema<unknown>;

/** What a zod 4 schema shows of its type, so that only those who write one need zod. */
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
  /** The value of the variable that `apiKeyEnv` names; undefined if it is not set or none is named. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  /** Aborted where the call's time is up or the run is stopped. */
  readonly signal: AbortSignal;
}

/** An answer with more than its text. */
export interface ProviderAnswer {
  /** Needed unless `steps` or `messages` hold it. */
  readonly text?: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  readonly toolCalls?: readonly { readonly id?: string; readonly name: string; readonly arguments: JsonValue }[];
  readonly finishReason?: FinishReason;
  readonly usage?: Usage;
  /** The model snapshot that answered. */
  readonly model?: string;
  /** The steps that an agent took, the last one being the answer; or `steps` of the Vercel AI SDK. `text` may be left out then. */
  readonly steps?: readonly (TakenStep | JsonObject)[];
  /**
   * The same as messages of OpenAI, Anthropic, LangChain or the Vercel AI SDK. Events of Claude Code, Codex or Gemini
   * CLI are read too.
   */
  readonly messages?: readonly JsonObject[];
  /** The final state that the agent leaves, for `select: state` and `trajectory`. */
  readonly state?: JsonValue;
}

/** What an agent said in one step, and the tool calls it made. */
export interface TakenStep {
  readonly text?: string;
  readonly toolCalls?: readonly {
    readonly id?: string;
    readonly name: string;
    readonly arguments: JsonValue;
    readonly result?: JsonValue;
    readonly isError?: boolean;
  }[];
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
  /** Hash of its source: part of the case's hash and of cache keys. */
  readonly hash: string;
}
