import http from 'node:http';
import https from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { decodeBody } from './decode-body.ts';
import { findProxy, openTunnelAgent, type TunnelAgent } from './proxy.ts';
import { TransportError } from './transport-error.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** A whole answer, of any status. */
export interface HttpReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** From just before sending to the last byte. */
  readonly latencyMs: number;
}

export interface Transport {
  /** Rejects with the signal's reason, a socket's error or a `TransportError`; an HTTP status is never an error. */
  send(request: HttpRequest): Promise<HttpReply>;
  close(): void;
}

export interface TransportOptions {
  /** HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are read from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly maxBodyBytes?: number;
}

const defaultMaxBodyBytes = 64 * 1024 * 1024;

/**
 * A lean keep-alive HTTP/1.1 client. Measured through the SDK on Node 20 (5,000 calls, 50 at once), CPU a call:
 * global fetch 0.53 ms, this 0.20 ms, undici's pool 0.15 ms; undici doesn't tell whether a socket was reused.
 */
export function openTransport(options: TransportOptions): Transport {
  const maxBodyBytes = options.maxBodyBytes ?? defaultMaxBodyBytes;
  const agents = { 'http:': new http.Agent(agentOptions), 'https:': new https.Agent(agentOptions) };
  const tunnels = new Map<string, TunnelAgent>();

  // A provider asks at one URL, so the way there is found once.
  const routes = new Map<string, Route>();

  function findRoute(address: string): Route {
    const known = routes.get(address);
    if (known !== undefined) return known;
    const found = openRoute(new URL(address));
    routes.set(address, found);
    return found;
  }

  function openRoute(url: URL): Route {
    const secure = url.protocol === 'https:';
    const target = { ...urlToHttpOptions(url), auth: null };
    const proxy = findProxy(url, options.env);
    if (proxy === undefined) {
      return secure
        ? { request: https.request, agent: agents['https:'], target }
        : { request: http.request, agent: agents['http:'], target };
    }
    if (!secure) return forwarded(url, proxy.url, proxy.headers, agents);
    const tunnel = tunnels.get(proxy.url.href) ?? openTunnelAgent(proxy, agentOptions);
    tunnels.set(proxy.url.href, tunnel);
    return { request: https.request, agent: tunnel.agent, target };
  }

  return {
    async send(request) {
      const way = findRoute(request.url);
      try {
        return await sendOnce(request, way, maxBodyBytes);
      } catch (error) {
        if (!(error instanceof StaleSocketError)) throw error;
        // The server closed this idle socket and probably its siblings: the second attempt takes none of them.
        destroyIdleSockets(way.agent);
        return await sendOnce(request, way, maxBodyBytes);
      }
    },
    close() {
      agents['http:'].destroy();
      agents['https:'].destroy();
      for (const tunnel of tunnels.values()) tunnel.close();
    },
  };
}

interface Route {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
  readonly target: http.RequestOptions;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The engine owns concurrency, so the agents set no limit of their own. */
const agentOptions = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY } as const;

/** A reused socket died before a byte of the answer came: the server had closed it while it was idle. */
class StaleSocketError extends Error {}

function forwarded(
  url: URL,
  proxy: URL,
  proxyHeaders: Readonly<Record<string, string>>,
  agents: { readonly 'http:': http.Agent; readonly 'https:': https.Agent },
): Route {
  const target = { ...urlToHttpOptions(proxy), auth: null, path: url.href };
  const headers = { ...proxyHeaders, host: url.host };
  return proxy.protocol === 'https:'
    ? { request: https.request, agent: agents['https:'], target, headers }
    : { request: http.request, agent: agents['http:'], target, headers };
}

function sendOnce(request: HttpRequest, way: Route, maxBodyBytes: number): Promise<HttpReply> {
  const { signal } = request;
  return new Promise<HttpReply>((resolve, reject) => {
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const startedAt = performance.now();
    const sent = way.request({
      ...way.target,
      agent: way.agent,
      method: request.method,
      headers: { ...request.headers, 'content-length': String(Buffer.byteLength(request.body)), ...way.headers },
    });
    let bytesReadBefore = 0;
    let answered = false;

    function finish(settle: () => void): void {
      signal.removeEventListener('abort', abort);
      settle();
    }
    function fail(error: Error): void {
      const stale = !answered && sent.reusedSocket && (sent.socket?.bytesRead ?? 0) === bytesReadBefore;
      finish(() => reject(stale && !signal.aborted ? new StaleSocketError(error.message, { cause: error }) : error));
    }
    // Settles at once: a request that still waits for its tunnel emits nothing when it is destroyed.
    function abort(): void {
      finish(() => reject(abortReason(signal)));
      sent.destroy();
    }

    signal.addEventListener('abort', abort, { once: true });
    sent.once('socket', (socket) => {
      bytesReadBefore = sent.reusedSocket ? socket.bytesRead : 0;
    });
    // Not `once`: a destroyed request may emit a second error, which must not become an uncaught one.
    sent.on('error', fail);
    sent.once('response', (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes <= maxBodyBytes) return;
        fail(tooLarge(maxBodyBytes));
        sent.destroy();
      });
      response.on('error', fail);
      response.once('end', () => {
        const latencyMs = performance.now() - startedAt;
        const body = Buffer.concat(chunks, bytes);
        const status = response.statusCode ?? 0;
        const { headers } = response;
        finish(() =>
          resolve(
            headers['content-encoding'] === undefined
              ? { status, headers, latencyMs, text: body.toString('utf8') }
              : decodeReply({ status, headers, latencyMs }, body, maxBodyBytes),
          ),
        );
      });
    });
    sent.end(request.body);
  });
}

async function decodeReply(reply: Omit<HttpReply, 'text'>, body: Buffer, maxBodyBytes: number): Promise<HttpReply> {
  const encoding = String(reply.headers['content-encoding']);
  try {
    return { ...reply, text: (await decodeBody(body, encoding, maxBodyBytes)).toString('utf8') };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBodyBytes);
    throw new TransportError('body-unreadable', `the body can't be decoded as ${encoding}: ${error.message}`, {
      cause: error,
    });
  }
}

function tooLarge(maxBodyBytes: number): TransportError {
  return new TransportError('body-too-large', `the body is larger than ${Math.floor(maxBodyBytes / 1024 / 1024)} MiB`);
}

function destroyIdleSockets(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
