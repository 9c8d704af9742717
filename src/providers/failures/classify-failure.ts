import type { HttpReply } from '../../http/client.ts';
import { HttpError } from '../../http/http-error.ts';
import { defined } from '../../json/defined.ts';
import { maxJsonDepth, tryParseJson } from '../../json/parse-json.ts';
import type { FailureKind, ProviderFailure } from '../../model/run/completion.ts';
import { shortenText } from '../../text/shorten.ts';
import { type ApiError, cut, describeText, readApiError } from './read-api-error.ts';

/** Turns an HTTP error into a failure. `nowMs` resolves a `retry-after` date. */
export function classifyReply(
  reply: Pick<HttpReply, 'status' | 'headers' | 'text'>,
  url: string,
  nowMs: number,
): ProviderFailure {
  const { status, headers } = reply;
  const apiError = readBody(reply.text, headers['x-amzn-errortype']);
  const kind = kindOfStatus(status, apiError);
  const retryAfterMs = readRetryAfterMs(headers, nowMs) ?? apiError.retryAfterMs;
  const useless = headers['x-should-retry'] === 'false' || isHopeless(kind, apiError);
  return {
    kind,
    message: describeReply(status, kind, apiError.message, headers.location, url),
    status,
    ...defined({ retryAfterMs, retryable: useless ? false : undefined }),
  };
}

/** Failure for a success status whose body is no JSON. An unfinished JSON body broke off in transit. */
export function describeUnreadable(
  { status, headers, text }: Pick<HttpReply, 'status' | 'headers' | 'text'>,
  url: string,
): ProviderFailure {
  const { host } = new URL(url);
  if (isNestedTooDeep(text)) {
    const message = `${host} answered with JSON that is nested deeper than ${maxJsonDepth} levels`;
    return { kind: 'malformed', message, status };
  }
  if (isBrokenOff(text)) {
    const message = `could not get the whole answer from ${host}: it breaks off after ${text.length} characters`;
    return { kind: 'network', message, status };
  }
  const type = describeText(headers['content-type'] ?? 'no content type');
  const start = describeText(shortenText(text, 120));
  const found = start === '' ? 'an empty body' : start;
  return { kind: 'malformed', message: `${host} answered with something that is not JSON (${type}): ${found}`, status };
}

/** True if a bracket or string is still open at the end. */
function isBrokenOff(text: string): boolean {
  const { depth, isQuoted } = readBrackets(text);
  return isQuoted || depth > 0;
}

/** Another answer to the same request would most likely be nested as deep, so it is not asked for. */
function isNestedTooDeep(text: string): boolean {
  return readBrackets(text).deepest > maxJsonDepth;
}

