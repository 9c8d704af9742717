import type { JsonObject } from '../json/json.ts';

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
  return [...text.matchAll(reference)].flatMap(([, name]) => name ?? []);
}

/** Puts the values of variables in place of their names; a missing one is left as it is written. */
export function fillReferences(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(reference, (written, name: string) => env[name] ?? written);
}
