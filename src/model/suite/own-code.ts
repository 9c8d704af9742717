import type { JsonObject, JsonValue } from '../../json/json.ts';
import type { FinishReason, Message, Usage } from '../run/completion.ts';

/** The input of a user's own check: the whole answer, and the arguments from the suite. */
export interface AssertionInput {
  /** The part that `select` picks: a text, or a JSON value. Default: the whole text. */
  readonly target: JsonValue;
  /** The answer's text. */
  readonly text: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  /** Arguments that are not JSON are kept as text. */
  readonly toolCalls: readonly { readonly name: string; readonly arguments: JsonValue }[];
  /** Absent if the API reported none. */
  readonly finishReason?: FinishReason;
  /** In tokens; absent if the API reported none. */
  readonly usage?: Usage;
  /** In milliseconds, summed over a conversation; null if it was not measured. */
  readonly latencyMs: number | null;
  /** In US dollars; null if no price is known. */
  readonly costUsd: number | null;
  /** `args` of the assertion with its templates rendered; null if there are none. */
  readonly args: JsonValue;
}

/** The input of a user's own function for `select`. */
export interface SelectInput extends AssertionInput {
  /** The variables of the case. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** The final state of the case's tools, or the one that its provider reports. */
  readonly state?: JsonValue;
}

/** The return value of a user's own check. Another value, or an additional key, makes the check errored. */
export interface AssertionVerdict {
  readonly pass: boolean;
  /** From 0 to 1. Default: 1 for a pass, 0 for a failure. */
  readonly score?: number;
  readonly reason?: string;
}

/** The export that the `module` assertion calls. If it throws, the check is errored, not failed. */
export type AssertionModule = (input: AssertionInput) => AssertionVerdict | Promise<AssertionVerdict>;

/**
 * The export `tools`, or the default export, of a module that answers the tool calls of a case. It maps tool names to
 * functions. A returned text is sent unchanged, any other value as JSON. A thrown error is sent to the model as the
 * tool's error. The export `state`, a function without arguments, returns the final state of the tools as JSON.
 */
export type ToolsModule = Readonly<Record<string, ToolFunction>>;

/** Declared as a method, so that a function may narrow the type of its arguments. */
export type ToolFunction = { run(args: Readonly<Record<string, JsonValue>>): unknown }['run'];

/** Code that a check runs, as found when the suite was loaded. */
export interface CodeSource {
  /** Absolute. Relative paths start here, and it is the child's working folder. */
  readonly folder: string;
  /** Absolute path of a module; undefined for a command. */
  readonly file?: string;
  /** SHA-256 of its files; part of the case hash. */
  readonly hash: string;
  /** What it reads that can't be followed, in words; absent if there is nothing. */
  readonly unfollowed?: readonly string[];
  /**
   * Names of environment variables that it gets besides the basic ones. Their values are part of a cell's case hash.
   */
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
  /** The name of the expected return value in messages. Default: a verdict. */
  readonly noun?: string;
  /** Default 64 KiB. */
  readonly maxReturnedBytes?: number;
  /** Set if the export is data, or a function that makes it. */
  readonly isValue?: true;
  /** Set for a call of one of the module's tools, or to read their state. */
  readonly tool?: 'call' | 'state';
  /** Set if the export makes prompts. `input` is then a list of variable sets, and each gets an answer. */
  readonly prompts?: {
    /** Set before the module is loaded. */
    readonly clockOffsetMs: number;
    /** True if only digests of the answers are needed. */
    readonly wantsDigests: boolean;
  };
  /** Aborting it kills the child process. */
  readonly signal?: AbortSignal;
}

/** A prompt in code and its input. Either `module` or `argv` is set. */
export interface PromptJob {
  readonly module?: {
    /** Absolute. */
    readonly file: string;
    readonly exportName: string;
    /** Its files at another commit, with absolute paths; undefined to use the files on disk. */
    readonly files?: readonly { readonly path: string; readonly text: string }[];
  };
  readonly argv?: readonly string[];
  /** Absolute: the working folder of a program. */
  readonly folder: string;
  /** The project's root. `boundary` is the folder that contains all its files. */
  readonly root: string;
  readonly boundary: string;
  /** The variables of each case, as JSON. */
  readonly vars: readonly Readonly<Record<string, unknown>>[];
}

