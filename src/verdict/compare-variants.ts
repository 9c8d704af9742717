import { defined } from '../json/defined.ts';
import type {
  ComparedCases,
  ComparedSide,
  ComparedSlice,
  ComparedVariant,
  MetricEvidence,
} from '../model/comparison/comparison.ts';
import type { RecordedJudge } from '../model/run/record.ts';
import type { ClassPolicy } from '../model/suite/classes.ts';
import type { GatePolicy } from '../model/suite/gate-policy.ts';
import { mean, quantileOfSorted, sharedGroups, sum } from '../stats/descriptive.ts';
import { type PairedResults, pairCases } from '../stats/pairs.ts';
import { compareUnpaired } from '../stats/proportions.ts';
import {
  type CostRatio,
  comparePairedCost,
  costRatio,
  findOrderEffect,
  hodgesLehmann,
  minRankedCases,
  wilcoxonSignedRank,
} from '../stats/ranks.ts';
import { type CollectedEvidence, collectEvidence } from './collect-evidence.ts';
import { compareClasses } from './compare-classes.ts';
import { type ComparedRate, compareRates, findJudgedMargin, type RatePolicy } from './compare-rates.ts';
import { defaultMaxCostIncrease, defaultMaxStepsIncrease } from './default-margins.ts';
import { type PairOptions, pairSides, validResults } from './pair-cases.ts';
import { countSameAnswers, findUnmatched } from './variant-differences.ts';

export interface CompareVariantsOptions extends PairOptions {
  readonly gate: GatePolicy;
  /** The largest tolerated drop of the pass rate. */
  readonly margin: number;
  /** The largest tolerated drop of the score; `margin` where undefined. */
  readonly scoreMargin?: number;
  /** The classes of the suite. */
  readonly classes?: ClassPolicy;
  /** The judges of the suite. */
  readonly judges?: readonly RecordedJudge[];
  /** True where both sides ran in this invocation. */
  readonly latencyComparable: boolean;
}

/** Compares two sides case by case. Cases are matched by id and hash, never by position. */
export function compareVariants(
  baseline: ComparedSide,
  candidate: ComparedSide,
  options: CompareVariantsOptions,
): ComparedVariant {
  const cases = pairSides(baseline, candidate, options);
  const { results, errors, trials, scores, costs, steps, latencies } = collectEvidence(cases, {
    baseline,
    candidate,
    latencyComparable: options.latencyComparable,
  });
  const answers = countSameAnswers(baseline, candidate);
  const { alpha, scope } = options.gate;
  const { margin: maxDrop } = options;
  const sides = { baseline, candidate };
  const rate = comparePassRates(cases, { results, errors }, { sides, maxDrop, options });
  const slices = compareSlices(cases, sides, options);
  const classes = options.classes && compareClasses(cases, options.classes, options);
  const score = compareScores(scores, errors, { alpha, scope, margin: options.scoreMargin ?? maxDrop });
  return {
    baseline,
    candidate,
    cases,
    ...(scope === 'suite' ? {} : countGroups(results)),
    ...rate,
    ...defined({
      passRate: results.baseline.length === 0 && options.isWhole ? compareSeparately(cases, alpha) : undefined,
      slices: slices.size === 0 ? undefined : slices,
      classes,
      score: score?.evidence,
      scorePlanning: score?.planning,
    }),
    costUsd: compareCosts(costs, options.gate),
    ...defined({ steps: steps.before.length === 0 ? undefined : compareSteps(steps, options.gate) }),
    isCostUnknown: costs.isUnknown,
    latencyMs: compareLatencies(latencies, alpha, options.latencyComparable),
    latencyComparable: options.latencyComparable,
    ...defined({ laterLatency: compareLater(latencies, alpha) }),
    isLatencyUnknown: options.latencyComparable && latencies.isUnknown,
    errors: {
      baseline: sum(errors.baselineErrors),
      candidate: sum(errors.candidateErrors),
      share: shareOf(sum(errors.candidateErrors), trials),
    },
    sameAnswers: answers.same,
    answers: answers.all,
    unmatched: findUnmatched(baseline, candidate),
  };
}

interface RateOptions {
  readonly sides: { readonly baseline: ComparedSide; readonly candidate: ComparedSide };
  readonly maxDrop: number;
  readonly options: Pick<CompareVariantsOptions, 'gate' | 'judges'>;
}

/** The pass rates of the cases that are equal on both sides. */
function comparePassRates(
  cases: ComparedCases,
  { results, errors }: Pick<CollectedEvidence, 'results' | 'errors'>,
  { sides, maxDrop, options: { gate, judges = [] } }: RateOptions,
): Pick<ComparedVariant, 'passRate' | 'judgedMargin' | 'planning'> {
  const judgedMargin = findJudgedMargin(cases, sides, { judges, maxDrop });
  const policy = { alpha: gate.alpha, margin: judgedMargin?.margin ?? maxDrop, scope: gate.scope };
  const { evidence, planning } = compareRates({ ...results, ...errors }, { ...policy, binary: true });
  return { passRate: evidence, ...defined({ judgedMargin }), planning };
}

