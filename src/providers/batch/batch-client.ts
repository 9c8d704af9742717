import { type HttpClient, type HttpReply, openHttpClient } from '../../http/client.ts';
import { writeJson } from '../../json/canonical-json.ts';
import { deepEqual } from '../../json/deep-equal.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { type AnsweredJson, tryParseAnswer } from '../../json/parse-json.ts';
import type { ProviderFailure } from '../../model/run/completion.ts';
import type {
  BatchAnswer,
  BatchApi,
  BatchReply,
  BatchStatus,
  BatchSubmission,
  ProviderEnv,
  SubmittedBatch,
} from '../../model/suite/provider.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import { type Answer, halfCharacter, hasHalfCharacter, malformed, text } from '../answer.ts';
import { classifyAbort, classifyError, classifyReply, describeUnreadable } from '../failures/classify-failure.ts';
import { type HttpFormat, joinUrl } from '../http-adapter.ts';
import { prepareRequest } from '../outgoing-request.ts';
import type { Preset } from '../presets.ts';
import { commonHeaders, explainRefusal, readCredentials, resolveAddress } from '../resolve-connection.ts';

/** Opens the batch API of a configured provider, or says why it can't be used. */
export type ConnectBatch = (
  config: ProviderConfig,
  env: ProviderEnv,
) => BatchApi | { readonly failure: ProviderFailure };

/** Limit for the body with all answers of a batch. */
const maxBodyBytes = 500 * 1024 * 1024;

function openBatchClient(
  preset: Preset,
  config: ProviderConfig,
  env: ProviderEnv,
): BatchClient | { readonly failure: ProviderFailure } {
  const credentials = readCredentials(preset, config, env);
  if ('failure' in credentials) return credentials;
  const { baseUrl, withheldKeyEnv } = resolveAddress(preset, config, env);
  // Use a new connection per request. A reused one might send it again, and a batch must not be submitted twice.
  const http = openHttpClient({ env: env.env, maxBodyBytes, isFresh: true });
  const headers = { ...commonHeaders, ...preset.headers, ...credentials.headers };
  return new BatchClient({ http, baseUrl, headers, withheldKeyEnv });
}

interface Connection {
  readonly http: HttpClient;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly withheldKeyEnv: string | undefined;
}

