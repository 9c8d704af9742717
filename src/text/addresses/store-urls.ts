import { defined } from '../../json/defined.ts';
import { decodePercent } from '../decode-text.ts';

/** The address of a Redis server. Only this object contains the password. */
export interface RedisAddress {
  readonly url: URL;
  readonly username?: string;
  readonly password?: string;
}

/** An address of a store that several machines share. */
export type StoreUrl =
  | { readonly kind: 'redis'; readonly url: URL }
  | { readonly kind: 's3'; readonly bucket: string; readonly folder: string };

export type ParsedStoreUrl =
  | { readonly ok: true; readonly store: StoreUrl; readonly hasPassword: boolean }
  /** A clause about the text: 'is no address'. */
  | { readonly ok: false; readonly reason: string };

/** Reads `redis://host:6379/0`, `rediss://…` and `s3://bucket/folder`. */
export function parseStoreUrl(text: string): ParsedStoreUrl {
  const expected = 'wanted redis://host:6379/0, rediss://… or s3://bucket/folder';
  if (!URL.canParse(text)) return { ok: false, reason: `is not an address: ${expected}` };
  const url = new URL(text);
  const hasPassword = url.password !== '';
  switch (url.protocol) {
    case 'redis:':
    case 'rediss:':
      if (url.hostname === '') return { ok: false, reason: `names no host: ${expected}` };
      if (!/^(\/\d{0,5})?$/.test(url.pathname))
        return { ok: false, reason: 'names no database by its number, such as /0' };
      return { ok: true, store: { kind: 'redis', url }, hasPassword };
    case 's3:':
      if (url.hostname === '') return { ok: false, reason: `names no bucket: ${expected}` };
      return {
        ok: true,
        store: { kind: 's3', bucket: url.hostname, folder: url.pathname.replaceAll(/^\/+|\/+$/g, '') },
        hasPassword: hasPassword || url.username !== '',
      };
    default:
      return { ok: false, reason: `has an unknown scheme: ${expected}` };
  }
}

/** The options for a Redis client: server, user and password. */
export function redisEndpoint({ url, username, password }: RedisAddress) {
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1) || 0),
    ...defined({ tls: url.protocol === 'rediss:' ? {} : undefined, username, password }),
  };
}

/** The address as it may be shown: without user, password and query. */
export function showStoreUrl(store: StoreUrl): string {
  if (store.kind === 's3') return `s3://${store.bucket}${store.folder === '' ? '' : `/${store.folder}`}`;
  const { protocol, host, pathname } = store.url;
  return `${protocol}//${host}${pathname}`;
}

/** A queue's address: `redis://host:6379/0`, with user and password or without. */
export interface QueueUrl extends RedisAddress {
  /** The address without user and password. */
  readonly shown: string;
}

/** Parses the address. The reason of a failure does not quote it, because it may contain a password. */
export function parseQueueUrl(text: string): QueueUrl | { readonly reason: string } {
  const parsed = parseStoreUrl(text);
  if (!parsed.ok || parsed.store.kind !== 'redis') {
    const reason = parsed.ok ? 'is a bucket: a queue needs Redis or Valkey' : parsed.reason;
    return { reason: reason.replace('redis://host:6379/0, rediss://… or s3://bucket/folder', example) };
  }
  const { url } = parsed.store;
  return {
    url,
    shown: showStoreUrl(parsed.store),
    ...defined({
      username: url.username === '' ? undefined : decodePercent(url.username),
      password: url.password === '' ? undefined : decodePercent(url.password),
    }),
  };
}

/** The password of an address, decoded and as written: both must be masked. */
export function findQueueSecrets(text: unknown): readonly string[] {
  const queue = typeof text === 'string' ? parseQueueUrl(text) : undefined;
  if (queue === undefined || 'reason' in queue || queue.password === undefined) return [];
  return [queue.password, queue.url.password];
}

const example = 'redis://host:6379/0 or rediss://…';

/** Removes `user:password@` from a URL. A credential does not affect the answer. */
export function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}
