import { resolve } from 'node:path';
import { env, cwd as processCwd } from 'node:process';
import { defined } from '../json/defined.ts';
import { withoutInherited } from '../json/without-inherited.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { Plugin } from '../model/suite/plugin.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';

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
  return { cwd: resolve(cwd ?? processCwd()), env: withoutInherited(given ?? env) };
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

/**
 * The flags of `llmcheck run` under their names in the config's `run:`. What is left out comes from `LLMCHECK_` variables
 * and the config, as on the command line; durations are texts such as "30s".
 */
export interface RunSuitesOptions extends ApiContext {
  /** Files, folders and globs; default: what the config names, else `evals/`. */
  readonly paths?: readonly string[];
  /** Beside those that the config names. */
  readonly plugins?: readonly Plugin[];
  /** Ends the run as Ctrl-C does: what is done stays in the record, and the report says that it was interrupted. */
  readonly signal?: AbortSignal;

  readonly filter?: readonly string[];
  readonly lastFailed?: boolean;
  readonly tag?: readonly string[];
  readonly prompt?: readonly string[];
  readonly provider?: readonly string[];
  readonly sample?: number;
  readonly seed?: number;
  /** Such as "1/4". */
  readonly shard?: string;
  /** Only suites whose files changed since a git ref; `true`: since the default one. */
  readonly changed?: string | boolean;
  readonly trials?: number;
  readonly concurrency?: number;
  readonly envFile?: string;
  readonly maxCost?: number;
  /** A count, or a share such as "5%". */
  readonly maxErrors?: number | `${number}%`;
  /** Calls for asking again what looks worse, or a share of the planned ones such as "200%". */
  readonly confirmBudget?: number | `${number}%`;
  readonly bail?: number | boolean;
  /** End once the cases asked so far decide the run. */
  readonly early?: boolean;
  readonly timeout?: string;
  readonly deadline?: string;
  readonly cache?: 'use' | 'refresh' | 'replay' | 'off';
  /** A file, a run id or git:REF; false: compare with nothing. */
  readonly baseline?: string | false;
  /** Prompt versions, or providers, of which the first is the baseline of the others. */
  readonly compare?: readonly string[];
  /** Models that could take the place of a provider: "mini=openai:gpt-5-mini,local". */
  readonly swap?: readonly string[];
  readonly rerunBaseline?: boolean;
  /** Fail where answers got worse although nothing that is sent has changed. */
  readonly drift?: boolean;
  readonly updateBaseline?: boolean;
  readonly requireConclusive?: boolean;
  /** A run id; true: the latest. */
  readonly resume?: string | boolean;
  /** Workers at redis://… make the calls (`llmcheck worker`). */
  readonly queue?: string;
  readonly batch?: boolean;
  readonly record?: boolean;
  readonly allowEmpty?: boolean;
}

export const runSuitesKeys: Keys<RunSuitesOptions> = {
  cwd: true,
  env: true,
  config: true,
  paths: true,
  plugins: true,
  signal: true,
  filter: true,
  lastFailed: true,
  tag: true,
  prompt: true,
  provider: true,
  sample: true,
  seed: true,
  shard: true,
  changed: true,
  trials: true,
  concurrency: true,
  envFile: true,
  maxCost: true,
  maxErrors: true,
  confirmBudget: true,
  bail: true,
  early: true,
  timeout: true,
  deadline: true,
  cache: true,
  baseline: true,
  compare: true,
  swap: true,
  rerunBaseline: true,
  drift: true,
  updateBaseline: true,
  requireConclusive: true,
  resume: true,
  queue: true,
  batch: true,
  record: true,
  allowEmpty: true,
};

/** The options as flags of the command line. */
export function toFlags(options: RunSuitesOptions): Readonly<Record<string, unknown>> {
  const { cwd: _cwd, env: _env, config: _config, paths: _paths, plugins: _plugins, signal: _signal, ...rest } = options;
  const { baseline, ...flags } = rest;
  const given = Object.entries(flags).filter(([, value]) => value !== undefined && value !== false);
  return {
    ...Object.fromEntries(given.map(([key, value]) => [key, typeof value === 'number' ? String(value) : value])),
    ...(baseline === false ? { noBaseline: true } : defined({ baseline })),
  };
}
