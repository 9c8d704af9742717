import { defined } from '../json/defined.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { caseLabel } from '../model/suite/suite.ts';
import { runsOn } from '../plan/render-cells.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { findLastFailed } from '../project/stored-runs.ts';
import { timesSpend } from '../run/asking/fresh-cells.ts';
import { quote } from '../text/shorten.ts';
import { findNearest } from '../text/words/did-you-mean.ts';
import {
  type BisectedCase,
  type BisectForecast,
  type BisectOptions,
  bisectCase,
  mostProbes,
  mostTrialsOf,
  type OpenedSearch,
  openSearch,
  textOfHunk,
} from './bisect.ts';
import { bisectCommits, type CommitSearch, createOpenHistory, forecastCommits } from './bisect-commits.ts';
import { type EarlierPrompt, isPromptSource, openEarlier } from './find-earlier.ts';
import { nameProbed, type ProbedCase, type Prober, type ProbeSpending, withProber } from './open-prober.ts';

export interface RunBisectOptions {
  readonly run: RunOptions;
  /** Case ids, alone or as `suite/case`. Empty: every case that did not pass in the latest run. */
  readonly cases: readonly string[];
  /** The earlier side. Undefined: the one that a run compares with. */
  readonly from?: string;
  /** True to search the commits since `from`, which is then `git:REF`. */
  readonly commits?: boolean;
  /** False for a variant of a case that should not be searched. */
  readonly isWanted?: (probed: ProbedCase) => boolean;
  /** Called with each finished case. */
  readonly onCase?: (found: BisectedCase) => void;
}

export interface BisectOutcome {
  readonly cases: readonly BisectedCase[];
  readonly spending: ProbeSpending;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}

/** Searches the cases one after the other. Hunks that broke one case are tried first on the next. */
export async function runBisect(options: RunBisectOptions, ports: RunPorts): Promise<BisectOutcome> {
  return withProber(toRunOptions(options), ports, async (prober) => {
    const opened = await openSearches(prober, options, ports);
    const known: (readonly string[])[] = [];
    const cases: BisectedCase[] = [];
    for (const one of opened) {
      const found = await searchCase(prober, one, { cases: opened.length, known });
      for (const set of found.verdict.is === 'found' ? found.verdict.change.sets : []) {
        known.push(
          set.hunks.flatMap((hunk) => (found.hunks[hunk] === undefined ? [] : [textOfHunk(found.hunks[hunk])])),
        );
      }
      cases.push(found);
      options.onCase?.(found);
    }
    return { cases, spending: prober.spending, ...defined({ interrupted: prober.interrupted() }) };
  });
}

export async function forecastBisect(options: RunBisectOptions, ports: RunPorts): Promise<readonly BisectForecast[]> {
  return withProber(toRunOptions(options), ports, async (prober) => {
    const opened = await openSearches(prober, options, ports);
    return Promise.all(opened.map((one) => forecastCase(prober, one, opened.length)));
  });
}

async function forecastCase(
  prober: Prober,
  { probed, search, history }: OpenedCase,
  cases: number,
): Promise<BisectForecast> {
  const probedName = nameProbed(probed);
  const none = { ...probedName, hunks: 0, probes: 0, calls: 0, usd: 0, uncounted: [] };
  if ('why' in search) return { ...none, why: search.why };
  if (history !== undefined) return { ...probedName, ...(await forecastCommits(prober, history, cases)) };
  const { hunks, limit } = search;
  if (hunks.length === 0) return { ...none, why: 'nothing differs' };
  const { calls, usd } = timesSpend(limit, mostTrialsOf(hunks.length, cases));
  return {
    ...probedName,
    hunks: hunks.length,
    probes: mostProbes(hunks.length),
    calls,
    usd,
    uncounted: limit.uncounted,
  };
}

/** A baseline named by `--from` replaces the run's. */
function toRunOptions({ run, from }: RunBisectOptions): RunOptions {
  const isBaseline = from !== undefined && !isPromptSource(from, run.project);
  const settings = isBaseline ? { ...run.settings, baseline: { source: from } } : run.settings;
  return { ...run, settings, batch: false };
}

