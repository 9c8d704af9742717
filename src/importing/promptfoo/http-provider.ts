import { defined } from '../../json/defined.ts';
import { parseJsonText } from '../../json/parse-json.ts';
import { type Draft, isMap, type LeftOut, type Written } from '../draft.ts';
import { readHeaders } from './settings.ts';

/** `http`, `https` or the address itself: a server of one's own. */
export function isHttpProvider(id: string): boolean {
  return /^https?(?:$|:\/\/)/.test(id);
}

/** A POST of JSON with the prompt in it, and a path of the answer. Everything else is refused with its place. */
export function convertHttpProvider(
  id: string,
  parts: Written,
  label: string | undefined,
  { draft, promptVar }: { readonly draft: Draft; readonly promptVar: string | undefined },
): Readonly<Record<string, unknown>> | LeftOut {
  const config = parts.child('config');
  const settings = isMap(config.value) ? config.value : {};
  for (const key of Object.keys(settings)) {
    if (/timeout/i.test(key))
      draft.note(config.child(key), `"${key}" is left out: promptfoo does not read it for an http provider`);
    else if (!['url', 'method', 'headers', 'body', 'transformResponse', 'responseParser'].includes(key))
      return draft.refuse(config.child(key), `"${key}" of an http provider has no equivalent here`);
  }
  const url = id.includes('://') ? id : settings['url'];
  if (typeof url !== 'string' || !URL.canParse(url) || /\{\{/.test(url) || !/^https?:/.test(url))
    return draft.refuse(config.child('url'), 'an http provider needs an address that is written out');
  const { method = settings['body'] === undefined ? 'GET' : 'POST' } = settings;
  if (typeof method !== 'string' || method.toUpperCase() !== 'POST')
    return draft.refuse(config, 'an http provider that sends anything but POST has no equivalent here');
  const request = readBody(settings['body'], ['prompt', promptVar ?? 'prompt']);
  if (request === undefined)
    return draft.refuse(
      config.child('body'),
      'the body must be JSON with {{prompt}} or variables and no other template',
    );
  const transform = settings['transformResponse'] ?? settings['responseParser'];
  const text = transform === undefined ? '$' : readPath(transform);
  if (text === undefined)
    return draft.refuse(config.child('transformResponse'), 'transformResponse must be a path such as json.answer');
  draft.note(config.child('body'), 'a prompt or variable that is itself JSON is sent as a text here');
  if (text === '$')
    draft.note(config, 'the answer is all of the reply; a member `output` of it is not taken on its own');
  else draft.note(config.child('transformResponse'), 'checks that are code see an object there as its JSON text');
  const { apiKeyEnv, headers } = splitHeaders(config, draft);
  return {
    id: label ?? id,
    use: `http:${(label ?? new URL(url).host).replaceAll(/[^\w.-]+/g, '-')}`,
    baseURL: url,
    ...defined({ apiKeyEnv, headers }),
    request,
    response: { text },
  };
}

/** A bearer token from a variable is the provider's key here. */
function splitHeaders(config: Written, draft: Draft) {
  const part = config.child('headers');
  const given = Object(part.value) as Readonly<Record<string, unknown>>;
  const name = Object.keys(given).find((header) => header.toLowerCase() === 'authorization');
  const bearer = /^Bearer\s+\{\{\s*env\.([A-Za-z_]\w*)\s*\}\}$/.exec(
    String(name === undefined ? '' : given[name]),
  )?.[1];
  const omitted = Object.keys(given).filter(
    (header) => (header === name && bearer !== undefined) || /^(?:content-type|accept)$/i.test(header),
  );
  const headers = readHeaders(part, draft, omitted);
  return { apiKeyEnv: bearer, headers: Object.keys(headers).length === 0 ? undefined : headers };
}

/** The body as a template of the request; undefined where it reads anything but the prompt and variables by their names. */
function readBody(body: unknown, names: readonly string[]): unknown {
  const parsed = typeof body === 'string' ? parseBody(body) : body;
  if (!isMap(parsed)) return undefined;
  const renamed = rename(parsed, new RegExp(String.raw`\{\{\s*(?:${names.join('|')})\s*\}\}`, 'g'));
  return readsNamesOnly(renamed) ? renamed : undefined;
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
  if (typeof value === 'string') {
    const named = value.replaceAll(pattern, '{{ prompt }}');
    return named.replaceAll(/\{\{\s*(?!prompt\b|env\b)([A-Za-z_]\w*)\s*\}\}/g, '{{ vars.$1 }}');
  }
  if (Array.isArray(value)) return value.map((item) => rename(item, pattern));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rename(item, pattern)]));
}

/** `json.a[0].b`, also as the result of an arrow function, is `$.a[0].b`. */
function readPath(transform: unknown): string | undefined {
  if (typeof transform !== 'string') return undefined;
  const code = transform
    .trim()
    .replace(/;$/, '')
    .replace(/^\(\s*json(?:\s*,\s*\w+)*\s*\)\s*=>\s*/, '')
    .replace(/^return\s+/, '');
  if (code === 'json') return '$';
  const path = /^json((?:\??\.[A-Za-z_$][\w$]*|(?:\?\.)?\[(?:\d+|"[\w -]+"|'[\w -]+')\])+)$/.exec(code)?.[1];
  return path === undefined || /\.(?:length|constructor)\b/.test(path)
    ? undefined
    : `$${path.replaceAll('?.[', '[').replaceAll('?.', '.')}`;
}
