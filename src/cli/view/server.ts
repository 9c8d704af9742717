import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { UserError } from '../../model/problem.ts';
import type { Report } from '../../model/report/report.ts';
import { buildPageData, contentPolicy, renderPageFoot, renderPageHead } from '../../reports/html/html.ts';
import { attempt, attemptOr } from '../../text/attempt.ts';
import type { ViewedRuns } from '../../viewing/view-runs.ts';

export interface ViewServerOptions {
  readonly runs: ViewedRuns;
  /** Grants access; 32 random bytes or more, as text. */
  readonly token: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface ViewServer {
  /** The address to open, with the token. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves stored runs to a browser on this machine: read-only, on loopback only, to no other origin. */
export async function openViewServer({ runs, token, port }: ViewServerOptions): Promise<ViewServer> {
  const pages = createPageStore(runs);
  const updates = watchRecords(runs);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      refuse(response, error instanceof UserError ? 422 : 500, describeError(error));
    });
  });
  await listen(server, port);
  const { port: bound } = server.address() as AddressInfo;
  const hosts = new Set([`127.0.0.1:${bound}`, `localhost:${bound}`]);
  const cookie = `llmcheck_${bound}`;
  return {
    url: `http://127.0.0.1:${bound}/?token=${token}`,
    async close() {
      updates.close();
      const isClosed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await isClosed;
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/', headers } = request;
    // Another host name means another origin whose DNS may point here (DNS rebinding).
    if (!hosts.has(headers.host ?? '')) return refuse(response, 403, 'This server does not have this address.');
    if (isFromOtherSite(request, hosts)) return refuse(response, 403, 'The request comes from another site.');
    if (method !== 'GET') {
      response.setHeader('Allow', 'GET');
      return refuse(response, 405, 'This server is read-only.');
    }
    // `URL` throws for some of the texts that a client can send.
    const [pathname = '', query = ''] = url.split('?');
    const given = new URLSearchParams(query).get('token');
    if (pathname === '/' && given !== null) {
      if (!isSame(given, token)) return refuse(response, 403, noToken);
      // The redirect removes the token from the address, in which others could see it.
      response.setHeader('Set-Cookie', `${cookie}=${token}; Path=/; HttpOnly; SameSite=Strict`);
      response.writeHead(303, { ...headersOf('text/plain'), Location: '/' }).end();
      return;
    }
    if (!isSame(readCookie(headers.cookie, cookie), token)) return refuse(response, 403, noToken);
    await serve(pathname, response, { runs, pages, updates });
  }
}

const noToken = 'Open the address that `llmcheck view` printed: it holds the key to this page.';

interface Served {
  readonly runs: ViewedRuns;
  readonly pages: PageStore;
  readonly updates: Updates;
}

async function serve(pathname: string, response: ServerResponse, { runs, pages, updates }: Served): Promise<void> {
  const parts = pathname.split('/').slice(1).map(decode);
  const [first, kind, ...rest] = parts;
  if (pathname === '/') return send(response, 'text/html; charset=utf-8', page());
  if (pathname === '/api/runs') return send(response, json, JSON.stringify(runs.list()));
  if (pathname === '/api/events') return updates.add(response);
  if (first === 'api' && kind === 'run' && rest.length === 2 && rest[1] === 'verdict') {
    const verdict = await runs.verdict(rest[0] ?? '');
    if (verdict === undefined) return refuse(response, 404, `There is no stored run ${rest[0] ?? ''} (any more).`);
    return send(response, json, JSON.stringify(verdict));
  }
  const count = kind === 'run' ? 1 : kind === 'compare' ? 2 : 0;
  const ids = rest.slice(0, count);
  const [part, number, ...more] = rest.slice(count);
  const isWhole = part === 'index' ? number === undefined : part === 'block' && /^\d{1,7}$/.test(number ?? '');
  if (first !== 'api' || count === 0 || !isWhole || more.length > 0)
    return refuse(response, 404, 'There is no such page.');
  const found = await pages.find(ids);
  if (found === undefined) return refuse(response, 404, `There is no stored run ${ids.join(' or ')} (any more).`);
  const body = part === 'index' ? found.index : found.blocks[Number(number)];
  if (body === undefined) return refuse(response, 404, 'The record has changed: load the page again.');
  response.writeHead(200, { ...headersOf(json), 'Content-Encoding': 'gzip' }).end(body);
}

const json = 'application/json; charset=utf-8';

