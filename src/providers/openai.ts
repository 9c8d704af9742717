import type { ClientOptions, OpenAI } from 'openai';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import type { Complete, CompletionOutcome, ProviderFailure } from '../model/completion.ts';
import { isJsonObject } from '../model/json.ts';
import type { Adapter, ConnectedProvider, ProviderEnv } from '../model/provider.ts';
import type { ProviderConfig } from '../model/suite.ts';
import type { Answer } from './answer.ts';
import { classifyAbort, classifyError } from './classify-error.ts';
import { findUnfit } from './find-unfit.ts';
import { loadFiles } from './load-files.ts';
import { openaiChat } from './openai-chat.ts';
import type { Dialect } from './openai-dialect.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiResponses } from './openai-responses.ts';
import type { OutgoingRequest } from './outgoing.ts';
import type { Preset } from './presets.ts';
import { withLimits } from './read-limits.ts';
import { readReply } from './read-reply.ts';
import { commonHeaders, readCredentials, resolveAddress } from './resolve-connection.ts';
import type { HttpReply } from './transport.ts';

const options = z.strictObject({ api: z.enum(['chat', 'responses', 'embeddings']).default('chat') });
const azureOptions = options.extend({
  /** Of the API by deployments, such as 2024-10-21; without it the v1 API is asked, which has none. */
  apiVersion: z.string().min(1).exactOptional(),
});
const dialects: Readonly<Record<'chat' | 'responses' | 'embeddings', Dialect>> = {
  chat: openaiChat,
  responses: openaiResponses,
  embeddings: openaiEmbeddings,
};

/** An adapter for one service that speaks the OpenAI protocol. */
export function defineOpenaiAdapter(name: string, preset: Preset): Adapter {
  return {
    summary: preset.title,
    example: `${name}:${preset.exampleModel}`,
    options: name === 'azure' ? azureOptions : options,
    writes: ['model', 'messages', 'input'],
    embeddings: { api: 'embeddings' },
    resolve: (config, env) => ({
      ...locate(preset, config, env),
      adapterVersion: dialectOf(config).version,
      sends: true,
      ...(preset.refusesSchema === true ? { refusesSchema: true as const } : {}),
    }),
    connect: (config, env) => connect(preset, config, env),
  };
}

async function connect(preset: Preset, config: ProviderConfig, env: ProviderEnv): Promise<ConnectedProvider> {
  const credentials = readCredentials(preset, config, env);
  if ('failure' in credentials) return { complete: refuseAll(credentials.failure), close: () => Promise.resolve() };
  const [sdk, { openTransport }] = await Promise.all([import('openai'), import('./transport.ts')]);
  const transport = openTransport({ env: env.env });
  const { baseUrl } = locate(preset, config, env);
  const address = new URL(baseUrl);
  const headers = { ...commonHeaders, ...credentials.headers };
  const dialect = dialectOf(config);
  const client = openClient(sdk.OpenAI, address);
  const target = client.buildURL(dialect.path, undefined);
  replaceSending(client, async (body, exchange) => {
    try {
      const request = { url: target, method: 'POST', headers, body, signal: exchange.signal } as const;
      exchange.reply = await transport.send(request);
    } catch (error) {
      exchange.error = error;
      throw error;
    }
  });
  const url = address.origin + address.pathname.replace(/\/$/, '') + dialect.path;

  async function post(request: OutgoingRequest, exchange: Exchange): Promise<Answer> {
    try {
      const body = dialect.buildBody(preset.knowsNoSchema === true ? withoutSchema(request) : request);
      // Handed through to where the request is sent, which finds its call by it.
      const fetchOptions = { exchange } as NonNullable<ClientOptions['fetchOptions']>;
      // As it came: the SDK would read JSON under its own content type alone, and mark what it read.
      await client.post<unknown>(dialect.path, { body, fetchOptions }).asResponse();
    } catch (error) {
      return { failure: classifyExchange(exchange, error, url) };
    }
    const { reply } = exchange;
    if (reply === undefined) throw new Error('the OpenAI client has sent nothing');
    const nowMs = performance.timeOrigin + performance.now();
    return readReply(reply, url, nowMs, (parsed) => dialect.readAnswer(parsed, reply.latencyMs));
  }

  return {
    async complete(request, signal) {
      if (signal.aborted) return { status: 'failed', failure: classifyAbort(signal), attempts: 0 };
      const unfit = findUnfit(request);
      if (unfit !== undefined) return { status: 'failed', failure: unfit, attempts: 0 };
      const loaded = loadFiles(request, { projectRoot: env.projectRoot, takes: /./, name: config.adapter });
      if ('failure' in loaded) return { status: 'failed', failure: loaded.failure, attempts: 0 };
      const exchange: Exchange = { signal };
      const outcome = describeOutcome(await post(loaded.request, exchange));
      return withLimits(outcome, exchange.reply?.headers, performance.timeOrigin + performance.now());
    },
    close() {
      transport.close();
      return Promise.resolve();
    },
  };
}

