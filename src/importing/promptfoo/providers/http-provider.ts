import { defined } from '../../../json/defined.ts';
import { parseJsonText } from '../../../json/parse-json.ts';
import { nameSet } from '../../../text/name-set.ts';
import { type Draft, isMap, type LeftOut, mapTexts, type Written } from '../../draft.ts';
import { readEnvName, readHeaders } from './address.ts';
import { convertHttpCode } from './http-code.ts';
import type { OwnContext } from './own-provider.ts';

type Settings = Readonly<Record<string, unknown>>;

/** True for the user's own server: `http`, `https` or its address. */
export function isHttpProvider(id: string): boolean {
  return /^https?(?:$|:\/\/)/.test(id);
}

/** The part of a provider that a suite's `http:` can express: a JSON POST with the prompt, and a path to the answer. */
interface PlainHttp {
  readonly url: string;
  readonly request: Settings;
  /** JSONPath. */
  readonly text: string;
}

export interface HttpPrompts {
  /** Variable that makes up every prompt entirely. */
  readonly promptVar: string | undefined;
  /** True if no prompt is a chat, or code that may make one. */
  readonly areTexts: boolean;
}

const plainSettings = nameSet('url method headers body transformResponse responseParser');

/** Reads a plain server; undefined if promptfoo's requests need code. */
export function readPlainHttp(
  id: string,
  config: unknown,
  { promptVar, areTexts }: HttpPrompts,
): PlainHttp | undefined {
  if (!areTexts) return undefined;
  const settings = isMap(config) ? config : {};
  const url = settings['url'] ?? (id.includes('://') ? id : undefined);
  const { method, body, headers, transformResponse, responseParser } = settings;
  if (Object.keys(settings).some((key) => !plainSettings.has(key) && !isIgnored(key))) return undefined;
  if (typeof url !== 'string' || !URL.canParse(url) || /\{\{/.test(url) || !/^https?:/.test(url)) return undefined;
  if (typeof method !== 'string' || method.toUpperCase() !== 'POST') return undefined;
  const isPlainHeader = ([name, value]: readonly [string, unknown]): boolean =>
    typeof value !== 'string' ||
    !/\{[{%#]/.test(value) ||
    readEnvName(value) !== undefined ||
    (name.toLowerCase() === 'authorization' && readBearer(value) !== undefined);
  if (!Object.entries(isMap(headers) ? headers : {}).every(isPlainHeader)) return undefined;
  const request = readBody(body, ['prompt', promptVar ?? 'prompt']);
  const transform = transformResponse ?? responseParser;
  const text = transform === undefined ? '$' : readPath(transform);
  return request === undefined || text === undefined ? undefined : { url, request, text };
}

/** True for settings that affect no single-turn answer. */
function isIgnored(key: string): boolean {
  return /timeout/i.test(key) || ['stateful', 'sessionSource', 'sessionParser', 'tokenEstimation'].includes(key);
}

/** Converts a server to `http:` if a suite can express it, else to a module. */
export async function convertHttpProvider(
  id: string,
  parts: Written,
  context: OwnContext & HttpPrompts,
): Promise<Settings | LeftOut> {
  const { draft, label, keepsState } = context;
  const config = parts.child('config');
  for (const key of Object.keys(Object(config.value)))
    if (isIgnored(key)) draft.note(config.child(key), `"${key}" is left out: it decides no answer of a single turn`);
  const plain = keepsState ? undefined : readPlainHttp(id, config.value, context);
  if (plain === undefined) return convertHttpCode(id, parts, context, isIgnored);
  const { url, request, text } = plain;
  draft.note(
    config.child('body'),
    'a prompt or variable that is itself JSON is sent as a text here, and a list or map as it is',
  );
  draft.note(config, 'a reply with a status of 300 or more is an error here, and an answer in promptfoo');
  if (text === '$') draft.note(config, 'the answer is all of the reply, which must be JSON here');
  else draft.note(config.child('transformResponse'), 'checks that are code see an object there as its JSON text');
  const { apiKeyEnv, headers } = splitHeaders(config, url, draft);
  return {
    id: label ?? id,
    use: `http:${(label ?? new URL(url).host).replaceAll(/[^\w.-]+/g, '-')}`,
    baseURL: url,
    ...defined({ apiKeyEnv, headers }),
    request,
    response: { text },
  };
}

function readBearer(value: unknown): string | undefined {
  return /^Bearer\s+\{\{\s*env\.([A-Za-z_]\w*)\s*\}\}$/.exec(String(value))?.[1];
}

/** Splits off a bearer token from a variable, which becomes the provider's key. */
function splitHeaders(config: Written, url: string, draft: Draft) {
  const part = config.child('headers');
  const given = Object(part.value) as Settings;
  const name = Object.keys(given).find((header) => header.toLowerCase() === 'authorization');
  const bearer = name === undefined ? undefined : readBearer(given[name]);
  const omitted = Object.keys(given).filter(
    (header) => (header === name && bearer !== undefined) || /^(?:content-type|accept)$/i.test(header),
  );
  const headers = readHeaders(part, url, draft, omitted);
  return { apiKeyEnv: bearer, headers: Object.keys(headers).length === 0 ? undefined : headers };
}

/** Converts a body to a request template; undefined if it reads anything but the prompt and named variables. */
function readBody(body: unknown, names: readonly string[]): Settings | undefined {
  const parsed = typeof body === 'string' ? parseBody(body) : body;
  if (!isMap(parsed)) return undefined;
  const renamed = rename(parsed, new RegExp(String.raw`\{\{\s*(?:${names.join('|')})\s*\}\}`, 'g'));
  return isMap(renamed) && readsNamesOnly(renamed) ? renamed : undefined;
}

function parseBody(text: string): unknown {
  const found = parseJsonText(text);
  return 'error' in found ? undefined : found.value;
}

function readsNamesOnly(value: unknown): boolean {
  if (typeof value === 'string') return !/\{[{%#]/.test(value.replaceAll(/\{\{ (?:prompt|vars\.\w+) \}\}/g, ''));
  if (Array.isArray(value)) return value.every(readsNamesOnly);
  return !isMap(value) || Object.entries(value).every(([key, item]) => !/\{[{%#]/.test(key) && readsNamesOnly(item));
}

function rename(value: unknown, pattern: RegExp): unknown {
  return mapTexts(value, (text) =>
    text
      .replaceAll(pattern, '{{ prompt }}')
      .replaceAll(/\{\{\s*(?!prompt\b|env\b)([A-Za-z_]\w*)\s*\}\}/g, '{{ vars.$1 }}'),
  );
}

/** Converts `json.a[0].b`, possibly returned by an arrow function, to `$.a[0].b`. */
function readPath(transform: unknown): string | undefined {
  if (typeof transform !== 'string') return undefined;
  const code = transform.trim().replace(/^\(\s*json(?:\s*,\s*\w+)*\s*\)\s*=>\s*/, '');
  if (code === 'json') return '$';
  const path = /^json((?:\??\.[A-Za-z_$][\w$]*|(?:\?\.)?\[(?:\d+|"[\w -]+"|'[\w -]+')\])+)$/.exec(code)?.[1];
  return path === undefined || /\.(?:length|constructor)\b/.test(path)
    ? undefined
    : `$${path.replaceAll('?.[', '[').replaceAll('?.', '.')}`;
}
