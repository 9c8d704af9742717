import type { ArgumentMatch } from '../json/plain-path.ts';
import type { McpServer } from './mcp.ts';
import type { CodeLimits, CodeSource } from './own-code.ts';

export type { AgentStep, AnsweredCall, ToolResult } from './completion.ts';

/** How a case answers the model's tool calls, and how often the model is asked. */
export interface AgentSettings {
  /** The first that matches a call answers it. */
  readonly stubs: readonly ToolStub[];
  /** Code of the project that answers what no stub does. */
  readonly module?: ToolsCode;
  /** Where `--record-tools` writes the answers of real tools. Its answers are stubs of later runs, so it is no input. */
  readonly record?: RecordTarget;
  /** The servers that are asked for what neither stub nor module answers, by the names of their tools. */
  readonly servers?: ToolServers;
  /** The most answers of the model in one cell. */
  readonly maxSteps: number;
}

/** Servers by the names of the tools that they have. */
export type ToolServers = ReadonlyMap<string, McpServer>;

/** A module of tools, with the limits of one call. */
export interface ToolsCode extends CodeSource {
  readonly limits?: Partial<CodeLimits>;
}

export interface RecordTarget {
  /** Absolute path of the stub file. */
  readonly file: string;
  /** As messages name it. */
  readonly shown: string;
  readonly source: RecordSource;
}

/** The real tools. */
export type RecordSource =
  | { readonly kind: 'module'; readonly code: ToolsCode }
  | { readonly kind: 'exec'; readonly argv: readonly string[]; readonly code: ToolsCode }
  | { readonly kind: 'mcp'; readonly servers: ToolServers; readonly code: ToolsCode };

export interface ToolStub {
  /** The tool. */
  readonly name: string;
  /** The calls that it answers; absent: every call of the tool. */
  readonly when?: ArgumentMatch;
  readonly answer: StubAnswer;
}

export type StubAnswer =
  | { readonly kind: 'returns'; readonly content: string }
  /** The tool reports an error to the model. */
  | { readonly kind: 'fails'; readonly message: string }
  /** The call itself fails the cell. */
  | { readonly kind: 'never' };

/** An answer with more calls at once fails its cell, so that a run stays inside its bounds. */
export const maxCallsPerStep = 16;

/** A result of more bytes fails its cell. */
export const maxResultBytes = 256 * 1024;

/** The steps of a cell where neither case nor suite says otherwise, beside one for each turn. */
export const defaultMaxSteps = 10;
