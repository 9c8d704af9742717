import { defined } from '../json/defined.ts';
import { execPrefix } from '../mcp/connect-server.ts';
import { findReferences, type McpServer } from '../model/agent.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { findQuerySecrets, findSecrets } from '../secrets/find-secrets.ts';
import { splitCommand } from '../text/command-line.ts';
import { quote } from '../text/shorten.ts';

export interface ServerFlags {
  /** `exec:COMMAND` or a URL. */
  readonly source: string;
  /** `Name: value` each. */
  readonly headers: readonly string[];
  /** Names of variables. */
  readonly env: readonly string[];
}

export interface ParsedServer {
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
