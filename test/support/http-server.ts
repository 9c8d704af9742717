import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The connection it came on, counted from 0. */
  readonly connection: number;
}

export interface ScriptedReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
}

/** `hang`: never answers. `reset`: closes the socket without a byte. `truncate`: headers and half a body, then closes. */
export type Scripted = ScriptedReply | 'hang' | 'reset' | 'truncate';

export interface ScriptedServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly ReceivedRequest[];
  /** Resolves with the request number `count` (from 1) as soon as it has come. */
  waitFor(count: number): Promise<ReceivedRequest>;
  close(): Promise<void>;
}

/** A server on 127.0.0.1 that answers by a list (the last entry repeats) or by a function. */
/** An answer with a text to every API at once but Responses. */
export function answerOfEveryApi(text: string): object {
  const parts = [{ type: 'text', text }];
  return {
    choices: [{ message: { content: text }, finish_reason: 'stop' }],
    content: parts,
    stop_reason: 'end_turn',
    candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }],
    output: { message: { content: [{ text }] } },
    stopReason: 'end_turn',
    message: { content: parts },
    text,
  };
}

export async function startServer(
  script: Scripted | readonly Scripted[] | ((request: ReceivedRequest, index: number) => Scripted | Promise<Scripted>),
  host = '127.0.0.1',
): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = [];
  const waiting: { readonly count: number; readonly resolve: (request: ReceivedRequest) => void }[] = [];
  const connections = new Map<unknown, number>();

  async function choose(request: ReceivedRequest, index: number): Promise<Scripted> {
    if (typeof script === 'function') return script(request, index);
    if (!Array.isArray(script)) return script as Scripted;
    return (script as readonly Scripted[])[Math.min(index, script.length - 1)] ?? 'hang';
  }

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const request: ReceivedRequest = {
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        connection: connections.get(incoming.socket) ?? -1,
      };
      const index = requests.push(request) - 1;
      for (const { count, resolve } of waiting) if (count === index + 1) resolve(request);
      void choose(request, index).then((reply) => answer(response, reply));
    });
  });
  server.on('connection', (socket) => connections.set(socket, connections.size));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    requests,
    waitFor(count) {
      const arrived = requests[count - 1];
      return arrived === undefined
        ? new Promise((resolve) => waiting.push({ count, resolve }))
        : Promise.resolve(arrived);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(response: ServerResponse, reply: Scripted): void {
  if (reply === 'hang') return;
  if (reply === 'reset') {
    response.socket?.destroy();
    return;
  }
  if (reply === 'truncate') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"choices":', () => response.socket?.destroy());
    return;
  }
  const { status = 200, headers = {}, body = '' } = reply;
  const isText = typeof body === 'string' || Buffer.isBuffer(body);
  const type = isText ? {} : { 'content-type': 'application/json' };
  response.writeHead(status, { ...type, ...headers });
  response.end(isText ? body : JSON.stringify(body));
}
