import { defined } from '../../../json/defined.ts';
import { parseJsonText } from '../../../json/parse-json.ts';
import { type Draft, isMap, LeftOut, placeAt, type Written } from '../../draft.ts';
import { findModuleFile } from '../code/code-files.ts';
import { formatBody, isBody } from '../code/javascript.ts';
import { translateNunjucks } from '../code/nunjucks.ts';
import { noteSecret, secretHeaderPattern } from './address.ts';
import { findNodeEnv, noteEnv, type OwnContext } from './own-provider.ts';

type Settings = Readonly<Record<string, unknown>>;

const methodPattern = /^(?:POST|GET|PATCH|PUT|DELETE)$/;

/** Code in the config: its name in the module and its parameters. */
const codeKinds = {
  transformRequest: { name: 'request', params: 'prompt, vars, context' },
  transformResponse: { name: 'response', params: 'json, text, context' },
  responseParser: { name: 'response', params: 'json, text, context' },
  validateStatus: { name: 'status', params: 'status' },
} as const;

const knownNames = new Set(
  'url method headers body queryParams request useHttps auth maxRetries'.split(' ').concat(Object.keys(codeKinds)),
);

/** Data collected while reading a server's config. */
interface Found {
  readonly draft: Draft;
  readonly variables: Set<string>;
  readonly env: Set<string>;
  readonly optional: Set<string>;
}

/** Converts a server to a module that sends promptfoo's requests and uses the config's code. */
export async function convertHttpCode(
  id: string,
  parts: Written,
  context: OwnContext,
  isIgnored: (key: string) => boolean,
): Promise<Settings | LeftOut> {
  const { draft, label, code, varNames, keepsState } = context;
  const config = parts.child('config');
  const settings = isMap(config.value) ? config.value : {};
  const odd = Object.keys(settings).find((key) => !knownNames.has(key) && !isIgnored(key));
  if (odd !== undefined) return draft.refuse(config.child(odd), `"${odd}" of an http provider has no equivalent here`);
  const found: Found = { draft, variables: new Set(), env: new Set(), optional: new Set() };
  const request = await readRequest(id, config, context, found);
  if (request instanceof LeftOut) return request;
  const hooks = await readHooks(config, context, found);
  if (hooks instanceof LeftOut) return hooks;
  if (!keepsState) draft.note(config, 'checks that are code see an object as its JSON text');
  const args = [JSON.stringify(request, null, 2), `{${hooks.join(',')}}`, ...(keepsState ? ['true'] : [])];
  const name = code.add(`promptfooHttp(${args.join(', ')})`, parts.at().line);
  const optional = [...found.optional].filter((one) => !found.env.has(one));
  if (optional.length > 0) noteEnv(id, optional, parts, draft);
  const isReading = hooks.length > 0 || [...found.variables].some((one) => one !== 'prompt' && one !== 'env');
  return {
    id: label ?? id,
    use: `module:${code.path}`,
    export: name,
    ...defined({ vars: isReading ? varNames : undefined, env: found.env.size === 0 ? undefined : [...found.env] }),
    limits: { timeout: '5m' },
  };
}

