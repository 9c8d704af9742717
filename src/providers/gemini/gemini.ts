import * as z from 'zod';
import type { ProviderEnv } from '../../model/provider.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import { defineHttpAdapter } from '../http-adapter.ts';
import type { Preset } from '../presets.ts';
import { geminiContent } from './content.ts';

const version = 'generate-content-1';

const formatOf = () => geminiContent;

const studio: Preset = {
  title: 'Google Gemini, by its generateContent API',
  exampleModel: 'gemini-2.5-flash',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  baseUrlEnv: { name: 'GOOGLE_GEMINI_BASE_URL', path: '/v1beta' },
  apiKeyEnv: 'GEMINI_API_KEY',
  keyHeader: 'x-goog-api-key',
  priceProvider: 'google',
};

export const gemini = defineHttpAdapter({
  summary: studio.title,
  example: `gemini:${studio.exampleModel}`,
  version,
  writes: ['model', 'messages', 'contents'],
  systemMember: 'systemInstruction',
  presetOf: geminiPresetOf,
  formatOf,
});

/** Google's own clients know two names for the same key. */
export function geminiPresetOf(_config: ProviderConfig, { env }: ProviderEnv): Preset {
  const isOther = !isSet(env['GEMINI_API_KEY']) && isSet(env['GOOGLE_API_KEY']);
  return isOther ? { ...studio, apiKeyEnv: 'GOOGLE_API_KEY' } : studio;
}

const options = z.strictObject({
  /** Default GOOGLE_CLOUD_PROJECT. */
  project: z.string().min(1).exactOptional(),
  /** Default GOOGLE_CLOUD_LOCATION, else `global`. */
  location: z.string().min(1).exactOptional(),
});

export const vertex = defineHttpAdapter({
  summary: 'Google Gemini on Vertex AI, with an access token',
  example: 'vertex:gemini-2.5-flash',
  version,
  writes: ['model', 'messages', 'contents'],
  systemMember: 'systemInstruction',
  options,
  presetOf: buildVertexPreset,
  formatOf,
});

function buildVertexPreset(config: ProviderConfig, { env }: ProviderEnv): Preset {
  const own = options.parse(config.options);
  const project = own.project ?? env['GOOGLE_CLOUD_PROJECT']?.trim();
  const location = own.location ?? (env['GOOGLE_CLOUD_LOCATION']?.trim() || 'global');
  const host = location === 'global' ? 'aiplatform.googleapis.com' : `${location}-aiplatform.googleapis.com`;
  return {
    title: 'Vertex AI',
    exampleModel: 'gemini-2.5-flash',
    // Without a project there is no address, and the error names the missing variable.
    ...(isSet(project)
      ? { baseUrl: `https://${host}/v1/projects/${project}/locations/${location}/publishers/google` }
      : {}),
    baseUrlEnv: { name: 'GOOGLE_VERTEX_BASE_URL', path: '' },
    addressHint: 'set GOOGLE_CLOUD_PROJECT, or add project to the provider',
    apiKeyEnv: 'GOOGLE_ACCESS_TOKEN',
    priceProvider: 'google',
  };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}
