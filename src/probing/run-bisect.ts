import { defined } from '../json/defined.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { caseLabel } from '../model/suite.ts';
import { runsOn } from '../plan/render-cells.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { findLastFailed } from '../project/stored-runs.ts';
import { addSpend, timesSpend } from '../run/retrial-cells.ts';
import { findNearest } from '../text/did-you-mean.ts';
import {
  type BisectedCase,
  bisectCase,
  mostProbes,
  mostTrialsOf,
  type OpenedSearch,
  openSearch,
  textOfHunk,
} from './bisect.ts';
import { type EarlierPrompt, isPromptSource, openEarlier } from './find-earlier.ts';
import { openProber, type ProbedCase, type Prober, type ProbeSpending } from './open-prober.ts';

export interface RunBisectOptions {
  readonly run: RunOptions;
  /** Ids of cases, alone or as `suite/case`; empty: those that did not pass in the latest run. */
  readonly cases: readonly string[];
  /** What to compare with; undefined: what a run compares with. */
  readonly from?: string;
  /** Called with each case that is done. */
  readonly onCase?: (found: BisectedCase) => void;
}

export interface BisectOutcome {
  readonly cases: readonly BisectedCase[];
  readonly spending: ProbeSpending;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}

/** What a search would do at most, without sending anything. */
export interface BisectForecast {
  readonly suite: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  readonly hunks: number;
  readonly probes: number;
  readonly calls: number;
  /** Undefined where a price or a limit on output tokens is not known. */
  readonly usd: number | undefined;
  readonly uncounted: readonly string[];
  /** Why it can't be searched. */
  readonly why?: string;
}

/** Searches each case, one after the other: what broke one is tried first on the next. */
export async function runBisect(options: RunBisectOptions, ports: RunPorts): Promise<BisectOutcome> {
  const prober = await openProber(toRunOptions(options), ports);
  try {
    const opened = await openSearches(prober, options, ports);
    const known: (readonly string[])[] = [];
    const cases: BisectedCase[] = [];
    for (const one of opened) {
      const found =
        'why' in one.search
          ? unsearched(one, one.search.why)
          : await bisectCase(prober, one.search, { cases: opened.length, known });
      for (const set of found.verdict.is === 'found' ? found.verdict.change.sets : []) {
        known.push(
          set.hunks.flatMap((hunk) => (found.hunks[hunk] === undefined ? [] : [textOfHunk(found.hunks[hunk])])),
        );
      }
      cases.push(found);
      options.onCase?.(found);
    }
    return { cases, spending: prober.spending, ...defined({ interrupted: prober.interrupted() }) };
  } finally {
    await prober.close();
  }
}

export async function forecastBisect(options: RunBisectOptions, ports: RunPorts): Promise<readonly BisectForecast[]> {
  const prober = await openProber(toRunOptions(options), ports);
  try {
    const opened = await openSearches(prober, options, ports);
    return opened.map(({ probed, search }) => {
      const { suite, variant, testCase } = probed;
      const of = { suite: suite.id, caseId: testCase.id, prompt: variant.prompt.id, provider: variant.provider.id };
      if ('why' in search) return { ...of, hunks: 0, probes: 0, calls: 0, usd: 0, uncounted: [], why: search.why };
      const { hunks, limit } = search;
      if (hunks.length === 0)
        return { ...of, hunks: 0, probes: 0, calls: 0, usd: 0, uncounted: [], why: 'nothing differs' };
      const { calls, usd } = timesSpend(limit, mostTrialsOf(hunks.length, opened.length));
      return { ...of, hunks: hunks.length, probes: mostProbes(hunks.length), calls, usd, uncounted: limit.uncounted };
    });
  } finally {
    await prober.close();
  }
}

/** The sum of what searches may send; without a cost where that of one is not known. */
export function sumForecasts(forecasts: readonly BisectForecast[]): {
  readonly calls: number;
  readonly usd: number | undefined;
} {
  const isKnown = forecasts.every(({ usd }) => usd !== undefined);
  const { calls, usd } = forecasts.reduce(addSpend, { calls: 0, usd: 0 });
  return { calls, usd: isKnown ? usd : undefined };
}

/** A baseline that `--from` names takes the place of the run's. */
function toRunOptions({ run, from }: RunBisectOptions): RunOptions {
  const { early: _early, bail: _bail, queue: _queue, resume: _resume, ...rest } = run;
  const isBaseline = from !== undefined && !isPromptSource(from, run.project);
  const settings = isBaseline ? { ...run.settings, baseline: { source: from } } : run.settings;
  return {
    ...rest,
    settings,
    record: false,
    recordTools: false,
    batch: false,
    rerunBaseline: false,
    updateBaseline: false,
  };
}

interface OpenedCase {
  readonly probed: ProbedCase;
  readonly search: OpenedSearch | { readonly why: string };
}

async function openSearches(
  prober: Prober,
  { cases, from }: RunBisectOptions,
  ports: Pick<RunPorts, 'cwd' | 'env'>,
): Promise<readonly OpenedCase[]> {
  const { project } = prober.options;
  const lastFailed = cases.length > 0 ? undefined : findLastFailed(project);
  const findEarlier = await openEarlier(from, prober, ports);
  const known = new Set<string>();
  const found = prober.planned.plan.suites.flatMap(({ suite, variants }) => {
    const opened: OpenedCase[] = [];
    for (const testCase of suite.cases()) {
      const label = caseLabel(suite.id, testCase.id);
      known.add(label).add(testCase.id);
      const isWanted = lastFailed?.has(label) ?? (cases.includes(testCase.id) || cases.includes(label));
      if (!isWanted || testCase.skip !== undefined) continue;
      const own = variants
        .filter(({ prompt, provider }) => prompt.baselineOf === undefined && runsOn(testCase, prompt.id, provider.id))
        .map((variant) => ({ probed: { suite, variant, testCase }, earlier: findEarlier(suite, variant) }));
      // An older version beside the one that replaces it has nothing to be compared with.
      const compared = own.filter(({ earlier }) => earlier !== undefined);
      opened.push(
        ...(compared.length > 0 ? compared : own).map(({ probed, earlier = nothing }) => ({
          probed,
          search: openSearch(prober, probed, earlier),
        })),
      );
    }
    return opened;
  });
  refuseUnknown(cases, known);
  return found;
}

const nothing: EarlierPrompt = {
  is: 'unavailable',
  why: 'nothing was accepted, and no version replaces another (name it with --from)',
};

function refuseUnknown(cases: readonly string[], ids: ReadonlySet<string>): void {
  const problems = cases
    .filter((id) => !ids.has(id))
    .map((id): Problem => {
      const similar = findNearest(id, [...ids]);
      const hint = similar === undefined ? '`llmcheck list` shows the cases' : `did you mean "${similar}"?`;
      return { code: 'unknown-id', severity: 'error', message: `--case ${id}: no suite has it`, hint };
    });
  if (problems.length > 0) throw new UserError(problems);
}

function unsearched({ probed: { suite, variant, testCase } }: OpenedCase, why: string): BisectedCase {
  return {
    suite: suite.id,
    caseId: testCase.id,
    prompt: variant.prompt.id,
    provider: variant.provider.id,
    earlier: '',
    at: testCase.at,
    hunks: [],
    verdict: { is: 'undecided', why },
    probes: 0,
  };
}
