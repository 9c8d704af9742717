import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, ResultSchema } from '@modelcontextprotocol/sdk/types.js';
import type { HttpClient } from '../http/client.ts';
import { defined } from '../json/defined.ts';
import { parseJson } from '../json/parse-json.ts';
import type { Clock } from '../model/clock.ts';
import { findPackageFault, type VersionOf } from '../model/optional-packages.ts';
import {
  fillReferences,
  findReferences,
  type McpServer,
  type McpServerInfo,
  maxMcpBytes,
} from '../model/suite/agent.ts';
import { splitCommand } from '../text/code/command-line.ts';
import { lastOutput } from '../text/code/last-output.ts';
import { onAbort } from '../text/deadline.ts';
import { quote } from '../text/shorten.ts';

/** A call that failed. The message is the end of a sentence about the server. */
export class McpFault extends Error {
  /** True where the server answered with an error; else it can't go on. */
  readonly isAnswer: boolean;

  constructor(message: string, isAnswer = false) {
    super(message);
    this.name = 'McpFault';
    this.isAnswer = isAnswer;
  }
}

/** An open connection to a server. */
export interface McpConnection {
  readonly info: McpServerInfo;
  /** Rejects with an `McpFault`. */
  request(method: string, params: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<unknown>;
  close(): Promise<void>;
}

export interface McpPorts {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly packageVersion: VersionOf;
  /** Imports a module of an optional package; undefined where it is not installed. */
  readonly importPackage: (path: string) => Promise<unknown>;
  /** Starts a program that exchanges lines. */
  readonly startProgram: (call: {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly maxLineBytes: number;
    readonly onLine: (line: string) => void;
    readonly onEnd: (why: string) => void;
  }) => LinePeer;
  /** The variables that a program sees: the basic ones and these. */
  readonly selectEnv: (names: readonly string[]) => Readonly<Record<string, string>>;
}

const sdkPackage = '@modelcontextprotocol/sdk';

/** Connects to a server; throws an `McpFault` where that fails within the time, or the signal fires before it is done. */
export async function connectServer(
  server: McpServer,
  timeoutMs: number,
  ports: McpPorts,
  signal?: AbortSignal,
): Promise<McpConnection> {
  const texts = [server.source, ...Object.values(server.headers ?? {})];
  const names = [...texts.flatMap(findReferences), ...(server.env ?? [])];
  const missing = names.find((name) => (ports.env[name] ?? '') === '');
  if (missing !== undefined) throw new McpFault(`needs the variable ${missing}, which is not set`);
  const sdk = await loadSdk(ports);
  const isProgram = server.source.startsWith(execPrefix);
  const opened = isProgram ? openProgram(server, ports) : await openUrl(server, sdk, ports);
  // A constant version, so that a server answers each release alike.
  const client = new sdk.Client({ name: 'llmcheck', version: '1' }, { capabilities: {} });
  let isClosed = false;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the client of the SDK has no other way
  client.onclose = () => {
    isClosed = true;
  };
  const close = async () => {
    await opened.end(client);
  };
  const attempt = async <T>(run: (timeout: number) => Promise<T>, limitMs: number): Promise<T> => {
    try {
      // The SDK bounds requests, but not notifications.
      return await within(limitMs, run(limitMs * 2), ports.clock);
    } catch (error) {
      throw describeFault(error, opened.fault(), isClosed);
    }
  };
  try {
    await attempt((timeout) => unlessStopped(client.connect(opened.transport, { timeout }), signal), timeoutMs);
  } catch (error) {
    await close();
    throw error;
  }
  const { name = '', version } = client.getServerVersion() ?? {};
  return {
    info: { name, ...defined({ version, protocol: opened.transport.protocolVersion }) },
    request: (method, params, limitMs) =>
      attempt((timeout) => client.request({ method, params }, sdk.ResultSchema, { timeout }), limitMs),
    close,
  };
}

class Timeout extends Error {}

/** Rejects at once: the SDK's own timer may be due in the same turn, and its error says less. */
function within<T>(limitMs: number, running: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopTimer = clock.startTimer(limitMs, () => reject(new Timeout(`gave no answer within ${limitMs / 1000} s`)));
    running.then(resolve, reject).finally(stopTimer);
  });
}

function unlessStopped<T>(running: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return running;
  return new Promise((resolve, reject) => {
    const stop = () => reject(new McpFault('was stopped with the run'));
    const stopListening = onAbort(signal, stop);
    running.then(resolve, reject).finally(stopListening);
    if (signal.aborted) stop();
  });
}

export const execPrefix = 'exec:';

interface Sdk {
  readonly Client: typeof Client;
  readonly StreamableHTTPClientTransport: typeof StreamableHTTPClientTransport;
  readonly ResultSchema: typeof ResultSchema;
}

/** The SDK takes 100 ms to load, so it is loaded when a server is asked. */
async function loadSdk({ packageVersion, importPackage }: McpPorts): Promise<Sdk> {
  const fault = findPackageFault([sdkPackage], packageVersion);
  if (fault !== undefined) throw new McpFault(`needs ${fault.needed}: ${fault.install}`);
  const modules = ['client/index.js', 'client/streamableHttp.js', 'types.js'];
  const loaded = await Promise.all(modules.map((path) => importPackage(`${sdkPackage}/${path}`)));
  return Object.assign({}, ...loaded) as Sdk;
}

interface OpenTransport {
  readonly transport: LineTransport | StreamableHTTPClientTransport;
  /** Why nothing more can be exchanged, where that is known. */
  fault(): string | undefined;
  end(client: Client): Promise<void>;
}

