import * as z from 'zod';
import { writeJson } from '../lib/canonical-json.ts';
import { TemplateError } from '../lib/template-error.ts';
import type { Complete, CompletionOutcome, ProviderFailure } from '../model/completion.ts';
import type { JsonValue } from '../model/json.ts';
import type { Adapter, ConnectedProvider, Endpoint, ProviderEnv } from '../model/provider.ts';
import type { ProviderConfig } from '../model/suite.ts';
import type { Answer } from './answer.ts';
import { classifyAbort, classifyError } from './classify-error.ts';
import { findUnfit } from './find-unfit.ts';
import { loadFiles } from './load-files.ts';
import type { OutgoingRequest } from './outgoing.ts';
import type { Preset } from './presets.ts';
import { withLimits } from './read-limits.ts';
import { readReply } from './read-reply.ts';
import { commonHeaders, readCredentials, resolveAddress } from './resolve-connection.ts';
import type { HttpReply, Transport } from './transport.ts';

/** How one API writes requests and answers. */
export interface HttpFormat {
  /** The media types of files that it can carry. */
  readonly takes: RegExp;
  /** Below the base URL; begins with a slash. */
  pathOf(model: string): string;
  buildBody(request: OutgoingRequest): JsonValue;
  /** `body` is parsed JSON of a successful status, of any shape. */
  readAnswer(body: unknown, reply: Pick<HttpReply, 'latencyMs' | 'headers'>): Answer;
}

/** Headers that prove who asks, made for each request anew. */
export type Sign = (url: string, body: string) => Promise<Readonly<Record<string, string>>>;

/** One service with an API of its own. */
export interface HttpService {
  readonly summary: string;
  readonly example: string;
  /** Grows when the same request is sent differently. */
  readonly version: string | ((config: ProviderConfig) => string);
  readonly options?: z.ZodType;
  readonly writes?: readonly string[];
  readonly systemMember?: string;
  /** Where the service is for this provider, and what key it takes. */
  presetOf(config: ProviderConfig, env: ProviderEnv): Preset;
  /** Variables that are secret beside the key. */
  readonly secretEnv?: readonly string[];
  /** Imports the format, so that a start does not pay for APIs that are not asked. */
  load(config: ProviderConfig): Promise<HttpFormat>;
  /** Undefined where the key in a header is all, a failure where something is missing. */
  openSigner?(config: ProviderConfig, env: ProviderEnv): Promise<Sign | ProviderFailure | undefined>;
}

/** An adapter that sends plain HTTP: an SDK would add nothing but its size. */
export function defineHttpAdapter(service: HttpService): Adapter {
  return {
    summary: service.summary,
    example: service.example,
    options: service.options ?? z.strictObject({}),
    ...(service.writes === undefined ? {} : { writes: service.writes }),
    ...(service.systemMember === undefined ? {} : { systemMember: service.systemMember }),
    resolve: (config, env): Endpoint => ({
      ...resolveAddress(service.presetOf(config, env), config, env),
      adapterVersion: typeof service.version === 'string' ? service.version : service.version(config),
      sends: true,
      ...(service.secretEnv === undefined ? {} : { secretEnv: service.secretEnv }),
    }),
    connect: (config, env) => connect(service, config, env),
  };
}

async function connect(service: HttpService, config: ProviderConfig, env: ProviderEnv): Promise<ConnectedProvider> {
  const preset = service.presetOf(config, env);
  const credentials = readCredentials(preset, config, env);
  if ('failure' in credentials) return refuseAll(credentials.failure);
  const sign = await service.openSigner?.(config, env);
  if (sign !== undefined && typeof sign !== 'function') return refuseAll(sign);
  const [format, { openTransport }] = await Promise.all([service.load(config), import('./transport.ts')]);
  const transport = openTransport({ env: env.env });
  const { baseUrl } = resolveAddress(preset, config, env);
  const headers = { ...commonHeaders, ...preset.headers, ...credentials.headers };
  const url = joinUrl(baseUrl, format.pathOf(config.model));

  return {
    async complete(request, signal) {
      if (signal.aborted) return fail(classifyAbort(signal), 0);
      const unfit = findUnfit(request);
      if (unfit !== undefined) return fail(unfit, 0);
      const loaded = loadFiles(request, { projectRoot: env.projectRoot, takes: format.takes, name: config.adapter });
      if ('failure' in loaded) return fail(loaded.failure, 0);
      const body = writeBody(format, loaded.request);
      if (typeof body !== 'string') return fail(body, 0);
      const signed = sign === undefined ? headers : { ...headers, ...(await sign(url, body)) };
      return ask({ transport, format, url, headers: signed, body, signal });
    },
    close() {
      transport.close();
      return Promise.resolve();
    },
  };
}

/** A template of the user's may read what this request does not have. */
function writeBody(format: HttpFormat, request: OutgoingRequest): string | ProviderFailure {
  try {
    return writeJson(format.buildBody(request)) ?? '';
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { kind: 'badRequest', message: `the request can't be written: ${error.message}` };
  }
}

interface Question {
  readonly transport: Transport;
  readonly format: HttpFormat;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

async function ask(question: Question): Promise<CompletionOutcome> {
  const { transport, format, url, headers, body, signal } = question;
  let reply: HttpReply;
  try {
    reply = await transport.send({ url, method: 'POST', headers, body, signal });
  } catch (error) {
    if (signal.aborted) return fail(classifyAbort(signal), 1);
    const failure = classifyError(error, url);
    if (failure === undefined) throw error;
    return fail(failure, 1);
  }
  const nowMs = performance.timeOrigin + performance.now();
  const answer = readReply(reply, url, nowMs, (parsed) => format.readAnswer(parsed, reply));
  return withLimits(
    'completion' in answer
      ? { status: 'completed', completion: answer.completion, cached: false, attempts: 1 }
      : fail(answer.failure, 1),
    reply.headers,
    nowMs,
  );
}

/** Keeps the query of a base URL behind the path. */
export function joinUrl(baseUrl: string, path: string): string {
  const url = new URL(baseUrl);
  return `${url.origin}${url.pathname.replace(/\/$/, '')}${path}${url.search}`;
}

function refuseAll(failure: ProviderFailure): ConnectedProvider {
  const complete: Complete = () => Promise.resolve(fail(failure, 0));
  return { complete, close: () => Promise.resolve() };
}

function fail(failure: ProviderFailure, attempts: number): CompletionOutcome {
  return { status: 'failed', failure, attempts };
}
