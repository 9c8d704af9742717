import { defined } from '../../../json/defined.ts';
import type { Draft, Written } from '../../draft.ts';
import type { ConvertedModel } from './model-ids.ts';

type Settings = Readonly<Record<string, unknown>>;

const LOCAL = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0|host\.docker\.internal)(?=[:/]|$)/;

/** Where a model is asked, and the variable of its key. */
export function readAddress(config: Written, settings: Settings, model: ConvertedModel, draft: Draft): Settings {
  const baseURL = readBaseUrl(config, settings, model, draft) ?? model.baseURL;
  const { apiKey, apiKeyEnvar } = settings;
  if (typeof apiKeyEnvar === 'string') return defined({ baseURL, apiKeyEnv: apiKeyEnvar });
  const isLocal = baseURL !== undefined && LOCAL.test(baseURL);
  const usual = isLocal ? undefined : (model.apiKeyEnv ?? USUAL_KEYS[model.adapter]);
  // promptfoo takes an empty key as none.
  if (apiKey !== undefined && apiKey !== null && apiKey !== '') {
    const name = readEnvName(apiKey);
    if (name !== undefined) return defined({ baseURL, apiKeyEnv: name });
    const part = { ...config.child('apiKey'), value: '…' };
    const meant = readShellName(apiKey);
    if (meant !== undefined) {
      draft.note(part, `"apiKey" is the variable ${meant} here: promptfoo sends the name of it`);
      return defined({ baseURL, apiKeyEnv: meant });
    }
    // The message gives the place of a key, and never the key.
    if (isLocal) draft.note(part, '"apiKey" is left out: no key is sent to an address of this machine');
    // Another address must not get the usual key in place of the one that is written.
    else if (baseURL !== undefined && baseURL !== model.baseURL)
      return { baseURL, apiKeyEnv: noteSecret(part, apiKey, baseURL, 'API_KEY', draft) };
    else draft.note(part, `"apiKey" is left out: set ${usual ?? "the key's variable"} where llmcheck runs`);
  }
  return defined({ baseURL, apiKeyEnv: baseURL === undefined ? undefined : usual });
}

/** promptfoo sends the usual key to any address; here an address of its own gets only the key that is named. */
const USUAL_KEYS: Readonly<Record<string, string>> = {
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

/** Notes a secret that is written out, and gives the variable that is to hold it. Another server must not get it. */
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

/** The headers of a config, those that hold a secret by the name of its variable. */
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
    else if (SECRET_HEADER.test(name)) headers[name] = { env: noteSecret(hidden, value, address, name, draft) };
    else headers[name] = value;
  }
  return headers;
}

/** The headers of a request for a model. */
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

/** `{{env.NAME}}` as a whole names a variable. */
export function readEnvName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const found = /^\s*\{\{\s*env(?:\.([A-Za-z_]\w*)|\[\s*["']([A-Za-z_]\w*)["']\s*\])\s*\}\}\s*$/.exec(value);
  return found?.[1] ?? found?.[2];
}

export const SECRET_HEADER = /authorization|key|token|cookie|secret/i;

/** `${NAME}` as a whole: promptfoo takes it for a text. */
function readShellName(value: unknown): string | undefined {
  return typeof value === 'string' ? /^\$\{?([A-Z_][A-Z0-9_]*)\}?$/.exec(value)?.[1] : undefined;
}
