/** Promptfoo's `http` provider: how it builds a request and reads the reply. */
import { STATUS_CODES } from 'node:http';
import { env } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { type HttpReply, type HttpRequest, openHttpClient } from '../http/client.ts';
import { tryParsePlainJson } from '../json/parse-json.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../templates/template.ts';
import { render } from './template.ts';

/** A request whose texts are templates over `prompt`, `env` and the variables of the test. */
export interface PromptfooRequest {
  readonly url: string;
  readonly method?: HttpRequest['method'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly queryParams?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** True if the config has the request as one raw text. Values in it are then escaped as in a JSON string. */
  readonly isRaw?: boolean;
  /** How often a request is repeated after status 429; 4 by default. */
  readonly maxRetries?: number;
}

/** Code of the provider's config. */
// oxlint-disable-next-line typescript/no-explicit-any -- JavaScript that was written without types
type Code = (...args: any[]) => unknown;

export interface PromptfooHttpCode {
  readonly request?: Code;
  readonly response?: Code;
  readonly status?: Code;
}

type Vars = Readonly<Record<string, unknown>>;

const client = openHttpClient({ env });

/** Sends the request, and returns what promptfoo's provider would return. */
export async function askHttp(
  config: PromptfooRequest,
  code: PromptfooHttpCode,
  { prompt, vars, context }: { readonly prompt: string; readonly vars: Vars; readonly context: object },
): Promise<object> {
  if (needsTemplateEngine(JSON.stringify(config))) await loadTemplateEngine();
  const sent: unknown = code.request === undefined ? prompt : await code.request(prompt, vars, context);
  const reply = await send(buildRequest(config, { ...vars, prompt, env }, sent), config.maxRetries ?? 4);
  const { status, headers, text } = reply;
  const statusText = STATUS_CODES[status] ?? '';
  if (code.status !== undefined && !(await code.status(status)))
    throw new Error(`the server answered with status ${status} ${statusText}`);
  const json = tryParsePlainJson(text) ?? null;
  const response = { data: text, status, statusText, headers, cached: false, latencyMs: reply.latencyMs };
  const base = { metadata: { http: { status, statusText } } };
  if (code.response === undefined) return { ...base, output: json || text };
  const read: unknown = await code.response(json, text, { response });
  const result = isObject(read) && ('output' in read || 'error' in read) ? read : { output: read };
  // If `output` is falsy, promptfoo takes the whole object as the output.
  return (result as { readonly output?: unknown }).output ? { ...base, ...result } : { ...base, output: result };
}

async function send(request: Omit<HttpRequest, 'signal'>, maxRetries: number): Promise<HttpReply> {
  // The signal is never used: the process that runs this is killed when the time is up.
  const { signal } = new AbortController();
  for (let attempt = 0; ; attempt += 1) {
    const reply = await client.send({ ...request, signal });
    if (reply.status >= 300 && reply.status < 400)
      throw new Error(`the server sends on to ${String(reply.headers.location)}, which is not followed here`);
    if (reply.status !== 429) return reply;
    if (attempt >= maxRetries) throw new Error('the server limits the rate of requests (status 429)');
    await wait(1000 * (Number(reply.headers['retry-after']) || 2 ** attempt));
  }
}

function buildRequest(config: PromptfooRequest, vars: Vars, sent: unknown): Omit<HttpRequest, 'signal'> {
  const { method = 'GET', isRaw = false } = config;
  const known = isRaw ? escapeValues({ ...vars, prompt: sent }) : vars;
  const type = isRaw || method === 'GET' ? {} : defaultHeaders(config.body);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...type, ...config.headers }))
    headers[name.toLowerCase()] = render(value, known);
  const url = new URL(render(config.url, known));
  for (const [name, value] of Object.entries(config.queryParams ?? {}))
    url.searchParams.append(name, render(value, known));
  const isJson = !isRaw && (headers['content-type'] ?? '').includes('application/json');
  if (isObject(config.body) && !isJson && method !== 'GET')
    throw new Error('the body is an object, and the content type is not application/json: promptfoo does not send it');
  const body = isRaw ? renderText(config.body, known) : buildBody(config.body, { vars, sent, isJson });
  return { url: url.href, method, headers, body: method === 'GET' ? '' : body };
}

function defaultHeaders(body: unknown): Readonly<Record<string, string>> {
  if (body === undefined) return {};
  return { 'content-type': isObject(body) ? 'application/json' : 'application/x-www-form-urlencoded' };
}

function buildBody(
  body: unknown,
  { vars, sent, isJson }: { readonly vars: Vars; readonly sent: unknown; readonly isJson: boolean },
): string {
  const known = { ...vars, prompt: sent };
  if (!isJson) return renderText(body, known);
  // An object that the request's transform returned overrides members of the body.
  const whole = isObject(sent) ? { ...Object(body ?? {}), ...sent } : buildJson(body, known);
  return typeof whole === 'string' ? whole : JSON.stringify(whole);
}

/** A text in the body that holds a JSON list or object is sent as that list or object. */
function buildJson(body: unknown, vars: Vars): unknown {
  if (typeof body !== 'string') return readNested(renderAll(body, vars));
  const rendered = render(body, vars);
  return tryParsePlainJson(rendered) ?? tryParsePlainJson(render(body, escapeValues(vars))) ?? rendered;
}

function renderText(body: unknown, vars: Vars): string {
  return typeof body === 'string' ? render(body, vars).trim() : '';
}

function readNested(value: unknown): unknown {
  if (typeof value === 'string') return /^\s*[[{]/.test(value) ? (tryParsePlainJson(value) ?? value) : value;
  return mapParts(value, readNested);
}

function renderAll(value: unknown, vars: Vars): unknown {
  return typeof value === 'string' ? render(value, vars) : mapParts(value, (part) => renderAll(part, vars));
}

function mapParts(value: unknown, change: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, change(part)]));
}

function escapeValues(vars: Vars): Vars {
  const escape = (value: unknown) => (typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : value);
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, escape(value)]));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
