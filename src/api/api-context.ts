import { resolve } from 'node:path';
import { env, cwd as processCwd } from 'node:process';
import type { Keys } from './refuse-unknown.ts';

/** Where a call of the API takes place. */
export interface ApiContext {
  /** Relative paths start here, and the project is looked for upwards from here; default: the process's working folder. */
  readonly cwd?: string;
  /** Where keys are looked up; default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of the config; default: `llmcheck.config.yaml` in the nearest ancestor folder. */
  readonly config?: string;
}

export const contextKeys: Keys<ApiContext> = { cwd: true, env: true, config: true };

export function openContext({ cwd, env: given }: ApiContext): {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
} {
  return { cwd: resolve(cwd ?? processCwd()), env: given ?? env };
}
