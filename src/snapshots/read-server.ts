import { defined } from '../json/defined.ts';
import { connectServer, execPrefix, type McpConnection, McpFault, type McpPorts } from '../mcp/connect-server.ts';
import { readToolList } from '../mcp/tool-list.ts';
import { systemClock } from '../model/clock.ts';
import { type Problem, type SourceLocation, UserError } from '../model/problem.ts';
import { fillReferences, findReferences, type McpServer, type McpSnapshot } from '../model/suite/agent.ts';
import { openPackages } from '../programs/import-module.ts';
import { startLineProgram } from '../programs/line-program.ts';
import { selectEnv } from '../programs/run-program.ts';
import { findQuerySecrets, findSecrets } from '../secrets/find-secrets.ts';
import { createMask } from '../secrets/mask-secrets.ts';
import { splitCommand } from '../text/code/command-line.ts';
import { quote, shortenText } from '../text/shorten.ts';

interface ServerRequest {
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
  const asked = { ...server, headers: { ...server.headers, ...headers } };
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
  if (/ECONNREFUSED/.test(message)) return 'start the server, or correct the address';
  if (/can't be started/.test(message)) return `write the command after ${execPrefix}, such as "exec:node server.js"`;
  if (/no message of the protocol/.test(message)) return 'a server may write its log to stderr alone';
  return undefined;
}

/** What connecting to servers needs: the project's packages, and programs that see only what they are given. */
export function openMcpPorts(root: string, env: McpPorts['env']): McpPorts {
  const packages = openPackages(root);
  return {
    clock: systemClock,
    env,
    packageVersion: packages.version,
    importPackage: packages.load,
    startProgram: startLineProgram,
    selectEnv: (names) => selectEnv(env, names),
  };
}

interface ServerFlags {
  /** `exec:COMMAND` or a URL. */
  readonly source: string;
  /** `Name: value` each. */
  readonly headers: readonly string[];
  /** Names of variables. */
  readonly env: readonly string[];
}

interface ParsedServer {
  readonly server: McpServer;
  /** Values that are sent and not stored. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads where a server is. What is stored holds no secret; throws a `UserError` for what would. */
export function parseServer(flags: ServerFlags, folder: string): ParsedServer {
  const { source, env } = flags;
  const problems = findSourceFaults(source);
  const { stored, literal } = parseHeaders(flags.headers, problems);
  for (const name of env) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      problems.push(
        usage(`--env: ${quote(name, 40)} is not the name of a variable`, 'write --env NAME, without a value'),
      );
  }
  const isProgram = source.startsWith(execPrefix);
  if (isProgram && flags.headers.length > 0)
    problems.push(usage('--header: a command gets no headers', 'use --env NAME'));
  if (!isProgram && env.length > 0) problems.push(usage('--env: a URL gets no variables', 'use --header'));
  if (problems.length > 0) throw new UserError(problems);
  const headers = Object.keys(stored).length === 0 ? undefined : stored;
  const names = env.length === 0 ? undefined : [...new Set(env)].sort();
  return { server: { source, folder, ...defined({ headers, env: names }) }, headers: literal };
}

function usage(message: string, hint: string, code: 'usage' | 'literal-key' = 'usage'): Problem {
  return { code, severity: 'error', message, hint };
}

const keyHint = 'write ${NAME} in its place, with the name of a variable, in single quotes';

function findSourceFaults(source: string): Problem[] {
  if (source.startsWith(execPrefix)) {
    const words = splitCommand(source.slice(execPrefix.length));
    if (words === undefined) return [usage(`${quote(source, 80)} leaves a quote open`, 'close it')];
    if (words.length === 0) return [usage('exec: names no command', 'write "exec:node server.js"')];
    const [secret] = findSecrets(source, { entropy: false, ignore: new Set(), limit: 1 });
    return secret === undefined
      ? []
      : [usage(`the command holds ${secret.kind}, and is stored`, keyHint, 'literal-key')];
  }
  // A reference is no part of a URL's syntax.
  const plain = source.replace(/\$\{\w+\}/g, '');
  if (!URL.canParse(plain) || !/^https?:/.test(plain)) {
    const message = `${quote(source, 80)} is neither a URL nor a command`;
    return [usage(message, 'write "exec:node server.js" or https://example.com/mcp')];
  }
  const url = new URL(plain);
  if (url.username !== '' || url.password !== '') {
    return [
      usage('the URL holds a user name or password, and is stored', "use --header 'Authorization: …'", 'literal-key'),
    ];
  }
  const [key] = findQuerySecrets(plain);
  const [secret] = findSecrets(plain, { entropy: false, ignore: new Set(), limit: 1 });
  if (key === undefined && secret === undefined) return [];
  const what = key === undefined ? (secret?.kind ?? '') : `a key ("${key.name}" in its query)`;
  return [usage(`the URL holds ${what}, and is stored`, keyHint, 'literal-key')];
}

/** A value that is nothing but a reference, with the scheme before it, is stored. Any other may be a secret. */
function parseHeaders(headers: readonly string[], problems: Problem[]) {
  const stored: Record<string, string> = {};
  const literal: Record<string, string> = {};
  for (const header of headers) {
    const [, name, value = ''] = /^([!#$%&'*+.^_`|~\w-]+)\s*:\s*([^\r\n]+)$/.exec(header.trim()) ?? [];
    if (name === undefined) {
      // The header itself may be a secret.
      problems.push(usage('--header: a header is "Name: value"', "write --header 'Authorization: Bearer ${NAME}'"));
    } else if (/^(?:[A-Za-z]+ )?\$\{\w+\}$/.test(value) && findReferences(value).length === 1) {
      stored[name.toLowerCase()] = value;
    } else {
      literal[name.toLowerCase()] = value;
    }
  }
  return { stored, literal };
}
