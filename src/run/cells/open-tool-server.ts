import { connectServer, type McpConnection, McpFault, type McpPorts } from '../../mcp/connect-server.ts';
import type { McpServer } from '../../model/suite/agent.ts';
import { createMask } from '../../secrets/mask-secrets.ts';
import { describeServer, findSecretValues } from '../../snapshots/read-server.ts';
import { onAbort } from '../../text/deadline.ts';
import type { ServerReply, ToolServer } from '../../tools/tool-sources.ts';

/** The limit for starting a server. A package manager may have to download it first. */
const startMs = 30_000;
/** The limit for a call. Calls of a module have the same one. */
const callMs = 10_000;

/** A connection to a server for one cell, which opens with the first call. */
export function openToolServer(
  server: McpServer,
  ports: McpPorts | undefined,
  takePlace: () => Promise<void>,
): ToolServer {
  if (ports === undefined) return unasked;
  return connectOnCall(server, ports, takePlace);
}

/** A server that is never asked, because stored answers do not depend on tools. */
const unasked: ToolServer = {
  call: () => Promise.resolve({ latencyMs: 0, fault: 'no server is asked by this command' }),
  close: () => undefined,
};

function connectOnCall(server: McpServer, ports: McpPorts, takePlace: () => Promise<void>): ToolServer {
  const mask = createMask(findSecretValues(server, ports.env));
  const closing = new AbortController();
  let opening: Promise<McpConnection> | undefined;

  async function open(signal: AbortSignal): Promise<McpConnection> {
    await takePlace();
    if (signal.aborted) throw new McpFault('was not asked: the run was stopped');
    return connectServer(server, startMs, ports, closing.signal);
  }

  async function ask(name: string, args: unknown, signal: AbortSignal): Promise<ServerReply> {
    opening ??= open(signal);
    const startedMs = ports.clock.now();
    const sinceStart = () => ({ latencyMs: ports.clock.now() - startedMs });
    try {
      const connection = await opening;
      const result = await connection.request('tools/call', { name, arguments: args }, callMs);
      return { ...sinceStart(), result };
    } catch (error) {
      if (!(error instanceof McpFault)) throw error;
      const message = mask(error.message);
      if (error.isAnswer) return { ...sinceStart(), refusal: message };
      return { ...sinceStart(), fault: `${describeServer(server)} ${message}` };
    }
  }

  async function close(): Promise<void> {
    closing.abort();
    try {
      await (await opening)?.close();
    } catch (error) {
      // A connection that could not be opened has nothing to close; its call said so.
      if (!(error instanceof McpFault)) throw error;
    }
  }

  return {
    call: (name, args, signal) =>
      new Promise((resolve, reject) => {
        const stopListening = onAbort(signal, () =>
          resolve({ latencyMs: 0, fault: `${describeServer(server)} was stopped with the run` }),
        );
        ask(name, args, signal).then(resolve, reject).finally(stopListening);
      }),
    close: () => void close(),
  };
}
