import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';

/** An error body, read from any known shape. */
export interface ApiError {
  readonly message: string;
  /** Codes, types, statuses and reasons of the body, in lower case. */
  readonly words: readonly string[];
  /** HTTP status named in the body. */
  readonly status?: number;
  /** Delay before the next attempt, from the body. */
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
  const messageText = message === undefined ? '' : cut(typeof message === 'string' ? message : JSON.stringify(message));
  const retryAfterMs =
    details.map(({ retryDelay }) => readSeconds(retryDelay)).find((ms) => ms !== undefined) ??
    readSentence(messageText);
  return {
    message: messageText,
    words: [...wordsOf(inner), ...nested, ...details.flatMap(readDetail)],
    ...defined({ status, retryAfterMs }),
  };
}

/** Reads Google's details: the reason of an ErrorInfo, the quotas of a QuotaFailure. */
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

/**
 * Reads the delay in sentences of OpenAI, Groq and Azure: `Please try again in 1m2.5s`, `in 120ms`, `Please retry after
 * 9 seconds`.
 */
function readSentence(message: string): number | undefined {
  const found = /\b(?:try again in|retry (?:in|after)) (?=\d)([\d. a-z]{1,40})/i.exec(message)?.[1];
  let waitMs: number | undefined;
  for (const [, figure, unit = ''] of (found ?? '').matchAll(/(\d+(?:\.\d+)?) ?([a-z]+) ?/giy)) {
    waitMs = (waitMs ?? 0) + Number(figure) * (unitMs[unit.toLowerCase()] ?? Number.NaN);
  }
  return Number.isFinite(waitMs) ? waitMs : undefined;
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
};

/** Limits the length of a text before regular expressions search it. */
export function cut(message: string): string {
  return message.slice(0, 4000);
}

function wordsOf(object: Readonly<Record<string, unknown>>): string[] {
  return [object['code'], object['type'], object['status'], object['__type']]
    .filter((word) => typeof word === 'string')
    .map((word) => word.toLowerCase());
}

const maxCharacters = 400;

/** Shortens a text of a server or program for use in a sentence: one line, no control characters. */
export function describeText(text: string): string {
  // Cut first, to avoid searching a body of megabytes.
  const line = text
    .slice(0, maxCharacters * 4)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  const characters = Array.from(line);
  return characters.length <= maxCharacters ? line : `${characters.slice(0, maxCharacters).join('')}…`;
}
