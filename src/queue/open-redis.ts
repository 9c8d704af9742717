import type { Queue, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type RedisAddress, redisEndpoint } from '../lib/store-url.ts';

/** What `import('ioredis')` gives. */
export interface RedisModule {
  readonly Redis: typeof Redis;
}

/** What `import('bullmq')` gives. */
export interface BullModule {
  readonly Queue: typeof Queue;
  readonly Worker: typeof Worker;
  readonly WaitingError: typeof WaitingError;
}

export interface QueueModules {
  readonly redis: RedisModule;
  readonly bull: BullModule;
}

/** A connection comes back by itself, however long that takes. */
const longestReconnectMs = 500;
const connectTimeoutMs = 5000;

export interface ConnectionOptions {
  /** False: a command fails where there is no connection, so that none is sent later than it was meant. */
  readonly waits: boolean;
  /** A server that says nothing for so long after a command is gone, whatever the network believes. Not where commands block. */
  readonly silenceMs?: number;
}

export function openRedis(
  { Redis: Client }: RedisModule,
  address: RedisAddress,
  { waits, silenceMs }: ConnectionOptions,
): Redis {
  return new Client({
    ...redisEndpoint(address),
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    ...(silenceMs === undefined ? {} : { socketTimeout: silenceMs }),
    retryStrategy: (times) => Math.min(times * 50, longestReconnectMs),
    ...(waits
      ? { maxRetriesPerRequest: null }
      : { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false }),
  });
}

/** Connects for the first time, or says why that can't be done. */
export async function connectOnce(client: Redis): Promise<string | undefined> {
  let reason: string | undefined;
  const note = (error: Error) => {
    reason ??= error.message;
  };
  client.on('error', note);
  try {
    await client.connect();
    return await checkServer(client);
  } catch (error) {
    reason ??= error instanceof Error ? error.message : String(error);
    return reason === '' ? 'no connection' : reason;
  } finally {
    client.off('error', note);
    // A lost connection is also an event, which would end the program if nobody heard it.
    client.on('error', () => undefined);
  }
}

async function checkServer(client: Redis): Promise<string | undefined> {
  const info = await client.info();
  const version = /redis_version:(\d+)\.(\d+)/.exec(info);
  if (Number(version?.[1] ?? 0) * 100 + Number(version?.[2] ?? 0) < 602) {
    return `Redis 6.2 or later is needed, there is ${version?.[0].replace('redis_version:', '') ?? 'one without a version'}`;
  }
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    return `its maxmemory-policy is ${policy}, with which it forgets calls; it must be noeviction`;
  }
  return undefined;
}

export function isRedisModule(value: unknown): value is RedisModule {
  return typeof value === 'object' && value !== null && 'Redis' in value && typeof value.Redis === 'function';
}

export function isBullModule(value: unknown): value is BullModule {
  return (
    typeof value === 'object' && value !== null && 'Queue' in value && 'Worker' in value && 'WaitingError' in value
  );
}
