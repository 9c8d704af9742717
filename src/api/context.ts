import { resolve } from 'node:path';
import { env, cwd as processCwd } from 'node:process';
import { type Problem, UserError } from '../model/problem.ts';
import { didYouMean } from '../text/did-you-mean.ts';

/** Where a call of the API takes place. */
export interface ApiContext {
  /** The folder of relative paths, and where the search for the project starts upwards; default: the working folder. */
  readonly cwd?: string;
  /** Where keys are looked up; default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of the config; default: `llmcheck.config.yaml` in the nearest ancestor folder. */
  readonly config?: string;
}

export function openContext({ cwd, env: given }: ApiContext): {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
} {
  return { cwd: resolve(cwd ?? processCwd()), env: given ?? env };
}

/** One member for each key of a type, so that the compiler finds a missing key. */
export type Keys<T> = Readonly<Record<keyof Required<T>, true>>;

export const contextKeys: Keys<ApiContext> = { cwd: true, env: true, config: true };

/** Throws a `UserError` for unknown keys, since a misspelt option would be ignored silently. */
export function refuseUnknown(given: object, known: Readonly<Record<string, true>>, what: string): void {
  const names = Object.keys(known);
  const problems = Object.keys(given)
    .filter((key) => !Object.hasOwn(known, key))
    .map((key): Problem => {
      const hint = didYouMean(key, names) ?? `there are: ${names.join(', ')}`;
      return { code: 'unknown-key', severity: 'error', message: `${what} has no option "${key}"`, hint };
    });
  if (problems.length > 0) throw new UserError(problems);
}