interface OpenedCase {
  readonly probed: ProbedCase;
  readonly search: OpenedSearch | { readonly why: string };
  readonly history?: CommitSearch;
}

function searchCase(prober: Prober, one: OpenedCase, options: BisectOptions): Promise<BisectedCase> {
  const { search, history } = one;
  if ('why' in search) return Promise.resolve(unsearched(one, search.why));
  const isOneChange = history === undefined || search.hunks.length === 0;
  return isOneChange ? bisectCase(prober, search, options) : bisectCommits(prober, history, options);
}

async function openSearches(
  prober: Prober,
  { cases, from, commits, isWanted = () => true }: RunBisectOptions,
  ports: Pick<RunPorts, 'cwd' | 'env'>,
): Promise<readonly OpenedCase[]> {
  const { project } = prober.options;
  const lastFailed = cases.length > 0 ? undefined : findLastFailed(project);
  const findEarlier = await openEarlier(from, prober, ports);
  const known = new Set<string>();
  const asked = new Set<string>();
  const isOfPrompt = from !== undefined && isPromptSource(from, project);
  const nothingOf = ({ variant }: ProbedCase): EarlierPrompt =>
    isOfPrompt
      ? { is: 'unavailable', why: `${from} has no earlier version of prompt ${quote(variant.prompt.id)}` }
      : nothing;
  const openHistory = commits === true && from !== undefined ? createOpenHistory(from, prober, ports) : undefined;
  const found = prober.planned.plan.suites.flatMap(({ suite, variants }) => {
    const opened: OpenedCase[] = [];
    for (const testCase of suite.cases()) {
      const label = caseLabel(suite.id, testCase.id);
      known.add(label).add(testCase.id);
      const isNamed = lastFailed?.has(label) ?? (cases.includes(testCase.id) || cases.includes(label));
      if (!isNamed || testCase.skip !== undefined) continue;
      asked.add(label).add(testCase.id);
      const own = variants
        .filter(({ prompt, provider }) => prompt.baselineOf === undefined && runsOn(testCase, prompt.id, provider.id))
        .map((variant) => ({ probed: { suite, variant, testCase }, earlier: findEarlier(suite, variant) }))
        .filter(({ probed }) => isWanted(probed));
      // A replaced prompt beside its replacement has nothing to compare with.
      const compared = own.filter(({ earlier }) => earlier !== undefined);
      for (const { probed, earlier = nothingOf(probed) } of compared.length > 0 ? compared : own) {
        const history = openHistory?.(probed);
        opened.push({ probed, search: openSearch(prober, probed, earlier), ...defined({ history }) });
      }
    }
    return opened;
  });
  refuseUnasked(cases, known, asked);
  return found;
}

const nothing: EarlierPrompt = {
  is: 'unavailable',
  why: 'nothing was accepted, and no version replaces another (name it with --from)',
};

/** Each named case must be in a suite and must not be skipped. */
function refuseUnasked(cases: readonly string[], ids: ReadonlySet<string>, asked: ReadonlySet<string>): void {
  const problems = cases
    .filter((id) => !asked.has(id))
    .map((id): Problem => {
      const refused = { severity: 'error', message: `--case ${id}: no suite has it` } as const;
      if (ids.has(id)) {
        const message = `--case ${id}: the case is skipped`;
        return { ...refused, code: 'usage', message, hint: 'remove its `skip` to search it' };
      }
      const similar = findNearest(id, [...ids]);
      const hint = similar === undefined ? '`llmcheck list` shows the cases' : `did you mean "${similar}"?`;
      return { ...refused, code: 'unknown-id', hint };
    });
  if (problems.length > 0) throw new UserError(problems);
}

function unsearched({ probed }: OpenedCase, why: string): BisectedCase {
  const { at } = probed.testCase;
  return { ...nameProbed(probed), earlier: '', at, hunks: [], verdict: { is: 'undecided', why }, probes: 0 };
}
