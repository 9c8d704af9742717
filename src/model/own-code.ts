import type { JsonValue } from '../json/json.ts';
import type { FinishReason, Usage } from './completion.ts';

/** What a user's own check is given: everything that the answer is, and what the suite hands over. */
export interface AssertionInput {
  /** The part that `select` picks: a text, or a JSON value. The whole text where the suite selects nothing. */
  readonly target: JsonValue;
  /** The answer's text. */
  readonly text: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  /** Arguments that are no JSON are the text that came. */
  readonly toolCalls: readonly { readonly name: string; readonly arguments: JsonValue }[];
  /** Absent where nobody gave one. */
  readonly finishReason?: FinishReason;
  /** In tokens; absent where the API reported none. */
  readonly usage?: Usage;
  /** In milliseconds, summed over a conversation; null where nobody measured it. */
  readonly latencyMs: number | null;
  /** In US dollars; null where no price is known. */
  readonly costUsd: number | null;
  /** `args` of the assertion, its templates rendered; null where there are none. */
  readonly args: JsonValue;
}

/** What a user's own check says. Anything else, and any further key, makes the check errored. */
export interface AssertionVerdict {
  readonly pass: boolean;
  /** From 0 to 1; 1 or 0 where it is left out. */
  readonly score?: number;
  readonly reason?: string;
}

/** The export that the `module` assertion calls. What it throws makes the check errored, not failed. */
export type AssertionModule = (input: AssertionInput) => AssertionVerdict | Promise<AssertionVerdict>;

/** Code that a check runs, as found when the suite was loaded. */
export interface CodeSource {
  /** Absolute: where relative paths and the child's working folder are. */
  readonly folder: string;
  /** Absolute path of a module; undefined for a command. */
  readonly file?: string;
  /** SHA-256 over its files: part of the case's stamp. */
  readonly hash: string;
  /** Names of the variables that it is handed beside the basic ones: their values are part of the stamp of a cell. */
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
  /** Set where the export is data, or a function that makes it. */
  readonly isValue?: true;
  /** Kills the child that works on it. */
  readonly signal?: AbortSignal;
}

export interface ModuleCall extends ModuleJob {
  readonly input: AssertionInput;
}

export interface CommandCall extends CodeLimits {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly folder: string;
  /** Names of variables that it may see beside the basic ones. */
  readonly envNames: readonly string[];
  readonly input: AssertionInput;
}

/** What came back, unchecked; or why nothing did, as the end of a sentence about the code ("took longer than 10 s"). */
export type CodeOutcome = { readonly returned: unknown } | { readonly fault: string };

/** Runs a user's own code in children with a deadline and a bound on memory. Never rejects for what the code does. */
export interface OwnCode {
  readonly runModule: (call: ModuleCall) => Promise<CodeOutcome>;
  readonly runCommand: (call: CommandCall) => Promise<CodeOutcome>;
}
