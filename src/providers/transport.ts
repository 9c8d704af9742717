import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { decodeText } from '../lib/decode-text.ts';
import { onAbort } from '../lib/on-abort.ts';
import { createConnector } from './connect-socket.ts';
import { decodeBody } from './decode-body.ts';
import { type Lines, openLines } from './open-lines.ts';
import { findProxy } from './proxy.ts';
import { TransportError } from './transport-error.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'POST' | 'GET' | 'PATCH' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** Goes out on a new connection, so that it never has to be sent again for an old one that had just been closed. */
  readonly isSentOnce?: boolean;
}

/** A whole answer, of any status. */
export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Why `text` may be another than what was sent, as the end of a sentence about the body. */
  readonly fault?: string;
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

/** A lean keep-alive HTTP/1.1 client over undici's. Without limits and deadlines of its own: the engine has both. */
export function openTransport(options: TransportOptions): Transport {
  const maxBodyBytes = options.maxBodyBytes ?? defaultMaxBodyBytes;
  const connect = createConnector();
  const linesByOrigin = new Map<string, Lines>();
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
    const proxy = findProxy(url, options.env);
    const isForwarded = proxy !== undefined && url.protocol === 'http:';
    const { origin } = isForwarded ? proxy.url : url;
    let lines = linesByOrigin.get(origin);
    if (lines === undefined) {
      lines = openLines(origin, connect, isForwarded ? undefined : proxy);
      linesByOrigin.set(origin, lines);
    }
    if (!isForwarded) return { lines, path: url.pathname + url.search };
    const { hostname: servername } = proxy.url;
    return { lines, path: url.href, headers: { ...proxy.headers, host: url.host }, servername };
  }

  return {
    send: (request) => sendOnce(request, findRoute, maxBodyBytes),
    close() {
      for (const lines of linesByOrigin.values()) lines.close();
    },
  };
}

interface Route {
  readonly lines: Lines;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Set where the host header names another than the host that is connected to. */
  readonly servername?: string;
}

function sendOnce(request: HttpRequest, findRoute: (url: string) => Route, maxBodyBytes: number): Promise<HttpReply> {
  const { signal, method, body } = request;
  return new Promise<HttpReply>((resolve, reject) => {
    const route = findRoute(request.url);
    if (request.isSentOnce === true) route.lines.dropIdle();
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const startedAt = performance.now();
    const line = route.lines.take();
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let wasUsed = false;
    let isSettled = false;

    function fail(error: Error): void {
      if (isSettled) return;
      isSettled = true;
      stopListening();
      line.drop();
      reject(error);
    }

    // Settles at once: a request that still waits for its connection could not be told.
    const stopListening = onAbort(signal, () => fail(abortReason(signal)));
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {
        wasUsed = line.isUsed();
      },
      onResponseStart(_controller, statusCode, received) {
        // Not for the informational ones that may come before it.
        if (statusCode < 200) return;
        status = statusCode;
        headers = received;
      },
      onResponseData(_controller, chunk) {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > maxBodyBytes) fail(tooLarge(maxBodyBytes));
      },
      onResponseEnd() {
        if (isSettled) return;
        isSettled = true;
        const latencyMs = performance.now() - startedAt;
        stopListening();
        line.giveBack();
        const [first] = chunks;
        const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes);
        resolve(
          headers['content-encoding'] === undefined
            ? { status, headers, latencyMs, ...decodeText(whole, headers['content-type']) }
            : decodeReply({ status, headers, latencyMs }, whole, maxBodyBytes),
        );
      },
      onResponseError(_controller, error) {
        // The server had closed this idle socket, and probably its siblings: the next attempt takes none of them. It is
        // the engine's, since nobody here knows whether the server has seen, and billed, this one.
        if (wasUsed && !line.hasHeard()) route.lines.dropIdle();
        fail(asSocketError(error));
      },
    };
    line.client.dispatch(
      {
        path: route.path,
        method,
        body,
        headers: route.headers === undefined ? request.headers : { ...request.headers, ...route.headers },
        ...(route.servername === undefined ? {} : { servername: route.servername }),
      },
      handler,
    );
  });
}

/** undici's own errors in Node's words; whatever else comes is a socket's. */
function asSocketError(error: Error): Error {
  const code = 'code' in error ? String(error.code) : '';
  if (error.name === 'HTTPParserError' && !/EOF/.test(error.message))
    return withCode(error.message, 'HPE_INVALID', error);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return withCode(error.message, 'HPE_HEADER_OVERFLOW', error);
  if (error.name === 'HTTPParserError' || brokenOff.has(code)) {
    return withCode('the connection was closed before the whole answer came', 'ECONNRESET', error);
  }
  return error;
}

const brokenOff: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_DESTROYED',
  'UND_ERR_INFO',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

function withCode(message: string, code: string, cause: Error): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

async function decodeReply(reply: Omit<HttpReply, 'text'>, body: Buffer, maxBodyBytes: number): Promise<HttpReply> {
  const encoding = String(reply.headers['content-encoding']);
  try {
    const whole = await decodeBody(body, encoding, maxBodyBytes);
    return { ...reply, ...decodeText(whole, reply.headers['content-type']) };
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

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
