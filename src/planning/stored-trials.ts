import { relative } from 'node:path';
import { openBaselineFile } from '../baseline/open-baseline.ts';
import { type BaselineSideOptions, sideOfBaseline } from '../compare/pair-cases.ts';
import type { Baseline } from '../model/baseline.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { RecordedJudge, RecordedVariant } from '../model/record.ts';
import type { Project, Suite } from '../model/suite.ts';
import type { RowSummary } from '../model/summary.ts';
import { createPricer, type Pricer } from '../prices/create-pricer.ts';
import { baselinePathOf } from '../project/project-paths.ts';
import { findStoredRun, listStoredRuns } from '../project/stored-runs.ts';
import { summarizeRow } from '../record/case-summaries.ts';
import type { StoredRun } from '../record/list-runs.ts';
import { readRunHeader, readRunRecord } from '../record/read-run-record.ts';
import { groupBy } from '../text/group-by.ts';

/** A judged trial with the number of its calls, which is undefined where it was not recorded. */
export interface StoredTrial extends RowSummary {
  readonly calls: number | undefined;
}

/** The trials of one variant that one run, or a baseline, holds. */
export interface TrialSource {
  readonly suite: string;
  readonly recorded: RecordedVariant;
  /** Undefined for an accepted baseline. */
  readonly runId: string | undefined;
  readonly trials: readonly StoredTrial[];
  /** The measured accuracy of the suite's judges in that run; empty for a baseline. */
  readonly judges: readonly RecordedJudge[];
}

export interface StoredTrials {
  /** The latest run first, the baselines last. */
  readonly sources: readonly TrialSource[];
  /** By suite id, where one was accepted. */
  readonly baselines: ReadonlyMap<string, Baseline>;
  /** Names runs that could not be read. */
  readonly warnings: readonly Problem[];
}

export interface StoredTrialsOptions {
  readonly project: Project;
  readonly cwd: string;
  /** Reads only this run, without the baseline. */
  readonly run?: string;
}

/** Reads the judged, planned trials of every stored run. Confirmation trials follow a failure, so they would bias a rate. */
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
  const byVariant = groupBy(evidence, ({ suite, prompt, provider }) => variantKey(suite, prompt, provider));
  return record.header.suites.flatMap(({ suite, variants, judges = [] }) =>
    variants.flatMap((variant) => {
      const key = variantKey(suite, variant.prompt, variant.provider);
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
    // A baseline names the snapshots of all its trials together: with several, that of a single trial is unknown.
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

function variantKey(suite: string, prompt: string, provider: string): string {
  return JSON.stringify([suite, prompt, provider]);
}
