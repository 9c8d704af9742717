import { openRedisBackend } from '../cache/redis-backend.ts';
import { type SharedBackend, SharedCache } from '../cache/shared-cache.ts';
import { defined } from '../json/defined.ts';
import type { Clock } from '../model/clock.ts';
import { findPackageFault } from '../model/optional-packages.ts';
import { UserError } from '../model/problem.ts';
import type { SharedCacheConfig } from '../model/run/shared-cache.ts';
import { openPackages } from '../programs/import-module.ts';
import { parseStoreUrl, type StoreUrl, showStoreUrl } from '../text/addresses/store-urls.ts';
import { decodePercent } from '../text/decode-text.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface SharedCachePorts {
  readonly root: string;
  readonly env: Env;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly onWarning: (message: string) => void;
}

/** Opens the shared cache of a config. Returns undefined, with a warning, if a required variable is not set. */
export function openConfiguredCache(config: SharedCacheConfig, ports: SharedCachePorts): SharedCache | undefined {
  const found = findSharedBackend(config, ports);
  if ('missing' in found) {
    ports.onWarning(
      `The shared cache is not used: ${found.missing} is not set. The run continues with the local cache only.`,
    );
    return undefined;
  }
  const { address, open } = found;
  const { timeoutMs, ttlMs } = config;
  return new SharedCache(open, {
    address,
    timeoutMs,
    ...defined({ ttlMs }),
    now: ports.now,
    startTimer: (ms, fire) => ports.clock.startTimer(ms, fire),
    onWarning: ports.onWarning,
  });
}

export type FoundBackend =
  | { readonly address: string; readonly open: () => Promise<SharedBackend> }
  /** The name of a variable. */
  | { readonly missing: string };

export function findSharedBackend(
  config: SharedCacheConfig,
  { root, env }: Pick<SharedCachePorts, 'root' | 'env'>,
): FoundBackend {
  const { urlEnv, passwordEnv } = config;
  const read = (name: string) => env[name]?.trim() ?? '';
  const text = urlEnv === undefined ? (config.url ?? '') : read(urlEnv);
  for (const name of [urlEnv, passwordEnv]) if (name !== undefined && read(name) === '') return { missing: name };
  const parsed = parseStoreUrl(text);
  // An address in the config was checked with it.
  if (!parsed.ok) throw refuse(`the address in ${urlEnv ?? 'cache'} ${parsed.reason}`, 'set it to such an address');
  const { store } = parsed;
  const address = showStoreUrl(store);
  if (store.kind === 's3') return findBucket(config, store, { address, env, read });
  const packages = openPackages(root);
  const fault = findPackageFault([redisPackage], packages.version);
  if (fault !== undefined) throw refuse(`the cache ${address} needs ${fault.needed}`, fault.install);
  const { url } = store;
  const username = config.username ?? decodePercent(url.username);
  const password = passwordEnv === undefined ? decodePercent(url.password) : read(passwordEnv);
  const { prefix, timeoutMs, ttlMs } = config;
  return {
    address,
    open: async () =>
      openRedisBackend(await packages.load(redisPackage), {
        url,
        prefix,
        timeoutMs,
        ...defined({
          ttlMs,
          username: username === '' ? undefined : username,
          password: password === '' ? undefined : password,
        }),
      }),
  };
}

function findBucket(
  { endpoint, region: written, prefix }: SharedCacheConfig,
  { bucket, folder }: StoreUrl & { readonly kind: 's3' },
  { address, env, read }: { readonly address: string; readonly env: Env; readonly read: (name: string) => string },
): FoundBackend {
  const missing = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].find((name) => read(name) === '');
  if (missing !== undefined) return { missing };
  const region = written ?? (read('AWS_REGION') || 'us-east-1');
  const sessionToken = read('AWS_SESSION_TOKEN');
  return {
    address,
    async open() {
      const [{ openHttpClient }, { openS3Backend }] = await Promise.all([
        import('../http/client.ts'),
        import('../cache/s3-backend.ts'),
      ]);
      return openS3Backend({
        transport: openHttpClient({ env }),
        endpoint: endpoint ?? `https://s3.${region}.amazonaws.com`,
        region,
        bucket,
        prefix: `${folder === '' ? '' : `${folder}/`}${prefix}`,
        accessKeyId: read('AWS_ACCESS_KEY_ID'),
        secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
        ...defined({ sessionToken: sessionToken === '' ? undefined : sessionToken }),
      });
    },
  };
}

const redisPackage = 'ioredis';

function refuse(message: string, hint: string): UserError {
  return new UserError({ code: 'environment', message, hint });
}
