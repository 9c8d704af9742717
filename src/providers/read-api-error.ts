import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';

/** What an API said in an error body, whatever the shape. */
export interface ApiError {
  readonly message: string;
  /** Codes, types, statuses and reasons that the body named, in lower case. */
  readonly words: readonly string[];
  /** Where the body itself names an HTTP status. */
  readonly status?: number;
  /** Where the body itself says when to ask again. */
  readonly retryAfterMs?: number;
}

/** Reads `{error: {…}}`, `{error: "…"}`, `{message}`, `{Message}`, `{detail}` and an array around one of them. */
export function readApiError(body: unknown): ApiError | undefined {
  const outer: unknown = Array.isArray(body) ? body[0] : body;
  if (!isJsonObject(outer)) return undefined;
  const inner = outer['error'] ?? outer;
  if (typeof inner === 'string') return { message: cut(inner), words: wordsOf(outer) };
  if (!isJsonObject(inner)) return undefined;
  const message = inner['message'] ?? inner['Message'] ?? inner['detail'] ?? outer['message'];
  const nested = isJsonObject(inner['innererror']) ? wordsOf(inner['innererror']) : [];
  const details = Array.isArray(inner['details']) ? inner['details'].filter(isJsonObject) : [];
  const status = [inner['code'], inner['status'], inner['status_code']].map(Number).find((n) => n >= 400 && n < 600);
  const retryAfterMs = details.map(({ retryDelay }) => readSeconds(retryDelay)).find((ms) => ms !== undefined);
  return {
    message: message === undefined ? '' : cut(typeof message === 'string' ? message : JSON.stringify(message)),
    words: [...wordsOf(inner), ...nested, ...details.flatMap(readDetail)],
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Google's: the reason of an ErrorInfo, the quotas of a QuotaFailure. */
function readDetail(detail: JsonObject): readonly string[] {
  const violations = Array.isArray(detail['violations']) ? detail['violations'].filter(isJsonObject) : [];
  return [detail['reason'], ...violations.map(({ quotaId }) => quotaId)]
    .filter((word) => typeof word === 'string')
    .map((word) => word.toLowerCase());
}

/** A duration such as `37s`. */
function readSeconds(value: JsonValue | undefined): number | undefined {
  const seconds = typeof value === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(value)?.[1] : undefined;
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** Bounds what the expressions that read it search. */
export function cut(message: string): string {
  return message.slice(0, 4000);
}

function wordsOf(object: Readonly<Record<string, unknown>>): string[] {
  return [object['code'], object['type'], object['status'], object['__type']]
    .filter((word) => typeof word === 'string')
    .map((word) => word.toLowerCase());
}
