import { relative } from 'node:path';
import { openBaselineFile } from '../baseline/open-baseline.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import type { Baseline, BaselineVariant } from '../model/comparison/baseline.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { suiteVariantKey } from '../model/run/cell.ts';
import type { RecordedJudge, RecordedVariant } from '../model/run/record.ts';
import type { RowSummary } from '../model/run/summary.ts';
import { isSameCase, withoutFiles } from '../model/suite/same-case.ts';
import { type Case, type Project, providersOf, type Suite, slicesOf } from '../model/suite/suite.ts';
import { countJudgeRequests, countRequests } from '../plan/price-variants.ts';
import { runsOn } from '../plan/render-cells.ts';
import { createPricer, type Pricer } from '../prices/create-pricer.ts';
import { baselinePathOf } from '../project/project-paths.ts';
import { findStoredRun, listStoredRuns } from '../project/stored-runs.ts';
import { summarizeRow } from '../record/case-summaries.ts';
import type { StoredRun } from '../record/list-runs.ts';
import { readRunHeader, readRunRecord } from '../record/read-run-record.ts';
import { groupBy } from '../text/group-by.ts';
import { type BaselineSideOptions, countVerdicts, sideOfBaseline } from '../verdict/pair-cases.ts';

/** A gated variant of a suite, with all stored trials of one version. */
export interface TrialPool {
  readonly suite: Suite;
  readonly prompt: string;
  readonly provider: string;
  readonly replaces: string | undefined;
  /** The version that ran last; undefined if no trial of the suite's cases is stored. */
  readonly recorded: RecordedVariant | undefined;
  /** Ids of the runs that the trials come from, latest first. A baseline has no id. */
  readonly runIds: readonly string[];
  readonly usesBaseline: boolean;
  /** False if an edited prompt's accepted version can no longer be asked (baseline/accepted-prompts.ts). */
  readonly asksAccepted: boolean;
  /** The suite's judges, with the accuracy measured in the latest run. */
  readonly judges: readonly RecordedJudge[];
  /** The suite's current gated cases, by case id. */
  readonly cases: readonly PooledCase[];
}

export interface PooledCase {
  readonly caseId: string;
  readonly caseHash: string;
  readonly mustPass: boolean;
  readonly group: string | undefined;
  readonly slices: readonly string[] | undefined;
  /** Trials that the suite currently plans for the case. */
  readonly plannedTrials: number;
  readonly hasTurns: boolean;
  /** The most requests of one trial, those to judges included. */
  readonly callsPerTrial: number;
  readonly trials: readonly StoredTrial[];
}

/** Pools the trials of all runs with equal prompt, params, model and snapshot, for cases with equal hashes. */
export function poolTrials(suites: readonly Suite[], sources: readonly TrialSource[]): readonly TrialPool[] {
  return suites.flatMap((suite) => {
    const cases = [...suite.cases()].filter(({ observe, skip }) => !observe && skip === undefined);
    const replaced = new Set(suite.prompts.map(({ replaces }) => replaces));
    // A replaced prompt is not gated.
    return suite.prompts
      .filter(({ id }) => !replaced.has(id))
      .flatMap((prompt) =>
        providersOf(suite, prompt).flatMap((provider): TrialPool[] => {
          const own = cases.filter((found) => runsOn(found, prompt.id, provider.id));
          if (own.length === 0) return [];
          const stored = sources.filter(
            ({ suite: id, recorded }) =>
              id === suite.id && recorded.prompt === prompt.id && recorded.provider === provider.id,
          );
          const names = { suite, prompt: prompt.id, provider: provider.id, replaces: prompt.replaces };
          const pool = poolVariant(suite, own, stored);
          const attaches = pool.recorded?.messages.some(({ attach = [] }) => attach.length > 0) ?? false;
          const isPairwise = suite.criteria.some(({ assertion }) => assertion === 'pairwise');
          return [{ ...names, ...pool, asksAccepted: provider.adapter !== 'exec' && !attaches && !isPairwise }];
        }),
      );
  });
}

