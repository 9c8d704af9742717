import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import { type Draft, isMap, type LeftOut, type Written } from '../draft.ts';

export type Provider = string | Readonly<Record<string, unknown>>;

const ADAPTERS: Readonly<Record<string, string>> = {
  openai: 'openai',
  azure: 'azure',
  azureopenai: 'azure',
  anthropic: 'anthropic',
  google: 'gemini',
  vertex: 'vertex',
  mistral: 'mistral',
  groq: 'groq',
  deepseek: 'deepseek',
  openrouter: 'openrouter',
  together: 'together',
  togetherai: 'together',
  perplexity: 'perplexity',
  cohere: 'cohere',
  xai: 'xai',
  ollama: 'ollama',
  bedrock: 'bedrock',
};
const CHAT = /^(?:chat|messages|completion|responses):/;

/** `openai:chat:gpt-4o` is `openai:gpt-4o`; undefined for a provider that is code or has no adapter here. */
export function convertModel(id: string): { readonly use: string; readonly api?: 'responses' } | undefined {
  const colon = id.indexOf(':');
  if (colon === -1) return undefined;
  const name = id.slice(0, colon);
  const adapter = Object.hasOwn(ADAPTERS, name) ? ADAPTERS[name] : undefined;
  const rest = id.slice(colon + 1);
  const model = rest.replace(CHAT, '');
  if (
    adapter === undefined ||
    model === '' ||
    /^(?:embeddings?|moderation|image|assistant|realtime|tts|agents|codex)\b|^(?:claude-agent-sdk|claude-code)/.test(
      rest,
    )
  )
    return undefined;
  const isResponses = name === 'openai' && rest.startsWith('responses:');
  return { use: `${adapter}:${model}`, ...(isResponses ? { api: 'responses' } : {}) };
}

/** Keys of a provider's config that are no parameters: its address and its key. */
const ADDRESS = new Set(['apiBaseUrl', 'apiKeyEnvar', 'apiKey', 'apiHost', 'organization']);

export function convertProvider(written: Written, draft: Draft): Provider | LeftOut {
  const { value } = written;
  // A map with a single key has its id as that key.
  const [only, second] = isMap(value) && value['id'] === undefined ? Object.keys(value) : [];
  const isKeyed = only !== undefined && second === undefined && isMap(written.child(only).value);
  const parts = isKeyed ? written.child(only) : written;
  const id = typeof value === 'string' ? value : isKeyed ? only : written.child('id').value;
  if (typeof id !== 'string') return draft.refuse(written, 'a provider without an id is not known here');
  const model = convertModel(id);
  if (model === undefined) {
    return draft.refuse(
      { ...written, value: id },
      `the provider "${id.slice(0, 80)}" has no equivalent here`,
      'programs are exec:, servers http:, files of your own module:',
    );
  }
  if (typeof value === 'string') return model.api === undefined ? model.use : { id: model.use, ...model };
  const known = new Set(['id', 'label', 'config']);
  const extra = Object.keys(Object(parts.value)).find((key) => !known.has(key));
  if (extra !== undefined) return draft.refuse(parts.child(extra), `"${extra}" of a provider has no equivalent here`);
  const config = parts.child('config');
  const settings = isMap(config.value) ? config.value : {};
  for (const key of ['apiKey', 'apiHost', 'organization']) {
    if (settings[key] === undefined) continue;
    // The message gives the place of a key, and never the key.
    draft.refuse(
      { ...config.child(key), value: '…' },
      `"${key}" is not carried over`,
      'name the variable of the key with apiKeyEnv',
    );
  }
  const params: JsonObject = Object.fromEntries(
    Object.entries(settings).flatMap(([key, setting]) => {
      if (ADDRESS.has(key)) return [];
      if (!mentionsFile(setting)) return [[key, setting]] as [string, JsonObject[string]][];
      draft.refuse(
        config.child(key),
        `"${key}" of a provider names a file or a variable, which has no equivalent here`,
      );
      return [];
    }),
  );
  const { apiBaseUrl, apiKeyEnvar } = settings;
  const { label } = Object(parts.value) as { readonly label?: unknown };
  const provider = {
    id: typeof label === 'string' ? label : model.use,
    ...model,
    ...defined({
      baseURL: typeof apiBaseUrl === 'string' ? apiBaseUrl : undefined,
      apiKeyEnv: typeof apiKeyEnvar === 'string' ? apiKeyEnvar : undefined,
    }),
    ...(Object.keys(params).length === 0 ? {} : { params }),
  };
  return Object.keys(provider).length === 2 && provider.id === provider.use ? provider.use : provider;
}

function mentionsFile(value: unknown): boolean {
  if (typeof value === 'string') return value.startsWith('file://') || /\{\{/.test(value);
  if (Array.isArray(value)) return value.some(mentionsFile);
  return isMap(value) && Object.values(value).some(mentionsFile);
}