/** How deep the brackets of a JSON text are nested, and what is still open at its end. */
function readBrackets(text: string) {
  let depth = 0;
  let deepest = 0;
  let isQuoted = false;
  if (!/^\s*[{[]/.test(text)) return { depth, deepest, isQuoted };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) at += character === '\\' ? 1 : 0;
    else if (character === '{' || character === '[') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return { depth, deepest, isQuoted };
}

/** Failure kind of an error object under HTTP 200; `malformed` if nothing in it is known. */
export function kindOfApiError(apiError: ApiError): FailureKind {
  const named = kindOfWords(apiError);
  if (named !== undefined) return named;
  if (apiError.status !== undefined && apiError.status >= 400) return kindOfStatus(apiError.status, apiError);
  return 'malformed';
}

/** Reads an error body. `type` is AWS's header with the exception's name, followed by a colon and an address. */
function readBody(text: string, type: string | readonly string[] | undefined): ApiError {
  const named = type === undefined ? [] : [String(type).toLowerCase()];
  const plain: ApiError = { message: text.trimStart().startsWith('<') ? '' : cut(text), words: named };
  if (!/^\s*[[{"]/.test(text)) return plain;
  const apiError = readApiError(tryParseJson(text));
  return apiError === undefined ? plain : { ...apiError, words: [...named, ...apiError.words] };
}

export function kindOfStatus(status: number, apiError: ApiError): FailureKind {
  const named = kindOfWords(apiError);
  // A 5xx is a server failure, unless its text names overload or an empty account.
  if (status >= 500) {
    if (named === 'quota' || named === 'overloaded') return named;
    return status === 503 || status === 529 ? 'overloaded' : 'server';
  }
  // Some servers call every error an `api_error`; then the status says more.
  if (named !== undefined && (named !== 'server' || status === 400)) return named;
  // OpenAI stores reasoning for 30 days. Other conversations with the model still work.
  if (status === 404 && apiError.message.startsWith("Item with id '")) return 'badRequest';
  return statusKinds[status] ?? 'badRequest';
}

const statusKinds: Readonly<Record<number, FailureKind>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'notFound',
  405: 'notFound',
  407: 'auth',
  408: 'server',
  409: 'server',
  413: 'contextLength',
  424: 'server',
  425: 'server',
  429: 'rateLimit',
  498: 'overloaded',
};

/** True if a retry can't help: the request is larger than a whole minute's allowance. */
function isHopeless(kind: FailureKind, apiError: ApiError): boolean {
  return kind === 'rateLimit' && /request too large/i.test(apiError.message);
}

function readRetryAfterMs(headers: HttpReply['headers'], nowMs: number): number | undefined {
  const inMs = Number.parseFloat(String(headers['retry-after-ms']));
  if (Number.isFinite(inMs)) return Math.max(0, inMs);
  const after = headers['retry-after']?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(after)) return Number(after) * 1000;
  // Use the server's time if it sends one, so that a difference of clocks does not matter.
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
  const { host, origin, pathname } = new URL(url);
  if (status >= 300 && status < 400 && location !== undefined) {
    return `${host} answered ${status} and points to ${describeText(location)}; redirects are not followed: make that address the baseURL`;
  }
  const detail = describeText(message);
  const sentence = `${host} answered ${status}${detail === '' ? ' without a message' : `: ${detail}`}`;
  return kind === 'notFound'
    ? `${sentence} (asked at ${origin}${pathname}; check the model and the baseURL)`
    : sentence;
}

interface Sign {
  readonly kind: FailureKind;
  readonly words: RegExp;
  /** Tested only if no word matches: some servers send a sentence without a code. */
  readonly message: RegExp;
}

/**
 * The first match decides. Wordings of OpenAI, Azure, Anthropic, Gemini, Bedrock, Cohere, DeepSeek, Groq, Mistral,
 * vLLM, llama.cpp, Ollama, xAI and OpenRouter, as of 2026.
 */
const signs: readonly Sign[] = [
  {
    kind: 'contentFilter',
    words: /content_?filter|content_policy|responsibleaipolicyviolation|moderation/,
    message:
      /content management policy|content filtering policy|violat\w* (our |the )?usage (polic|guideline)|flagged (as|by|for) /i,
  },
  {
    kind: 'contextLength',
    words: /context_length|context_window|exceed_context_size|string_above_max_length|request_too_large/,
    message:
      /maximum (context|prompt) length|context (length|window|size|limit)[^.]*exceed|exceeds?[^.]*context|(prompt|input|request)[^.]* (is )?too long|reduce the length of the (messages|prompt)|token count[^.]* exceeds the maximum|too many tokens: size limit/i,
  },
  {
    kind: 'quota',
    words: /insufficient_(quota|balance|credits)|billing|payment_required|out_of_credits|perday|servicequotaexceeded/,
    message:
      /insufficient (balance|credits?|funds|quota)|credit balance is too low|(reached|exceeded) your (specified API usage|monthly)|tokens per day|calls \/ month|any credits|\blimit: 0\b/i,
  },
  {
    kind: 'overloaded',
    words: /overloaded|capacity_?exceeded|nocapacity|modelnotready|serviceunavailable/,
    message: /\boverloaded\b/i,
  },
  {
    kind: 'rateLimit',
    words: /rate_?limit|resource_exhausted|too_many_requests|throttl/,
    message: /rate limit (reached|exceeded)/i,
  },
  {
    kind: 'auth',
    words:
      /invalid_api_key|api_key_invalid|authentication_error|permission_(error|denied)|unauthenticated|accessdenied|unrecognizedclient|expiredtoken|invalidsignature|unsupported_country/,
    message: /(incorrect|invalid) api (key|token)|api key not valid|user location is not supported|invalid token\b/i,
  },
  {
    kind: 'notFound',
    words: /model_not_found|deploymentnotfound|not_found_error|invalid_model|resourcenotfound/,
    message:
      /model\b.*\b(does not exist|not found|not exist)|not a valid model|model identifier is invalid|on-demand throughput/i,
  },
  {
    kind: 'server',
    words:
      /^(server_error|internal_?server_?error|internal_error|api_error|internal|vector_store_timeout|timeout_error)$|modelerrorexception|internalserverexception|modeltimeout/,
    message: /(?!)/,
  },
  {
    kind: 'badRequest',
    words: /^(invalid_prompt|invalid_argument)$/,
    message: /(?!)/,
  },
];

/** Failure kind by the words of the body, whatever its status; undefined if no word is known. */
function kindOfWords(apiError: ApiError): FailureKind | undefined {
  const byWord = signs.find((sign) => apiError.words.some((word) => sign.words.test(word)));
  // A throttled account may be empty for the day; only the message says so.
  if (byWord?.kind === 'rateLimit') return quota?.message.test(apiError.message) === true ? 'quota' : 'rateLimit';
  // The Responses API also uses `invalid_prompt` for prompts refused by its policy.
  if (byWord !== undefined && byWord.kind !== 'badRequest') return byWord.kind;
  return signs.find((sign) => sign.message.test(apiError.message))?.kind ?? byWord?.kind;
}

const quota = signs.find(({ kind }) => kind === 'quota');

/** Turns a network error into a failure; undefined for any other error, which is a bug. */
export function classifyError(error: unknown, url: string): ProviderFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { host } = new URL(url);
  if (error instanceof HttpError && error.code !== 'broken-off') return classifyHttpError(error, host);
  const code = codeOf(error);
  if (code === undefined || /^(UND_)?ERR_INVALID_/.test(code)) return undefined;
  const hint = hints.find((candidate) => candidate.codes.test(code));
  const detail = describeText(error.message === '' ? code : error.message);
  return {
    kind: 'network',
    message: `could not get an answer from ${host}: ${detail}${hint === undefined ? '' : ` (${hint.text})`}`,
    ...defined({ retryable: hint?.final === true ? false : undefined }),
  };
}

function classifyHttpError({ code, message }: HttpError, host: string): ProviderFailure {
  if (code === 'proxy') return { kind: 'network', message: `${message} (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)` };
  // The server's reply is not valid HTTP.
  if (code === 'not-http') return { kind: 'malformed', message: `${host} did not answer in HTTP: ${message}` };
  return { kind: 'malformed', message: `${host}: ${message}` };
}

/** Failure for an abort by the engine. A deadline has a TimeoutError as the reason. */
export function classifyAbort(signal: AbortSignal): ProviderFailure {
  const { reason } = signal;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return { kind: 'timeout', message: reason.message === '' ? 'the time ran out' : describeText(reason.message) };
  }
  return { kind: 'aborted', message: 'stopped before the answer came' };
}

interface Hint {
  readonly codes: RegExp;
  readonly text: string;
  /** True if a retry can't help. */
  readonly final?: true;
}

const hints: readonly Hint[] = [
  { codes: /^ECONNREFUSED$/, text: 'is the server running, and is the port of baseURL right?' },
  { codes: /^(ENOTFOUND|EAI_AGAIN)$/, text: 'the host name was not found: check baseURL, DNS or the proxy variables' },
  {
    codes: /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/,
    text: 'its certificate is not trusted: name your authority with NODE_EXTRA_CA_CERTS',
    final: true,
  },
  { codes: /^ERR_SSL|^EPROTO$/, text: 'no TLS there: is it http:// rather than https://?', final: true },
];

/** Finds the error code. If several addresses were tried, the first attempt's code. */
function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (!(error instanceof AggregateError)) return undefined;
  const [first]: unknown[] = error.errors;
  return first instanceof Error ? codeOf(first) : undefined;
}