/** Reads the request, with templates in a suite's notation. */
async function readRequest(
  id: string,
  config: Written,
  { draft, readText }: OwnContext,
  found: Found,
): Promise<Settings | LeftOut> {
  const settings = isMap(config.value) ? config.value : {};
  const { maxRetries, request: text } = settings;
  const url = settings['url'] ?? (id.includes('://') ? id : undefined);
  if (typeof text === 'string') {
    const part = config.child('request');
    const raw = text.startsWith('file://') ? await readText(text, part) : text;
    if (raw instanceof LeftOut) return raw;
    const isSafe = settings['useHttps'] === true || (typeof url === 'string' ? url : id).startsWith('https');
    const parsed = parseRaw(raw, isSafe ? 'https' : 'http');
    if (parsed === undefined) return draft.refuse(part, 'the request is no HTTP request with a host');
    const headers = hideSecrets(parsed.headers, parsed.url, part, draft);
    return translateAll(placeAt({ ...parsed, headers, ...defined({ maxRetries }), isRaw: true }, part.at()), found);
  }
  const address = config.child('url').value === undefined ? config : config.child('url');
  if (typeof url !== 'string') return draft.refuse(address, 'an http provider needs an address');
  const method = typeof settings['method'] === 'string' ? settings['method'].toUpperCase() : 'GET';
  if (!methodPattern.test(method))
    return draft.refuse(config.child('method'), `the method ${method} has no equivalent here`);
  if (settings['method'] === undefined && settings['body'] !== undefined)
    draft.note(config.child('body'), 'promptfoo asks by GET where no method is written, and sends no body');
  const auth = readAuth(config.child('auth'), url, draft);
  if (auth instanceof LeftOut) return auth;
  const given = { ...Object(settings['headers']), ...auth.headers } as Settings;
  const headers = hideSecrets(given, url, config.child('headers'), draft);
  const queryParams = { ...Object(settings['queryParams']), ...auth.queryParams } as Settings;
  const isJson = Object.entries(headers).some(
    ([name, value]) => /^content-type/i.test(name) && String(value).includes('application/json'),
  );
  return translateAll(
    {
      ...config,
      value: {
        url,
        method,
        ...defined({
          headers: Object.keys(headers).length === 0 ? undefined : headers,
          queryParams: Object.keys(queryParams).length === 0 ? undefined : queryParams,
          body: isJson ? readJson(settings['body']) : settings['body'],
          maxRetries,
        }),
      },
    },
    found,
  );
}

function readJson(body: unknown): unknown {
  const parsed = typeof body === 'string' ? parseJsonText(body) : { error: undefined };
  return 'error' in parsed ? body : parsed.value;
}

/** Replaces literal secrets in headers by variables. */
function hideSecrets(headers: Settings, url: string, part: Written, draft: Draft): Settings {
  const entries = Object.entries(headers).map(([name, value]) => {
    if (!secretHeaderPattern.test(name) || /\{\{/.test(String(value))) return [name, value];
    const at = part.child(name).value === undefined ? part : part.child(name);
    return [name, `{{env.${noteSecret({ ...at, value: '…' }, value, url, name, draft)}}}`];
  });
  return Object.fromEntries(entries) as Settings;
}

/** Reads headers and parameters added by `auth`. */
function readAuth(
  part: Written,
  url: string,
  draft: Draft,
): { readonly headers?: Settings; readonly queryParams?: Settings } | LeftOut {
  if (part.value === undefined) return {};
  const { type, token, value, keyName, placement } = Object(part.value) as Settings;
  const hidden = { ...part, value: '…' };
  if (type !== 'bearer' && type !== 'api_key')
    return draft.refuse(hidden, `auth of the type "${String(type)}" has no equivalent here`);
  const written = String(token ?? value);
  const secret = written.includes('{{') ? written : `{{env.${noteSecret(hidden, written, url, 'API_KEY', draft)}}}`;
  if (type === 'bearer') return { headers: { authorization: `Bearer ${secret}` } };
  const given = { [String(keyName)]: secret };
  return placement === 'query' ? { queryParams: given } : { headers: given };
}

/** Parses a raw request. */
function parseRaw(text: string, protocol: string) {
  const [head = '', ...body] = text.replaceAll('\r\n', '\n').trim().split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const [, method = '', path = ''] = /^([A-Z]+) (.+) HTTP\/[\d.]+$/i.exec(first.trim()) ?? [];
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':', 1)[0]?.trim().toLowerCase() ?? '', line.slice(line.indexOf(':') + 1).trim()]),
  );
  const { host, 'content-length': _length, ...others } = headers;
  if (!methodPattern.test(method) || host === undefined) return undefined;
  return { url: `${protocol}://${host}${path}`, method, headers: others, body: body.join('\n\n') };
}