function page(): string {
  return renderPageHead({ title: 'llmcheck', isServed: true }) + renderPageFoot();
}

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, headersOf(type)).end(body);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  response.writeHead(status, headersOf('text/plain; charset=utf-8')).end(`${message}\n`);
}

function headersOf(type: string): Record<string, string> {
  return {
    'Content-Type': type,
    'Content-Security-Policy': `${contentPolicy(true)}; frame-ancestors 'none'`,
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  };
}

/** True for a request that another site made. The address bar of a browser sends `none` as the site. */
function isFromOtherSite({ headers }: IncomingMessage, hosts: ReadonlySet<string>): boolean {
  const { origin } = headers;
  if (origin !== undefined && ![...hosts].some((host) => origin === `http://${host}`)) return true;
  const site = headers['sec-fetch-site'];
  // A link on another page may lead here, because a person clicks it.
  return site !== undefined && site !== 'same-origin' && site !== 'none' && headers['sec-fetch-mode'] !== 'navigate';
}

/** Compares in constant time, whatever the lengths are. */
function isSame(given: string | undefined, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(hash(given), hash(token));
}

function readCookie(header: string | undefined, name: string): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

function decode(text: string): string {
  return attemptOr(() => decodeURIComponent(text), URIError, '');
}

function describeError(error: unknown): string {
  if (error instanceof UserError) return error.problems.map(({ message }) => message).join('\n');
  return `This is a bug of llmcheck: ${error instanceof Error ? error.message : String(error)}`;
}

interface Updates {
  add(response: ServerResponse): void;
  close(): void;
}

/** Tells every open page which records have changed. Reads their states only while a page is open. */
function watchRecords(runs: ViewedRuns): Updates {
  const listeners = new Set<ServerResponse>();
  let known = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const states = attempt(() => new Map(runs.states()), Error);
    // A request says why the records can't be read. They may be there again at the next look.
    if (states instanceof Error) return;
    for (const [id, state] of states) {
      if (known.get(id) === state) continue;
      // The name of a file may hold a line break.
      for (const listener of listeners) listener.write(`event: run\ndata: ${encodeURIComponent(id)}\n\n`);
    }
    known = states;
  };
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    add(response) {
      response.writeHead(200, { ...headersOf('text/event-stream'), Connection: 'keep-alive' });
      response.write(':\n\n');
      if (timer === undefined) {
        known = new Map(runs.states());
        timer = setInterval(look, lookMs);
      }
      listeners.add(response);
      response.on('close', () => {
        listeners.delete(response);
        if (listeners.size === 0) stop();
      });
    },
    close() {
      stop();
      for (const listener of listeners) listener.end();
    },
  };
}

const lookMs = 400;

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return reject(error);
      const taken = error.code === 'EADDRINUSE';
      const message = `--port ${port}: the port ${taken ? 'is taken' : 'is not for everybody'}.`;
      const hint = 'leave --port out, and a free one is taken';
      return reject(new UserError({ code: 'usage', message, hint }, { cause: error }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** A page's data, compressed. */
interface StoredPage {
  readonly index: Buffer;
  readonly blocks: readonly Buffer[];
}

interface PageStore {
  /** The page of one run, or of two that are compared; undefined if one does not exist. */
  find(ids: readonly string[]): Promise<StoredPage | undefined>;
}

/** Keeps the latest pages, compressed, until their records grow. */
function createPageStore(runs: ViewedRuns): PageStore {
  const kept = new Map<string, { readonly state: string; readonly page: Promise<StoredPage> }>();
  return {
    async find(ids) {
      const states = runs.states();
      const state = JSON.stringify(ids.map((id) => states.get(id)));
      const key = JSON.stringify(ids);
      const known = kept.get(key);
      if (known?.state === state) return known.page;
      const [first = '', second] = ids;
      const report = second === undefined ? runs.report(first) : runs.compare(first, second);
      if (report === undefined) return undefined;
      const page = report.then(compress);
      kept.delete(key);
      for (const old of kept.keys()) if (kept.size >= maxPages) kept.delete(old);
      kept.set(key, { state, page });
      // A page that failed may succeed once its files are corrected.
      page.catch(() => kept.delete(key));
      return page;
    },
  };
}

const maxPages = 4;

function compress(report: Report): StoredPage {
  const blocks: Buffer[] = [];
  let index = Buffer.alloc(0);
  // Blocks are made together with the index. A record that grows in between would give blocks that do not match it.
  for (const piece of buildPageData(report)) {
    const packed = gzipSync(piece.json, { level: 1 });
    if (piece.kind === 'index') index = packed;
    else blocks[piece.number] = packed;
  }
  return { index, blocks };
}
