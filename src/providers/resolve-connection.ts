import { defined } from '../json/defined.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { ProviderFailure } from '../model/run/completion.ts';
import type { Endpoint, ProviderEnv } from '../model/suite/provider.ts';
import type { ProviderConfig } from '../model/suite/suite.ts';
import { findPriceProvider, type Preset } from './presets.ts';

export const commonHeaders = {
  accept: 'application/json',
  'content-type': 'application/json',
  'user-agent': 'llmcheck',
} as const;

/** All headers that identify the caller, or why they can't be built. */
export type Credentials =
  | { readonly headers: Readonly<Record<string, string>> }
  | { readonly failure: ProviderFailure };

/** Resolves the address of requests and the variable of the key. Throws a `UserError` for an unusable base URL. */
export function resolveAddress(
  preset: Preset,
  config: ProviderConfig,
  { env }: ProviderEnv,
): Pick<Endpoint, 'apiKeyEnv' | 'withheldKeyEnv' | 'priceProvider' | 'movedBy'> & { readonly baseUrl: string } {
  const fromEnv = preset.baseUrlEnv === undefined ? undefined : env[preset.baseUrlEnv.name]?.trim();
  const written =
    config.baseUrl ??
    (preset.baseUrlEnv !== undefined && fromEnv !== undefined && fromEnv !== ''
      ? appendPath(fromEnv, preset.baseUrlEnv.path)
      : preset.baseUrl);
  if (written === undefined) {
    throw problem(config, 'invalid-value', `Provider "${config.id}" has no address.`, describeAddress(preset));
  }
  const url = parseBaseUrl(config, written, config.baseUrl === undefined ? preset.baseUrlEnv?.name : undefined);
  // A suite must not send one service's key to another: an address from the suite uses its own key or none.
  const apiKeyEnv = config.apiKeyEnv ?? (config.baseUrl === undefined ? preset.apiKeyEnv : undefined);
  const isBare = Object.keys(config.headers).length === 0;
  const paid = config.baseUrl === undefined ? undefined : findPriceProvider(url.host);
  return {
    baseUrl: url.search === '' ? trimSlashes(url.href) : url.href,
    priceProvider: paid ?? preset.priceProvider,
    ...defined({ apiKeyEnv, withheldKeyEnv: apiKeyEnv === undefined && isBare ? preset.apiKeyEnv : undefined }),
    ...describeMove(preset, config, fromEnv ?? ''),
  };
}

function describeMove(
  { baseUrl: from, baseUrlEnv }: Preset,
  { baseUrl }: ProviderConfig,
  fromEnv: string,
): Pick<Endpoint, 'movedBy'> {
  if (baseUrl !== undefined || baseUrlEnv === undefined || fromEnv === '') return {};
  return { movedBy: { variable: baseUrlEnv.name, ...defined({ from }) } };
}

/** Adds to an auth failure that the key was withheld, which the server's message does not show. */
export function explainRefusal(failure: ProviderFailure, withheldKeyEnv: string | undefined): ProviderFailure {
  if (failure.kind !== 'auth' || withheldKeyEnv === undefined) return failure;
  const why = `${withheldKeyEnv} was not sent, because the provider has baseURL and no apiKeyEnv`;
  const message = `${failure.message} (${why}: name the variable that holds the key of that address with apiKeyEnv)`;
  return { ...failure, message };
}

/** Reads the key and the configured headers. */
export function readCredentials(preset: Preset, config: ProviderConfig, providerEnv: ProviderEnv): Credentials {
  const { env } = providerEnv;
  const { baseUrl, apiKeyEnv } = resolveAddress(preset, config, providerEnv);
  const headers: Record<string, string> = {};
  if (apiKeyEnv !== undefined) {
    const key = env[apiKeyEnv]?.trim();
    if (key === undefined || key === '') {
      return refuse('auth', `${apiKeyEnv} is not set: set it, or name the variable that holds the key with apiKeyEnv`);
    }
    if (preset.keyHeader === undefined) headers['authorization'] = `Bearer ${key}`;
    else headers[preset.keyHeader] = key;
  }
  if (new URL(baseUrl).host === 'api.openai.com') Object.assign(headers, readOpenaiAccount(env));
  for (const [name, value] of Object.entries(config.headers)) {
    const text = typeof value === 'string' ? value : env[value.env]?.trim();
    if (text === undefined || text === '') {
      const variable = typeof value === 'string' ? 'its value' : value.env;
      return refuse('auth', `the header ${name} of provider "${config.id}" is empty: ${variable} is not set`);
    }
    headers[name.toLowerCase()] = text;
  }
  return checkHeaders(headers) ?? { headers };
}

/** Headers that the official SDK sends. They identify an account, so no other host may get them. */
function readOpenaiAccount(env: ProviderEnv['env']): Record<string, string> {
  return defined({
    'openai-organization': env['OPENAI_ORG_ID']?.trim() || undefined,
    'openai-project': env['OPENAI_PROJECT_ID']?.trim() || undefined,
  });
}

/** Headers that only the HTTP client may set. */
const framing = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

const headerName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

function checkHeaders(headers: Readonly<Record<string, string>>): Credentials | undefined {
  for (const [name, value] of Object.entries(headers)) {
    if (framing.has(name)) return refuse('badRequest', `the header ${name} can't be set: it belongs to the connection`);
    if (!headerName.test(name) || !headerValue.test(value)) {
      // Do not quote the value: it may be a key.
      return refuse('badRequest', `the header ${JSON.stringify(name)} has a name or a value that HTTP does not allow`);
    }
  }
  return undefined;
}

/** Parses the base URL. `variable` names its source, if no file did. */
function parseBaseUrl(config: ProviderConfig, written: string, variable: string | undefined): URL {
  if (!/^https?:\/\//i.test(written) || !URL.canParse(written)) {
    const found = `Provider "${config.id}" has the base URL ${JSON.stringify(withoutSecrets(written))}, which is not an http:// or https:// URL.`;
    const example = 'http://127.0.0.1:11434/v1';
    const hint =
      variable === undefined ? `write it like ${example}` : `it is the value of ${variable}: set it like ${example}`;
    throw problem(config, 'invalid-value', found, hint);
  }
  const url = new URL(written);
  url.hash = '';
  if (url.username !== '' || url.password !== '') {
    const found = `The base URL of provider "${config.id}" holds a user name or a password.`;
    throw problem(config, 'literal-key', found, 'put the secret into a variable and name it with apiKeyEnv or headers');
  }
  return url;
}

/** Masks the parts before an @ and after a question mark: they may be secret, and the message is logged. */
function withoutSecrets(written: string): string {
  return written.replace(/[^/]*@/, '***@').replace(/\?.*/s, '?***');
}

function describeAddress({ baseUrlEnv, addressHint }: Preset): string {
  return addressHint ?? `add baseURL to the provider${baseUrlEnv === undefined ? '' : `, or set ${baseUrlEnv.name}`}`;
}

function refuse(kind: ProviderFailure['kind'], message: string): Credentials {
  return { failure: { kind, message } };
}

function problem(config: ProviderConfig, code: Problem['code'], message: string, hint: string): UserError {
  return new UserError({ code, message, hint, ...defined({ at: config.at }) });
}

/** Puts a path before the query, if there is one. */
function appendPath(address: string, path: string): string {
  const [, base = address, rest = ''] = /^([^?#]*)(.*)$/s.exec(address) ?? [];
  return trimSlashes(base) + path + rest;
}

function trimSlashes(text: string): string {
  return text.replace(/\/+$/, '');
}
