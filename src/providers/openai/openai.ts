import type { ClientOptions, OpenAI } from 'openai';
import * as z from 'zod';
import type { HttpReply } from '../../http/client.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { UserError } from '../../model/problem.ts';
import type { Usage } from '../../model/run/completion.ts';
import type { Adapter } from '../../model/suite/provider.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import { type Answer, findIndexFault, firstByIndex, list, malformed, readBody, text } from '../answer.ts';
import { defineHttpAdapter, type HttpService } from '../http-adapter.ts';
import type { OutgoingRequest } from '../outgoing-request.ts';
import type { Preset } from '../presets.ts';
import { plainChatStream } from '../streams/fold-openai.ts';
import { openaiChat } from './chat.ts';
import type { Dialect } from './dialect.ts';
import { openaiResponses } from './responses.ts';

const options = z.strictObject({ api: z.enum(['chat', 'responses', 'embeddings']).default('chat') });

const azureOptions = options.extend({
  /** Version of Azure's deployment API, such as 2024-10-21. Without it, the unversioned v1 API is used. */
  apiVersion: z.string().min(1).exactOptional(),
});

/** Embeddings, chosen with `api: embeddings`. Embeds the last message; the answer's text is the vector as JSON. */
const openaiEmbeddings: Dialect = {
  takes: /./,
  pathOf: () => '/embeddings',
  version: 'embeddings-1',
  buildBody: ({ params, model, messages }) => ({ ...params, model, input: messages.at(-1)?.content ?? '' }),
  readAnswer: (body, { latencyMs }) => readBody(body, (object) => readEmbedding(object, latencyMs), readEmbeddingUsage),
};

const dialects = { chat: openaiChat, responses: openaiResponses, embeddings: openaiEmbeddings };

/** Defines the adapter of a service that speaks the OpenAI protocol. */
export function defineOpenaiAdapter(name: string, preset: Preset): Adapter {
  return defineHttpAdapter({
    summary: preset.title,
    example: `${name}:${preset.exampleModel}`,
    options: name === 'azure' ? azureOptions : options,
    writes: ['model', 'messages', 'input'],
    embeddings: { api: 'embeddings' },
    version: (config) => dialectOf(config).version,
    presetOf: (config) => presetOf(preset, config),
    adjustBaseUrl: placeDeployment,
    formatOf(config) {
      const dialect = dialectOf(config);
      const taken = preset.knowsNoSchema === true ? withoutSchema(dialect) : dialect;
      return preset.refusesOptions === true && taken.stream !== undefined
        ? { ...taken, stream: plainChatStream }
        : taken;
    },
    openSender,
  });
}

function dialectOf(config: ProviderConfig): Dialect {
  return dialects[azureOptions.parse(config.options).api];
}

/** Requests plain JSON if the service refuses schemas. The contract still checks the answer. */
function withoutSchema(dialect: Dialect): Dialect {
  const withoutFormat = (request: OutgoingRequest): OutgoingRequest => {
    const { response_format: format, ...rest } = request.params;
    if (!isJsonObject(format) || format['type'] !== 'json_schema') return request;
    return { ...request, params: { ...rest, response_format: { type: 'json_object' } } };
  };
  return { ...dialect, buildBody: (request) => dialect.buildBody(withoutFormat(request)) };
}

/** Drops the v1 path for Azure's deployment API. */
function presetOf(preset: Preset, { options: { apiVersion } }: ProviderConfig): Preset {
  if (apiVersion === undefined || preset.baseUrlEnv === undefined) return preset;
  return { ...preset, baseUrlEnv: { ...preset.baseUrlEnv, path: '' } };
}

/** Puts the deployment into the path and the version into the query, for Azure's deployment API. */
function placeDeployment(baseUrl: string, { model, options: { apiVersion } }: ProviderConfig): string {
  if (typeof apiVersion !== 'string') return baseUrl;
  const url = new URL(baseUrl);
  const path = url.pathname.replace(/\/$/, '');
  if (!path.includes('/deployments/')) {
    url.pathname = `${path.replace(/\/openai$/, '')}/openai/deployments/${encodeURIComponent(model)}`;
  }
  url.searchParams.set('api-version', apiVersion);
  return url.href;
}

