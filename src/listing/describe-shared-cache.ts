import { withTimeLimit } from '../cache/shared-cache.ts';
import { findSharedBackend } from '../calls/open-shared-cache.ts';
import { systemClock } from '../model/clock.ts';
import { loadCacheConfig } from '../project/load-project.ts';
import { findCacheSecrets } from '../project/mask-for.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { createMask } from '../secrets/mask-secrets.ts';

export interface SharedCacheState {
  /** Address without credentials; undefined if its variable is not set. */
  readonly address?: string;
  readonly entries?: number;
  /** True if `entries` is a lower bound. */
  readonly isMore?: boolean;
  /** Why the cache can't be used, as a clause. */
  readonly fault?: string;
}

/** State of the cache shared with other machines; undefined if the project shares none. */
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
    // A server may repeat its input, so mask secrets.
    return { address, fault: createMask(findCacheSecrets(config, options.env))(error.message) };
  } finally {
    backend.close();
  }
}

const countMs = 5000;
