import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { Problem } from '../model/problem.ts';
import type { RunSettings } from '../model/record.ts';
import type { Project } from '../model/suite.ts';
import type { RunOptions } from '../plan/run-options.ts';
import { findLastFailed } from '../project/stored-runs.ts';
import { checkTextGlob } from '../text/glob.ts';
import { parseQueueUrl } from '../text/store-urls.ts';
import type { CountOrFraction, FlagValue } from './flag-values.ts';
import { version } from './version.ts';

export type Values = Readonly<Record<string, FlagValue>>;

/** Flags that choose what runs and how it is decided: a resumed run goes on with those it began with. */
const resumedFlags = [
  'filter',
  'tag',
  'prompt',
  'provider',
  'sample',
  'seed',
  'shard',
  'trials',
  'cache',
  'maxErrors',
  'allowEmpty',
  'requireConclusive',
  'baseline',
  'noBaseline',
  'compare',
  'rerunBaseline',
  'batch',
] as const;

/** What `--resume` needs to plan the same run again; paths are those of the command line. */
export function invocationOf(paths: readonly string[], values: Values): JsonObject {
  const flags: Record<string, JsonObject[string]> = {};
  for (const key of resumedFlags) {
    const value = values[key];
    if (value === undefined) continue;
    flags[key] =
      typeof value === 'object' && !Array.isArray(value) ? countText(value as CountOrFraction) : (value as string);
  }
  return { paths, flags };
}

function countText(value: CountOrFraction): string {
  return 'count' in value ? `${value.count}` : `${value.fraction * 100}%`;
}

export function buildRunOptions(
  values: Values,
  settings: RunSettings,
  project: Project,
  paths: readonly string[],
): RunOptions {
  const sample = numberOf(values, 'sample');
  const bail = values['bail'] === true ? 1 : numberOf(values, 'bail');
  const concurrency = numberOf(values, 'concurrency');
  const deadlineMs = numberOf(values, 'deadline');
  const trials = numberOf(values, 'trials');
  const resume = values['resume'];
  const queue = typeof values['queue'] === 'string' ? parseQueueUrl(values['queue']) : undefined;
  return {
    project,
    settings,
    invocation: invocationOf(paths, values),
    selection: {
      filters: listOf(values, 'filter'),
      tags: listOf(values, 'tag'),
      prompts: settings.compare ?? listOf(values, 'prompt'),
      providers: listOf(values, 'provider'),
      ...(sample === undefined ? {} : { sample: { size: sample, seed: numberOf(values, 'seed') ?? 0 } }),
      ...defined({ shard: settings.shard, trials }),
      ...(values['lastFailed'] === true ? { onlyCases: findLastFailed(project) } : {}),
    },
    ...defined({ concurrency }),
    timeoutMs: numberOf(values, 'timeout') ?? 60_000,
    ...defined({ deadlineMs, bail }),
    record: values['record'] === true,
    batch: values['batch'] === true,
    // One that is wrong was refused with the settings.
    ...(queue === undefined || 'reason' in queue ? {} : { queue }),
    isCacheModeChosen: values['cache'] !== undefined,
    ...(resume === undefined ? {} : { resume: typeof resume === 'string' ? { runId: resume } : {} }),
    rerunBaseline: values['rerunBaseline'] === true,
    updateBaseline: values['updateBaseline'] === true,
    toolVersion: version,
  };
}

export function buildRunSettings(values: Values): {
  readonly settings: RunSettings;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const maxCostUsd = numberOf(values, 'maxCost');
  const shard = parseShard(values['shard']);
  if (shard === 'invalid') {
    problems.push(usage(`--shard: not i/n with 1 ≤ i ≤ n`, 'write --shard 1/4'));
  }
  for (const filter of listOf(values, 'filter')) {
    const fault = checkTextGlob(filter);
    if (fault !== undefined) problems.push(usage(`--filter ${filter.slice(0, 80)}: ${fault.message}`, fault.hint));
  }
  for (const key of ['concurrency', 'trials', 'bail', 'sample'] as const) {
    if (values[key] === 0) problems.push(usage(`--${key}: 0 leaves nothing to run`));
  }
  if (values['seed'] !== undefined && values['sample'] === undefined) {
    problems.push(usage('--seed is the seed of --sample, which is missing'));
  }
  if (values['changed'] !== undefined && values['resume'] !== undefined) {
    problems.push(usage('--resume goes on with the suites of its run, whatever changed', 'leave --changed out'));
  }
  if (values['lastFailed'] === true && values['shard'] !== undefined) {
    const hint = 'run --last-failed without --shard: it runs few cases';
    problems.push(usage('--last-failed with --shard: the first shard changes what failed last', hint));
  }
  if (values['record'] === true && values['cache'] === 'replay') {
    problems.push(usage('--record writes new answers and --cache replay asks for none', 'leave one of them out'));
  }
  const compare = listOf(values, 'compare');
  if (compare.length === 1)
    problems.push(
      usage(`--compare ${compare[0] ?? ''}: one version has nothing to be compared with`, 'write --compare v1,v2'),
    );
  if (values['noBaseline'] === true && (values['baseline'] !== undefined || values['rerunBaseline'] === true)) {
    problems.push(usage('--no-baseline leaves nothing for --baseline or --rerun-baseline', 'leave one of them out'));
  }
  if (compare.length > 0 && listOf(values, 'prompt').length > 0) {
    problems.push(usage('--compare chooses the prompts itself', 'leave --prompt out'));
  }
  const queue = typeof values['queue'] === 'string' ? parseQueueUrl(values['queue']) : undefined;
  if (queue !== undefined && 'reason' in queue) problems.push(usage(`--queue: the address ${queue.reason}`));
  const cacheMode = values['cache'];
  return {
    problems,
    settings: {
      cacheMode: cacheMode === 'refresh' || cacheMode === 'replay' || cacheMode === 'off' ? cacheMode : 'use',
      maxErrors: (values['maxErrors'] as CountOrFraction | undefined) ?? { count: 0 },
      allowEmpty: values['allowEmpty'] === true,
      requireConclusive: values['requireConclusive'] === true,
      baseline: baselineOf(values),
      ...(compare.length === 0 ? {} : { compare }),
      ...defined({ maxCostUsd }),
      ...(shard === undefined || shard === 'invalid' ? {} : { shard }),
    },
  };
}

export function listOf(values: Values, key: string): readonly string[] {
  const value = values[key];
  return Array.isArray(value) ? value : [];
}

function numberOf(values: Values, key: string): number | undefined {
  const value = values[key];
  return typeof value === 'number' ? value : undefined;
}

function baselineOf(values: Values): NonNullable<RunSettings['baseline']> {
  if (values['noBaseline'] === true) return 'none';
  const source = values['baseline'];
  return typeof source === 'string' ? { source } : 'auto';
}

function parseShard(value: FlagValue | undefined): { index: number; count: number } | 'invalid' | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+)\/(\d+)$/.exec(value);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  return match === null || index < 1 || index > count ? 'invalid' : { index, count };
}

function usage(message: string, hint?: string): Problem {
  return { code: 'usage', severity: 'error', message, ...defined({ hint }) };
}