/** The result of a prompt in code for one case. */
export interface PromptAnswer {
  readonly returned?: unknown;
  /** Hash of the returned value, with or without the value itself. */
  readonly digest?: string;
  /** Set on a second answer that equals the first. */
  readonly isSame?: true;
  /** The error, as the end of a sentence about the prompt. */
  readonly fault?: string;
  /** Set if another case caused the fault. */
  readonly isFollowing?: true;
  /** Variables that the code read. `missing` lists the ones that are not set. */
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
  /** Names of environment variables that it gets besides the basic ones. */
  readonly envNames?: readonly string[];
}

export interface CommandCall extends CodeLimits {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly folder: string;
  /** Names of environment variables that it gets besides the basic ones. */
  readonly envNames: readonly string[];
  readonly input: AssertionInput;
}

/** The unchecked result, or a fault that ends a sentence about the code ("took longer than 10 s"). */
export type CodeOutcome =
  | { readonly returned: unknown }
  /** `isTooLarge`: it returned more than `maxReturnedBytes`. */
  | { readonly fault: string; readonly isTooLarge?: true };

/** Runs the user's own code in child processes with a deadline and a memory limit. Errors of the code never reject. */
export interface OwnCode {
  readonly runModule: (call: ModuleCall) => Promise<CodeOutcome>;
  readonly runCommand: (call: CommandCall) => Promise<CodeOutcome>;
}

/** A JSON Schema of a map of parameters, or a schema made with zod 4. */
export type ParamsSchema = JsonObject | TypedSchema<unknown>;

/** The part of a zod 4 schema that carries its type. Only users who write such a schema need zod. */
export interface TypedSchema<Output> {
  readonly _zod: { readonly output: Output };
}

/** The parameters of a check or provider: the schema's output type, or JSON. */
export type ParamsOf<Schema> = Schema extends TypedSchema<infer Output> ? Output : Readonly<Record<string, JsonValue>>;

/** The input of a plug-in's check: the answer, and the parameters with their templates rendered. */
export interface PluginCheckInput<Params = unknown> extends Omit<AssertionInput, 'args'> {
  readonly params: Params;
}

/** An assertion that suites use like a built-in one. */
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
  /**
   * Change it when the same answer gets another verdict. The hash of a file that the plug-in is loaded from counts too.
   */
  readonly version?: string;
  /** If it throws, the check is errored, not failed. */
  readonly check: (input: PluginCheckInput) => AssertionVerdict | Promise<AssertionVerdict>;
}

/** The input of a plug-in's provider. */
export interface ProviderRequest<Options = unknown> {
  readonly model: string;
  readonly messages: readonly Message[];
  /** The parameters in the suite: temperature, tools … */
  readonly params: JsonObject;
  /** The provider's own keys in the suite. */
  readonly options: Options;
  /** From 0. */
  readonly trial: number;
  /** Names of the cell, for logs. An answer should not depend on them. */
  readonly suite: string;
  readonly prompt: string;
  readonly caseId: string;
  /** The value of the variable that `apiKeyEnv` names; undefined if it is not set or none is named. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  /** Aborts when the call times out or the run is stopped. */
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
  /**
   * The steps of an agent, or `steps` of the Vercel AI SDK. The last step is the answer, so `text` is optional then.
   */
  readonly steps?: readonly (TakenStep | JsonObject)[];
  /**
   * The steps as messages of OpenAI, Anthropic, LangChain or the Vercel AI SDK. Events of Claude Code, Codex or Gemini
   * CLI are read too.
   */
  readonly messages?: readonly JsonObject[];
  /** The final state that the agent leaves, for `select: state` and `trajectory`. */
  readonly state?: JsonValue;
}

/** The text and tool calls of one step of an agent. */
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

/** An adapter that suites use like a built-in one: `name:model`. */
export interface ProviderPlugin {
  readonly kind: 'provider';
  /** A word that no built-in adapter has. */
  readonly name: string;
  readonly summary: string;
  readonly example?: string;
  /** Its keys besides the keys of every provider. Default: none. */
  readonly options?: ParamsSchema;
  /** Part of the cache key. Change it when the same request gets another answer. */
  readonly version?: string;
  /**
   * Makes one attempt. If it throws, the cell is errored. An error with a `status` is retried like that HTTP status
   * (429, 503 …).
   */
  readonly complete: (request: ProviderRequest) => string | ProviderAnswer | Promise<string | ProviderAnswer>;
}

/** A plug-in as found when the project was loaded. */
export interface LoadedPlugin<Kind> {
  readonly plugin: Kind;
  /** Hash of its source; part of the case hash and of cache keys. */
  readonly hash: string;
  /** What it reads that can't be followed, in words; absent if there is nothing, or if it declares a version. */
  readonly unfollowed?: readonly string[];
}
