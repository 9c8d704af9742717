/** What the data shows: no drop beyond the margin, a drop, or neither. */
export type TestVerdict = 'not_regressed' | 'regressed' | 'inconclusive';

/** One-sided bounds and p of a difference, candidate − baseline; null where there was nothing to compare. */
export interface DifferenceEvidence {
  readonly low: number | null;
  readonly high: number | null;
  /** Adjusted for multiplicity by the caller where several are tested. */
  readonly pWorse: number | null;
  /** The lower bound with every errored result counted against the candidate. */
  readonly worstLow?: number | null;
}

/** The largest tolerated drop and the two-sided alpha. */
export interface TestPolicy {
  readonly alpha: number;
  readonly margin: number;
}

/**
 * Two claims, each at one-sided alpha/2: "not worse than the margin" and "worse". The first goes first: a drop that is
 * significant but certainly within the margin is no regression.
 * Source: non-inferiority by confidence bound, Blackwelder 1982, https://doi.org/10.1016/0197-2456(82)90024-1.
 */
export function decideVerdict(evidence: DifferenceEvidence, { alpha, margin }: TestPolicy): TestVerdict {
  const { low, high, pWorse, worstLow } = evidence;
  if (low !== null && low >= -margin) {
    return (worstLow ?? 0) < -margin ? 'inconclusive' : 'not_regressed';
  }
  if (pWorse !== null && high !== null && pWorse <= alpha / 2 && high < 0) return 'regressed';
  return 'inconclusive';
}

/** Bounds and p of a ratio, candidate / baseline, where more is worse. */
export interface RatioEvidence {
  readonly low: number | null;
  readonly high: number | null;
  readonly pIncrease: number | null;
}

/** The same rule for cost and latency, on the log of the ratio; `margin` 0.1 tolerates +10 %. */
export function decideRatioVerdict(evidence: RatioEvidence, { alpha, margin }: TestPolicy): TestVerdict {
  const { low, high, pIncrease } = evidence;
  if (high !== null && high <= 1 + margin) return 'not_regressed';
  if (pIncrease !== null && low !== null && pIncrease <= alpha / 2 && low > 1) return 'regressed';
  return 'inconclusive';
}
