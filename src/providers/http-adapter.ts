import * as z from 'zod';
import type { HttpClient, HttpReply } from '../http/client.ts';
import { HttpError } from '../http/http-error.ts';
import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { tryParseAnswer } from '../json/parse-json.ts';
import type { CompletionOutcome, ProviderFailure } from '../model/run/completion.ts';
import {
  type AnswerLimits,
  defaultAnswerLimits,
  maxBodyBytes,
  showBytes,
  tooLargeFailure,
} from '../model/suite/limits.ts';
import type { Adapter, AdapterDeclaration, ConnectedProvider, Endpoint, ProviderEnv } from '../model/suite/provider.ts';
import type { ProviderConfig } from '../model/suite/suite.ts';
import { TemplateError } from '../templates/template-error.ts';
import { attempt } from '../text/attempt.ts';
import { type Answer, fail, halfCharacter, hasHalfCharacter, malformed, toOutcome, usageOf } from './answer.ts';
import { classifyAbort, classifyError, classifyReply, describeUnreadable } from './failures/classify-failure.ts';
import { type AskedRequest, type OutgoingRequest, prepareRequest, type TakenFiles } from './outgoing-request.ts';
import type { Preset } from './presets.ts';
import { withLimits } from './read-limits.ts';
import { commonHeaders, explainRefusal, readCredentials, resolveAddress } from './resolve-connection.ts';
import { isBinary, isLongStream, readStream, timeWhole } from './streams/read-stream.ts';
import type { StreamFormat } from './streams/stream-format.ts';

/** The request and answer format of one API. */
export interface HttpFormat extends TakenFiles {
  /** Path below the base URL, with a leading slash. */
  pathOf(model: string): string;
  buildBody(request: OutgoingRequest): JsonValue;
  /** Undefined if the API does not stream. */
  readonly stream?: StreamFormat;
  /** Reads the parsed JSON of a success status. `body` can have any shape. */
  readAnswer(body: unknown, reply: ReadReply): Answer;
}

/** Everything about an answer besides its body. */
export interface ReadReply extends Pick<HttpReply, 'latencyMs' | 'headers'> {
  readonly asked?: AskedRequest;
}

/** The address of requests and the headers of each. */
interface Target {
  readonly baseUrl: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** True if answers are streamed. */
  readonly isStream: boolean;
}

/** Sends a JSON body once, without retries. */
type Send = (body: string, signal: AbortSignal) => Promise<HttpReply>;

/** Returns the headers that sign a request. */
export type Sign = (url: string, body: string) => Promise<Readonly<Record<string, string>>>;

/** A service that answers over HTTP. */
export interface HttpService extends Omit<AdapterDeclaration, 'options' | 'plugin'> {
  readonly options?: z.ZodType;
  readonly readsOf?: (config: ProviderConfig) => Endpoint['reads'];
  /** Version of the request's form. Raise it if the same request is sent differently. */
  readonly version: string | ((config: ProviderConfig) => string);
  /** Returns the service's address and the way it takes the key. */
  readonly presetOf: (config: ProviderConfig, env: ProviderEnv) => Preset;
  /** Changes the base URL if it depends on more than the preset. */
  readonly adjustBaseUrl?: (baseUrl: string, config: ProviderConfig) => string;
  /** Secret variables other than the key. */
  readonly secretEnv?: readonly string[];
  readonly formatOf: (config: ProviderConfig) => HttpFormat;
  /** Opens a signer. Undefined if a key in a header is enough; a failure if a variable is missing. */
  readonly openSigner?: (config: ProviderConfig, env: ProviderEnv) => Promise<Sign | ProviderFailure | undefined>;
  /** Replaces the plain POST, for services with an SDK. */
  readonly openSender?: (client: HttpClient, target: Target) => Promise<Send>;
}