function poolVariant(
  { gate }: Suite,
  cases: readonly Case[],
  stored: readonly TrialSource[],
): Pick<TrialPool, 'recorded' | 'runIds' | 'usesBaseline' | 'judges' | 'cases'> {
  const caseHashes = new Map(cases.map(({ id, caseHash }) => [id, caseHash]));
  const comparable = stored
    .map((source) => ({
      ...source,
      trials: source.trials.filter((trial) => isHashOfCase(caseHashes.get(trial.caseId), trial.caseHash)),
    }))
    .filter(({ trials }) => trials.length > 0);
  const [latest] = comparable;
  const same = latest === undefined ? [] : comparable.flatMap((source) => sameVersion(latest, source));
  const byCase = groupBy(keepDistinct(keepLatestHash(same.flatMap(({ trials }) => trials))), ({ caseId }) => caseId);
  return {
    recorded: latest?.recorded,
    runIds: same.flatMap(({ runId }) => runId ?? []),
    judges: same.find(({ runId }) => runId !== undefined)?.judges ?? [],
    usesBaseline: same.some(({ runId }) => runId === undefined),
    cases: cases
      .map((found) => ({
        caseId: found.id,
        caseHash: byCase.get(found.id)?.[0]?.caseHash ?? found.caseHash,
        mustPass: found.mustPass,
        group: found.group,
        slices: slicesOf(found, gate),
        plannedTrials: found.trials,
        hasTurns: found.turns.length > 0,
        callsPerTrial: countRequests(found) + countJudgeRequests(found),
        trials: byCase.get(found.id) ?? [],
      }))
      .sort((a, b) => (a.caseId < b.caseId ? -1 : 1)),
  };
}

/**
 * True if a stored hash belongs to this case. Stored hashes have more parts if a judge, a program's variables or files
 * matter.
 */
function isHashOfCase(hashOfCase: string | undefined, caseHash: string): boolean {
  return hashOfCase !== undefined && `${withoutFiles(caseHash)}.`.startsWith(`${hashOfCase}.`);
}

/** Keeps the trials whose case hash equals that of the case's latest trial. */
function keepLatestHash(trials: readonly StoredTrial[]): readonly StoredTrial[] {
  const latest = new Map<string, string>();
  for (const { caseId, caseHash } of trials) if (!latest.has(caseId)) latest.set(caseId, caseHash);
  return trials.filter(({ caseId, caseHash }) => isSameCase(latest.get(caseId), caseHash));
}

/** Keeps a source's trials if they belong to the latest version. Answers of another model snapshot do not. */
function sameVersion(latest: TrialSource, source: TrialSource): TrialSource[] {
  if (versionOf(source.recorded) !== versionOf(latest.recorded)) return [];
  // A refused answer names no snapshot.
  const models = new Set([undefined, ...latest.trials.map(({ model }) => model)]);
  const trials = source.trials.filter(({ model }) => models.has(model));
  return trials.length === 0 ? [] : [{ ...source, trials }];
}

function versionOf({ adapter, model, baseUrl, params, messages, contract }: RecordedVariant | BaselineVariant): string {
  // `JSON.stringify` keeps the order of members, which is part of the request.
  return JSON.stringify([adapter, model, baseUrl ?? null, params, canonicalJson(messages), contract?.output ?? null]);
}

/** Drops repeated answers from the cache: they are no new observation. */
function keepDistinct(trials: readonly StoredTrial[]): readonly StoredTrial[] {
  const seen = new Set<string>();
  const keep = (trial: StoredTrial): boolean => {
    const key = JSON.stringify([trial.caseId, trial.trial, trial.answerHash ?? null]);
    const isNew = !trial.cached || !seen.has(key);
    seen.add(key);
    return isNew;
  };
  const fresh = trials.filter(({ cached }) => !cached);
  return [...fresh, ...trials.filter(({ cached }) => cached)].filter(keep);
}

/** Number of judged trials of each unchanged case in the accepted baseline, over all runs pooled in it. */
export function countBaselineTrials(
  baseline: Baseline | undefined,
  { prompt, provider, replaces, cases }: TrialPool,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const ofProvider = baseline?.variants.filter((variant) => variant.provider === provider) ?? [];
  const source = [prompt, replaces].find((id) => ofProvider.some((variant) => variant.prompt === id));
  if (baseline === undefined || source === undefined) return counts;
  const accepted = baseline.casesOf({ prompt: source, provider });
  for (const { caseId, caseHash } of cases) {
    const found = accepted.get(caseId);
    if (found === undefined || !isSameCase(found.caseHash, caseHash)) continue;
    const { trials } = countVerdicts(found);
    if (trials > 0) counts.set(caseId, trials);
  }
  return counts;
}

/** A judged trial. `calls` is undefined if it was not recorded. */
export interface StoredTrial extends RowSummary {
  readonly calls: number | undefined;
}

/** The trials of one variant from one run or baseline. */
export interface TrialSource {
  readonly suite: string;
  readonly recorded: RecordedVariant;
  /** Undefined for an accepted baseline. */
  readonly runId: string | undefined;
  readonly trials: readonly StoredTrial[];
  /** Measured accuracy of the suite's judges in that run; empty for a baseline. */
  readonly judges: readonly RecordedJudge[];
}

