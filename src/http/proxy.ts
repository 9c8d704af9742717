import { BlockList, isIP } from 'node:net';
import { HttpError } from './http-error.ts';

export interface Proxy {
  readonly url: URL;
  /** Carry the credentials that the proxy's URL holds, if any. */
  readonly headers: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The proxy that the usual variables name for this URL; the lower-case spelling wins, as in curl. */
export function findProxy(url: URL, env: Env): Proxy | undefined {
  const scheme = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const found = readVariable(env, scheme) ?? readVariable(env, 'all_proxy');
  if (found === undefined || isExcluded(url, readVariable(env, 'no_proxy') ?? '')) return undefined;
  const address = found.includes('://') ? found : `http://${found}`;
  if (!/^https?:/i.test(address) || !URL.canParse(address)) {
    throw new HttpError('proxy', `${scheme.toUpperCase()} (or ALL_PROXY) must be an http:// or https:// URL`);
  }
  const proxy = new URL(address);
  const credentials = `${decode(proxy.username, scheme)}:${decode(proxy.password, scheme)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return { url: proxy, headers: credentials === ':' ? {} : { 'proxy-authorization': authorization } };
}

function decode(text: string, scheme: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    const message = `the user name or password in ${scheme.toUpperCase()} (or ALL_PROXY) has a % that encodes nothing: write it as %25`;
    throw new HttpError('proxy', message, { cause: error });
  }
}

function readVariable(env: Env, name: string): string | undefined {
  const value = env[name] ?? env[name.toUpperCase()];
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

/** NO_PROXY: `*`, hosts with their subdomains, `host:port`, addresses and CIDR blocks, by comma or space. */
function isExcluded(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && (entry === '*' || isInBlock(host, entry) || isNamed(host, port, entry)));
}

function isNamed(host: string, port: string, entry: string): boolean {
  const [, bracketed, plain, entryPort] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const name = bracketed ?? plain?.replace(/^\*?\./, '') ?? entry;
  return host === name || host.endsWith(`.${name}`);
}

function isInBlock(host: string, entry: string): boolean {
  const [network = '', prefix = ''] = entry.split('/');
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(prefix)) return false;
  if (Number(prefix) > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(network, Number(prefix), type);
  return block.check(host, type);
}
