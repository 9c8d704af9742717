import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { defined } from '../json/defined.ts';
import { onAbort } from '../text/deadline.ts';
import { decodeText } from '../text/decode-text.ts';
import { describeSendError, HttpError } from './http-error.ts';
import { findProxy } from './proxy.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'POST' | 'GET' | 'PATCH' | 'PUT' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** Times the pieces of the answer. One that breaks off is an answer too, as far as it came. */
  readonly isStream?: boolean;
}

/** A whole answer, of any status. */
export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Why `text` may differ from the sent body, as the end of a sentence about it. */
  readonly fault?: string;
  /** The time from just before sending to the last byte. */
  readonly latencyMs: number;
  /** The data of a streamed response. */
  readonly raw?: RawStream;
}

/** The pieces of a streamed answer. */
interface RawStream {
  readonly bytes: Buffer;
  /** How many bytes had come when, counted from just before sending; absent if the bytes were compressed. */
  readonly arrivals?: readonly Arrival[];
  /** Why the connection ended before the answer. */
  readonly brokenBy?: Error;
}

interface Arrival {
  readonly bytes: number;
  readonly atMs: number;
}

export interface HttpClient {
  /** Rejects with the signal's reason, a socket's error or an `HttpError`; an HTTP status is never an error. */
  send(request: HttpRequest): Promise<HttpReply>;
  close(): void;
}

interface HttpClientOptions {
  /** HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are read from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly maxBodyBytes?: number;
  /**
   * Gives each request a connection of its own. A server may close an idle connection while a request is written. It is
   * then unknown whether the server saw the request.
   */
  readonly isFresh?: boolean;
}

const defaultMaxBodyBytes = 64 * 1024 * 1024;

/**
 * If a proxy closes a connection without an answer, undici treats the connection as idle. It then opens new ones
 * without end. An error of another class stops that.
 */
