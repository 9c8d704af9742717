import { type HttpClient, type HttpReply, openHttpClient } from '../../http/client.ts';
import { writeJson } from '../../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { parseShallowJson } from '../../json/parse-json.ts';
import type { CompletionRequest, ProviderFailure } from '../../model/completion.ts';
import type { BatchAnswer, BatchApi, BatchReply, ProviderEnv } from '../../model/provider.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import { type Answer, halfCharacter, hasHalfCharacter, malformed } from '../answer.ts';
import { classifyAbort, classifyError } from '../failures/classify-error.ts';
import { classifyReply, describeUnreadable } from '../failures/classify-reply.ts';
import { joinUrl } from '../http-adapter.ts';
import { type FileRules, type OutgoingRequest, prepareRequest } from '../outgoing-request.ts';
import type { Preset } from '../presets.ts';
import { commonHeaders, explainRefusal, readCredentials, resolveAddress } from '../resolve-connection.ts';

/** Opens the batch API of a configured provider, or says why it can't be used. */
export type ConnectBatch = (
  config: ProviderConfig,
  env: ProviderEnv,
) => BatchApi | { readonly failure: ProviderFailure };

/** All answers of a batch come as one body. */
const maxBodyBytes = 500 * 1024 * 1024;

export function openBatchClient(
  preset: Preset,
  config: ProviderConfig,
  env: ProviderEnv,
): BatchClient | { readonly failure: ProviderFailure } {
  const credentials = readCredentials(preset, config, env);
  if ('failure' in credentials) return credentials;
  const { baseUrl, withheldKeyEnv } = resolveAddress(preset, config, env);
  // On a new connection a lost answer is never sent again: a batch must not be submitted twice.
  const http = openHttpClient({ env: env.env, maxBodyBytes, isFresh: true });
  return new BatchClient(
    http,
    baseUrl,
    { ...commonHeaders, ...preset.headers, ...credentials.headers },
    withheldKeyEnv,
  );
}

interface Sent {
  readonly method: 'POST' | 'GET';
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Plain HTTP to the provider of a batch. Paths are below the base URL. */
export class BatchClient {
  readonly #http: HttpClient;
  readonly #baseUrl: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #withheldKeyEnv: string | undefined;

  constructor(
    http: HttpClient,
    baseUrl: string,
    headers: Readonly<Record<string, string>>,
    withheldKeyEnv: string | undefined,
  ) {
    this.#http = http;
    this.#baseUrl = baseUrl;
    this.#headers = headers;
    this.#withheldKeyEnv = withheldKeyEnv;
  }

