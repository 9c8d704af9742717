import type { JsonObject } from '../json/json.ts';
import type { Position } from '../text/line-index.ts';
import type { Role } from './completion.ts';
import type { Problem, ProblemDetails, SourceLocation } from './problem.ts';
import type { PromptMessage, RenderedMessage, Template, Vars } from './suite.ts';

/** A prompt file of any format, in one form. */
export interface PromptFileContent {
  readonly messages: readonly PromptFileMessage[];
  /** Set if one template makes all messages; `messages` then has none. */
  readonly whole?: PromptWhole;
  /** Parameters of the prompt file, sent unchanged; the suite's own win. */
  readonly params?: JsonObject;
  /** True: the output schema is sent as the API's own schema mode. */
  readonly structured?: true;
  readonly model?: PromptModel;
  readonly input?: PromptSchema;
  readonly output?: PromptSchema;
  readonly name?: string;
  readonly description?: string;
  /** The file's own test data; undefined if its format has none or it brings none. */
  readonly tests?: PromptTests;
  readonly warnings: readonly Problem[];
}

export type ParsedPromptFile = PromptFileContent | { readonly problems: readonly Problem[] };

/** A message before rendering: roles are split here, so that no variable can make one. */
export interface PromptFileMessage {
  readonly role: Role;
  /** The text, its template, or the file, relative to the prompt's, that holds the text. */
  readonly content: { readonly source: string } | { readonly template: Template } | { readonly file: string };
  /** The file's position of a position within the source. */
  readonly locate: (line: number, column: number) => Position;
}

export interface PromptWhole {
  readonly source: string;
  readonly messages: readonly PromptMessage[];
  readonly variables: readonly string[];
  readonly expand: (vars: Vars) => readonly RenderedMessage[];
  readonly locate: (line: number, column: number) => Position;
}

/** The model that a file names, and what it is here. */
export interface PromptModel {
  /** The name in the file. A provider or judge of the config with this id replaces it. */
  readonly written: string;
  /** adapter:model; undefined if no adapter is known for it. */
  readonly use?: string;
  /** The next step if there is none. */
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

/** What reading a prompt file needs of its surroundings. */
export interface PromptFilePorts {
  /** The text of a file that the prompt names, relative to its own folder. */
  readonly read: (path: string) => Promise<{ readonly text: string } | { readonly fault: ProblemDetails }>;
}
