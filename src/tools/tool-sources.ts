import { relative } from 'node:path';
import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { ToolCall, ToolResult } from '../model/run/completion.ts';
import type { McpServer } from '../model/suite/agent.ts';
import { maxResultBytes, type ToolServers, type ToolsCode } from '../model/suite/agent.ts';
import type { CodeOutcome, ModuleJob } from '../model/suite/own-code.ts';
import { lastWords, quote } from '../text/shorten.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';

/** The real tools of one cell, whose answers are recorded. Every kind of source has this form. */
export type RealTools = Pick<ModuleTools, 'answer' | 'close'>;

/** How a program ended that was started for one call. */
export type ToolProgramResult =
  | { readonly exitCode: number; readonly stdout: string; readonly stderr: string; readonly latencyMs: number }
  /** Why it has no result, as the end of a sentence about it. */
  | { readonly fault: string };

/** Starts a program for one call, with JSON on its stdin. */
export type StartToolProgram = (input: string, signal: AbortSignal) => Promise<ToolProgramResult>;

/** EX_TEMPFAIL of sysexits.h: the program could not do its work now, so there is no tool result. */
const temporaryFailure = 75;

/** Exit codes of a shell: the program can't be run, or does not exist. */
const notRun: ReadonlySet<number> = new Set([126, 127]);

/**
 * A program as real tools: `{ tool, arguments }` on stdin, the result on stdout. An exit code other than 0 is the tool's
 * error, with the end of stderr.
 */
