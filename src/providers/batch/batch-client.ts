import { type HttpReply, openHttpClient } from '../../http/client.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { parseShallowJson } from '../../json/parse-json.ts';
import type { BatchAnswer, BatchApi, BatchReply } from '../../model/batch.ts';
import type { ProviderFailure } from '../../model/completion.ts';
import type { ProviderEnv } from '../../model/provider.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import { type Answer, halfCharacter, hasHalfCharacter, malformed } from '../answer.ts';
import { classifyAbort, classifyError } from '../failures/classify-error.ts';
import { classifyReply, describeUnreadable } from '../failures/classify-reply.ts';
import { joinUrl } from '../http-adapter.ts';
import type { Preset } from '../presets.ts';
import { commonHeaders, readCredentials, resolveAddress } from '../resolve-connection.ts';

/** Opens the batch API of a configured provider, or says why it can't be asked. */
export type ConnectBatch = (
  config: ProviderConfig,
  env: ProviderEnv,
) => BatchApi | { readonly failure: ProviderFailure };

/** Plain HTTP to the provider of a batch. */
export interface BatchClient {
  /** `path` is below the base URL. A `string` body is sent as it stands, under `contentType`. */
  post(
    path: string,
    body: JsonObject | string,
    signal: AbortSignal,
    contentType?: string,
  ): Promise<BatchReply<JsonObject>>;
  get(path: string, signal: AbortSignal): Promise<BatchReply<JsonObject>>;
  /** A body of one JSON object a line; lines that are none or can't be read are left out, so that their requests count as unanswered. */
  getLines(path: string, signal: AbortSignal): Promise<BatchReply<readonly JsonObject[]>>;
  /** What a status and a body within a batch would have been as an answer of their own. */
  classify(status: number, body: unknown): ProviderFailure;
  readonly close: () => void;
}

/** Answers to a whole batch come as one body. */
const maxBodyBytes = 500 * 1024 * 1024;

export function openBatchClient(
  preset: Preset,
  config: ProviderConfig,
  env: ProviderEnv,
): BatchClient | { readonly failure: ProviderFailure } {
  const credentials = readCredentials(preset, config, env);
  if ('failure' in credentials) return credentials;
  const { baseUrl } = resolveAddress(preset, config, env);
  const headers = { ...commonHeaders, ...preset.headers, ...credentials.headers };
  // What a server may have taken must not be handed in twice.
  const http = openHttpClient({ env: env.env, maxBodyBytes, isFresh: true });

  async function send(
    method: 'POST' | 'GET',
    path: string,
    {
      body,
      contentType,
      signal,
    }: { readonly body: string; readonly contentType?: string; readonly signal: AbortSignal },
  ): Promise<BatchReply<HttpReply>> {
    const [pathname = '', query] = path.split('?');
    const url = withQuery(joinUrl(baseUrl, pathname), query);
    const own = contentType === undefined ? headers : { ...headers, 'content-type': contentType };
    let reply: HttpReply;
    try {
      reply = await http.send({ url, method, headers: own, body, signal });
    } catch (error) {
      if (signal.aborted) return { failure: classifyAbort(signal) };
      const failure = classifyError(error, url);
      if (failure === undefined) throw error;
      return { failure };
    }
    if (reply.status >= 200 && reply.status < 300) return { value: reply };
    return { failure: classifyReply(reply, url, nowMs()) };
  }

  async function sendForObject(...request: Parameters<typeof send>): Promise<BatchReply<JsonObject>> {
    const sent = await send(...request);
    if ('failure' in sent) return sent;
    const { text, fault } = sent.value;
    const parsed = parseObject(text);
    if (parsed === undefined) return { failure: describeUnreadable(sent.value, baseUrl) };
    if (fault !== undefined)
      return { failure: { kind: 'malformed', message: `the provider's answer can't be read: ${fault}` } };
    return { value: parsed };
  }

  return {
    post: (path, body, signal, contentType) =>
      sendForObject('POST', path, {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...defined({ contentType }),
        signal,
      }),
    get: (path, signal) => sendForObject('GET', path, { body: '', signal }),
    async getLines(path, signal) {
      const sent = await send('GET', path, { body: '', signal });
      if ('failure' in sent) return sent;
      const { text, fault } = sent.value;
      // ASCII reads the same whatever is wrong with the rest.
      const isReadable = (line: string) => fault === undefined || isAscii(line);
      return {
        value: text
          .split('\n')
          .filter(isReadable)
          .flatMap((line) => toList(parseObject(line))),
      };
    },
    classify: (status, body) =>
      classifyReply({ status, headers: {}, text: JSON.stringify(body ?? '') }, baseUrl, nowMs()),
    close: () => http.close(),
  };
}

/** Nobody timed the answers of a batch. */
export function withoutLatency(answer: Answer): BatchAnswer {
  if ('failure' in answer) return answer;
  const { latencyMs: _latencyMs, ...completion } = answer.completion;
  if (hasHalfCharacter(completion)) return withoutLatency(malformed(`it holds ${halfCharacter}`, completion.usage));
  return { completion };
}

/** A reply without the id that it is all about. */
export function noId(what: string): { readonly failure: ProviderFailure } {
  return { failure: { kind: 'malformed', message: `the provider's answer names no ${what}` } };
}

export const expired: BatchAnswer = {
  failure: { kind: 'timeout', message: 'the batch expired before the provider came to this request' },
};

export const cancelled: BatchAnswer = {
  failure: { kind: 'aborted', message: 'the batch was cancelled at the provider before it came to this request' },
};

/** A bound on looking for one batch among all of an account. */
export const maxPages = 20;

/** Clocks of two machines differ. */
const toleranceMs = 3_600_000;

/** True where a batch can't be one that was handed in at `startedAt` or later. */
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

function toList<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