interface Sent {
  readonly method: 'POST' | 'GET';
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Plain HTTP to the provider of a batch. Paths are below the base URL. */
export class BatchClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Posts a serialized body. `contentType` defaults to JSON. */
  post(
    path: string,
    body: string,
    signal: AbortSignal,
    contentType: string = commonHeaders['content-type'],
  ): Promise<BatchReply<JsonObject>> {
    const headers = { ...this.#connection.headers, 'content-type': contentType };
    return this.#sendForObject(path, { method: 'POST', body, headers, signal });
  }

  get(path: string, signal: AbortSignal): Promise<BatchReply<JsonObject>> {
    return this.#sendForObject(path, { method: 'GET', body: '', headers: this.#connection.headers, signal });
  }

  /** Gets answers as JSON lines. Unreadable lines are dropped, so their requests count as unanswered. */
  async getAnswers(
    path: string,
    signal: AbortSignal,
    read: (line: JsonObject) => BatchAnswer,
  ): Promise<BatchReply<CollectedAnswers['answers']>> {
    const sent = await this.#send(path, { method: 'GET', body: '', headers: this.#connection.headers, signal });
    if ('failure' in sent) return sent;
    const { text: body, fault } = sent.value;
    // Only decoding can fail, and that leaves ASCII lines intact.
    const lines = body.split('\n').filter((line) => fault === undefined || isAscii(line));
    const found = lines.map(parseObject).filter((line) => line !== undefined);
    return {
      value: found.map(({ value, repeated }) => [text(value['custom_id']), refuseRepeated(read(value), repeated)]),
    };
  }

  /** Classifies an error in a batch like the same error of a single request. */
  classify(status: number, body: unknown): ProviderFailure {
    return classifyReply({ status, headers: {}, text: JSON.stringify(body ?? '') }, this.#connection.baseUrl, nowMs());
  }

  close(): void {
    this.#connection.http.close();
  }

  async #sendForObject(path: string, request: Sent): Promise<BatchReply<JsonObject>> {
    const sent = await this.#send(path, request);
    if ('failure' in sent) return sent;
    const { text, fault } = sent.value;
    const parsed = parseObject(text);
    if (parsed === undefined) return { failure: describeUnreadable(sent.value, this.#connection.baseUrl) };
    const why = fault ?? parsed.repeated;
    if (why === undefined) return { value: parsed.value };
    return { failure: { kind: 'malformed', message: `the provider's answer can't be read: ${why}` } };
  }

  async #send(path: string, request: Sent): Promise<BatchReply<HttpReply>> {
    const [pathname = '', query] = path.split('?');
    const url = withQuery(joinUrl(this.#connection.baseUrl, pathname), query);
    let reply: HttpReply;
    try {
      reply = await this.#connection.http.send({ ...request, url });
    } catch (error) {
      if (request.signal.aborted) return { failure: classifyAbort(request.signal) };
      const failure = classifyError(error, url);
      if (failure === undefined) throw error;
      return { failure };
    }
    if (reply.status >= 200 && reply.status < 300) return { value: reply };
    return { failure: explainRefusal(classifyReply(reply, url, nowMs()), this.#connection.withheldKeyEnv) };
  }
}

/** What a batch API needs from one provider. */
export interface BatchAccess {
  readonly client: BatchClient;
  readonly format: HttpFormat;
  readonly model: string;
  readonly signal: AbortSignal;
}

interface CollectedAnswers {
  /** Answers by the key of their request. An answer without a key can't be matched. */
  readonly answers: readonly (readonly [key: string | undefined, answer: BatchAnswer])[];
  /** State that ended the batch; empty if every request has an answer. */
  readonly state: string;
}

/** Batch API of one service. */
interface BatchService {
  /** Adapter name. */
  readonly name: string;
  readonly maxRequests: number;
  readonly maxBytes: number;
  presetOf(config: ProviderConfig, env: ProviderEnv): Preset;
  formatOf(config: ProviderConfig): HttpFormat;
  /** Path of a batch. */
  pathOf(id: string): string;
  /** Wraps a request's body in the API's frame. */
  frame(key: string, body: JsonValue, format: HttpFormat): JsonValue;
  submit(submission: BatchSubmission, access: BatchAccess): Promise<BatchReply<string>>;
  find(batch: SubmittedBatch, access: BatchAccess): Promise<BatchReply<readonly string[]>>;
  readStatus(batch: JsonObject, client: BatchClient): BatchStatus;
  collect(id: string, access: BatchAccess): Promise<BatchReply<CollectedAnswers>>;
}

export function defineBatchApi(service: BatchService): ConnectBatch {
  return (config, env) => {
    const client = openBatchClient(service.presetOf(config, env), config, env);
    if ('failure' in client) return client;
    const format = service.formatOf(config);
    const rules = { ...format, projectRoot: env.projectRoot, name: service.name };
    const accessWith = (signal: AbortSignal) => ({ client, format, model: config.model, signal });
    return {
      maxRequests: service.maxRequests,
      maxBytes: service.maxBytes,
      encode({ key, request }) {
        const prepared = prepareRequest(request, rules);
        if ('failure' in prepared) return Promise.resolve(prepared);
        const framed = service.frame(key, format.buildBody(prepared.request), format);
        return Promise.resolve({ value: writeJson(framed) ?? '' });
      },
      submit: (submission, signal) => service.submit(submission, accessWith(signal)),
      find: (batch, signal) => service.find(batch, accessWith(signal)),
      async read(id, signal) {
        const found = await client.get(service.pathOf(id), signal);
        if (!('failure' in found)) return { value: service.readStatus(found.value, client) };
        return found.failure.status === 404 ? { value: { state: 'unknown' } } : found;
      },
      async collect(id, { keys }, signal) {
        const collected = await service.collect(id, accessWith(signal));
        if ('failure' in collected) return collected;
        const answers = new Map<string, BatchAnswer>();
        for (const [key, answer] of collected.value.answers) {
          if (key === undefined) continue;
          const known = answers.get(key);
          answers.set(key, known === undefined || deepEqual(known, answer) ? answer : answeredTwice);
        }
        addUnanswered(answers, keys, collected.value.state);
        return { value: answers };
      },
      close: () => client.close(),
    };
  };
}

/** Most pages searched for a batch. */
const maxPages = 20;

/** Collects the ids that `look` finds page by page. `look` returns the query of the next page, or undefined to stop. */
export async function findInPages(
  path: string,
  { client, signal }: BatchAccess,
  look: (page: JsonObject, ids: string[]) => string | undefined,
): Promise<BatchReply<readonly string[]>> {
  const ids: string[] = [];
  let after = '';
  for (let page = 0; page < maxPages; page += 1) {
    const listed = await client.get(`${path}${after}`, signal);
    if ('failure' in listed) return listed;
    const next = look(listed.value, ids);
    if (next === undefined) break;
    after = next;
  }
  return { value: ids };
}

/** Reads the id from a reply; a reply without one is a failure. */
export function readId(reply: BatchReply<JsonObject>, member: string, what: 'batch' | 'file'): BatchReply<string> {
  if ('failure' in reply) return reply;
  const id = reply.value[member];
  if (typeof id === 'string' && id !== '') return { value: id };
  return { failure: { kind: 'malformed', message: `the provider's answer names no ${what}` } };
}

/** Reads an answer of a batch. It has no latency. */
export function readBatchAnswer(body: unknown, format: HttpFormat): BatchAnswer {
  return withoutLatency(format.readAnswer(body, { latencyMs: 0, headers: {} }));
}

function withoutLatency(answer: Answer): BatchAnswer {
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

/** Two answers to one request: neither can be trusted. */
const answeredTwice: BatchAnswer = {
  failure: { kind: 'malformed', message: 'the batch holds two different answers to this request' },
};

/** Adds a failure for each unanswered request of an expired or cancelled batch. */
function addUnanswered(answers: Map<string, BatchAnswer>, keys: readonly string[], batchState: string): void {
  const state = batchState.toLowerCase();
  const failure = state === 'expired' ? expired : state === 'cancelled' ? cancelled : undefined;
  if (failure === undefined) return;
  for (const key of keys) if (!answers.has(key)) answers.set(key, failure);
}

/** Tolerance for the difference of two clocks. */
const toleranceMs = 3_600_000;

/** True if a batch was created before `startedAt`, within the tolerance. */
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

function parseObject(text: string): (AnsweredJson & { readonly value: JsonObject }) | undefined {
  const parsed = tryParseAnswer(text);
  return isJsonObject(parsed?.value) ? { ...parsed, value: parsed.value } : undefined;
}

function refuseRepeated(answer: BatchAnswer, repeated: string | undefined): BatchAnswer {
  if (repeated === undefined) return answer;
  const usage = 'failure' in answer ? answer.failure.usage : answer.completion.usage;
  return withoutLatency(malformed(repeated, usage));
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