/**
 * Sends through OpenAI's SDK, with our client as its `fetch`. Drops the SDK's headers: they name the platform, and
 * OPENAI_CUSTOM_HEADERS would go to any host. Hides status and errors from the SDK, which drops bodies and headers that
 * explain a failure. Signal and reply bypass it in `exchange`.
 *
 * Calls the SDK's public `fetchWithTimeout`, not its `post`. `post` also builds headers, a log line and a `Response` that
 * nothing reads: 10,000 cold calls took 9.3 s of CPU with it and 6.6 s without. A run may take four times the CPU of a
 * bare loop, and this would be five times.
 */
const openSender: NonNullable<HttpService['openSender']> = async (client, { baseUrl, path, headers, isStream }) => {
  const { OpenAI: Sdk } = await import('openai');
  const fetch: ClientOptions['fetch'] = (to, init: RequestInit & Partial<Exchange> = {}) => {
    const { exchange, body } = init;
    if (exchange === undefined || typeof to !== 'string' || typeof body !== 'string') {
      throw new Error('the OpenAI SDK sent no text');
    }
    const { signal } = exchange;
    exchange.reply = client.send({ url: to, method: 'POST', headers, body, signal, isStream });
    return exchange.reply.then(answer, answer);
  };
  const sdk = openSdk(Sdk, new URL(baseUrl), fetch);
  const url = sdk.buildURL(path, undefined);
  // A placeholder: nothing reads it. A real one would load Node's own fetch, 14 ms of CPU per run.
  const unread = {} as Response;
  const answer = () => unread;
  // Calls end by their own signals.
  const neverAborted = new AbortController();
  return async (body, signal) => {
    const init: RequestInit & Exchange = { method: 'POST', body, exchange: { signal } };
    await sdk.fetchWithTimeout(url, init, longestTimerMs, neverAborted);
    if (init.exchange.reply === undefined) throw new Error('the OpenAI SDK sent nothing');
    return init.exchange.reply;
  };
};

/** Signal and reply of a call, passed through the SDK in its request options. */
interface Exchange {
  readonly exchange: { readonly signal: AbortSignal; reply?: Promise<HttpReply> };
}

/** Longest delay of a Node timer. */
const longestTimerMs = 2 ** 31 - 1;

function openSdk(Sdk: typeof OpenAI, address: URL, fetch: ClientOptions['fetch']): OpenAI {
  try {
    return new Sdk({
      // Our client sends the key, so the SDK must not hold a copy.
      apiKey: 'unused',
      // Null stops the SDK from reading the variables.
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      baseURL: address.origin + address.pathname,
      defaultQuery: Object.fromEntries(address.searchParams),
      logLevel: 'off',
      fetch,
      // The engine owns retries and deadlines. The SDK's default timer ends a call after ten minutes.
      maxRetries: 0,
      timeout: longestTimerMs,
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UserError(
      {
        code: 'environment',
        message: `The OpenAI client refuses its settings: ${error.message}`,
        hint: 'check the variable OPENAI_CUSTOM_HEADERS',
      },
      { cause: error },
    );
  }
}

function readEmbedding(body: JsonObject, latencyMs: number): Answer {
  const indexFault = findIndexFault(body['data']);
  if (indexFault !== undefined) return malformed(indexFault);
  const first = firstByIndex(body['data']);
  const vector = isJsonObject(first) ? list(first['embedding']) : [];
  if (vector.length === 0 || !vector.every((value) => typeof value === 'number')) {
    return malformed('"data" holds no embedding as a list of numbers');
  }
  return {
    completion: defined({
      text: JSON.stringify(vector),
      toolCalls: [],
      latencyMs,
      usage: readEmbeddingUsage(body),
      model: text(body['model']),
    }),
  };
}

function readEmbeddingUsage({ usage }: JsonObject): Usage | undefined {
  const inputTokens = isJsonObject(usage) ? (usage['prompt_tokens'] ?? usage['total_tokens']) : undefined;
  return typeof inputTokens === 'number' ? { inputTokens, outputTokens: 0 } : undefined;
}
