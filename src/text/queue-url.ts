import { parseStoreUrl, type RedisAddress, showStoreUrl } from './store-url.ts';

/** A queue's address: `redis://host:6379/0`, with user and password or without. */
export interface QueueUrl extends RedisAddress {
  /** Without user and password. */
  readonly shown: string;
}

/** The address, or what is wrong with it, without a word of it: it may hold a password. */
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
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
}

/** What must be shown nowhere, as it stands in the address and as it is meant. */
export function findQueueSecrets(text: unknown): readonly string[] {
  const queue = typeof text === 'string' ? parseQueueUrl(text) : undefined;
  if (queue === undefined || 'reason' in queue || queue.password === undefined) return [];
  return [queue.password, queue.url.password];
}

const example = 'redis://host:6379/0 or rediss://…';