export function createExecTools(shown: string, start: StartToolProgram): RealTools {
  return {
    async answer(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome | UnknownTool> {
      const ended = await start(writeInput(call), signal);
      const named = `, called for ${quote(call.name, 60)}`;
      if ('fault' in ended) return { kind: 'errored', message: `tools: ${shown} ${ended.fault}${named}` };
      const { exitCode, latencyMs } = ended;
      const lastOutput = lastWords(ended.stderr.trim(), maxErrorChars);
      if (exitCode === temporaryFailure || notRun.has(exitCode)) {
        return {
          kind: 'errored',
          message: `tools: ${shown} ended with exit code ${exitCode}${named}${lastOutput === '' ? '' : `: ${lastOutput}`}`,
        };
      }
      if (exitCode !== 0) {
        const content = lastOutput === '' ? `ended with exit code ${exitCode}` : lastOutput;
        return { kind: 'result', result: { content, isError: true, latencyMs } };
      }
      // The newline at the end of a program's output is not part of the result.
      return { kind: 'result', result: { content: ended.stdout.replace(/\r?\n$/, ''), latencyMs } };
    },
    close: () => undefined,
  };
}

function writeInput({ name, rawArguments }: ToolCall): string {
  // The text of the arguments, so that every digit of a number arrives.
  return `{"tool":${JSON.stringify(name)},"arguments":${rawArguments.trim() === '' ? '{}' : rawArguments}}\n`;
}

const maxErrorChars = 2000;

/** The most bytes of a program's output. A longer output can't be a result. */
export const maxProgramBytes = maxResultBytes * 4;

/** The state of tools, undefined if they keep none; or why it can't be read. */
export type StateOutcome = { readonly state: JsonValue | undefined } | { readonly fault: string };

export type ToolOutcome =
  | { readonly kind: 'result'; readonly result: ToolResult }
  /** The call fails its cell. */
  | { readonly kind: 'fails'; readonly reason: string }
  /** The tool itself could not be run: the cell has no verdict. */
  | { readonly kind: 'errored'; readonly message: string };

/** The arguments of a call, which may be none at all; undefined if they are not JSON. */
export function readArguments({ rawArguments }: ToolCall): unknown {
  const parsed = parseJson(rawArguments.trim() === '' ? '{}' : rawArguments);
  return parsed.ok ? plainNumbers(parsed.value) : undefined;
}

/** The answer of a real tool to arguments that it can't read. */
export function refuseArguments({ rawArguments }: ToolCall): ToolResult {
  return { content: `the arguments are not JSON: ${quote(rawArguments)}`, isError: true };
}

/** Refuses a result that is too long, because it would exceed the plan's upper bound. */
export function refuseLength({ name }: ToolCall, bytes: number): ToolOutcome {
  const [found, most] = [bytes, maxResultBytes].map((count) => count.toLocaleString('en-US'));
  return { kind: 'fails', reason: `the result of ${quote(name, 60)} has ${found} bytes, and ${most} are the most` };
}

/** The tools of a module, with the state that they keep for one cell. */
export interface ModuleTools {
  answer(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome | UnknownTool>;
  state(signal: AbortSignal): Promise<StateOutcome>;
  close(): void;
}

/** The module has no such tool. `hint` names the function to add. */
export interface UnknownTool {
  readonly kind: 'unknown';
  readonly hint: string;
}

/** A child of its own that runs jobs of one module, one after the other. */
export interface ModuleChild {
  run(job: ModuleJob): Promise<{ readonly outcome: CodeOutcome; readonly latencyMs?: number }>;
  close(): void;
}

/** How long one call may take, the module's own start included. */
export const toolTimeoutMs = 10_000;

export const toolMemoryMb = 512;

/** The tools of a module that runs in a child. */
export function createModuleTools({ file = '', folder, limits }: ToolsCode, child: ModuleChild): ModuleTools {
  const shown = relative(folder, file);
  const bounds = { timeoutMs: toolTimeoutMs, memoryMb: toolMemoryMb, ...limits };
  const run = (job: Pick<ModuleJob, 'exportName' | 'input' | 'tool' | 'signal'>) =>
    child.run({ file, ...bounds, noun: 'result', maxReturnedBytes: maxResultBytes, ...job });
  return {
    async answer(call, signal) {
      const { name, rawArguments } = call;
      const parsed = parseJson(rawArguments);
      const input = parsed.ok ? { name, args: plainNumbers(parsed.value) } : { name };
      const { outcome, latencyMs } = await run({ exportName: 'tools', input, tool: 'call', signal });
      const moduleReply = 'returned' in outcome && isJsonObject(outcome.returned) ? outcome.returned : {};
      const { content, error, bytes, unknown } = moduleReply;
      if (typeof content === 'string') return { kind: 'result', result: { content, ...defined({ latencyMs }) } };
      if (typeof error === 'string')
        return { kind: 'result', result: { content: error, isError: true, ...defined({ latencyMs }) } };
      if (typeof bytes === 'number') return refuseLength(call, bytes);
      if (Array.isArray(unknown)) return { kind: 'unknown', hint: describeUnknown(name, shown, unknown) };
      if (moduleReply['isKnown'] === true) return { kind: 'result', result: refuseArguments(call) };
      const fault = 'fault' in outcome ? outcome.fault : 'sent no result';
      return { kind: 'errored', message: `tools: ${quote(shown, 100)} ${fault}, called for ${quote(name, 60)}` };
    },
    async state(signal) {
      const { outcome } = await run({ exportName: 'state', input: null, tool: 'state', signal });
      if ('fault' in outcome) return { fault: `tools: ${quote(shown, 100)} ${outcome.fault}, asked for its state` };
      const moduleReply = isJsonObject(outcome.returned) ? outcome.returned : {};
      return { state: moduleReply['state'] };
    },
    close: () => child.close(),
  };
}

function describeUnknown(name: string, shown: string, known: readonly JsonValue[]): string {
  const names = known.filter((item) => typeof item === 'string').map((item) => quote(item, 60));
  const has = names.length === 0 ? 'no tools' : `only ${names.join(', ')}`;
  return `export ${quote(name, 60)} from ${quote(shown, 100)}, which has ${has}`;
}

/** The result of a call to a server. */
export type ServerReply = { readonly latencyMs: number } & (
  | { readonly result: unknown }
  /** The server answered with an error. */
  | { readonly refusal: string }
  /** It could not be asked. */
  | { readonly fault: string }
);

/** A connection to a server for one cell; it opens with the first call. */
export interface ToolServer {
  call(name: string, args: unknown, signal: AbortSignal): Promise<ServerReply>;
  close(): void;
}

/** The tools of servers, asked for one cell. */
interface ServerTools {
  /** Undefined for a tool that no server has. */
  answer(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome> | undefined;
  close(): void;
}

/** Answers calls by the servers that have their tools. */
export function createServerTools(servers: ToolServers, startServer: (server: McpServer) => ToolServer): ServerTools {
  // A server has many tools and is asked over one connection.
  const open = new Map<string, ToolServer>();
  return {
    answer(call, signal) {
      const server = servers.get(call.name);
      if (server === undefined) return undefined;
      const key = JSON.stringify(server);
      const connection = open.get(key) ?? startServer(server);
      open.set(key, connection);
      return askServer(call, connection, signal);
    },
    close() {
      for (const server of open.values()) server.close();
    },
  };
}

/** Servers as real tools, whose answers are recorded. */
export function createRealServers(servers: ToolServers, startServer: (server: McpServer) => ToolServer): RealTools {
  const tools = createServerTools(servers, startServer);
  const hint = `take a snapshot that has the tool; the servers have only ${[...servers.keys()].slice(0, 20).join(', ')}`;
  return {
    answer: async (call, signal) => (await tools.answer(call, signal)) ?? { kind: 'unknown', hint },
    close: () => tools.close(),
  };
}

async function askServer(call: ToolCall, server: ToolServer, signal: AbortSignal): Promise<ToolOutcome> {
  const { name } = call;
  const args = readArguments(call);
  // The protocol takes a map of arguments alone.
  if (!isJsonObject(args)) return { kind: 'result', result: refuseArguments(call) };
  const reply = await server.call(name, args, signal);
  const { latencyMs } = reply;
  if ('fault' in reply) return { kind: 'errored', message: `tools: ${reply.fault}, called for ${quote(name, 60)}` };
  if ('refusal' in reply) return { kind: 'result', result: { content: reply.refusal, isError: true, latencyMs } };
  const { content, structuredContent, isError } = isJsonObject(reply.result) ? reply.result : {};
  const text = readContent(content, structuredContent);
  if (text === undefined) {
    return { kind: 'errored', message: `tools: the server's result of ${quote(name, 60)} has no content` };
  }
  return {
    kind: 'result',
    result: { content: text, latencyMs, ...defined({ isError: isError === true ? (true as const) : undefined }) },
  };
}

/** The texts of a result. Other content can't be sent back to every API, so the model gets a description of it. */
function readContent(content: JsonValue | undefined, structured: JsonValue | undefined): string | undefined {
  if (Array.isArray(content) && (content.length > 0 || structured === undefined)) {
    return content.map(readPart).join('\n');
  }
  return writeJson(structured);
}

function readPart(part: JsonValue): string {
  const { type, text, mimeType, uri, resource } = isJsonObject(part) ? part : {};
  if (type === 'text' && typeof text === 'string') return text;
  if (isJsonObject(resource)) return typeof resource['text'] === 'string' ? resource['text'] : `[${showUri(resource)}]`;
  if (type === 'resource_link' && typeof uri === 'string') return `[resource ${uri}]`;
  return `[${typeof type === 'string' ? type : 'part'}${typeof mimeType === 'string' ? ` ${mimeType}` : ''}]`;
}

function showUri({ uri }: { readonly [key: string]: JsonValue }): string {
  return typeof uri === 'string' ? `resource ${uri}` : 'resource';
}
