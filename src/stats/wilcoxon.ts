import { normalCdf } from './normal.ts';
import { signedRankCdf } from './signed-rank.ts';

/** One-sided signed-rank test that values lie above 0. */
export interface SignedRankTest {
  /** Sum of the ranks of the positive values. */
  readonly positiveRankSum: number;
  /** Null where every value is 0. */
  readonly pGreater: number | null;
}

/**
 * Zeros are dropped. Exact below 50 values without ties and zeros, else normal with tie and continuity correction.
 * Source: Wilcoxon 1945, https://doi.org/10.2307/3001968; Hollander and Wolfe 1999, 3.1.
 */
export function wilcoxonSignedRank(values: readonly number[]): SignedRankTest {
  const changed = values.filter((value) => value !== 0);
  const n = changed.length;
  if (n === 0) return { positiveRankSum: 0, pGreater: null };
  const { positiveRankSum, tieTerm } = rankMagnitudes(changed);
  if (n < 50 && n === values.length && tieTerm === 0) {
    const cdf = signedRankCdf(n);
    // T is symmetric, so P(T ≥ V) = P(T ≤ n(n+1)/2 − V), which keeps the digits of a small tail.
    return { positiveRankSum, pGreater: cdf[(n * (n + 1)) / 2 - positiveRankSum] ?? 0 };
  }
  const expected = (n * (n + 1)) / 4;
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24 - tieTerm / 48);
  return { positiveRankSum, pGreater: normalCdf(-(positiveRankSum - expected - 0.5) / deviation) };
}

/** Mid-ranks of |x|: the sum over positive x, and Σ(t³ − t) over runs of equal |x|. */
function rankMagnitudes(values: readonly number[]): { positiveRankSum: number; tieTerm: number } {
  const magnitudes = Float64Array.from(values, Math.abs).sort();
  const positives = Float64Array.from(values.filter((value) => value > 0)).sort();
  let positiveRankSum = 0;
  let tieTerm = 0;
  let nextPositive = 0;
  for (let ranked = 0; ranked < magnitudes.length; ) {
    const magnitude = magnitudes[ranked];
    let size = 1;
    while (magnitudes[ranked + size] === magnitude) size += 1;
    let positive = 0;
    while (positives[nextPositive + positive] === magnitude) positive += 1;
    positiveRankSum += positive * (ranked + (size + 1) / 2);
    tieTerm += size ** 3 - size;
    ranked += size;
    nextPositive += positive;
  }
  return { positiveRankSum, tieTerm };
}
