import type { FailureKind, ProviderFailure } from '../model/completion.ts';
import { isJsonObject } from '../model/json.ts';
import { describeText } from './describe-text.ts';
import type { HttpReply } from './transport.ts';

/** What an API said in an error body, whatever the shape. */
export interface ApiError {
  readonly message: string;
  /** Codes, types and statuses that the body named, in lower case. */
  readonly words: readonly string[];
  /** Where the body itself names an HTTP status. */
  readonly status?: number;
}

/** Turns an HTTP answer that is no success into a failure. `nowMs` resolves a `retry-after` date. */
export function classifyReply(
  reply: Pick<HttpReply, 'status' | 'headers' | 'text'>,
  url: string,
  nowMs: number,
): ProviderFailure {
  const { status, headers } = reply;
  const said = readBody(reply.text);
  const kind = kindOfStatus(status, said);
  const retryAfterMs = readRetryAfterMs(headers, nowMs);
  const useless = headers['x-should-retry'] === 'false' || isHopeless(kind, said);
  return {
    kind,
    message: describeReply(status, kind, said.message, headers.location, url),
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(useless ? { retryable: false } : {}),
  };
}

/** A successful answer whose body no JSON parser takes. */
export function describeNonJson({ headers, text }: Pick<HttpReply, 'headers' | 'text'>, url: string): string {
  const type = describeText(headers['content-type'] ?? 'no content type');
  const start = describeText(text.slice(0, 120));
  return `${new URL(url).host} answered with something that is no JSON (${type}): ${start === '' ? 'an empty body' : start}`;
}

/** The kind of an error object that came under HTTP 200; `malformed` where it says nothing that is known. */
export function kindOfApiError(said: ApiError): FailureKind {
  const named = kindOfWords(said);
  if (named !== undefined) return named;
  if (said.status !== undefined && said.status >= 400) return kindOfStatus(said.status, said);
  return 'malformed';
}

/** Reads `{error: {…}}`, `{error: "…"}`, `{message}`, `{detail}` and an array around one of them. */
export function readApiError(body: unknown): ApiError | undefined {
  const outer: unknown = Array.isArray(body) ? body[0] : body;
  if (!isJsonObject(outer)) return undefined;
  const inner = outer['error'] ?? outer;
  if (typeof inner === 'string') return { message: cut(inner), words: wordsOf(outer) };
  if (!isJsonObject(inner)) return undefined;
  const message = inner['message'] ?? inner['detail'] ?? outer['message'];
  const nested = isJsonObject(inner['innererror']) ? wordsOf(inner['innererror']) : [];
  const status = [inner['code'], inner['status'], inner['status_code']].map(Number).find((n) => n >= 400 && n < 600);
  return {
    message: message === undefined ? '' : cut(typeof message === 'string' ? message : JSON.stringify(message)),
    words: [...wordsOf(inner), ...nested],
    ...(status === undefined ? {} : { status }),
  };
}

/** Bounds what the expressions below search. */
function cut(message: string): string {
  return message.slice(0, 4000);
}

function wordsOf(object: Readonly<Record<string, unknown>>): string[] {
  return [object['code'], object['type'], object['status']]
    .filter((word) => typeof word === 'string')
    .map((word) => word.toLowerCase());
}

