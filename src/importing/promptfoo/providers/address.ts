import { defined } from '../../../json/defined.ts';
import type { Draft, Written } from '../../draft.ts';
import type { ConvertedModel } from './model-ids.ts';

type Settings = Readonly<Record<string, unknown>>;

const localPattern = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0|host\.docker\.internal)(?=[:/]|$)/;

/** Reads a model's address and the variable of its key. */
export function readAddress(config: Written, settings: Settings, model: ConvertedModel, draft: Draft): Settings {
  const baseURL = readBaseUrl(config, settings, model, draft) ?? model.baseURL;
  const { apiKey, apiKeyEnvar } = settings;
  if (typeof apiKeyEnvar === 'string') return defined({ baseURL, apiKeyEnv: apiKeyEnvar });
  const isLocal = baseURL !== undefined && localPattern.test(baseURL);
  const usual = isLocal ? undefined : (model.apiKeyEnv ?? usualKeys[model.adapter]);
  // promptfoo ignores an empty key.
  if (apiKey !== undefined && apiKey !== null && apiKey !== '') {
    const name = readEnvName(apiKey);
    if (name !== undefined) return defined({ baseURL, apiKeyEnv: name });
    const part = { ...config.child('apiKey'), value: '…' };
    const meant = readShellName(apiKey);
    if (meant !== undefined) {
      draft.note(part, `"apiKey" is the variable ${meant} here: promptfoo sends the name of it`);
      return defined({ baseURL, apiKeyEnv: meant });
    }
    // The message must show a key's place, never the key.
    if (isLocal) draft.note(part, '"apiKey" is left out: no key is sent to an address of this machine');
    // A different address must not get the usual key instead of the written one.
    else if (baseURL !== undefined && baseURL !== model.baseURL)
      return { baseURL, apiKeyEnv: noteSecret(part, apiKey, baseURL, 'API_KEY', draft) };
    else draft.note(part, `"apiKey" is left out: set ${usual ?? "the key's variable"} where llmcheck runs`);
  }
  return defined({ baseURL, apiKeyEnv: baseURL === undefined ? undefined : usual });
}

/** Usual key variables. promptfoo sends them to any address; here, a custom address gets only a named key. */
const usualKeys: Readonly<Record<string, string>> = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  mistral: 'MISTRAL_API_KEY',
  azure: 'AZURE_OPENAI_API_KEY',
};

function readBaseUrl(
  config: Written,
  { apiBaseUrl, apiHost, apiVersion }: Settings,
  { adapter }: ConvertedModel,
  draft: Draft,
): string | undefined {
  const [key, value] = apiHost === undefined ? ['apiBaseUrl', apiBaseUrl] : ['apiHost', apiHost];
  if (value === undefined || value === null || value === '') return undefined;
  const part = config.child(key);
  if (adapter === 'ollama') {
    draft.note(part, `"${key}" is left out: promptfoo asks Ollama at OLLAMA_BASE_URL or on this machine`);
    return undefined;
  }
  if (typeof value !== 'string' || /\{\{/.test(value)) {
    draft.refuse(part, `"${key}" of a provider must be an address that is written out`);
    return undefined;
  }
  const bare = value.replace(/\/+$/, '');
  const url = /^https?:\/\//.test(bare) ? bare : `https://${bare}`;
  if (!URL.canParse(url)) {
    draft.refuse(part, `"${key}" of a provider is no address`);
    return undefined;
  }
  if (adapter === 'azure') return apiVersion === undefined ? `${url.replace(/\/openai(?:\/v1)?$/, '')}/openai/v1` : url;
  if (adapter === 'gemini' && key === 'apiHost') return `${url}/v1beta`;
  if (adapter === 'anthropic' || adapter === 'gemini') return /\/v\d\w*$/.test(url) ? url : `${url}/v1`;
  return key === 'apiHost' ? `${url}/v1` : url;
}

/** Notes a literal secret and returns the variable that should hold it. Another server must not get it. */
export function noteSecret(part: Written, value: unknown, address: string, what: string, draft: Draft): string {
  const host = URL.canParse(address) ? new URL(address).host : address;
  const named = `${host}_${what}`
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+/, '')
    .toUpperCase();
  const name = readShellName(value) ?? named.replace(/^(?=\d)/, 'HOST_');
  const { file, line } = part.at();
  draft.note({ ...part, value: '…' }, `a secret is not carried over: put the one of ${file}:${line} into ${name}`);
  return name;
}

/** Reads the headers of a config. Secrets are replaced by their variables. */
export function readHeaders(
  part: Written,
  address: string,
  draft: Draft,
  omitted: readonly string[] = [],
): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(Object(part.value) as Settings)) {
    const variable = readEnvName(value);
    const hidden = { ...part.child(name), value: '…' };
    if (omitted.includes(name)) continue;
    if (variable !== undefined) headers[name] = { env: variable };
    else if (typeof value !== 'string' || /\{\{/.test(value))
      draft.refuse(hidden, `the header ${name} is not carried over`, 'write {env: NAME}');
    else if (secretHeaderPattern.test(name)) headers[name] = { env: noteSecret(hidden, value, address, name, draft) };
    else headers[name] = value;
  }
  return headers;
}

/** Reads all headers of a model's requests. */
export function readAllHeaders(
  config: Written,
  { organization, beta, apiBaseUrl, apiHost }: Settings,
  draft: Draft,
): Settings | undefined {
  const address = [apiHost, apiBaseUrl].find((one) => typeof one === 'string') ?? '';
  const headers = readHeaders(config.child('headers'), address, draft);
  if (typeof organization === 'string' && !/\{\{/.test(organization)) headers['OpenAI-Organization'] = organization;
  if (Array.isArray(beta)) headers['anthropic-beta'] = beta.join(',');
  return Object.keys(headers).length === 0 ? undefined : headers;
}

/** Name of a variable that is the whole value: `{{env.NAME}}`. */
export function readEnvName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const found = /^\s*\{\{\s*env(?:\.([A-Za-z_]\w*)|\[\s*["']([A-Za-z_]\w*)["']\s*\])\s*\}\}\s*$/.exec(value);
  return found?.[1] ?? found?.[2];
}

export const secretHeaderPattern = /authorization|key|token|cookie|secret/i;

/** Name in a value that is only `${NAME}`, which promptfoo reads as plain text. */
function readShellName(value: unknown): string | undefined {
  return typeof value === 'string' ? /^\$\{?([A-Z_][A-Z0-9_]*)\}?$/.exec(value)?.[1] : undefined;
}