/** Compares the slices with a limit. Each is compared as if the suite had no other cases. */
function compareSlices(
  cases: ComparedCases,
  sides: RateOptions['sides'],
  options: CompareVariantsOptions,
): ReadonlyMap<string, ComparedSlice> {
  const compared = new Map<string, ComparedSlice>();
  for (const [name, { passRate }] of Object.entries(options.gate.slices ?? {})) {
    const { maxDrop } = passRate;
    const own = new Map([...cases].filter(([, { candidate }]) => candidate?.slices?.includes(name) === true));
    if (maxDrop === undefined || own.size === 0) continue;
    const evidence = collectEvidence(own, { ...sides, latencyComparable: false });
    compared.set(name, { maxDrop, ...comparePassRates(own, evidence, { sides, maxDrop, options }) });
  }
  return compared;
}

/** The number of groups; left out if no two compared cases share one. */
function countGroups(results: PairedResults): Pick<ComparedVariant, 'groups'> {
  const { groups } = pairCases(results);
  return groups === undefined ? {} : { groups: new Set(groups).size };
}

/** If there is no common case, only the rates of the two sides can be compared. */
function compareSeparately(cases: ComparedCases, alpha: number): MetricEvidence {
  const sample = (side: 'baseline' | 'candidate') => {
    const means: number[] = [];
    const groups: (string | undefined)[] = [];
    for (const { [side]: summary } of cases.values()) {
      const results = summary === undefined ? [] : validResults(summary);
      if (results.length === 0) continue;
      means.push(mean(results));
      groups.push(summary?.group);
    }
    return { means, groups: sharedGroups(groups) };
  };
  const [before, after] = [sample('baseline'), sample('candidate')];
  const groups = { baseline: before.groups, candidate: after.groups };
  const { pWorse, ...difference } = compareUnpaired(before.means, after.means, alpha, groups);
  return difference.delta === null ? nothing : { ...difference, p: pWorse, n: 0, isUnpaired: true };
}

function compareScores(
  results: CollectedEvidence['scores'],
  errors: CollectedEvidence['errors'],
  policy: RatePolicy,
): ComparedRate | undefined {
  return results === undefined ? undefined : compareRates({ ...results, ...errors }, policy);
}

export function compareCosts(
  { before, after, isUnknown }: CollectedEvidence['costs'],
  { alpha, cost }: Pick<GatePolicy, 'alpha' | 'cost'>,
): MetricEvidence {
  if (isUnknown || before.length === 0) return nothing;
  return compareTotals({ before, after }, { alpha, margin: cost.maxIncrease ?? defaultMaxCostIncrease });
}

function compareSteps({ before, after }: CollectedEvidence['steps'], { alpha, steps }: GatePolicy): MetricEvidence {
  const evidence = compareTotals({ before, after }, { alpha, margin: steps?.maxIncrease ?? defaultMaxStepsIncrease });
  return { ...evidence, baseline: mean(before), candidate: mean(after) };
}

/** The ratio of two totals over the same cases, with a test over the cases. */
function compareTotals(
  { before, after }: Record<'before' | 'after', readonly number[]>,
  { alpha, margin }: { readonly alpha: number; readonly margin: number },
): MetricEvidence {
  const isFree = before.every((usd) => usd === 0) && after.every((usd) => usd === 0);
  const { ratio, low, high, exact } = isFree ? unchangedCost : costRatio(before, after, alpha);
  const { pIncrease, pWithin, everyCaseRose, noCaseRose, n } = comparePairedCost(before, after, margin);
  const isFew = n < minRankedCases;
  // The same ratio in every case makes the change certain.
  const certain = exact && ratio !== null;
  return {
    baseline: sum(before),
    candidate: sum(after),
    delta: toChange(ratio),
    low: toChange(certain ? ratio : low),
    high: toChange(certain ? ratio : high),
    p: certain ? (ratio > 1 ? 0 : 1) : pIncrease,
    pWithin: certain || isFew ? (noCaseRose ? 0 : 1) : pWithin,
    n,
    ...defined({ everyCaseRose: isFew ? everyCaseRose : undefined }),
  };
}

/** The ratio if both sides are free, because 0 / 0 is undefined. */
const unchangedCost: CostRatio = { ratio: 1, low: null, high: null, seLog: null, pIncrease: null, exact: true };

/** Tests latencies only where both sides ran in this invocation: another day's load is no change of the prompt. */
export function compareLatencies(
  { before, after, cases, logs }: Pick<CollectedEvidence['latencies'], 'before' | 'after' | 'cases' | 'logs'>,
  alpha: number,
  isComparable: boolean,
): MetricEvidence {
  if (cases === 0) return nothing;
  const sides = { baseline: quantileOfSorted(before, 0.5), candidate: quantileOfSorted(after, 0.5) };
  if (!isComparable) return { ...nothing, ...sides };
  const { estimate, low, high } = hodgesLehmann(logs, alpha);
  return {
    baseline: sides.baseline,
    candidate: sides.candidate,
    delta: toChange(expOrNull(estimate)),
    low: toChange(expOrNull(low)),
    high: toChange(expOrNull(high)),
    p: wilcoxonSignedRank(logs).pGreater,
    n: logs.length,
  };
}

/** How much longer the later answer to a case took. Undefined if the prompts explain more of the difference. */
function compareLater({ logs, delays }: CollectedEvidence['latencies'], alpha: number): number | undefined {
  const effect = findOrderEffect(logs, delays, alpha);
  return effect === undefined ? undefined : Math.expm1(effect);
}

const nothing: MetricEvidence = { baseline: null, candidate: null, delta: null, low: null, high: null, p: null, n: 0 };

function toChange(ratio: number | null): number | null {
  return ratio === null ? null : ratio - 1;
}

function expOrNull(value: number | null): number | null {
  return value === null ? null : Math.exp(value);
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
