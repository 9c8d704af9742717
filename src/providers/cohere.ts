import { defineHttpAdapter } from './http-adapter.ts';
import type { Preset } from './presets.ts';

const preset: Preset = {
  title: 'Cohere, by its chat API of version 2',
  exampleModel: 'command-a-03-2025',
  baseUrl: 'https://api.cohere.com/v2',
  baseUrlEnv: { name: 'CO_API_URL', path: '/v2' },
  apiKeyEnv: 'CO_API_KEY',
  priceProvider: 'cohere',
};

export const cohere = defineHttpAdapter({
  summary: preset.title,
  example: `cohere:${preset.exampleModel}`,
  version: 'chat-v2-1',
  writes: ['model', 'messages'],
  presetOf: (_config, { env }) =>
    (env['CO_API_KEY'] ?? '') === '' && (env['COHERE_API_KEY'] ?? '') !== ''
      ? { ...preset, apiKeyEnv: 'COHERE_API_KEY' }
      : preset,
  load: async () => (await import('./cohere-chat.ts')).cohereChat,
});
