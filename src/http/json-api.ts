import { isJsonObject, type JsonValue } from '../json/json.ts';
import { tryParseJson } from '../json/parse-json.ts';
import { toSafeLine } from '../text/sanitize.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** Sends one request; rejects with a socket's error or a time-out, never for a status. */
export type Send = (request: {
  readonly url: string;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}>;

export interface ApiPorts {
  readonly send: Send;
  readonly wait: (ms: number) => Promise<void>;
  readonly now: () => Date;
}

/** The reply, or the reason why there is none. A transient failure may succeed at another attempt. */
export type ApiReply =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly status?: number; readonly message: string; readonly isTransient: boolean };

export interface JsonApi {
  /** A path such as `/repos/…`, or a whole address. */
  ask(
    method: Method,
    path: string,
    body?: JsonValue,
    /** True for a POST that creates nothing. */
    options?: { readonly canRepeat?: boolean },
  ): Promise<ApiReply>;
}

const maxAttempts = 4;
/** A job must not wait longer than this, in all, for limits of the API. */
const maxLimitedMs = 120_000;
/** Nor may it wait longer than this, in total, for an API that does not answer. */
const maxSilentMs = 120_000;

/**
 * A client for REST APIs, with the functions that reports need. Reads and updates are repeated on failure. A creation
 * is repeated only if a limit refused it, because any other may have succeeded.
 */
export function openJsonApi(
  apiUrl: string,
  apiHeaders: Readonly<Record<string, string>>,
  { send, wait, now }: ApiPorts,
): JsonApi {
  const headers = { 'content-type': 'application/json', 'user-agent': 'llmcheck', ...apiHeaders };
  let limitedMs = 0;
  let silentMs = 0;

  async function askOnce(method: Method, url: string, body: string) {
    const startedMs = now().getTime();
    try {
      const reply = await send({ url, method, headers, body });
      return { reply, message: '' };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      silentMs += now().getTime() - startedMs;
      return { reply: undefined, message: error.message };
    }
  }

  return {
    async ask(method, path, body, { canRepeat = method !== 'POST' } = {}) {
      const url = path.startsWith('/') ? apiUrl + path : path;
      for (let attempt = 1; ; attempt += 1) {
        if (silentMs >= maxSilentMs) {
          const failureText = `${method} ${path}: the API has given no answer for ${maxSilentMs / 1000} s`;
          return { ok: false, message: toSafeLine(failureText), isTransient: false };
        }
        const { reply, message } = await askOnce(method, url, body === undefined ? '' : JSON.stringify(body));
        if (reply !== undefined && reply.status < 300) {
          const value = parseBody(reply.text);
          if (value !== undefined) return { ok: true, value };
          // The page of a proxy or of a log-in: nothing was read or written.
          const failureText = `${method} ${path}: ${reply.status}, but the answer is not JSON`;
          return { ok: false, message: toSafeLine(failureText), isTransient: false };
        }
        const pause = pauseBefore(reply, attempt, now());
        const { waitMs = 0, isLimit = false } = pause ?? {};
        const isTooLong = isLimit && limitedMs + waitMs > maxLimitedMs;
        if (pause === undefined || isTooLong || attempt >= maxAttempts || !(canRepeat || isLimit)) {
          const limit = isTooLong ? describeLimit(waitMs) : '';
          const failureReason = reply === undefined ? message : `${reply.status} ${messageOf(reply.text)}`.trim();
          // A creation without an answer may have happened: the caller looks for it. One that a limit refused has not.
          const isTransient = pause !== undefined && !isLimit;
          const failed = {
            ok: false as const,
            message: toSafeLine(`${method} ${path}: ${failureReason}${limit}`),
            isTransient,
          };
          return reply === undefined ? failed : { ...failed, status: reply.status };
        }
        if (isLimit) limitedMs += waitMs;
        await wait(waitMs);
      }
    },
  };
}

function describeLimit(waitMs: number): string {
  const seconds = Math.ceil(waitMs / 1000);
  return `; its limit lasts ${seconds} s, and a job waits ${maxLimitedMs / 1000} s at most: run it again later`;
}

interface Pause {
  readonly waitMs: number;
  /** The API did nothing, and names when it will. */
  readonly isLimit: boolean;
}

/** Undefined if another try would get the same answer. */
function pauseBefore(reply: Awaited<ReturnType<Send>> | undefined, attempt: number, now: Date): Pause | undefined {
  if (reply?.status === 429 || (reply?.status === 403 && isLimit403(reply))) {
    return { waitMs: limitMs(reply.headers, attempt, now), isLimit: true };
  }
  const isFault = reply === undefined || reply.status >= 500 || reply.status === 408;
  return isFault ? { waitMs: 500 * 2 ** (attempt - 1), isLimit: false } : undefined;
}

type Headers = Awaited<ReturnType<Send>>['headers'];

/** A refusal for good has the same status: only a limit names itself. */
function isLimit403({ headers, text }: Awaited<ReturnType<Send>>): boolean {
  if (headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0') return true;
  return /secondary rate limit|abuse detection/i.test(messageOf(text));
}

/** The wait that GitHub requests: `retry-after`, else the reset of the limit, else a minute, and longer each time. */
function limitMs(headers: Headers, attempt: number, now: Date): number {
  const after = String(headers['retry-after'] ?? '');
  const seconds = /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - now.getTime()) / 1000;
  if (Number.isFinite(seconds)) return Math.max(seconds * 1000, 0);
  const resetMs = Number(headers['x-ratelimit-reset'] ?? Number.NaN) * 1000;
  const isUsedUp = headers['x-ratelimit-remaining'] === '0';
  if (isUsedUp && Number.isFinite(resetMs)) return Math.max(resetMs - now.getTime(), 0);
  return 60_000 * 2 ** (attempt - 1);
}

function parseBody(text: string): JsonValue | undefined {
  return text === '' ? null : tryParseJson(text);
}

function messageOf(text: string): string {
  const body = parseBody(text);
  return textAt(body, 'message') ?? textAt(body, 'error_description') ?? textAt(body, 'error') ?? '';
}

/** A member of a value that may not be an object. */
export function memberAt(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value !== undefined && isJsonObject(value) ? value[key] : undefined;
}

export function textAt(value: JsonValue | undefined, key: string): string | undefined {
  const found = memberAt(value, key);
  return typeof found === 'string' ? found : undefined;
}

export function numberAt(value: JsonValue | undefined, key: string): number | undefined {
  const found = memberAt(value, key);
  return typeof found === 'number' ? found : undefined;
}

/** The value of a reply; undefined for a failure. */
export function valueOf(reply: ApiReply): JsonValue | undefined {
  return reply.ok ? reply.value : undefined;
}

/** The items of a list; empty for any other value. */
export function itemsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** The whole number that a variable of the runner holds. */
export function numberOf(text = ''): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
