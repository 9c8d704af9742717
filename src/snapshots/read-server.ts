import { defined } from '../json/defined.ts';
import { connectServer, execPrefix, type McpConnection, McpFault, type McpPorts } from '../mcp/connect-server.ts';
import { readToolList } from '../mcp/tool-list.ts';
import { fillReferences, findReferences, type McpServer, type McpSnapshot } from '../model/agent.ts';
import type { Problem, SourceLocation } from '../model/problem.ts';
import { openPackages } from '../programs/import-module.ts';
import { startLineProgram } from '../programs/line-program.ts';
import { selectEnv } from '../programs/run-program.ts';
import { createMask } from '../secrets/mask-secrets.ts';
import { shortenText } from '../text/shorten.ts';

export interface ServerRequest {
  readonly server: McpServer;
  /** Headers that are sent and never stored. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly at?: SourceLocation;
}

/** Lists the tools of a server over a connection of its own. */
export async function readServer(
  { server, headers = {}, timeoutMs, at }: ServerRequest,
  ports: McpPorts,
): Promise<{ readonly snapshot: McpSnapshot } | { readonly problem: Problem }> {
  let connection: McpConnection | undefined;
  const secrets = findSecretValues(server, ports.env);
  const asked = { ...server, ...defined({ headers: joinHeaders(server.headers, headers) }) };
  try {
    connection = await connectServer(asked, timeoutMs, ports);
    const tools = await readToolList(connection, timeoutMs);
    if (tools.length === 0) throw new McpFault('lists no tools');
    return { snapshot: { server, info: connection.info, tools } };
  } catch (error) {
    if (!(error instanceof McpFault)) throw error;
    const mask = createMask([...secrets, ...Object.values(headers)]);
    const message = mask(`${describeServer(server)} ${error.message}`);
    return { problem: { code: 'mcp-server', severity: 'error', message, ...defined({ hint: hintOf(error), at }) } };
  } finally {
    await connection?.close();
  }
}

function joinHeaders(stored: McpServer['headers'] = {}, given: Readonly<Record<string, string>>) {
  const joined = { ...stored, ...given };
  return Object.keys(joined).length === 0 ? undefined : joined;
}

/** The values of variables that a server gets: no message may hold them. */
export function findSecretValues(server: McpServer, env: McpPorts['env']): readonly string[] {
  const names = [
    ...findReferences([server.source, ...Object.values(server.headers ?? {})].join(' ')),
    ...(server.env ?? []),
  ];
  const headers = Object.values(server.headers ?? {}).map((value) => fillReferences(value, env));
  return [...names.flatMap((name) => env[name] ?? []), ...headers];
}

export function describeServer({ source }: McpServer): string {
  return `the MCP server ${shortenText(source, 120)}`;
}

function hintOf({ message }: McpFault): string | undefined {
  if (/HTTP 40[13]/.test(message))
    return `send a key: --header 'Authorization: Bearer \${NAME}', with the variable's name`;
  if (/HTTP 404/.test(message)) return 'many servers answer at the path /mcp: name the whole address';
  if (/can't be started/.test(message)) return `write the command after ${execPrefix}, such as "exec:node server.js"`;
  if (/no message of the protocol/.test(message)) return 'a server may write its log to stderr alone';
  return undefined;
}

/** What connecting to servers needs: the project's packages, and programs that see only what they are given. */
export function openMcpPorts(root: string, env: McpPorts['env']): McpPorts {
  const packages = openPackages(root);
  return {
    env,
    packageVersion: packages.version,
    importPackage: packages.load,
    startProgram: startLineProgram,
    selectEnv: (names) => selectEnv(env, names),
  };
}
