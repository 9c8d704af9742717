import type { RunSettings } from '../../model/run/record.ts';
import type { VariantSummary } from '../../model/run/summary.ts';
import { judgedMargin } from '../../stats/agreement.ts';
import { fillErrors } from '../../stats/compare-cases.ts';
import { sequentialEvidence } from '../../stats/multiplicity.ts';
import { type PairedResults, pairCases } from '../../stats/pairs.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { collectEvidence } from '../collect-evidence.ts';
import type { Settled } from '../confirm/settle.ts';
import { defaultMaxDrop } from '../default-margins.ts';
import { isAbout } from './flag-averages.ts';
import type { Suspicions } from './flag-cases.ts';
import type { GatedComparison } from './gated-comparison.ts';
import { findHypotheses, type Hypothesis, isSameClaim } from './judge-metrics.ts';
import type { JudgedMetric } from './test-metrics.ts';

/** The part of each level that an early run keeps for its end. */
export const lastShare = 0.8;

/** The part of each level that an attempt before the end may spend. All attempts together spend a fifth. */
export function shareOfAttempt(attempt: number): number {
  return (1 - lastShare) / 2 ** attempt;
}

/** An interim look at a run, before all its cases were asked. */
export interface EarlyLook {
  /** The share of each level that this look may use. */
  readonly share: number;
  /** The share of the fresh trials' calls that may be used up to this look. */
  readonly budget: number;
  /** The rank of the first case that was not asked yet on a variant; undefined where all were. */
  readonly nextRank: (suite: string, variant: Pick<VariantSummary, 'recorded'>) => string | undefined;
}

/** The verdict of the asked cases on a variant whose other cases were not asked. */
export interface PartialVariant {
  /** True if a drop beyond the margin is excluded in everything that fails the gate: the rest need not be asked. */
  readonly isCertain: boolean;
  /** True where a metric has fallen, so that fresh trials may confirm it before the end. */
  readonly hasFallen: (claim: Hypothesis) => boolean;
}

/** Cases in order of their ranks are in random order. */
export function rankOf(order: string, suite: string, caseId: string): string {
  return sha256Hex(`${order}:${suite}:${caseId}`);
}

/** Judges the compared variants that have cases which were not asked. */
export function findPartialVariants(
  gated: readonly GatedComparison[],
  { settings: { early }, look }: { readonly settings: Pick<RunSettings, 'early'>; readonly look?: EarlyLook },
): ReadonlyMap<VariantSummary, PartialVariant> {
  const found = new Map<VariantSummary, PartialVariant>();
  for (const comparison of gated) {
    const partial = judgePartial(comparison, early, look);
    if (partial !== undefined) found.set(comparison.variant, partial);
  }
  return found;
}

/**
 * Judges a variant by its cases in random order, up to the first that was not asked. Cases after that one were asked
 * for a reason, such as a failure of the last run. They do not count here. Undefined where all cases were asked.
 */
function judgePartial(
  comparison: GatedComparison,
  early: RunSettings['early'],
  look: EarlyLook | undefined,
): PartialVariant | undefined {
  const { suite, variant, compared } = comparison;
  const { gate, suite: suiteId } = suite.recorded;
  if (look === undefined && variant.notAsked === 0) return undefined;
  // A record without an order does not say which cases came first.
  if (early === undefined) return nothingShown;
  const limit = findFirstUnasked(comparison, early.order, look);
  // An interim look leaves out a variant whose cases were all asked: it is tested once, at the end.
  if (limit === undefined) return look === undefined ? undefined : nothingShown;
  const ranked = [...compared.cases]
    .map((entry) => ({ rank: rankOf(early.order, suiteId, entry[0]), entry }))
    .filter(({ rank }) => rank < limit)
    .sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const cases = new Map(ranked.map(({ entry }) => entry));
  const claims = findHypotheses(compared, gate)
    .filter(({ level }) => level === 'fail')
    .map((claim) => ({ claim, ...testClaim(claim, { ...comparison, compared: { ...compared, cases } }) }));
  return {
    isCertain:
      suite.recorded.classes === undefined &&
      gate.scope === 'population' &&
      compared.groups === undefined &&
      hasEverySlice(comparison) &&
      claims.every(({ isExcluded }) => isExcluded),
    hasFallen: (wanted) => claims.some(({ claim, hasFallen }) => hasFallen && isSameClaim(claim, wanted)),
  };
}

const nothingShown: PartialVariant = { isCertain: false, hasFallen: () => false };

