import type { Adapter } from '../model/suite/provider.ts';
import type { ProviderConfig } from '../model/suite/suite.ts';
import { anthropic } from './anthropic.ts';
import { bedrock } from './bedrock.ts';
import { exec } from './code/exec.ts';
import { module } from './code/module.ts';
import { createPluginAdapter } from './code/plugin-adapter.ts';
import { cohere } from './cohere.ts';
import { echo, replay } from './echo-and-replay.ts';
import { gemini, vertex } from './gemini.ts';
import { http } from './http.ts';
import { defineOpenaiAdapter } from './openai/openai.ts';
import { presets } from './presets.ts';

/** Adapters by name, the part before the colon. */
export const adapters: Readonly<Record<string, Adapter>> = {
  ...Object.fromEntries(Object.entries(presets).map(([name, preset]) => [name, defineOpenaiAdapter(name, preset)])),
  anthropic,
  gemini,
  vertex,
  bedrock,
  cohere,
  http,
  exec,
  module,
  echo,
  replay,
};

/** Finds the adapter of a provider, including plug-ins. */
export function findAdapter({ adapter, plugin }: Pick<ProviderConfig, 'adapter' | 'plugin'>): Adapter | undefined {
  return plugin === undefined ? lookupAdapter(adapter) : createPluginAdapter(plugin);
}

/** Looks up own keys only: `constructor` is a legal YAML string. */
export function lookupAdapter(name: string): Adapter | undefined {
  return Object.hasOwn(adapters, name) ? adapters[name] : undefined;
}
