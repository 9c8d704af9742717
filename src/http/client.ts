import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { defined } from '../json/defined.ts';
import { onAbort } from '../text/deadline.ts';
import { decodeText } from '../text/decode-text.ts';
import { decodeBody, tooLarge } from './decode-body.ts';
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
   * Asked about what has come of a streamed body each time that it has doubled, from the first 256 KiB on. True ends the
   * request, as a body that is too large does.
   */
  readonly isEnough?: (body: Buffer, contentType: string) => boolean;
  /**
   * Gives each request a connection of its own. A server may close an idle connection while a request is written. It is
   * then unknown whether the server saw the request.
   */
  readonly isFresh?: boolean;
}

const defaultMaxBodyBytes = 64 * 1024 * 1024;

/** The most that is read of an error's body. It says the reason at its start. */
const maxErrorBytes = 1024 * 1024;

const firstLookBytes = 256 * 1024;

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
  isEnough,
  isFresh = false,
}: HttpClientOptions): HttpClient {
  const closing = new AbortController();
  // Each socket listens to it.
  setMaxListeners(0, closing.signal);
  // undici has no other way to end a socket that still connects.
  const connect = { timeout: 0, signal: closing.signal };
  const limits = { headersTimeout: 0, bodyTimeout: 0 };
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
        return await exchange(request, route, { maxBodyBytes, isFresh, ...defined({ isEnough }) });
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
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

type ExchangeLimits = Required<Pick<HttpClientOptions, 'maxBodyBytes' | 'isFresh'>> &
  Pick<HttpClientOptions, 'isEnough'>;

async function exchange(
  { method, headers: own, body, signal, isStream = false }: HttpRequest,
  { dispatcher, origin, path, headers: added, tunnel }: Route,
  { maxBodyBytes, isFresh, isEnough }: ExchangeLimits,
): Promise<HttpReply> {
  const startedAt = performance.now();
  const headers = added === undefined ? own : { ...own, ...added };
  const sent = { origin, path, method, headers, body, reset: isFresh };
  const reading = { signal, isStream, startedAt, maxBodyBytes, ...defined({ isEnough }) };
  const answer = await dispatch(dispatcher, sent, reading);
  // Nanoseconds, because the latency is part of an answer's id and should differ between answers.
  const latencyMs = Math.round((performance.now() - startedAt) * 1e6) / 1e6;
  // undici frees a connection one turn of the event loop after its answer; a call before that would open another one.
  await new Promise((resolve) => setImmediate(resolve));
  const { 'content-encoding': encoding, 'content-type': type } = answer.headers;
  if (answer.brokenBy !== undefined && encoding !== undefined) throw answer.brokenBy;
  const decoded = encoding === undefined ? answer.body : await decodeAnswer(answer, String(encoding), maxBodyBytes);
  const content = decodeText(decoded, type === undefined ? undefined : String(type));
  const reply = { status: answer.status, headers: answer.headers, latencyMs, ...content };
  if (!isStream) return reply;
  const brokenBy = answer.brokenBy && (signal.aborted ? answer.brokenBy : describeSendError(answer.brokenBy, tunnel));
  const arrivals = encoding === undefined ? answer.arrivals : undefined;
  return { ...reply, raw: { bytes: decoded, ...defined({ arrivals, brokenBy }) } };
}

/** The body of an error may be left out: its status says enough. */
async function decodeAnswer({ status, body }: RawAnswer, encoding: string, maxBytes: number): Promise<Buffer> {
  try {
    return await decodeBody(body, encoding, isSuccess(status) ? maxBytes : maxErrorBytes);
  } catch (error) {
    if (isSuccess(status) || !(error instanceof HttpError) || error.code !== 'body-too-large') throw error;
    return Buffer.alloc(0);
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly arrivals: readonly Arrival[];
  /** Only of a stream. */
  readonly brokenBy?: Error;
}

interface Dispatching extends Pick<ExchangeLimits, 'maxBodyBytes' | 'isEnough'> {
  readonly signal: AbortSignal;
  readonly isStream: boolean;
  readonly startedAt: number;
}

type Head = Pick<RawAnswer, 'status' | 'headers'>;

/** Collects the pieces of a body, as far as its limits allow. */
class BodyReader {
  readonly #limits: Omit<Dispatching, 'signal'>;
  readonly #arrivals: Arrival[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  #nextLook = firstLookBytes;

  constructor(limits: Omit<Dispatching, 'signal'>) {
    this.#limits = limits;
  }

  answer(head: Head): RawAnswer {
    return { body: Buffer.concat(this.#chunks), ...head, arrivals: this.#arrivals };
  }

  /** Takes a piece. `full`: no more is needed. An error: the body is too large. */
  take(chunk: Buffer, { status, headers }: Head): 'more' | 'full' | HttpError {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const { isStream, startedAt, maxBodyBytes } = this.#limits;
    if (!isSuccess(status)) return this.#bytes > maxErrorBytes ? 'full' : 'more';
    if (this.#bytes > maxBodyBytes) return this.#refuse(maxBodyBytes);
    if (!isStream) return 'more';
    this.#arrivals.push({ bytes: this.#bytes, atMs: performance.now() - startedAt });
    return this.#hasEnough(headers) ? this.#refuse(this.#bytes) : 'more';
  }

  /** Compressed bytes say nothing about the text. What they become has a limit too. */
  #hasEnough({ 'content-encoding': encoding, 'content-type': type = '' }: IncomingHttpHeaders): boolean {
    const { isEnough } = this.#limits;
    if (isEnough === undefined || encoding !== undefined || this.#bytes < this.#nextLook) return false;
    this.#nextLook = this.#bytes * 2;
    return isEnough(Buffer.concat(this.#chunks), type);
  }

  #refuse(maxBytes: number): HttpError {
    // The connection may take a while to end.
    this.#chunks = [];
    return tooLarge(maxBytes);
  }
}

/** Sends a request and collects its whole answer. It settles as soon as the signal fires, even without a connection. */
function dispatch(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { signal, ...limits }: Dispatching,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let head: Head | undefined;
    let isOver = false;
    const reader = new BodyReader(limits);
    const breakOff = (error: Error) => {
      if (!limits.isStream || head === undefined) reject(error);
      else resolve({ ...reader.answer(head), brokenBy: error });
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
        // undici delivers what it has read already, although the request has ended.
        if (isOver || head === undefined) return;
        const state = reader.take(chunk, head);
        if (state === 'more') return;
        isOver = true;
        stopListening();
        if (state === 'full') resolve(reader.answer(head));
        else reject(state);
        controller?.abort(state === 'full' ? new Error('the rest of the error is not read') : state);
      },
      onResponseEnd() {
        stopListening();
        if (head === undefined) reject(new Error('an answer has ended that never began'));
        else resolve(reader.answer(head));
      },
      onResponseError(_, error) {
        stopListening();
        breakOff(error);
      },
    });
  });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