function readBody(text: string): ApiError {
  const plain: ApiError = { message: text.trimStart().startsWith('<') ? '' : cut(text), words: [] };
  if (!/^\s*[[{"]/.test(text)) return plain;
  try {
    return readApiError(JSON.parse(text)) ?? plain;
  } catch (error) {
    if (error instanceof SyntaxError) return plain;
    throw error;
  }
}

function kindOfStatus(status: number, said: ApiError): FailureKind {
  const named = kindOfWords(said);
  // A 5xx is the server's trouble whatever its text quotes, except where it names overload or an empty account.
  if (status >= 500) {
    if (named === 'quota' || named === 'overloaded') return named;
    return status === 503 || status === 529 ? 'overloaded' : 'server';
  }
  if (named !== undefined) return named;
  switch (status) {
    case 401:
    case 403:
    case 407:
      return 'auth';
    case 402:
      return 'quota';
    case 404:
    case 405:
      return 'notFound';
    case 408:
    case 409:
    case 425:
      return 'server';
    case 413:
      return 'contextLength';
    case 429:
      return 'rateLimit';
    default:
      return 'badRequest';
  }
}

interface Sign {
  readonly kind: FailureKind;
  readonly words: RegExp;
  /** Read only where no word decides: servers that name no code say it in a sentence. */
  readonly message: RegExp;
}

/** Ordered: the first that fits decides. Wordings of OpenAI, Azure, Anthropic, Gemini, DeepSeek, Groq, Mistral, vLLM, llama.cpp, xAI, OpenRouter. */
const signs: readonly Sign[] = [
  {
    kind: 'contentFilter',
    words: /content_?filter|content_policy|responsibleaipolicyviolation|moderation/,
    message: /content management policy|violat\w* (our |the )?usage (polic|guideline)|flagged (as|by|for) /i,
  },
  {
    kind: 'contextLength',
    words: /context_length|context_window|exceed_context_size|string_above_max_length/,
    message:
      /maximum (context|prompt) length|context (length|window|size)[^.]*exceed|exceeds?[^.]*context|(prompt|input|request)[^.]* (is )?too long|reduce the length of the (messages|prompt)/i,
  },
  {
    kind: 'quota',
    words: /insufficient_(quota|balance|credits)|billing|payment_required|out_of_credits/,
    message: /insufficient (balance|credits?|funds|quota)|credit balance is too low/i,
  },
  {
    kind: 'overloaded',
    words: /overloaded/,
    message: /\boverloaded\b/i,
  },
  {
    kind: 'rateLimit',
    words: /rate_?limit|resource_exhausted|too_many_requests/,
    message: /rate limit (reached|exceeded)/i,
  },
  {
    kind: 'auth',
    words: /invalid_api_key|api_key_invalid|authentication_error|permission_(error|denied)|unauthenticated/,
    message: /(incorrect|invalid) api key|api key not valid/i,
  },
  {
    kind: 'notFound',
    words: /model_not_found|deploymentnotfound|not_found_error/,
    message: /model\b.*\b(does not exist|not found)|not a valid model/i,
  },
  {
    kind: 'server',
    words: /^(server_error|internal_?server_?error|internal_error|api_error|internal|vector_store_timeout)$/,
    message: /(?!)/,
  },
  {
    kind: 'badRequest',
    words: /^(invalid_prompt|invalid_argument)$/,
    message: /(?!)/,
  },
];

function kindOfWords(said: ApiError): FailureKind | undefined {
  const byWord = signs.find((sign) => said.words.some((word) => sign.words.test(word)));
  // `invalid_prompt` is also how the Responses API names a prompt that its policy refused.
  if (byWord !== undefined && byWord.kind !== 'badRequest') return byWord.kind;
  return signs.find((sign) => sign.message.test(said.message))?.kind ?? byWord?.kind;
}

/** A single request that is larger than the whole allowance of a minute can't be helped by waiting. */
function isHopeless(kind: FailureKind, said: ApiError): boolean {
  return kind === 'rateLimit' && /request too large/i.test(said.message);
}

function readRetryAfterMs(headers: HttpReply['headers'], nowMs: number): number | undefined {
  const inMs = Number.parseFloat(String(headers['retry-after-ms']));
  if (Number.isFinite(inMs)) return Math.max(0, inMs);
  const after = headers['retry-after']?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(after)) return Number(after) * 1000;
  // The server's own clock, where it gives one, makes a difference of clocks harmless.
  const from = Date.parse(headers.date ?? '');
  const waitMs = Date.parse(after) - (Number.isNaN(from) ? nowMs : from);
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

function describeReply(
  status: number,
  kind: FailureKind,
  message: string,
  location: string | undefined,
  url: string,
): string {
  const { host } = new URL(url);
  if (status >= 300 && status < 400 && location !== undefined) {
    return `${host} answered ${status} and points to ${describeText(location)}; redirects are not followed: make that address the baseURL`;
  }
  const said = describeText(message);
  const sentence = `${host} answered ${status}${said === '' ? ' without a message' : `: ${said}`}`;
  return kind === 'notFound' ? `${sentence} (asked at ${url}; check the model and the baseURL)` : sentence;
}
