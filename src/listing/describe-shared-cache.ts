import { withTimeLimit } from '../cache/shared-cache.ts';
import { findSharedBackend } from '../calls/open-shared-cache.ts';
import { systemClock } from '../model/clock.ts';
import { loadCacheConfig } from '../project/load-project.ts';
import { findCacheSecrets } from '../project/mask-for.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { createMask } from '../secrets/mask-secrets.ts';

export interface SharedCacheState {
  /** The address without credentials; undefined where the variable that names it is not set. */
  readonly address?: string;
  readonly entries?: number;
  /** True where `entries` is a lower bound. */
  readonly isMore?: boolean;
  /** Why the cache can't be used, as a clause. */
  readonly fault?: string;
}

/** The state of the cache that a project shares with other machines; undefined where it shares none. */
export async function describeSharedCache(options: {
  readonly cwd: string;
  readonly configPath?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<SharedCacheState | undefined> {
  const config = await loadCacheConfig(options);
  if (config === undefined) return undefined;
  const found = findSharedBackend(config, {
    root: findProjectRoot(options.cwd, options.configPath),
    env: options.env,
  });
  if ('missing' in found) return { fault: `${found.missing} is not set` };
  const { address, open } = found;
  const backend = await open();
  try {
    return {
      address,
      ...(await withTimeLimit(backend.count(), countMs, (ms, fire) => systemClock.startTimer(ms, fire))),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // A server may repeat what it was sent.
    return { address, fault: createMask(findCacheSecrets(config, options.env))(error.message) };
  } finally {
    backend.close();
  }
}

const countMs = 5000;
