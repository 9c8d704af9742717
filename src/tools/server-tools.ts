import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { ToolServers } from '../model/agent.ts';
import type { ToolCall } from '../model/completion.ts';
import type { McpServer } from '../model/mcp.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { quote } from '../text/shorten.ts';
import type { RealTools } from './real-tools.ts';
import { refuseArguments, type ToolOutcome } from './tool-outcome.ts';

/** What became of a call that was sent to a server. */
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
export interface ServerTools {
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
  const { name, rawArguments } = call;
  const parsed = parseJson(rawArguments.trim() === '' ? '{}' : rawArguments);
  const args = parsed.ok ? plainNumbers(parsed.value) : undefined;
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

/** The texts of a result. What is no text can't be sent back to every API, so the model is told what there was. */
function readContent(content: JsonValue | undefined, structured: JsonValue | undefined): string | undefined {
  if (!Array.isArray(content)) return structured === undefined ? undefined : JSON.stringify(structured);
  if (content.length === 0 && structured !== undefined) return JSON.stringify(structured);
  return content.map(readPart).join('\n');
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
