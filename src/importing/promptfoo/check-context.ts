import type { Draft, LeftOut, Written } from '../draft.ts';
import type { CodeModule } from './code-files.ts';
import type { PythonFile } from './python.ts';
import type { RubyFile } from './ruby.ts';

/** An assertion as a suite writes it. */
export type Check = Readonly<Record<string, unknown>>;

export interface CheckContext {
  readonly draft: Draft;
  /** The content of a JSON or YAML file that a value names; undefined where it can't be read. */
  readonly readData: (reference: string, written: Written) => Promise<unknown>;
  /** Gets the variables that a value reads. */
  readonly onVariables: (names: readonly string[]) => void;
  /** Adds a judge, of the model that `written` names or the default, and returns its id. */
  readonly judge: (written: Written) => Promise<string | LeftOut>;
  /** The model that embeds texts, which `written` names or the default. */
  readonly embeddings: (written: Written) => string | LeftOut;
  /** The text of a file of the project. */
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
  /** Gets the checks that are code. */
  readonly code: CodeModule;
  readonly python: PythonFile;
  readonly ruby: RubyFile;
  /** The files of a pattern. */
  readonly glob: (pattern: string) => Promise<readonly string[]>;
  /** Names of the variables of the test. */
  readonly varNames: readonly string[];
  /** What code may read of the test itself. */
  readonly test: Readonly<Record<string, unknown>>;
  /** The `params` of the providers that the test is asked with. */
  readonly asked: readonly unknown[];
  /** True where a score decides the test, and not that each check passes. */
  readonly isScored: boolean;
  /** The transform of the providers, where they have one. */
  readonly ofProviders: readonly Written[];
  /** The transforms of the providers and of the test, which go before those of its checks. */
  readonly transforms: readonly Written[];
}

export interface TypeContext extends CheckContext {
  /** The type without `not-`, and whether that is before it. */
  readonly base: string;
  readonly inverse: boolean;
  readonly threshold: unknown;
  readonly isSelected: boolean;
  /** True where code makes what the check gets. */
  readonly isMade: boolean;
}

/** promptfoo reads schemas as draft 7. */
export const DRAFT_7 = 'http://json-schema.org/draft-07/schema#';
