import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { decodeText } from '../text/decode-text.ts';
import { onAbort } from '../text/on-abort.ts';
import { decodeBody, tooLarge } from './decode-body.ts';
import { describeSendError } from './http-error.ts';
import { findProxy } from './proxy.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'POST' | 'GET' | 'PATCH' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** A whole answer, of any status. */
export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Why `text` may differ from what was sent, as the end of a sentence about the body. */
  readonly fault?: string;
  /** From just before sending to the last byte. */
  readonly latencyMs: number;
}

export interface HttpClient {
  /** Rejects with the signal's reason, a socket's error or an `HttpError`; an HTTP status is never an error. */
  send(request: HttpRequest): Promise<HttpReply>;
  close(): void;
}

export interface HttpClientOptions {
  /** HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are read from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly maxBodyBytes?: number;
  /**
   * Gives each request a connection of its own. A server may close an idle connection just as a request is written, and
   * then it is unknown whether the server saw it.
   */
  readonly isFresh?: boolean;
}

const defaultMaxBodyBytes = 64 * 1024 * 1024;

/**
 * HTTP/1.1 over undici, with as many connections as there are requests under way. It never sends anything twice, follows
 * no redirects and has no deadlines: retries and time limits belong to the caller.
 */
export function openHttpClient({
  env,
  maxBodyBytes = defaultMaxBodyBytes,
  isFresh = false,
}: HttpClientOptions): HttpClient {
  const closing = new AbortController();
  // Each socket listens to it.
  setMaxListeners(0, closing.signal);
  // undici has no other way to end a socket that still connects.
  const connect = { timeout: 0, signal: closing.signal };
  const limits = { headersTimeout: 0, bodyTimeout: 0, maxResponseSize: maxBodyBytes };
  const direct = new Agent({ ...limits, connect });
  const tunnels = new Map<string, ProxyAgent>();
  // Most clients ask one address alone.
  let last: { readonly url: string; readonly route: Route } | undefined;

  function findRoute(url: URL): Route {
    const proxy = findProxy(url, env);
    if (proxy === undefined) return { dispatcher: direct, origin: url.origin, path: url.pathname + url.search };
    if (url.protocol === 'http:') {
      const headers = { ...proxy.headers, host: url.host };
      return { dispatcher: direct, origin: proxy.url.origin, path: url.href, headers };
    }
    const { href, origin, host } = proxy.url;
    let dispatcher = tunnels.get(href);
    if (dispatcher === undefined) {
      const tls = { proxyTls: connect, requestTls: connect };
      dispatcher = new ProxyAgent({ ...limits, ...tls, uri: origin, headers: proxy.headers });
      tunnels.set(href, dispatcher);
    }
    return { dispatcher, origin: url.origin, path: url.pathname + url.search, tunnel: host };
  }

  return {
    async send(request) {
      const { signal } = request;
      if (signal.aborted) throw abortReason(signal);
      if (last?.url !== request.url) last = { url: request.url, route: findRoute(new URL(request.url)) };
      const { route } = last;
      try {
        return await exchange(request, route, { maxBodyBytes, isFresh });
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
        if (hasCode(error, 'UND_ERR_RES_EXCEEDED_MAX_SIZE')) throw tooLarge(maxBodyBytes);
        throw error instanceof Error ? describeSendError(error, route.tunnel) : error;
      }
    },
    close() {
      for (const dispatcher of [direct, ...tunnels.values()]) void dispatcher.destroy();
      closing.abort();
    },
  };
}

interface Route {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The host of the proxy that opens a tunnel to the origin. */
  readonly tunnel?: string;
}

async function exchange(
  { method, headers: own, body, signal }: HttpRequest,
  { dispatcher, origin, path, headers: added }: Route,
  { maxBodyBytes, isFresh }: { readonly maxBodyBytes: number; readonly isFresh: boolean },
): Promise<HttpReply> {
  const startedAt = performance.now();
  const headers = added === undefined ? own : { ...own, ...added };
  const answer = await dispatch(dispatcher, { origin, path, method, headers, body, reset: isFresh }, signal);
  // Nanoseconds, in which two answers hardly ever take equally long: the latency is part of what names an answer.
  const latencyMs = Math.round((performance.now() - startedAt) * 1e6) / 1e6;
  // undici frees a connection one turn of the event loop after its answer; a call before that would open another one.
  await new Promise((resolve) => setImmediate(resolve));
  const { 'content-encoding': encoding, 'content-type': type } = answer.headers;
  const decoded = encoding === undefined ? answer.body : await decodeBody(answer.body, String(encoding), maxBodyBytes);
  const content = decodeText(decoded, type === undefined ? undefined : String(type));
  return { status: answer.status, headers: answer.headers, latencyMs, ...content };
}

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Sends a request and collects its answer; settles as soon as the signal fires, even without a connection.
 * undici's `request` would make a stream of each body: 10,000 calls take 0.3 s of CPU less without.
 */
function dispatch(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let head: Omit<RawAnswer, 'body'> | undefined;
    const chunks: Buffer[] = [];
    const stopListening = onAbort(signal, () => {
      controller?.abort(abortReason(signal));
      reject(abortReason(signal));
    });
    dispatcher.dispatch(options, {
      onRequestStart(started) {
        controller = started;
        // The signal may have fired while there was no connection.
        if (signal.aborted) started.abort(abortReason(signal));
      },
      onResponseStart(_, status, headers) {
        // A status below 200 comes before the answer.
        if (status >= 200) head = { status, headers };
      },
      onResponseData(_, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        stopListening();
        if (head === undefined) reject(new Error('an answer has ended that never began'));
        else resolve({ body: Buffer.concat(chunks), ...head });
      },
      onResponseError(_, error) {
        stopListening();
        reject(error);
      },
    });
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
