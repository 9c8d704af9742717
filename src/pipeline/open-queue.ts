import { relative } from 'node:path';
import { UserError } from '../errors.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { Endpoint } from '../model/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite.ts';
import { openPackages, type Packages } from '../programs/open-packages.ts';
import { isBullModule, isRedisModule, type QueueModules } from '../queue/open-redis.ts';

/** What a queue needs of the project's packages; a usage error where they are not installed. */
export async function loadQueueModules(root: string, packages: Packages = openPackages(root)): Promise<QueueModules> {
  const missing = ['bullmq', 'ioredis'].filter((name) => !packages.has(name));
  if (missing.length > 0) {
    const names = missing.join(' and ');
    throw refuse(
      `--queue needs the package${missing.length === 1 ? '' : 's'} ${names}`,
      `npm install --save-dev ${missing.join(' ')}`,
    );
  }
  const [bull, redis] = await Promise.all([packages.load('bullmq'), packages.load('ioredis')]);
  if (!isBullModule(bull) || !isRedisModule(redis)) {
    throw refuse(
      'bullmq or ioredis is of a version that is not known here',
      'npm install --save-dev bullmq@6 ioredis@5',
    );
  }
  return { bull, redis };
}

export function refuseQueue(shown: string, reason: string): UserError {
  return refuse(`the queue ${shown} can't be used: ${reason}`, 'start Redis or Valkey there, or mend the address');
}

function refuse(message: string, hint: string): UserError {
  return new UserError([{ code: 'environment', severity: 'error', message, hint }]);
}

/**
 * Names what becomes of a provider's requests: whoever comes to the same name, on whatever machine, sends the same to the
 * same place. Files of the user's own code are part of the adapter's version.
 */
export function stampOf(
  { adapter, model, baseUrl, apiKeyEnv, structured, headers, options, folder }: ProviderConfig,
  endpoint: Endpoint,
  { root, version }: { readonly root: string; readonly version: string },
): string {
  const own = endpoint.baseUrl === undefined ? relative(root, folder) : undefined;
  const settings = { adapter, model, baseUrl, apiKeyEnv, structured, headers, options, folder: own };
  const sent = { version: endpoint.adapterVersion, baseUrl: endpoint.baseUrl, apiKeyEnv: endpoint.apiKeyEnv };
  return sha256Hex(JSON.stringify({ llmcheck: version, settings, sent })).slice(0, 32);
}

/** Every provider and model that the suites may ask. */
export function askedProviders(suites: readonly Suite[]): readonly ProviderConfig[] {
  return suites.flatMap(({ providers, askedModels }) => [...providers, ...askedModels]);
}