export function defineHttpAdapter(service: HttpService): Adapter {
  const { summary, example, options, writes, systemMember, embeddings, varsOf, version, presetOf, secretEnv, readsOf } =
    service;
  return {
    summary,
    example,
    options: options ?? z.strictObject({}),
    ...defined({ writes, systemMember, embeddings, varsOf }),
    canStream: (config) => service.formatOf(config).stream !== undefined,
    resolve(config, env): Endpoint {
      const preset = presetOf(config, env);
      return {
        ...resolveAddress(preset, config, env),
        baseUrl: findBaseUrl(service, config, env),
        adapterVersion: typeof version === 'string' ? version : version(config),
        sends: true,
        takes: service.formatOf(config).takes,
        ...defined({
          secretEnv,
          refusesSchema: preset.refusesSchema,
          vars: varsOf?.(config),
          reads: readsOf?.(config),
        }),
      };
    },
    connect: (config, env) => connect(service, config, env),
  };
}

async function connect(service: HttpService, config: ProviderConfig, env: ProviderEnv): Promise<ConnectedProvider> {
  const preset = service.presetOf(config, env);
  const credentials = readCredentials(preset, config, env);
  if ('failure' in credentials) return refuseAll(credentials.failure);
  const sign = await service.openSigner?.(config, env);
  if (sign !== undefined && typeof sign !== 'function') return refuseAll(sign);
  const { openHttpClient } = await import('../http/client.ts');
  const format = service.formatOf(config);
  const stream = config.stream === true ? format.stream : undefined;
  const limits = config.limits.maxAnswer ?? defaultAnswerLimits;
  const maxBytes = maxBodyBytes(limits, stream !== undefined);
  const { textBytes } = limits;
  const isEnough = stream && ((body: Buffer, type: string) => isLongStream(body, type, { stream, textBytes }));
  const client = openHttpClient({ env: env.env, maxBodyBytes: maxBytes, ...defined({ isEnough }) });
  const { withheldKeyEnv } = resolveAddress(preset, config, env);
  const target: Target = {
    baseUrl: findBaseUrl(service, config, env),
    path: stream?.pathOf?.(config.model) ?? format.pathOf(config.model),
    headers: { ...commonHeaders, ...preset.headers, ...credentials.headers },
    isStream: stream !== undefined,
  };
  const send = (await service.openSender?.(client, target)) ?? openPost(client, target, sign);
  const url = joinUrl(target.baseUrl, target.path);

  return {
    async complete(request, signal) {
      if (signal.aborted) return fail(classifyAbort(signal), 0);
      const prepared = prepareRequest(request, { ...format, projectRoot: env.projectRoot, name: config.adapter });
      if ('failure' in prepared) return fail(prepared.failure, 0);
      const written = writeBody(format, stream, prepared.request);
      if ('failure' in written) return fail(written.failure, 0);
      const outcome = await ask({ send, format, stream, url, body: written.body, asked: request, signal, limits });
      if (outcome.status !== 'failed') return outcome;
      return { ...outcome, failure: explainRefusal(outcome.failure, withheldKeyEnv) };
    },
    close() {
      client.close();
      return Promise.resolve();
    },
  };
}

function findBaseUrl(service: HttpService, config: ProviderConfig, env: ProviderEnv): string {
  const { baseUrl } = resolveAddress(service.presetOf(config, env), config, env);
  return service.adjustBaseUrl?.(baseUrl, config) ?? baseUrl;
}

function openPost(client: HttpClient, { baseUrl, path, headers, isStream }: Target, sign: Sign | undefined): Send {
  const url = joinUrl(baseUrl, path);
  return async (body, signal) => {
    const signed = sign === undefined ? headers : { ...headers, ...(await sign(url, body)) };
    return client.send({ url, method: 'POST', headers: signed, body, signal, isStream });
  };
}