/** Asks for JSON where a schema would be refused; the contract judges the answer anyway. */
function withoutSchema(request: OutgoingRequest): OutgoingRequest {
  const { response_format: format, ...rest } = request.params;
  if (!isJsonObject(format) || format['type'] !== 'json_schema') return request;
  return { ...request, params: { ...rest, response_format: { type: 'json_object' } } };
}

/** Azure's API by deployments has the deployment in its path and the version in its query. */
function locate(preset: Preset, config: ProviderConfig, env: ProviderEnv): ReturnType<typeof resolveAddress> {
  const { apiVersion } = config.options;
  if (typeof apiVersion !== 'string') return resolveAddress(preset, config, env);
  const { baseUrlEnv, ...rest } = preset;
  const found = resolveAddress(
    { ...rest, ...(baseUrlEnv === undefined ? {} : { baseUrlEnv: { ...baseUrlEnv, path: '' } }) },
    config,
    env,
  );
  const url = new URL(found.baseUrl);
  const path = url.pathname.replace(/\/$/, '');
  if (!path.includes('/deployments/')) {
    url.pathname = `${path.replace(/\/openai$/, '')}/openai/deployments/${encodeURIComponent(config.model)}`;
  }
  url.searchParams.set('api-version', apiVersion);
  return { ...found, baseUrl: url.href };
}

/** What one call and the SDK's `fetch` tell each other; the SDK itself drops bodies and causes of errors. */
interface Exchange {
  readonly signal: AbortSignal;
  reply?: HttpReply;
  error?: unknown;
}

function openClient(Client: typeof OpenAI, address: URL): OpenAI {
  try {
    return new Client({
      // The transport sends headers of its own, so a key here would only be one more place that holds it.
      apiKey: 'unused',
      // Null keeps the SDK from reading the variables itself.
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      baseURL: address.origin + address.pathname,
      defaultQuery: Object.fromEntries(address.searchParams),
      logLevel: 'off',
      // The engine owns retries and deadlines.
      maxRetries: 0,
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UserError(
      [
        {
          code: 'environment',
          severity: 'error',
          message: `The OpenAI client refuses its settings: ${error.message}`,
          hint: 'check the variable OPENAI_CUSTOM_HEADERS',
        },
      ],
      { cause: error },
    );
  }
}

type Send = (body: string, exchange: Exchange) => Promise<void>;

/** What the SDK makes of the options of `post` above, of which nothing else is read. */
interface FinalOptions {
  readonly body?: unknown;
  readonly fetchOptions: { readonly exchange: Exchange };
}

/**
 * Replaces the step of the SDK that sends: it would ask again, time, log, and give headers (OPENAI_CUSTOM_HEADERS, the
 * platform) to whatever host is configured. All of that is the engine's; how a request is written stays the SDK's. Saves
 * 0.06 ms CPU a call of 0.08.
 */
function replaceSending(client: OpenAI, send: Send): void {
  const makeRequest = async (asked: Promise<FinalOptions>) => {
    const { body, fetchOptions } = await asked;
    await send(JSON.stringify(body), fetchOptions.exchange);
    return sent;
  };
  Object.assign(client, { makeRequest });
}

/** What the SDK looks for an answer in; it lies in the exchange. */
const sent = { response: undefined };

function classifyExchange({ signal, error: sendingError }: Exchange, error: unknown, url: string): ProviderFailure {
  if (sendingError === undefined) throw error;
  if (signal.aborted) return classifyAbort(signal);
  const failure = classifyError(sendingError, url);
  if (failure === undefined) throw error;
  return failure;
}

function describeOutcome(answer: Answer): CompletionOutcome {
  return 'completion' in answer
    ? { status: 'completed', completion: answer.completion, cached: false, attempts: 1 }
    : { status: 'failed', failure: answer.failure, attempts: 1 };
}

function refuseAll(failure: ProviderFailure): Complete {
  return () => Promise.resolve({ status: 'failed', failure, attempts: 0 });
}

function dialectOf(config: ProviderConfig): Dialect {
  return dialects[azureOptions.parse(config.options).api];
}
