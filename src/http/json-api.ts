import { isJsonObject, type JsonValue } from '../json/json.ts';
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

/** What came back, or why not, in words; a transient failure may succeed at another attempt. */
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
/** A job must not wait longer than this for its report. */
const maxWaitMs = 30_000;

/** A REST API, as far as reports need it. Reads and updates are repeated on failure, creations are not. */
export function openJsonApi(
  apiUrl: string,
  apiHeaders: Readonly<Record<string, string>>,
  { send, wait, now }: ApiPorts,
): JsonApi {
  const headers = { 'content-type': 'application/json', 'user-agent': 'llmcheck', ...apiHeaders };

  async function askOnce(method: Method, url: string, body: string) {
    try {
      const reply = await send({ url, method, headers, body });
      return { reply, message: '' };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { reply: undefined, message: error.message };
    }
  }

  return {
    async ask(method, path, body, { canRepeat = method !== 'POST' } = {}) {
      const url = path.startsWith('/') ? apiUrl + path : path;
      for (let attempt = 1; ; attempt += 1) {
        const { reply, message } = await askOnce(method, url, body === undefined ? '' : JSON.stringify(body));
        if (reply !== undefined && reply.status < 300) {
          const value = parseBody(reply.text);
          if (value !== undefined) return { ok: true, value };
          // The page of a proxy or of a log-in: nothing was read or written.
          const said = `${method} ${path}: ${reply.status}, but the answer is not JSON`;
          return { ok: false, message: toSafeLine(said), isTransient: false };
        }
        const waitMs = waitBefore(reply, attempt, now());
        // A creation without an answer may have happened: the caller looks for it.
        const isTransient = waitMs !== undefined;
        if (!isTransient || !canRepeat || attempt >= maxAttempts || waitMs > maxWaitMs) {
          const said = reply === undefined ? message : `${reply.status} ${messageOf(reply.text)}`.trim();
          const failed = { ok: false as const, message: toSafeLine(`${method} ${path}: ${said}`), isTransient };
          return reply === undefined ? failed : { ...failed, status: reply.status };
        }
        await wait(waitMs);
      }
    },
  };
}

/** Undefined where another try would get the same answer. */
function waitBefore(reply: Awaited<ReturnType<Send>> | undefined, attempt: number, now: Date): number | undefined {
  const backoffMs = 500 * 2 ** (attempt - 1);
  if (reply === undefined || reply.status >= 500 || reply.status === 408) return backoffMs;
  const after = Number(reply.headers['retry-after']);
  const isLimited = reply.status === 429 || (reply.status === 403 && reply.headers['retry-after'] !== undefined);
  if (isLimited) return Number.isFinite(after) ? Math.max(after * 1000, 0) : backoffMs;
  if (reply.status === 403 && reply.headers['x-ratelimit-remaining'] === '0') {
    const resetMs = Number(reply.headers['x-ratelimit-reset']) * 1000;
    return Number.isFinite(resetMs) ? Math.max(resetMs - now.getTime(), 0) : backoffMs;
  }
  return undefined;
}

function parseBody(text: string): JsonValue | undefined {
  try {
    return text === '' ? null : (JSON.parse(text) as JsonValue);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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