/** Translates the templates in every text. */
function translateAll(written: Written, found: Found): Settings | LeftOut {
  let refused: LeftOut | undefined;
  const translate = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(translate);
    if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, translate(item)]));
    if (typeof value !== 'string') return value;
    const translated = translateNunjucks(value, true);
    if ('fault' in translated) {
      refused ??= found.draft.refuse(written, translated.fault);
      return value;
    }
    for (const name of translated.variables) found.variables.add(name);
    for (const [, name = '', filter] of value.matchAll(
      /\{\{-?\s*env(?:\.|\[\s*["'])(\w+)(?:["']\s*\])?\s*(\|\s*d(?:efault)?\b)?/g,
    ))
      (filter === undefined ? found.env : found.optional).add(name);
    return translated.text;
  };
  const request = translate(written.value) as Settings;
  return refused ?? request;
}

/** Builds the members of the module's last argument: inline code, or functions of files. */
async function readHooks(config: Written, context: OwnContext, found: Found): Promise<readonly string[] | LeftOut> {
  const { draft, code, readText } = context;
  const hooks: string[] = [];
  for (const [key, { name, params }] of Object.entries(codeKinds)) {
    const part = config.child(key);
    if (part.value === undefined || part.value === null || part.value === '') continue;
    if (key === 'responseParser' && config.child('transformResponse').value !== undefined) continue;
    if (typeof part.value !== 'string') return draft.refuse(part, `${key} must be code`);
    const file = findModuleFile(part.value);
    const text = file === undefined ? part.value : await readText(file.path, part);
    if (text instanceof LeftOut) return text;
    const env = findNodeEnv(text);
    for (const one of env.needed) found.env.add(one);
    for (const one of env.optional) found.optional.add(one);
    const written =
      file === undefined ? writeCode(part, params, key === 'transformRequest', draft) : code.importFunction(file);
    if (written instanceof LeftOut) return written;
    hooks.push(`\n  ${name}: ${written}`);
  }
  return hooks.length === 0 ? [] : [...hooks, '\n'];
}

/** Writes code: an expression, a function or, for requests, statements with a return. */
function writeCode(part: Written, params: string, mayReturn: boolean, draft: Draft): string | LeftOut {
  const text = String(part.value).trim();
  if (text.startsWith('file://')) return draft.refuse(part, `${text} is no JavaScript file`);
  if (/\{\{\s*env\b/.test(text)) return draft.refuse(part, 'the code is a template, which code never is here');
  if (/\bprocess\s*\??\.\s*mainModule\b|\bimport\s*\(/.test(text))
    return draft.refuse(part, 'the code loads a module, which it has no way to here', 'write it into a file');
  const isStatus = params === 'status';
  const isFunction = /^(\(.*?\)\s*=>|function\s*\(.*?\))/.test(text) || (isStatus && /=>|^function/.test(text));
  if (!isFunction && /^(?:async\b|function\b|\w+\s*=>)/.test(text))
    return draft.refuse(part, 'promptfoo does not call this function', 'begin it with "(" or "function ("');
  const code = text.replace(/;+$/, '');
  if (code !== text) draft.note(part, 'the semicolon at the end is left out: newer versions of promptfoo fail on it');
  const isStatements = mayReturn && !isFunction && /\breturn\b/.test(text);
  const value = isFunction ? `(${code}\n)(${params})` : `(${code}\n)`;
  if (!isBody(isStatements ? text : `return ${value}`, params))
    return draft.refuse(part, 'the code is no JavaScript expression, so promptfoo fails on it');
  const isPlain = !isFunction && !/\n|\/[/*]/.test(code) && isBody(`return ${code}`, params);
  return `(${params}) => ${formatBody(isStatements ? text : `return ${isPlain ? code : value}`)}`;
}
