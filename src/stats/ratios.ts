import { tCdf, tCritical } from './distributions.ts';
import { type Interval, mean } from './means.ts';
import { wilcoxonSignedRank } from './ranks.ts';

/** A ratio of totals, candidate / baseline; null where it is undefined or leaves nothing to estimate. */
export interface CostRatio {
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly seLog: number | null;
  readonly pIncrease: number | null;
  /** Every case has the same ratio: it is known without an interval. */
  readonly exact: boolean;
}

/**
 * Ratio of the totals of paired cases, with a t interval on the log scale. A ratio of totals lets no cheap case dominate.
 * Source: ratio estimation, Cochran 1977, Sampling Techniques, 6.3, https://openlibrary.org/isbn/9780471162407.
 */
export function costRatio(baseline: readonly number[], candidate: readonly number[], alpha: number): CostRatio {
  if (baseline.length !== candidate.length) {
    throw new RangeError(`sides differ in length: ${baseline.length} baseline and ${candidate.length} candidate cases`);
  }
  const n = baseline.length;
  const ratio = mean(candidate) / mean(baseline);
  const unknown = { low: null, high: null, seLog: null, pIncrease: null };
  if (!Number.isFinite(ratio)) return { ratio: null, ...unknown, exact: false };
  let square = 0;
  for (const [index, cost] of candidate.entries()) square += (cost - ratio * (baseline[index] ?? 0)) ** 2;
  const seLog = Math.sqrt(square / (n - 1) / n) / mean(candidate);
  // Proportional costs leave residues of rounding only; all-free candidates leave 0/0.
  const exact = n > 1 && !(seLog > 1e-13);
  if (n < 2 || exact) return { ratio, ...unknown, exact };
  const reach = tCritical(alpha, n - 1) * seLog;
  const pIncrease = tCdf(-Math.log(ratio) / seLog, n - 1);
  return { ratio, low: ratio * Math.exp(-reach), high: ratio * Math.exp(reach), seLog, pIncrease, exact };
}

/** Estimate and interval of a positive quantity. */
export interface PositiveEstimate extends Interval {
  readonly estimate: number | null;
}

/** Ratio candidate / baseline; open on a side where either interval is open there. */
export interface RatioEstimate extends Interval {
  readonly ratio: number | null;
}

/**
 * Interval of a ratio from two intervals, by square-and-add on the log scale; the sides are taken as independent.
 * Source: Zou and Donner 2008 (MOVER), https://doi.org/10.1002/sim.3095.
 */
export function quantileRatioInterval(baseline: PositiveEstimate, candidate: PositiveEstimate): RatioEstimate {
  const before = logOf(baseline.estimate);
  const after = logOf(candidate.estimate);
  if (before === null || after === null) return { ratio: null, low: null, high: null };
  const delta = after - before;
  const arm = (bound1: number | null, point1: number, bound2: number | null, point2: number): number | null => {
    const log1 = logOf(bound1);
    const log2 = logOf(bound2);
    return log1 === null || log2 === null ? null : Math.hypot(log1 - point1, log2 - point2);
  };
  const down = arm(candidate.low, after, baseline.high, before);
  const up = arm(candidate.high, after, baseline.low, before);
  return {
    ratio: Math.exp(delta),
    low: down === null ? null : Math.exp(delta - down),
    high: up === null ? null : Math.exp(delta + up),
  };
}

function logOf(value: number | null): number | null {
  return value !== null && value > 0 ? Math.log(value) : null;
}

export interface PairedCost {
  /** Total of the candidate / total of the baseline; null where the baseline cost nothing. */
  readonly ratio: number | null;
  /** One-sided, that costs rose: the signed rank test on log ratios; null where no case has changed. */
  readonly pIncrease: number | null;
  /** One-sided, that costs rose by less than the margin: the same test on log ratios less that of the margin. */
  readonly pWithin: number;
  /** True where every case rose beyond the margin. */
  readonly everyCaseRose: boolean;
  /** True where no case rose beyond the margin. */
  readonly noCaseRose: boolean;
  readonly n: number;
}

/**
 * Costs of paired cases: the ratio of totals says how much, the signed rank test on per-case log ratios whether. A few
 * expensive cases can't fail a gate alone. Source: Wilcoxon 1945, https://doi.org/10.2307/3001968.
 */
export function comparePairedCost(
  baseline: readonly number[],
  candidate: readonly number[],
  margin: number,
): PairedCost {
  if (baseline.length !== candidate.length) {
    throw new RangeError(`sides differ in length: ${baseline.length} baseline and ${candidate.length} candidate cases`);
  }
  const logs: number[] = [];
  let [before, after, rose] = [0, 0, 0];
  for (const [index, cost] of candidate.entries()) {
    const other = baseline[index] ?? 0;
    before += other;
    after += cost;
    if (cost > other * (1 + margin)) rose += 1;
    // From nothing to something is the largest rise there is.
    logs.push(cost === other ? 0 : Math.log(cost / other));
  }
  return {
    ratio: before === 0 ? null : after / before,
    pIncrease: wilcoxonSignedRank(logs).pGreater,
    pWithin: wilcoxonSignedRank(logs.map((log) => withoutRounding(Math.log1p(margin) - log))).pGreater ?? 1,
    everyCaseRose: candidate.length > 0 && rose === candidate.length,
    noCaseRose: rose === 0,
    n: candidate.length,
  };
}

/** A case that rose by the very margin differs from it by rounding alone. */
function withoutRounding(difference: number): number {
  return Math.abs(difference) < 1e-12 ? 0 : difference;
}
