import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import { type Problem, usageProblem } from '../../model/problem.ts';
import { maxTrials } from '../../model/run/cell.ts';
import { cacheModes, type ProviderSwap, type RunSettings } from '../../model/run/record.ts';
import type { ConfirmBudget } from '../../model/suite/gate-policy.ts';
import type { Project } from '../../model/suite/suite.ts';
import type { RunOptions } from '../../plan/run-options.ts';
import { parseSwaps } from '../../plan/swap-providers.ts';
import { findLastFailed, type StoredInvocation } from '../../project/stored-runs.ts';
import { parseQueueUrl } from '../../text/addresses/store-urls.ts';
import { checkTextGlob } from '../../text/patterns/glob.ts';
import { version } from '../version.ts';
import type { CountOrFraction, RunFlagValues } from './run-flags.ts';

export function buildRunOptions(
  values: RunFlagValues,
  settings: RunSettings,
  { project, notes = [] }: { readonly project: Project; readonly notes?: readonly string[] | undefined },
  { paths, cases }: Pick<StoredInvocation, 'paths' | 'cases'>,
): RunOptions {
  const { sample: size, seed = 0, trials, concurrency, deadline, resume } = values;
  const sample = size === undefined ? undefined : { size, seed };
  const onlyCases = cases ?? (values.lastFailed === true ? [...findLastFailed(project)] : undefined);
  const queue = values.queue === undefined ? undefined : parseQueueUrl(values.queue);
  return {
    project,
    settings,
    invocation: describeInvocation({ paths, ...defined({ cases: onlyCases }) }, values),
    selection: {
      filters: values.filter ?? [],
      tags: values.tag ?? [],
      prompts: settings.compare ?? values.prompt ?? [],
      providers: values.provider ?? [],
      ...defined({ sample, shard: settings.shard, trials, onlyCases: onlyCases && new Set(onlyCases) }),
    },
    timeoutMs: values.timeout ?? 60_000,
    ...defined({
      concurrency,
      deadlineMs: deadline,
      bail: values.bail === true ? 1 : values.bail,
      early: values.early === true ? defined({ seed: values.seed }) : undefined,
    }),
    record: values.record === true,
    recordTools: values.recordTools === true,
    batch: values.batch === true,
    // `checkValues` reports a wrong address.
    ...defined({ queue: queue !== undefined && !('reason' in queue) ? queue : undefined }),
    isCacheModeChosen: values.cache !== undefined,
    ...(resume !== undefined && { resume: resume === true ? {} : { runId: resume } }),
    rerunBaseline: values.rerunBaseline === true,
    updateBaseline: values.updateBaseline === true,
    toolVersion: version,
    ...defined({ notes: notes.length === 0 ? undefined : notes }),
  };
}

/** The providers that `--swap` or `--compare` compares. The others are possible replacements of the first. */
export function findSwaps({ swap, compare = [] }: RunFlagValues, { suites }: Project): readonly ProviderSwap[] {
  if (swap !== undefined) return parseSwaps(swap).swaps;
  const prompts = new Set(suites.flatMap((suite) => suite.prompts.map(({ id }) => id)));
  const providers = new Set(suites.flatMap((suite) => suite.providers.map(({ id }) => id)));
  const [provider = '', ...candidates] = compare;
  const areProviders = compare.length > 0 && compare.every((id) => providers.has(id) && !prompts.has(id));
  if (!areProviders) return [];
  return [{ provider, candidates }];
}

/** Flags that affect the selection, the gate or the record. A resumed run keeps them. */
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
  'confirmBudget',
  'allowEmpty',
  'requireConclusive',
  'baseline',
  'noBaseline',
  'compare',
  'swap',
  'rerunBaseline',
  'drift',
  'early',
  'batch',
  'record',
  'recordTools',
] as const;

