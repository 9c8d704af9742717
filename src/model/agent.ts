import type { JsonObject } from '../json/json.ts';
import type { ArgumentMatch } from '../json/plain-path.ts';
import type { CodeLimits, CodeSource } from './own-code.ts';

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
  /** The name in messages. */
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

/** Where a server of the Model Context Protocol is. Holds names of variables, never their values. */
export interface McpServer {
  /** `exec:node server.js` or a URL; `${NAME}` stands for the value of a variable. */
  readonly source: string;
  /** Absolute: where a command starts. */
  readonly folder: string;
  /** Values by header, in which `${NAME}` stands for the value of a variable. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Names of variables that a command sees beside the basic ones. */
  readonly env?: readonly string[];
}

/** What the server says of itself when its tools are listed. */
export interface McpServerInfo {
  readonly name: string;
  readonly version?: string;
  /** The version of the protocol that was agreed on. */
  readonly protocol?: string;
}

/** A tool as the server lists it. */
export interface McpTool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: JsonObject;
}

/** The tools of a server, sorted by name, as a file of the project keeps them. */
export interface McpSnapshot {
  readonly server: McpServer;
  readonly info: McpServerInfo;
  readonly tools: readonly McpTool[];
}

/** A snapshot that a suite or the config uses. */
export interface UsedSnapshot {
  /** Absolute. */
  readonly file: string;
  readonly snapshot: McpSnapshot;
  /** The names of the tools that are sent. */
  readonly sent: readonly string[];
}

/** A list of more tools, or of more bytes, is refused. */
export const maxMcpTools = 2000;
export const maxMcpBytes = 8 * 1024 * 1024;

/** `${NAME}` in a source or a header. */
const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export function findReferences(text: string): readonly string[] {
  return [...text.matchAll(reference)].map(([, name = '']) => name);
}

/** Puts the values of variables in place of their names; a missing one is left as it is written. */
export function fillReferences(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(reference, (written, name: string) => env[name] ?? written);
}
