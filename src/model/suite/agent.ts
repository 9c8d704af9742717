import type { JsonObject } from '../../json/json.ts';
import type { ArgumentMatch } from '../../json/plain-path.ts';
import type { CodeLimits, CodeSource } from './own-code.ts';

/** How a case answers the model's tool calls, and how often the model is asked. */
export interface AgentSettings {
  /** The first matching stub answers a call. */
  readonly stubs: readonly ToolStub[];
  /** The project's code, which answers calls that match no stub. */
  readonly module?: ToolsCode;
  /**
   * The file for `--record-tools`. Later runs read these answers as stubs, so the file is not part of the case hash.
   */
  readonly record?: RecordTarget;
  /** Servers by tool name. They answer calls that neither a stub nor the module answers. */
  readonly servers?: ToolServers;
  /** The largest number of the model's answers in one cell. */
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
  /** Its name in messages. */
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
  /** The calls that it answers; absent for all calls of the tool. */
  readonly when?: ArgumentMatch;
  readonly answer: StubAnswer;
}

export type StubAnswer =
  | { readonly kind: 'returns'; readonly content: string }
  /** The tool reports an error to the model. */
  | { readonly kind: 'fails'; readonly message: string }
  /** The call itself fails the cell. */
  | { readonly kind: 'never' };

/** The most calls in one answer. More calls fail the cell, which keeps a run within its limits. */
export const maxCallsPerStep = 16;

/** The largest result of a tool in bytes. A larger one fails the cell. */
export const maxResultBytes = 256 * 1024;

/** The default number of steps of a cell, in addition to one for each turn. */
export const defaultMaxSteps = 10;

/** The address of an MCP server. It contains names of variables, never their values. */
export interface McpServer {
  /** `exec:node server.js` or a URL; `${NAME}` stands for the value of a variable. */
  readonly source: string;
  /** Absolute: the working folder of a command. */
  readonly folder: string;
  /** Values by header, in which `${NAME}` stands for the value of a variable. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Names of environment variables that a command gets besides the basic ones. */
  readonly env?: readonly string[];
  /** A hash of what the program of a command reads; absent where it is not asked. */
  readonly codeHash?: string;
}

/** The server's description of itself, from listing its tools. */
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

/** Limits on a server's tool list. A longer list is refused. */
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