/** The least rank of the cases that were not asked; undefined where there is none. */
function findFirstUnasked(
  { suite, variant }: GatedComparison,
  order: string,
  look: EarlyLook | undefined,
): string | undefined {
  const { suite: suiteId } = suite.recorded;
  let first = look?.nextRank(suiteId, variant);
  for (const { caseId, trials } of variant.cases.values()) {
    // Also where something else kept it from being asked, such as a budget.
    if (!trials.some(({ status, skipReason }) => status === 'skipped' && skipReason !== 'case')) continue;
    const rank = rankOf(order, suiteId, caseId);
    if (first === undefined || rank < first) first = rank;
  }
  return first;
}

/** False for a slice without a compared case: its cases may be among those not asked, and nothing is known of them. */
function hasEverySlice({ suite, compared }: GatedComparison): boolean {
  return Object.entries(suite.recorded.gate.slices ?? {}).every(
    ([slice, { passRate }]) => passRate.maxDrop === undefined || compared.slices?.has(slice) === true,
  );
}

/** Either claim is false with a chance of at most alpha / 2, over all looks together. */
function testClaim(claim: Hypothesis, comparison: GatedComparison) {
  const { metric } = claim;
  const { alpha } = comparison.suite.recorded.gate;
  const margin = findMargin(claim, comparison);
  // Costs, latencies and figures of classes have no such test.
  if (metric !== 'passRate' && metric !== 'score') return { isExcluded: false, hasFallen: false };
  const { results, scores, errors } = collectClaim(claim, comparison);
  const values: PairedResults = metric === 'score' ? (scores ?? results) : results;
  // Errors can't help: an errored trial counts against the side that it could help.
  const worst: PairedResults = {
    ...values,
    baseline: fillErrors(values.baseline, errors.baselineErrors, 1),
    candidate: fillErrors(values.candidate, errors.candidateErrors, 0),
  };
  const options = { margin: Math.min(margin, largestMargin), alphaEarly: alpha / 2 };
  const threshold = -Math.log(alpha / 2);
  return {
    isExcluded: sequentialEvidence(differencesOf(worst), options).largestLogENotRegressed >= threshold,
    hasFallen: sequentialEvidence(differencesOf(values), options).largestLogERegressed >= threshold,
  };
}

/** The test can't bet against a margin of 1. */
const largestMargin = 0.99;

function collectClaim(claim: Hypothesis, { compared }: GatedComparison) {
  const { baseline, candidate, cases } = compared;
  const own = new Map(
    [...cases].filter(([, found]) => found.candidate !== undefined && isAbout(claim, found.candidate)),
  );
  return collectEvidence(own, { baseline, candidate, latencyComparable: false });
}

function differencesOf(results: PairedResults): readonly number[] {
  return pairCases(results).cases.map(({ difference }) => difference);
}

/** Where judges decide, the margin depends on the failures so far. The smallest that it can become holds at every look. */
function findMargin({ metric, margin, slice }: Hypothesis, { suite: { recorded }, compared }: GatedComparison): number {
  const measured = (recorded.judges ?? []).flatMap((judge) => judge.measured?.youdenLow ?? []);
  if (metric !== 'passRate' || measured.length === 0) return margin;
  const maxDrop = slice === undefined ? recorded.gate.passRate.maxDrop : compared.slices?.get(slice)?.maxDrop;
  return Math.min(margin, judgedMargin(maxDrop ?? defaultMaxDrop, Math.min(...measured), 1));
}

/**
 * While cases are still to be asked, averages that have not fallen are not looked at. If an average has fallen, its
 * cases are not asked one by one, since the average needs fewer trials. Cases that only warn are not asked either.
 */
export function holdBack(
  settled: Settled,
  { claims, flagged }: Suspicions,
  partial: ReadonlyMap<VariantSummary, PartialVariant>,
): Settled {
  const fallen = new Set<string>();
  for (const [variant, asked] of claims) {
    for (const { id, hypothesis } of asked) if (partial.get(variant)?.hasFallen(hypothesis) === true) fallen.add(id);
  }
  const averages = new Map([...settled.averages].filter(([id]) => fallen.has(id)));
  const cases = new Map(settled.cases);
  for (const { id, isGated, rule } of flagged.cases) {
    const isWanted = rule !== 'suspect' || (isGated && averages.size === 0);
    const found = cases.get(id);
    if (!isWanted && found?.outcome === 'open') cases.set(id, { ...found, outcome: 'not-needed' });
  }
  return { averages, cases };
}

/** Removes the interval. The result itself ended the asking, so an interval would be biased. */
export function withoutInterval(metric: JudgedMetric): JudgedMetric {
  const { hypothesis } = metric;
  const evidence = { ...hypothesis.evidence, low: null, high: null, worstLow: null, p: null };
  return { ...metric, hypothesis: { ...hypothesis, evidence, p: null } };
}