function openTunnels(origin: URL, options: object): Dispatcher {
  const pool = new Pool(origin, options);
  const ask: (request: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData> = pool.connect.bind(pool);
  const connect = async (request: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> => {
    try {
      return await ask(request);
    } catch (error) {
      if (!isClosedEarly(error)) throw error;
      throw new HttpError('proxy', `the proxy ${origin.host} closed the connection`, { cause: error });
    }
  };
  return Object.assign(pool, { connect });
}

function isClosedEarly(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'UND_ERR_SOCKET';
}

/** After the client is closed, no connection may open: undici reconnects for requests that were aborted. */
function openDirect(
  limits: Agent.Options,
  connecting: { readonly timeout: number; readonly signal: AbortSignal },
): Agent {
  const dial = buildConnector(connecting);
  return new Agent({
    ...limits,
    connect(options, callback) {
      if (connecting.signal.aborted) callback(new Error('the client is closed'), null);
      else dial(options, callback);
    },
  });
}

/**
 * HTTP/1.1 over undici, with one connection for each open request. It never sends anything twice, follows no redirects
 * and has no deadlines: retries and time limits belong to the caller.
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
  const direct = openDirect(limits, connect);
  const tunnels = new Map<string, ProxyAgent>();
  // Most clients use only one address.
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
      dispatcher = new ProxyAgent({
        ...limits,
        ...tls,
        uri: origin,
        headers: proxy.headers,
        clientFactory: openTunnels,
      });
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
        if (isTooLarge(error)) throw tooLarge(maxBodyBytes);
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
  { method, headers: own, body, signal, isStream = false }: HttpRequest,
  { dispatcher, origin, path, headers: added, tunnel }: Route,
  { maxBodyBytes, isFresh }: { readonly maxBodyBytes: number; readonly isFresh: boolean },
): Promise<HttpReply> {
  const startedAt = performance.now();
  const headers = added === undefined ? own : { ...own, ...added };
  const sent = { origin, path, method, headers, body, reset: isFresh };
  const answer = await dispatch(dispatcher, sent, { signal, isStream, startedAt });
  // Nanoseconds, because the latency is part of an answer's id and should differ between answers.
  const latencyMs = Math.round((performance.now() - startedAt) * 1e6) / 1e6;
  // undici frees a connection one turn of the event loop after its answer; a call before that would open another one.
  await new Promise((resolve) => setImmediate(resolve));
  const { 'content-encoding': encoding, 'content-type': type } = answer.headers;
  if (answer.brokenBy !== undefined && encoding !== undefined) throw answer.brokenBy;
  const decoded = encoding === undefined ? answer.body : await decodeBody(answer.body, String(encoding), maxBodyBytes);
  const content = decodeText(decoded, type === undefined ? undefined : String(type));
  const reply = { status: answer.status, headers: answer.headers, latencyMs, ...content };
  if (!isStream) return reply;
  const brokenBy = answer.brokenBy && (signal.aborted ? answer.brokenBy : describeSendError(answer.brokenBy, tunnel));
  const arrivals = encoding === undefined ? answer.arrivals : undefined;
  return { ...reply, raw: { bytes: decoded, ...defined({ arrivals, brokenBy }) } };
}

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly arrivals: readonly Arrival[];
  /** Only of a stream. */
  readonly brokenBy?: Error;
}

interface Dispatching {
  readonly signal: AbortSignal;
  readonly isStream: boolean;
  readonly startedAt: number;
}

/** Sends a request and collects its whole answer. It settles as soon as the signal fires, even without a connection. */
function dispatch(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { signal, isStream, startedAt }: Dispatching,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let head: Pick<RawAnswer, 'status' | 'headers'> | undefined;
    const chunks: Buffer[] = [];
    const arrivals: Arrival[] = [];
    let bytes = 0;
    const breakOff = (error: Error) => {
      if (!isStream || head === undefined) reject(error);
      else resolve({ body: Buffer.concat(chunks), ...head, arrivals, brokenBy: error });
    };
    const stopListening = onAbort(signal, () => {
      controller?.abort(abortReason(signal));
      breakOff(abortReason(signal));
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
        bytes += chunk.length;
        if (isStream) arrivals.push({ bytes, atMs: performance.now() - startedAt });
      },
      onResponseEnd() {
        stopListening();
        if (head === undefined) reject(new Error('an answer has ended that never began'));
        else resolve({ body: Buffer.concat(chunks), ...head, arrivals });
      },
      onResponseError(_, error) {
        stopListening();
        breakOff(error);
      },
    });
  });
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}

type Decode = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  br: promisify(brotliDecompress),
  deflate: decodeDeflate,
  identity: (body) => Promise.resolve(body),
};

const inflateWrapped: Decode = promisify(inflate);
const inflateBare: Decode = promisify(inflateRaw);

/** Undoes a `content-encoding`, several codings included. Throws an `HttpError` if the bytes don't fit it or the cap. */
async function decodeBody(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  let decoded = body;
  for (const coding of encoding.split(',').reverse()) {
    const said = coding.trim();
    // An empty element of a list is to be ignored (RFC 9110 5.6.1.2).
    if (said !== '') decoded = await decodeOne(decoded, said, { encoding, maxBytes });
  }
  return decoded;
}

async function decodeOne(
  body: Buffer,
  coding: string,
  { encoding, maxBytes }: { readonly encoding: string; readonly maxBytes: number },
): Promise<Buffer> {
  const name = coding.toLowerCase();
  const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  // In the server's spelling, so that a secret in it is recognised and masked.
  if (decode === undefined) throw unreadable(encoding, `the encoding ${JSON.stringify(coding)} is not known`);
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw unreadable(encoding, error.message, error);
  }
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError('body-too-large', `the body is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB`);
}

function unreadable(encoding: string, reason: string, cause?: Error): HttpError {
  return new HttpError('body-unreadable', `the body can't be decoded as ${encoding}: ${reason}`, { cause });
}

/** Some servers send `deflate` without the zlib wrapper that RFC 9110 requires. The first byte shows which it is. */
function decodeDeflate(body: Buffer, options: { readonly maxOutputLength: number }): Promise<Buffer> {
  return ((body[0] ?? 0) & 0x0f) === 8 ? inflateWrapped(body, options) : inflateBare(body, options);
}