/** Writes the request's body. Fails if the user's template reads a variable that the request does not have. */
function writeBody(
  format: HttpFormat,
  stream: StreamFormat | undefined,
  request: OutgoingRequest,
): { readonly body: string } | { readonly failure: ProviderFailure } {
  const body = attempt(() => format.buildBody(request), TemplateError);
  if (body instanceof TemplateError) {
    return { failure: { kind: 'badRequest', message: `the request can't be written: ${body.message}` } };
  }
  return { body: writeJson(stream !== undefined && isJsonObject(body) ? stream.ask(body) : body) ?? '' };
}

interface Question {
  readonly send: Send;
  readonly format: HttpFormat;
  readonly stream: StreamFormat | undefined;
  readonly url: string;
  readonly body: string;
  readonly asked: AskedRequest;
  readonly signal: AbortSignal;
  readonly limits: AnswerLimits;
}

async function ask(question: Question): Promise<CompletionOutcome> {
  const { send, url, body, signal, limits } = question;
  let reply: HttpReply;
  try {
    reply = await send(body, signal);
  } catch (error) {
    const isTooLarge = error instanceof HttpError && error.code === 'body-too-large' && !signal.aborted;
    return fail(isTooLarge ? describeLarge(url, limits) : describeEnd(error, url, signal));
  }
  const nowMs = performance.timeOrigin + performance.now();
  return withLimits(toOutcome(readReply(reply, question, nowMs)), reply.headers, nowMs);
}

function describeLarge(url: string, { textBytes }: AnswerLimits): ProviderFailure {
  const { host } = new URL(url);
  return tooLargeFailure(`the answer of ${host}`, `is much larger than ${showBytes(textBytes)}`);
}

/** Why a connection ended before the answer. Rethrows errors that are bugs. */
function describeEnd(error: unknown, url: string, signal: AbortSignal): ProviderFailure {
  if (signal.aborted) return classifyAbort(signal);
  const failure = classifyError(error, url);
  if (failure === undefined) throw error;
  return failure;
}

function readReply(
  reply: HttpReply,
  { format, stream, url, asked, signal }: Omit<Question, 'send' | 'body'>,
  nowMs: number,
): Answer {
  const { status, latencyMs, headers } = reply;
  if (status < 200 || status >= 300) return { failure: classifyReply(reply, url, nowMs) };
  const read = (body: unknown) => format.readAnswer(body, { latencyMs, headers, asked });
  const brokenBy = reply.raw?.brokenBy;
  const describeBreak = () => (brokenBy === undefined ? undefined : describeEnd(brokenBy, url, signal));
  const streamed = stream && readStream(reply, { stream, url, read, describeBreak });
  // A binary body is no text; its fields were checked one by one.
  if (streamed !== undefined)
    return refuseFaults(streamed, isBinary(headers['content-type'] ?? '') ? undefined : reply.fault);
  const parsed = tryParseAnswer(reply.text);
  if (parsed === undefined) return { failure: describeUnreadable(reply, url) };
  const answer = read(parsed.value);
  if (parsed.repeated !== undefined) return malformed(parsed.repeated, usageOf(answer));
  return refuseFaults(stream === undefined ? answer : timeWhole(answer), reply.fault);
}

function refuseFaults(answer: Answer, given: string | undefined): Answer {
  if ('failure' in answer) return answer;
  // A text with replacement characters is not the model's, but it was billed.
  const fault = given ?? (hasHalfCharacter(answer.completion) ? `it holds ${halfCharacter}` : undefined);
  return fault === undefined ? answer : malformed(fault, answer.completion.usage);
}

/** Puts a path before the query of a base URL. */
export function joinUrl(baseUrl: string, path: string): string {
  const url = new URL(baseUrl);
  const [below, query] = path.split('?');
  const search = query === undefined ? url.search : `${url.search === '' ? '?' : `${url.search}&`}${query}`;
  return `${url.origin}${url.pathname.replace(/\/$/, '')}${below ?? ''}${search}`;
}

function refuseAll(failure: ProviderFailure): ConnectedProvider {
  return { complete: () => Promise.resolve(fail(failure, 0)), close: () => Promise.resolve() };
}
