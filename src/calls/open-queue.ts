import { relative } from 'node:path';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { findPackageFault } from '../model/optional-packages.ts';
import type { Endpoint } from '../model/provider.ts';
import type { QueueLimits } from '../model/queue.ts';
import type { ProviderConfig, ProviderLimits, Suite } from '../model/suite.ts';
import { openPackages, type Packages } from '../programs/open-packages.ts';
import type { QueueModules } from '../queue/connect-redis.ts';
import { sha256Hex } from '../text/sha256.ts';

const needed = ['bullmq', 'ioredis'] as const;

/** What a queue needs of the project's packages; a usage error where they are not installed or too old. */
export async function loadQueueModules(root: string, packages: Packages = openPackages(root)): Promise<QueueModules> {
  const fault = findPackageFault(needed, packages.version);
  if (fault !== undefined) throw refuse(`--queue needs ${fault.needed}`, fault.install);
  const [bull, redis] = await Promise.all(needed.map((name) => packages.load(name)));
  return { bull, redis } as QueueModules;
}

export function refuseQueue(shown: string, reason: string): UserError {
  return refuse(`the queue ${shown} can't be used: ${reason}`, 'start Redis or Valkey there, or mend the address');
}

function refuse(message: string, hint: string): UserError {
  return new UserError([{ code: 'environment', severity: 'error', message, hint }]);
}

/**
 * Names a provider's queue by all that decides what becomes of its requests: a worker with another configuration has
 * another queue, and never sees them. Files of the user's own code are part of the adapter's version.
 */
export function queueNameOf(
  { adapter, model, baseUrl, apiKeyEnv, structured, headers, options, folder }: ProviderConfig,
  endpoint: Endpoint,
  { root, version }: { readonly root: string; readonly version: string },
): string {
  const own = endpoint.baseUrl === undefined ? relative(root, folder) : undefined;
  const settings = { adapter, model, baseUrl, apiKeyEnv, structured, headers, options, folder: own };
  const sent = { version: endpoint.adapterVersion, baseUrl: endpoint.baseUrl, apiKeyEnv: endpoint.apiKeyEnv };
  return `calls-${sha256Hex(JSON.stringify({ llmcheck: version, settings, sent })).slice(0, 32)}`;
}

/** Every provider and model that the suites may ask. */
export function askedProviders(suites: readonly Suite[]): readonly ProviderConfig[] {
  return suites.flatMap(({ providers, askedModels }) => [...providers, ...askedModels]);
}

/** What a queue holds to: the largest limits set for its provider, or the largest rate of all that share the key. */
export function queueLimitsOf(own: readonly ProviderLimits[], account: readonly ProviderLimits[]): QueueLimits {
  const concurrency = largest(own.map((limits) => limits.concurrency));
  const rpm = largest(own.map((limits) => limits.rpm)) ?? largest(account.map((limits) => limits.rpm));
  return { ...defined({ concurrency, rpm }) };
}

function largest(limits: readonly (number | undefined)[]): number | undefined {
  const set = limits.filter((limit) => limit !== undefined);
  return set.length === 0 ? undefined : Math.max(...set);
}
