import type { SourceLocation } from '../model/problem.ts';
import type { PromptModel } from '../model/prompt-file.ts';

/** Publishers as GitHub, Genkit and Prompty call them, and the adapters that reach their models. */
const adapterOf: Readonly<Record<string, string>> = {
  openai: 'openai',
  azure: 'azure',
  azure_openai: 'azure',
  foundry: 'azure',
  anthropic: 'anthropic',
  google: 'gemini',
  googleai: 'gemini',
  gemini: 'gemini',
  vertexai: 'vertex',
  mistral: 'mistral',
  'mistral-ai': 'mistral',
  cohere: 'cohere',
  deepseek: 'deepseek',
  xai: 'xai',
  groq: 'groq',
  ollama: 'ollama',
  openrouter: 'openrouter',
  together: 'together',
  bedrock: 'bedrock',
};

/** `publisher/model`, or a model of OpenAI alone, as older files have it. */
export function findModel(written: string, at: SourceLocation): PromptModel {
  const slash = written.indexOf('/');
  const publisher = slash === -1 ? undefined : written.slice(0, slash);
  if (publisher === undefined) return buildModel(written, isOpenai(written) ? 'openai' : undefined, written, at);
  const adapter = Object.hasOwn(adapterOf, publisher.toLowerCase()) ? adapterOf[publisher.toLowerCase()] : undefined;
  return buildModel(written, adapter, written.slice(slash + 1), at);
}

/** A model whose vendor is a key beside it. */
export function findVendorModel(vendor: string, model: string, at: SourceLocation): PromptModel {
  const adapter = Object.hasOwn(adapterOf, vendor.toLowerCase()) ? adapterOf[vendor.toLowerCase()] : undefined;
  return buildModel(model, adapter, model, at);
}

function buildModel(written: string, adapter: string | undefined, model: string, at: SourceLocation): PromptModel {
  if (adapter !== undefined && model !== '') return { written, use: `${adapter}:${model}`, at };
  return {
    written,
    hint: `name a provider in the suite, or one with id: ${written} in the config`,
    at,
  };
}

function isOpenai(model: string): boolean {
  return /^(?:gpt-|chatgpt-|o\d)/i.test(model);
}
