import type { Redis } from 'ioredis';
import { type RedisAddress, redisEndpoint } from '../text/addresses/store-urls.ts';
import { ReadOnlyStoreError, type SharedBackend } from './shared-cache.ts';

export interface RedisOptions extends RedisAddress {
  readonly prefix: string;
  readonly ttlMs?: number;
  readonly timeoutMs: number;
}

/** The module from `import('ioredis')`. */
interface RedisModule {
  readonly Redis: typeof Redis;
}

/** Keeps values under `prefix` of a Redis or Valkey server. `loaded` is the client's module. */
export function openRedisBackend(loaded: unknown, options: RedisOptions): SharedBackend {
  if (!isRedisModule(loaded)) throw new Error('the package ioredis does not have the expected interface');
  const { prefix, ttlMs, timeoutMs } = options;
  let lastError: Error | undefined;
  const client = new loaded.Redis({
    ...redisEndpoint(options),
    connectTimeout: timeoutMs,
    lazyConnect: true,
    // A run that loses the connection does not use this cache again.
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  // A lost connection is also an event, which throws without a listener.
  client.on('error', (error: Error) => {
    lastError = error;
  });
  const ask = async <T>(command: () => Promise<T>): Promise<T> => {
    const reply = await command().catch((error: unknown) => {
      // The command only says that the connection is closed, the connection why.
      throw lastError ?? error;
    });
    // Commands go to another database if the named one does not exist.
    if (lastError !== undefined) throw lastError;
    return reply;
  };
  return {
    read: async (key) => (await ask(() => client.get(`${prefix}${key}`))) ?? undefined,
    async write(key, text) {
      await ask(() =>
        ttlMs === undefined ? client.set(`${prefix}${key}`, text) : client.set(`${prefix}${key}`, text, 'PX', ttlMs),
      ).catch((error: unknown) => {
        // A replica, or a user without the right to write.
        const isRefused = error instanceof Error && /^(?:READONLY|NOPERM)\b/.test(error.message);
        throw isRefused ? new ReadOnlyStoreError(error.message) : error;
      });
    },
    async count() {
      let [cursor, entries] = ['0', 0];
      do {
        const [next, keys] = await ask(() => client.scan(cursor, 'MATCH', `${escapeGlob(prefix)}v*`, 'COUNT', 1000));
        cursor = next;
        entries += keys.length;
      } while (cursor !== '0' && entries < maxCounted);
      return { entries, isMore: cursor !== '0' };
    },
    close() {
      // ioredis would give a connection that is gone two seconds to close.
      if (client.status !== 'end') client.disconnect();
    },
  };
}

const maxCounted = 100_000;

function isRedisModule(value: unknown): value is RedisModule {
  return typeof value === 'object' && value !== null && 'Redis' in value && typeof value.Redis === 'function';
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
}
