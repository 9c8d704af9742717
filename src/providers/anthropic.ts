import { defineHttpAdapter } from './http-adapter.ts';
import type { Preset } from './presets.ts';

export const anthropicPreset: Preset = {
  title: 'Anthropic, by its Messages API',
  exampleModel: 'claude-sonnet-4-5',
  baseUrl: 'https://api.anthropic.com/v1',
  baseUrlEnv: { name: 'ANTHROPIC_BASE_URL', path: '/v1' },
  apiKeyEnv: 'ANTHROPIC_API_KEY',
  keyHeader: 'x-api-key',
  headers: { 'anthropic-version': '2023-06-01' },
  priceProvider: 'anthropic',
};

export const anthropic = defineHttpAdapter({
  summary: anthropicPreset.title,
  example: `anthropic:${anthropicPreset.exampleModel}`,
  version: 'messages-1',
  writes: ['model', 'messages'],
  systemMember: 'system',
  presetOf: () => anthropicPreset,
  load: async () => (await import('./anthropic-messages.ts')).anthropicMessages,
});