function openProgram(server: McpServer, { env, selectEnv, startProgram }: McpPorts): OpenTransport {
  const argv = splitCommand(server.source.slice(execPrefix.length))?.map((word) => fillReferences(word, env)) ?? [];
  const call = { argv, cwd: server.folder, env: selectEnv(server.env ?? []), maxLineBytes: 2 * maxMcpBytes };
  const transport = createLineTransport((on) => startProgram({ ...call, ...on }));
  return { transport, fault: () => transport.fault(), end: (client) => client.close() };
}

async function openUrl(
  { source, headers = {} }: McpServer,
  sdk: Sdk,
  { clock, env }: McpPorts,
): Promise<OpenTransport> {
  const { openHttpClient } = await import('../http/client.ts');
  const http = openHttpClient({ env, maxBodyBytes: 2 * maxMcpBytes });
  const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fillReferences(value, env)]));
  const transport = new sdk.StreamableHTTPClientTransport(new URL(fillReferences(source, env)), {
    requestInit: { headers: filled },
    fetch: createFetch(http),
  });
  return {
    transport,
    fault: () => undefined,
    async end(client) {
      const stopTimer = clock.startTimer(endSessionMs, () => http.close());
      try {
        await transport.terminateSession();
      } catch (error) {
        // The session ends without this, too.
        if (!(error instanceof Error)) throw error;
      } finally {
        stopTimer();
        await client.close();
        http.close();
      }
    },
  };
}

const endSessionMs = 1000;

/**
 * The shared client in the form of `fetch`: with proxies and a bound on the body, and without redirects. The stream of
 * a server's own messages is not needed, so it is refused as if the server had none.
 */
function createFetch(http: HttpClient): (url: string | URL, init?: RequestInit) => Promise<Response> {
  return async (url, init = {}) => {
    if (init.method === 'GET') return new Response(null, { status: 405 });
    const { status, headers, text } = await http.send({
      url: String(url),
      method: init.method === 'DELETE' ? 'DELETE' : 'POST',
      headers: Object.fromEntries(new Headers(init.headers)),
      body: typeof init.body === 'string' ? init.body : '',
      signal: init.signal ?? new AbortController().signal,
    });
    const kept = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      keptHeaders.has(name) && typeof value === 'string' ? [[name, value]] : [],
    );
    return new Response(text === '' ? null : text, { status, headers: kept });
  };
}

const keptHeaders: ReadonlySet<string> = new Set(['content-type', 'mcp-session-id', 'location']);

function describeFault(error: unknown, known: string | undefined, isClosed: boolean): unknown {
  if (!(error instanceof Error) || error instanceof McpFault) return error;
  if (error instanceof Timeout)
    return new McpFault(known === undefined ? error.message : `${error.message}: it ${known}`);
  const code: unknown = Reflect.get(error, 'code');
  const isMcpError = error.name === 'McpError';
  if (isMcpError && code === connectionClosed && isClosed) return new McpFault(known ?? 'closed the connection');
  if (isMcpError)
    return new McpFault(`answered with the error ${quote(error.message.replace(/^MCP error /, ''))}`, true);
  if (typeof code === 'number' && code >= 300) {
    const body = error.message.replace(/^Streamable HTTP error: (?:Error POSTing to endpoint: )?/, '');
    return new McpFault(`answered with HTTP ${code}${body.trim() === '' ? '' : `: ${quote(body.trim())}`}`);
  }
  return new McpFault(known ?? `can't be used: ${quote(error.message)}`);
}

/** The SDK's code for a closed connection. Servers use it for errors of their own, too. */
const connectionClosed = -32000;

/** A program that exchanges lines. */
interface LinePeer {
  write(line: string): void;
  stderr(): string;
  close(): Promise<void>;
}

type StartPeer = (on: { readonly onLine: (line: string) => void; readonly onEnd: (why: string) => void }) => LinePeer;

interface LineTransport extends Transport {
  protocolVersion?: string;
  /** Why the program can't go on, or what it wrote that it must not. */
  fault(): string | undefined;
}

/** Some servers print a banner; one that goes on writes no messages at all. */
const maxStrayLines = 20;

/**
 * Messages as lines over a program's stdin and stdout. The SDK's own transport limits neither the processes of a server
 * nor lines without a message. It also does not say why a server has ended.
 */
export function createLineTransport(start: StartPeer): LineTransport {
  let peer: LinePeer | undefined;
  let fault: string | undefined;
  let strayLines = 0;
  let stray: string | undefined;

  function end(why: string): void {
    fault ??= why;
    transport.onclose?.();
  }

  function read(line: string): void {
    const parsed = parseJson(line);
    if (parsed.ok && isMessage(parsed.value)) {
      // Parsed again, because the SDK knows no `SpelledNumber`, which `parseJson` returns for long numbers.
      transport.onmessage?.(JSON.parse(line) as JSONRPCMessage);
      return;
    }
    stray ??= line;
    strayLines += 1;
    if (strayLines < maxStrayLines) return;
    end(describeStray(stray));
    void peer?.close();
  }

  const transport: LineTransport = {
    start() {
      peer = start({ onLine: read, onEnd: end });
      return Promise.resolve();
    },
    send(message) {
      peer?.write(JSON.stringify(message));
      return Promise.resolve();
    },
    async close() {
      await peer?.close();
      transport.onclose?.();
    },
    setProtocolVersion(version) {
      transport.protocolVersion = version;
    },
    fault() {
      const stderr = lastOutput(peer?.stderr() ?? '', 300);
      const why = fault ?? (stray === undefined ? undefined : describeStray(stray));
      if (stderr === '') return why;
      return `${why ?? 'gave no answer'}; on stderr it wrote ${quote(stderr, 300)}`;
    },
  };
  return transport;
}

function describeStray(line: string): string {
  return `wrote to stdout what is no message of the protocol: ${quote(line, 120)}`;
}

function isMessage(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'jsonrpc') === '2.0';
}