  /** Sends a body that is written already, as JSON unless `contentType` names another type. */
  post(
    path: string,
    body: string,
    signal: AbortSignal,
    contentType: string = commonHeaders['content-type'],
  ): Promise<BatchReply<JsonObject>> {
    const headers = { ...this.#headers, 'content-type': contentType };
    return this.#sendForObject(path, { method: 'POST', body, headers, signal });
  }

  get(path: string, signal: AbortSignal): Promise<BatchReply<JsonObject>> {
    return this.#sendForObject(path, { method: 'GET', body: '', headers: this.#headers, signal });
  }

  /** A body of one JSON object a line. Unreadable lines are left out, so that their requests count as unanswered. */
  async getLines(path: string, signal: AbortSignal): Promise<BatchReply<readonly JsonObject[]>> {
    const sent = await this.#send(path, { method: 'GET', body: '', headers: this.#headers, signal });
    if ('failure' in sent) return sent;
    const { text, fault } = sent.value;
    // A fault is one of decoding, which leaves lines of ASCII as they were.
    const lines = text.split('\n').filter((line) => fault === undefined || isAscii(line));
    return { value: lines.map(parseObject).filter((line) => line !== undefined) };
  }

  /** The failure that a status and a body within a batch would be as an answer of their own. */
  classify(status: number, body: unknown): ProviderFailure {
    return classifyReply({ status, headers: {}, text: JSON.stringify(body ?? '') }, this.#baseUrl, nowMs());
  }

  close(): void {
    this.#http.close();
  }

  async #sendForObject(path: string, request: Sent): Promise<BatchReply<JsonObject>> {
    const sent = await this.#send(path, request);
    if ('failure' in sent) return sent;
    const { text, fault } = sent.value;
    const value = parseObject(text);
    if (value === undefined) return { failure: describeUnreadable(sent.value, this.#baseUrl) };
    if (fault === undefined) return { value };
    return { failure: { kind: 'malformed', message: `the provider's answer can't be read: ${fault}` } };
  }

  async #send(path: string, request: Sent): Promise<BatchReply<HttpReply>> {
    const [pathname = '', query] = path.split('?');
    const url = withQuery(joinUrl(this.#baseUrl, pathname), query);
    let reply: HttpReply;
    try {
      reply = await this.#http.send({ ...request, url });
    } catch (error) {
      if (request.signal.aborted) return { failure: classifyAbort(request.signal) };
      const failure = classifyError(error, url);
      if (failure === undefined) throw error;
      return { failure };
    }
    if (reply.status >= 200 && reply.status < 300) return { value: reply };
    return { failure: explainRefusal(classifyReply(reply, url, nowMs()), this.#withheldKeyEnv) };
  }
}

/** A request as an entry of a batch; `frame` adds what the batch API requires around it. */
export function encodeRequest(
  request: CompletionRequest,
  rules: FileRules,
  frame: (request: OutgoingRequest) => JsonValue,
): BatchReply<string> {
  const prepared = prepareRequest(request, rules);
  return 'failure' in prepared ? prepared : { value: writeJson(frame(prepared.request)) ?? '' };
}

/** The id in a reply that is useless without it. */
export function readId(reply: BatchReply<JsonObject>, member: string, what: 'batch' | 'file'): BatchReply<string> {
  if ('failure' in reply) return reply;
  const id = reply.value[member];
  if (typeof id === 'string' && id !== '') return { value: id };
  return { failure: { kind: 'malformed', message: `the provider's answer names no ${what}` } };
}

/** The answers of a batch have no latency of their own. */
export function withoutLatency(answer: Answer): BatchAnswer {
  if ('failure' in answer) return answer;
  const { latencyMs: _latencyMs, ...completion } = answer.completion;
  if (hasHalfCharacter(completion)) return withoutLatency(malformed(`it holds ${halfCharacter}`, completion.usage));
  return { completion };
}

export const expired: BatchAnswer = {
  failure: { kind: 'timeout', message: 'the batch expired before the provider came to this request' },
};

export const cancelled: BatchAnswer = {
  failure: { kind: 'aborted', message: 'the batch was cancelled at the provider before it came to this request' },
};

/** Adds a failure for each request that an expired or cancelled batch has no answer to. */
export function addUnanswered(answers: Map<string, BatchAnswer>, keys: readonly string[], batchState: string): void {
  const state = batchState.toLowerCase();
  const failure = state === 'expired' ? expired : state === 'cancelled' ? cancelled : undefined;
  if (failure === undefined) return;
  for (const key of keys) if (!answers.has(key)) answers.set(key, failure);
}

/** A bound on looking for one batch among all of an account. */
export const maxPages = 20;

/** Clocks of two machines differ. */
const toleranceMs = 3_600_000;

/** True where a batch can't be one that was submitted at `startedAt` or later. */
export function isFromBefore(createdMs: number | undefined, startedAt: string): boolean {
  return createdMs !== undefined && !Number.isNaN(createdMs) && createdMs < Date.parse(startedAt) - toleranceMs;
}

function withQuery(url: string, query: string | undefined): string {
  if (query === undefined) return url;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const parsed: unknown = parseShallowJson(text);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
