import type { Queue, QueueEvents, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type RedisAddress, redisEndpoint } from '../text/addresses/store-urls.ts';

/** The modules from `import('bullmq')` and `import('ioredis')`. */
export interface QueueModules {
  readonly bull: {
    readonly Queue: typeof Queue;
    readonly QueueEvents: typeof QueueEvents;
    readonly Worker: typeof Worker;
    readonly WaitingError: new () => Error;
  };
  readonly redis: { readonly Redis: typeof Redis };
}

/** The prefix of every key. */
export const prefix = 'llmcheck';

const connectTimeoutMs = 5000;

/** Connections that were closed on purpose: they and BullMQ's copies of them do not reconnect. */
const givenUp = new WeakSet<Redis>();

/** Connects, or returns the reason why it can't. */
export async function connectRedis({ redis }: QueueModules, address: RedisAddress): Promise<Redis | string> {
  let isChecked = false;
  const client: Redis = new redis.Redis({
    ...redisEndpoint(address),
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    // Once the server is known to be Redis, ioredis reconnects for as long as it takes, and commands wait. BullMQ's
    // copies of a connection that was given up end with it: they would keep the process alive.
    retryStrategy: (times) => (isChecked && !givenUp.has(client) ? Math.min(times * 50, 500) : null),
    maxRetriesPerRequest: null,
  });
  let reason: string | undefined;
  client.on('error', (error) => {
    reason ??= error.message;
  });
  const timer = setTimeout(() => {
    reason ??= `it gave no answer within ${connectTimeoutMs / 1000} s`;
    disconnectRedis(client);
  }, connectTimeoutMs);
  try {
    await client.connect();
    // Commands go to another database if the named one does not exist.
    reason ??= await findServerFault(client);
    isChecked = true;
    if (reason === undefined) return client;
  } catch (error) {
    reason ??= error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
  disconnectRedis(client);
  return reason === '' ? 'no connection' : reason;
}

/** Gives up a connection. Commands that wait for it fail. */
export function disconnectRedis(client: Redis): void {
  givenUp.add(client);
  // Disconnected while it waits to reconnect, ioredis would never fail the waiting commands. After the next attempt it does.
  if (client.status === 'reconnecting') client.once('connect', () => client.disconnect());
  else client.disconnect();
}

async function findServerFault(client: Redis): Promise<string | undefined> {
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

/** Reconnects while a step takes too long: nothing else notices a network that drops every packet. */
export async function reconnectIfSilent(client: Redis, silenceMs: number, step: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => {
    if (client.status === 'ready') client.disconnect(true);
  }, silenceMs);
  // A step may wait for a connection that was given up; the process ends all the same.
  timer.unref();
  try {
    await step();
  } finally {
    clearInterval(timer);
  }
}

/** The runs or the workers that are alive: each is a key that expires unless it is written again. */
export interface Presence {
  write(id: string, text: string, ttlMs: number): Promise<void>;
  read(id: string): Promise<string | undefined>;
  /** The texts by id of all that are alive. */
  list(): Promise<ReadonlyMap<string, string>>;
  remove(id: string): Promise<void>;
}

export function openPresence(client: Redis, kind: 'runs' | 'workers'): Presence {
  const ids = `${prefix}:${kind}`;
  const keyOf = (id: string) => `${ids}:${id}`;
  return {
    async write(id, text, ttlMs) {
      await Promise.all([client.sadd(ids, id), client.set(keyOf(id), text, 'PX', ttlMs)]);
    },
    async read(id) {
      return (await client.get(keyOf(id))) ?? undefined;
    },
    async list() {
      const known = await client.smembers(ids);
      if (known.length === 0) return new Map();
      const texts = await client.mget(known.map(keyOf));
      const expired = known.filter((_id, index) => texts[index] === null);
      if (expired.length > 0) await client.srem(ids, ...expired);
      return new Map(known.flatMap((id, index) => (texts[index] == null ? [] : [[id, texts[index]] as const])));
    },
    async remove(id) {
      await Promise.all([client.srem(ids, id), client.del(keyOf(id))]);
    },
  };
}