/** The invocation from which `--resume` plans the same run again. */
function describeInvocation(chosen: Pick<StoredInvocation, 'paths' | 'cases'>, values: RunFlagValues): JsonObject {
  const { maxErrors, confirmBudget, ...others } = values;
  const texts: JsonObject = {
    ...others,
    ...defined({
      maxErrors: maxErrors && countText(maxErrors),
      confirmBudget: confirmBudget && budgetText(confirmBudget),
    }),
  };
  const flags = Object.fromEntries(
    resumedFlags.flatMap((key) => {
      const value = texts[key];
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
  return { ...chosen, flags };
}

function countText(value: CountOrFraction): string {
  return 'count' in value ? `${value.count}` : `${value.fraction * 100}%`;
}

function budgetText(budget: ConfirmBudget): string {
  return 'calls' in budget ? `${budget.calls}` : `${budget.share * 100}%`;
}

export function buildRunSettings(values: RunFlagValues): {
  readonly settings: RunSettings;
  readonly problems: readonly Problem[];
} {
  const shard = parseShard(values.shard);
  const { compare = [], maxCost } = values;
  const settings: RunSettings = {
    cacheMode: cacheModes.find((mode) => mode === values.cache) ?? 'use',
    maxErrors: values.maxErrors ?? { count: 0 },
    allowEmpty: values.allowEmpty === true,
    requireConclusive: values.requireConclusive === true,
    baseline:
      values.noBaseline === true ? 'none' : values.baseline === undefined ? 'auto' : { source: values.baseline },
    ...defined({
      compare: compare.length > 0 ? compare : undefined,
      maxCostUsd: maxCost,
      drift: values.drift === true || undefined,
      shard: shard !== undefined && shard !== 'invalid' ? shard : undefined,
    }),
  };
  return { settings, problems: [...checkValues(values), ...checkPairs(values)] };
}

function checkValues(values: RunFlagValues): readonly Problem[] {
  const problems: Problem[] = [];
  if (parseShard(values.shard) === 'invalid') {
    problems.push(usageProblem(`--shard: not i/n with 1 ≤ i ≤ n`, 'write --shard 1/4'));
  }
  for (const filter of values.filter ?? []) {
    const fault = checkTextGlob(filter);
    if (fault !== undefined) {
      problems.push(usageProblem(`--filter ${filter.slice(0, 80)}: ${fault.message}`, fault.hint));
    }
  }
  for (const key of ['concurrency', 'trials', 'bail', 'sample'] as const) {
    if (values[key] === 0) problems.push(usageProblem(`--${key}: 0 leaves nothing to run`));
  }
  if ((values.trials ?? 0) > maxTrials) {
    problems.push(usageProblem(`--trials: must be ${maxTrials} or less, as in a suite`));
  }
  if (values.compare?.length === 1) {
    const message = `--compare ${values.compare[0] ?? ''}: one version has nothing to be compared with`;
    problems.push(usageProblem(message, 'write --compare v1,v2'));
  }
  const twice = values.compare?.find((id, index, ids) => ids.indexOf(id) !== index);
  if (twice !== undefined) {
    const message = `--compare: ${twice} is named twice, and a version is not compared with itself`;
    problems.push(usageProblem(message, 'name each version once'));
  }
  problems.push(...parseSwaps(values.swap ?? []).problems);
  const queue = values.queue === undefined ? undefined : parseQueueUrl(values.queue);
  if (queue !== undefined && 'reason' in queue) problems.push(usageProblem(`--queue: the address ${queue.reason}`));
  return problems;
}

const leaveOneOut = 'leave one of them out';

function checkPairs(values: RunFlagValues): readonly Problem[] {
  const problems: Problem[] = [];
  if (values.seed !== undefined && values.sample === undefined && values.early !== true) {
    problems.push(usageProblem('--seed is the seed of --sample or --early, and both are missing'));
  }
  if (values.changed !== undefined && values.resume !== undefined) {
    problems.push(
      usageProblem('--resume runs the suites of its run, whether they changed or not', 'leave --changed out'),
    );
  }
  if (values.lastFailed === true && values.shard !== undefined) {
    const hint = 'run --last-failed without --shard: it runs few cases';
    problems.push(usageProblem('--last-failed with --shard: the first shard changes what failed last', hint));
  }
  if (values.record === true && values.cache === 'replay') {
    const message = '--record writes new answers and --cache replay asks for none';
    problems.push(usageProblem(message, leaveOneOut));
  }
  if (values.recordTools === true) problems.push(...checkRecordTools(values));
  if (values.noBaseline === true && (values.baseline !== undefined || values.rerunBaseline === true)) {
    const message = '--no-baseline leaves nothing for --baseline or --rerun-baseline';
    problems.push(usageProblem(message, leaveOneOut));
  }
  if (values.noBaseline === true && values.drift === true) {
    const message = '--drift looks for answers worse than those of the baseline, and --no-baseline compares with none';
    problems.push(usageProblem(message, leaveOneOut));
  }
  if (values.early === true) problems.push(...checkEarly(values));
  if (values.swap !== undefined) problems.push(...checkSwap(values, '--swap'));
  if (values.compare !== undefined && values.prompt !== undefined) {
    problems.push(usageProblem('--compare chooses the prompts itself', 'leave --prompt out'));
  }
  return problems;
}

/** Flags under which real tools must not be asked, or not once. */
function checkRecordTools(values: RunFlagValues): readonly Problem[] {
  const reasons = [
    ['--cache replay', values.cache === 'replay', 'that asks nothing'],
    ['--watch', values.watch === true, 'each stub that is written would start another run'],
  ] as const;
  return refuseGiven(reasons, (flag, why) => `--record-tools asks real tools, and ${flag} is given: ${why}`);
}

/** Flags that compare with something else, write to the suite, or leave cases out. */
export function checkSwap(values: RunFlagValues, by: '--swap' | '--compare'): readonly Problem[] {
  const inRun = 'candidates are compared with the provider within this run';
  const ofSuite = 'candidates are no part of the suite';
  const reasons = [
    ['--baseline', values.baseline !== undefined, inRun],
    ['--rerun-baseline', values.rerunBaseline === true, inRun],
    ['--compare', by === '--swap' && values.compare !== undefined, inRun],
    ['--provider', values.provider !== undefined, `${by} chooses the providers itself`],
    ['--update-baseline', values.updateBaseline === true, ofSuite],
    ['--record', values.record === true, ofSuite],
    ['--record-tools', values.recordTools === true, ofSuite],
    ['--queue', values.queue !== undefined, 'workers know the providers of the suites alone'],
    ['--shard', values.shard !== undefined, 'a shard has only a part of the cases'],
    ['--early', values.early === true, 'each candidate is asked about every case'],
  ] as const;
  return refuseGiven(reasons, (flag, why) => `${by} with ${flag}: ${why}`);
}

/** Flags that need every case, or all of them at once. */
function checkEarly(values: RunFlagValues): readonly Problem[] {
  const reasons = [
    ['--shard', values.shard !== undefined, 'a shard has only a part of the cases, which does not decide the run'],
    ['--batch', values.batch === true, 'a batch is sent whole, so nothing could be left out'],
    ['--record', values.record === true, 'the cases that are left out would be missing from the recordings'],
    ['--update-baseline', values.updateBaseline === true, 'a baseline is accepted from a run of all cases'],
  ] as const;
  const hint = `${leaveOneOut}; LLMCHECK_EARLY=0 overrides the config`;
  return refuseGiven(reasons, (flag, why) => `--early with ${flag}: ${why}`, hint);
}

/** A problem for each flag that is given beside one that it can't go with. */
function refuseGiven(
  reasons: readonly (readonly [flag: string, isGiven: boolean, why: string])[],
  describe: (flag: string, why: string) => string,
  hint = leaveOneOut,
): readonly Problem[] {
  return reasons.flatMap(([flag, isGiven, why]) => (isGiven ? [usageProblem(describe(flag, why), hint)] : []));
}

function parseShard(text: string | undefined): { index: number; count: number } | 'invalid' | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  return match === null || index < 1 || index > count ? 'invalid' : { index, count };
}
