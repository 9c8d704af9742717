import { canonicalJson } from '../json/canonical-json.ts';
import {
  type CaseHistory,
  type CasePoint,
  type FlakeHistory,
  type History,
  type HistoryPoint,
  historyFormat,
  type SuiteHistory,
  type VariantHistory,
} from '../model/report/history.ts';
import { isJudged, judgedLatencies } from '../model/run/cell.ts';
import type { CaseSummary, SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import { isSameCase } from '../model/suite/same-case.ts';
import { isComplete, sumVariants } from '../record/summarize-run.ts';
import { type Groups, quantiles, sharedGroups } from '../stats/descriptive.ts';
import { adjustBenjaminiHochberg } from '../stats/multiplicity.ts';
import { scoreMeanInterval } from '../stats/score-bound.ts';
import { countDisagreements, flakeChangeP, suiteFlakiness } from '../stats/trend.ts';
import { compareText } from '../text/compare-text.ts';
import { sha256Hex } from '../text/sha256.ts';
import { type CountedRun, describeTrend } from './read-trends.ts';

export interface HistoryOptions {
  /** True for the suites that are wanted. */
  readonly wants: (suite: { readonly suite: string; readonly path: string }) => boolean;
  /** Runs of a suite that count as recent; undefined: half of them. */
  readonly recent: number | undefined;
}

/** Arranges runs by suite, variant and case; `runs` go from the oldest to the latest. */
export function buildHistory(runs: readonly CountedRun[], options: HistoryOptions): Omit<History, 'damaged'> {
  const bySuite = new Map<string, Series<SuiteInRun>>();
  for (const { header, summary } of runs) {
    for (const suite of summary.suites) {
      const { suite: id, path } = suite.recorded;
      if (!options.wants({ suite: id, path })) continue;
      addTo(bySuite, id, { run: header.id, suite });
    }
  }
  return {
    format: historyFormat,
    runs: runs.map(({ header, summary }) => ({
      id: header.id,
      startedAt: header.startedAt,
      version: header.tool.version,
      complete: isComplete(summary),
    })),
    suites: [...bySuite]
      .sort(([a], [b]) => compareText(a, b))
      .map(([id, series]) => buildSuite(id, series, options.recent)),
  };
}

/** The results of a suite, variant or case in each run, oldest first. */
interface Series<Found> {
  readonly found: readonly Found[];
  readonly last: Found;
}

function addTo<Found>(all: Map<string, Series<Found>>, key: string, last: Found): void {
  all.set(key, { found: [...(all.get(key)?.found ?? []), last], last });
}

interface SuiteInRun {
  readonly run: string;
  readonly suite: SuiteSummary;
}

interface VariantInRun {
  readonly run: string;
  readonly variant: VariantSummary;
  readonly alpha: number;
}

function buildSuite(id: string, { found, last }: Series<SuiteInRun>, recent: number | undefined): SuiteHistory {
  const whole = found.filter(({ suite }) => !suite.recorded.filtered);
  return {
    suite: id,
    path: last.suite.recorded.path,
    points: markRedefined(
      whole,
      (before, after) => isSameSuite(before.suite, after.suite),
      ({ run, suite }) => suitePoint(run, suite),
    ),
    variants: [...groupVariants(whole).values()].map(buildVariant),
    cases: nameChanges([...groupVariants(found).values()].flatMap((series) => buildCases(series, recent))),
    partialRuns: found.length - whole.length,
  };
}

function groupVariants(found: readonly SuiteInRun[]): ReadonlyMap<string, Series<VariantInRun>> {
  const groups = new Map<string, Series<VariantInRun>>();
  for (const { run, suite } of found) {
    for (const variant of suite.variants) {
      // A baseline's prompt that ran beside this one has the same name, so it is skipped.
      if (variant.recorded.baselineOf !== undefined) continue;
      const key = JSON.stringify([variant.recorded.prompt, variant.recorded.provider]);
      addTo(groups, key, { run, variant, alpha: suite.recorded.gate.alpha });
    }
  }
  return groups;
}

function buildVariant({ found, last }: Series<VariantInRun>): VariantHistory {
  const { prompt, provider, model } = last.variant.recorded;
  return {
    prompt,
    provider,
    model,
    points: markRedefined(
      found,
      (before, after) => isSameVariant(before.variant, after.variant),
      ({ run, variant }) => variantPoint(run, variant),
    ),
    trend: describeTrend(findMeasured({ found, last }), last.alpha),
  };
}

/** The pass rates for the test of a trend. They begin at the last change of cases or checks, which changes the rate. */
function findMeasured({
  found,
  last,
}: Series<VariantInRun>): readonly { readonly run: string; readonly rate: number }[] {
  const start = found.findLastIndex(({ variant }) => !hasSameCases(variant, last.variant)) + 1;
  return found.slice(start).flatMap(({ run, variant }) => {
    const { passRate, passed, failed, errored, skipped, skippedByCase, cached } = variant;
    const isPartial = errored > 0 || skipped > skippedByCase;
    if (passRate.value === null || isPartial || cached >= passed + failed) return [];
    return [{ run, rate: passRate.value }];
  });
}

function markRedefined<Found>(
  found: readonly Found[],
  isSame: (before: Found, after: Found) => boolean,
  build: (item: Found) => Omit<HistoryPoint, 'redefined'>,
): readonly HistoryPoint[] {
  return found.map((item, index) => {
    const before = found[index - 1];
    return { ...build(item), redefined: before !== undefined && !isSame(before, item) };
  });
}

/** A hash of a variant's requests, without its cases. */
function definitionOf({ recorded: { adapter, model, params, messages } }: VariantSummary): string {
  // `JSON.stringify` keeps the order of parameters, which is part of the request.
  return sha256Hex(canonicalJson([adapter, model, JSON.stringify(params), messages]));
}

function hasSameCases({ cases: before }: VariantSummary, { cases: after }: VariantSummary): boolean {
  if (before.size !== after.size) return false;
  return [...after.values()].every(({ caseId, caseHash }) => isSameCase(before.get(caseId)?.caseHash, caseHash));
}

function isSameVariant(before: VariantSummary, after: VariantSummary): boolean {
  return definitionOf(before) === definitionOf(after) && hasSameCases(before, after);
}

function isSameSuite(before: SuiteSummary, after: SuiteSummary): boolean {
  const [earlier, later] = [defineVariants(before), defineVariants(after)];
  return earlier.length === later.length && hasEach(earlier, later) && hasEach(later, earlier);
}

interface Defined {
  readonly variant: VariantSummary;
  /** Prompt and definition, under whatever provider. */
  readonly key: string;
}

/** True if each of the variants is among the others. */
function hasEach(variants: readonly Defined[], others: readonly Defined[]): boolean {
  return variants.every(({ key, variant }) =>
    others.some((other) => other.key === key && hasSameCases(other.variant, variant)),
  );
}

function defineVariants({ variants }: SuiteSummary): readonly Defined[] {
  return gatedOf(variants).map((variant) => ({
    variant,
    key: JSON.stringify([variant.recorded.prompt, definitionOf(variant)]),
  }));
}

function gatedOf(variants: readonly VariantSummary[]): readonly VariantSummary[] {
  return variants.filter(({ replacedBy }) => replacedBy === undefined);
}

type Point = Omit<HistoryPoint, 'redefined'>;

function variantPoint(run: string, variant: VariantSummary): Point {
  const { passRate, planned, passed, failed, errored, skipped, cached, costUsd, latencyMs } = variant;
  const counts = { planned, passed, failed, errored, skipped, cached };
  return { run, passRate, ...counts, costUsd, latencyMs, flakeRate: estimateFlakeRate([variant]) };
}

function suitePoint(run: string, { recorded, variants }: SuiteSummary): Point {
  const gated = gatedOf(variants);
  const { planned, passed, failed, errored, skipped, cached, costUsd } = sumVariants(gated);
  const trials = gated.flatMap(({ cases }) =>
    [...cases.values()].flatMap((found) => (found.observe ? [] : found.trials)),
  );
  const [p50, p95] = quantiles(judgedLatencies(trials), [0.5, 0.95]);
  const { rates, groups } = passRatesOfCases(gated);
  const { mean, low, high, n } = scoreMeanInterval(rates, recorded.gate.alpha, groups);
  const counts = { planned, passed, failed, errored, skipped, cached };
  const passRate = { value: mean, low, high, n };
  return { run, passRate, ...counts, costUsd, latencyMs: { p50, p95 }, flakeRate: estimateFlakeRate(gated) };
}

/** Each case's pass rate over its trials on all variants: the case is the unit of evidence. */
function passRatesOfCases(variants: readonly VariantSummary[]): {
  readonly rates: readonly number[];
  readonly groups: Groups | undefined;
} {
  const counts = new Map<string, { passed: number; judged: number; group: string | undefined }>();
  for (const { cases } of variants) {
    for (const found of cases.values()) {
      const { passed, judged } = countTrials(found);
      if (judged === 0 || found.observe) continue;
      const count = counts.get(found.caseId) ?? { passed: 0, judged: 0, group: found.group };
      counts.set(found.caseId, { ...count, passed: count.passed + passed, judged: count.judged + judged });
    }
  }
  const cases = [...counts.values()];
  return {
    rates: cases.map(({ passed, judged }) => passed / judged),
    groups: sharedGroups(cases.map(({ group }) => group)),
  };
}

function estimateFlakeRate(variants: readonly VariantSummary[]): number | null {
  const counted = variants.flatMap(({ cases }) => [...cases.values()].map(countTrials));
  return suiteFlakiness(counted.map(({ passed, judged }) => ({ passes: passed, n: judged })));
}

function countTrials({ trials }: Pick<CaseSummary, 'trials'>): { readonly passed: number; readonly judged: number } {
  let [passed, judged] = [0, 0];
  for (const trial of trials) {
    if (!isJudged(trial)) continue;
    judged += 1;
    if (trial.status === 'passed') passed += 1;
  }
  return { passed, judged };
}

interface CaseSeries {
  readonly points: CasePoint[];
  status: CaseHistory['status'];
  definition: string;
  caseHash: string;
  /** Uncached outcomes of the current definition, one entry a run, in the order seen. */
  outcomes: { readonly run: string; readonly passed: readonly boolean[] }[];
}

function buildCases({ found, last }: Series<VariantInRun>, recent: number | undefined): readonly CaseHistory[] {
  const series = new Map<string, CaseSeries>();
  for (const { run, variant } of found) {
    const definition = definitionOf(variant);
    for (const entry of variant.cases.values()) addRun(series, run, entry, definition);
  }
  const { prompt, provider } = last.variant.recorded;
  return [...series]
    .sort(([a], [b]) => compareText(a, b))
    .map(([caseId, { points, status, outcomes }]) => ({
      caseId,
      prompt,
      provider,
      status,
      points,
      flakes: describeFlakes(outcomes, recent),
    }));
}

function addRun(series: Map<string, CaseSeries>, run: string, entry: CaseSummary, definition: string): void {
  const known = series.get(entry.caseId);
  const { caseHash } = entry;
  const state = known ?? { points: [], status: entry.status, definition, caseHash, outcomes: [] };
  const redefined = state.definition !== definition || !isSameCase(state.caseHash, caseHash);
  Object.assign(state, { definition, caseHash });
  if (redefined) state.outcomes = [];
  state.status = entry.status;
  state.points.push({ run, ...countTrials(entry), redefined });
  const uncached = entry.trials.filter((trial) => !trial.cached && isJudged(trial));
  if (uncached.length > 0) state.outcomes.push({ run, passed: uncached.map(({ status }) => status === 'passed') });
  series.set(entry.caseId, state);
}

function describeFlakes(outcomes: CaseSeries['outcomes'], recent: number | undefined): FlakeHistory {
  const cut = Math.max(0, outcomes.length - (recent ?? Math.ceil(outcomes.length / 2)));
  const count = (runs: CaseSeries['outcomes']) => countDisagreements(runs.flatMap(({ passed }) => passed));
  const [before, after] = [count(outcomes.slice(0, cut)), count(outcomes.slice(cut))];
  const pairs = before.pairs + after.pairs;
  const rate = pairs === 0 ? null : (before.disagreements + after.disagreements) / pairs;
  const p = flakeChangeP(before, after);
  const since = outcomes[cut]?.run;
  if (p === null || since === undefined) return { rate, pairs };
  return { rate, pairs, change: { since, before, after, p, adjustedP: 1, isNamed: false } };
}

/** The share of false alarms among the named changes. */
const maxFalseDiscoveries = 0.05;

/** Limits the share of false alarms among the named changes, because some of many cases look changed by chance. */
function nameChanges(cases: readonly CaseHistory[]): readonly CaseHistory[] {
  const tested = cases.flatMap(({ flakes }) => flakes.change ?? []);
  const adjusted = new Map(
    adjustBenjaminiHochberg(tested.map(({ p }) => p)).map((value, index) => [tested[index], value]),
  );
  return cases.map((entry) => {
    const { change } = entry.flakes;
    if (change === undefined) return entry;
    const adjustedP = adjusted.get(change) ?? 1;
    return {
      ...entry,
      flakes: { ...entry.flakes, change: { ...change, adjustedP, isNamed: adjustedP <= maxFalseDiscoveries } },
    };
  });
}