export interface StoredTrials {
  /** Latest run first, baselines last. */
  readonly sources: readonly TrialSource[];
  /** Accepted baselines, by suite id. */
  readonly baselines: ReadonlyMap<string, Baseline>;
  /** Warnings for runs that could not be read. */
  readonly warnings: readonly Problem[];
}

export interface StoredTrialsOptions {
  readonly project: Project;
  readonly cwd: string;
  /** Read only this run, without the baseline. */
  readonly run?: string;
}

/**
 * Reads the judged, planned trials of every stored run. Fresh trials are left out: they follow failures and
 * would bias a rate.
 */
export async function readStoredTrials({ project, cwd, run }: StoredTrialsOptions): Promise<StoredTrials> {
  const suites = new Set(project.suites.map(({ id }) => id));
  const baselines = readBaselines(project, cwd);
  if (run !== undefined) return { sources: readRun(findStoredRun(project, run, cwd), suites), baselines, warnings: [] };
  const sources: TrialSource[] = [];
  const warnings: Problem[] = [];
  for (const stored of listStoredRuns(project)) {
    try {
      sources.push(...readRun(stored, suites));
    } catch (error) {
      // The other runs count even if one record is damaged.
      if (!(error instanceof UserError)) throw error;
      for (const problem of error.problems.slice(0, 1)) {
        warnings.push({
          ...problem,
          severity: 'warning',
          hint: 'the run is not counted; delete its record to stop this warning',
        });
      }
    }
  }
  const pricer = await createPricer({ prices: project.prices });
  for (const suite of project.suites) {
    const baseline = baselines.get(suite.id);
    if (baseline !== undefined) sources.push(...sourcesOfBaseline(baseline, suite, pricer));
  }
  return { sources, baselines, warnings };
}

function readRun({ id, path }: StoredRun, suites: ReadonlySet<string>): TrialSource[] {
  const { suites: recorded } = readRunHeader(path);
  if (!recorded.some(({ suite }) => suites.has(suite))) return [];
  const record = readRunRecord(path, (row, rowIndex) =>
    suites.has(row.suite) ? { ...summarizeRow(row, rowIndex), calls: row.calls.length || undefined } : undefined,
  );
  const evidence = record.summaries.filter((trial) => trial !== undefined).filter(isEvidence);
  const byVariant = groupBy(evidence, ({ suite, prompt, provider }) => suiteVariantKey({ suite, prompt, provider }));
  return record.header.suites.flatMap(({ suite, variants, judges = [] }) =>
    variants.flatMap((variant) => {
      const key = suiteVariantKey({ suite, prompt: variant.prompt, provider: variant.provider });
      const trials = byVariant.get(key);
      // If a header names a variant twice, its trials count once.
      byVariant.delete(key);
      return trials === undefined ? [] : [{ suite, recorded: variant, runId: id, trials, judges }];
    }),
  );
}

function sourcesOfBaseline(baseline: Baseline, { providers }: Suite, pricer: Pricer): readonly TrialSource[] {
  const costOf: BaselineSideOptions['costOf'] = ({ provider, adapter, model }, usage) => {
    const price = providers.find(({ id }) => id === provider)?.price;
    const ownPrice = price === undefined ? {} : { ownPrice: price };
    return pricer.priceOf({ providerId: provider, adapter, model, priceProvider: adapter, ...ownPrice, usage });
  };
  return baseline.variants.flatMap((variant) => {
    const side = sideOfBaseline(baseline, variant, { source: '', costOf });
    if (side === undefined) return [];
    // A baseline lists the snapshots of all its trials. With several, the snapshot of one trial is unknown.
    const model = side.models.length === 0 ? undefined : side.models.join(', ');
    const trials: StoredTrial[] = [];
    for (const { trials: rows } of side.cases.values()) {
      for (const row of rows)
        if (isEvidence(row)) trials.push({ ...row, model, costUsd: side.costOf?.(row), calls: undefined });
    }
    return trials.length === 0
      ? []
      : [{ suite: baseline.suite, recorded: side.recorded, runId: undefined, trials, judges: [] }];
  });
}

function readBaselines({ root, suites }: Project, cwd: string): ReadonlyMap<string, Baseline> {
  const baselines = new Map<string, Baseline>();
  for (const { id, path } of suites) {
    const file = baselinePathOf(root, path);
    const baseline = openBaselineFile(file, relative(cwd, file));
    if (baseline?.suite === id) baselines.set(id, baseline);
  }
  return baselines;
}

function isEvidence({ status, observe, confirmation }: RowSummary): boolean {
  return (status === 'passed' || status === 'failed') && !observe && !confirmation;
}
