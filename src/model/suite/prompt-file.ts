import type { JsonObject } from '../../json/json.ts';
import type { Position } from '../../text/line-index.ts';
import type { Problem, ProblemDetails, SourceLocation } from '../problem.ts';
import type { Role } from '../run/completion.ts';
import type { PromptMessage, RenderedMessage, Template, Vars } from './suite.ts';

/** A prompt file of any format, in one form. */
export interface PromptFileContent {
  readonly messages: readonly PromptFileMessage[];
  /** Set if one template makes all messages; `messages` is then empty. */
  readonly whole?: PromptWhole;
  /** Parameters of the prompt file, sent unchanged. The suite's parameters take precedence. */
  readonly params?: JsonObject;
  /** True: the output schema is sent as the API's own schema mode. */
  readonly structured?: true;
  readonly model?: PromptModel;
  readonly input?: PromptSchema;
  readonly output?: PromptSchema;
  readonly name?: string;
  readonly description?: string;
  /** The file's own test data; undefined if it has none. */
  readonly tests?: PromptTests;
  readonly warnings: readonly Problem[];
}

export type ParsedPromptFile = PromptFileContent | { readonly problems: readonly Problem[] };

/** A message before rendering. Roles are already separate, so that no variable can add a role. */
export interface PromptFileMessage {
  readonly role: Role;
  /** The text, its template, or the file that holds the text. The path is relative to the prompt's file. */
  readonly content: { readonly source: string } | { readonly template: Template } | { readonly file: string };
  /** Converts a position in the source to a position in the file. */
  readonly locate: (line: number, column: number) => Position;
}

export interface PromptWhole {
  readonly source: string;
  readonly messages: readonly PromptMessage[];
  readonly variables: readonly string[];
  readonly expand: (vars: Vars) => readonly RenderedMessage[];
  readonly locate: (line: number, column: number) => Position;
}

/** A model that a prompt file names, with the matching adapter. */
export interface PromptModel {
  /** The name in the file. A provider or judge of the config with this id replaces it. */
  readonly written: string;
  /** adapter:model; undefined if no adapter is known for it. */
  readonly use?: string;
  /** The next step for the user if `use` is undefined. */
  readonly hint?: string;
  readonly at: SourceLocation;
}

export interface PromptSchema {
  readonly schema: JsonObject | boolean;
  readonly at: SourceLocation;
}

/** Cases as a suite would write them. */
export interface PromptTests {
  readonly rows: readonly PromptTestRow[];
  /** The models that its evaluators call. */
  readonly judges: readonly PromptModel[];
}

export interface PromptTestRow {
  readonly value: unknown;
  readonly at: (path: readonly PropertyKey[], part?: 'key' | 'value') => SourceLocation;
}

/** The functions that reading a prompt file needs. */
export interface PromptFilePorts {
  /** The text of a file that the prompt names, relative to its own folder. */
  readonly read: (path: string) => Promise<{ readonly text: string } | { readonly fault: ProblemDetails }>;
}
