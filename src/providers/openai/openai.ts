// Over plain HTTP: beside URL and body, which are two lines here, the OpenAI SDK adds retries, deadlines and errors that
// the engine owns, and 0.12 ms of CPU a call (10,000 calls: 4.7 instead of 3.5 s).
import * as z from 'zod';
import { isJsonObject } from '../../json/json.ts';
import type { Adapter } from '../../model/provider.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import { defineHttpAdapter } from '../http-adapter.ts';
import type { OutgoingRequest } from '../outgoing-request.ts';
import type { Preset } from '../presets.ts';
import { openaiChat } from './chat.ts';
import type { Dialect } from './dialect.ts';
import { openaiEmbeddings } from './embeddings.ts';
import { openaiResponses } from './responses.ts';

const options = z.strictObject({ api: z.enum(['chat', 'responses', 'embeddings']).default('chat') });
const azureOptions = options.extend({
  /** Of the API by deployments, such as 2024-10-21; without it the v1 API is asked, which has none. */
  apiVersion: z.string().min(1).exactOptional(),
});
const dialects = { chat: openaiChat, responses: openaiResponses, embeddings: openaiEmbeddings };

/** An adapter for one service that speaks the OpenAI protocol. */
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
      return preset.knowsNoSchema === true ? withoutSchema(dialect) : dialect;
    },
  });
}

function dialectOf(config: ProviderConfig): Dialect {
  return dialects[azureOptions.parse(config.options).api];
}

/** Asks for JSON where a schema would be refused; the contract judges the answer anyway. */
function withoutSchema(dialect: Dialect): Dialect {
  const withoutFormat = (request: OutgoingRequest): OutgoingRequest => {
    const { response_format: format, ...rest } = request.params;
    if (!isJsonObject(format) || format['type'] !== 'json_schema') return request;
    return { ...request, params: { ...rest, response_format: { type: 'json_object' } } };
  };
  return { ...dialect, buildBody: (request) => dialect.buildBody(withoutFormat(request)) };
}

/** Azure's API by deployments has a path of its own. */
function presetOf(preset: Preset, { options: { apiVersion } }: ProviderConfig): Preset {
  if (apiVersion === undefined || preset.baseUrlEnv === undefined) return preset;
  return { ...preset, baseUrlEnv: { ...preset.baseUrlEnv, path: '' } };
}

/** Azure's API by deployments has the deployment in its path and the version in its query. */
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
