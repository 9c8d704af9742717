import { binomialProbability } from './binomial.ts';

/** Passes out of repeats on each side of one case. */
export interface CaseCounts {
  readonly baselinePasses: number;
  readonly baselineN: number;
  readonly candidatePasses: number;
  readonly candidateN: number;
}

/**
 * One-sided mid-p that one case got worse, given all its passes: P(X < x) + ½ P(X = x), X hypergeometric.
 * Source: Fisher 1935; mid-p: Hirji, Tan and Elashoff 1991, https://doi.org/10.1002/sim.4780100711.
 */
export function fisherMidP(counts: CaseCounts): number {
  const { baselinePasses, baselineN, candidatePasses, candidateN } = counts;
  if (!(isShare(baselinePasses, baselineN) && isShare(candidatePasses, candidateN))) {
    throw new RangeError('passes are whole numbers between 0 and the number of repeats');
  }
  const urn = { drawn: candidateN, white: baselinePasses + candidatePasses, total: baselineN + candidateN };
  const observed = hypergeometricProbability(candidatePasses, urn);
  return Math.min(1, lowerTail(candidatePasses, observed, urn) + observed / 2);
}

interface Urn {
  readonly drawn: number;
  readonly white: number;
  readonly total: number;
}

/** P(X = x) white balls among those drawn, as a ratio of three binomials. Source: Loader 2000, https://www.r-project.org/doc/reports/CLoader-dbinom-2002.pdf. */
export function hypergeometricProbability(x: number, { drawn, white, total }: Urn): number {
  if (total === 0) return x === 0 ? 1 : 0;
  const p = drawn / total;
  const black = total - white;
  return (
    (binomialProbability(x, white, p) * binomialProbability(drawn - x, black, p)) / binomialProbability(drawn, total, p)
  );
}

/** P(X < x), walked down from P(X = x) by the ratio of neighbours. */
function lowerTail(x: number, observed: number, { drawn, white, total }: Urn): number {
  let term = observed;
  let sum = 0;
  for (let k = x; k > 0 && term > 0; k -= 1) {
    term *= (k * (total - white - drawn + k)) / ((white - k + 1) * (drawn - k + 1));
    sum += term;
    if (term < sum * 1e-18) break;
  }
  return sum;
}

function isShare(passes: number, n: number): boolean {
  return Number.isInteger(passes) && Number.isInteger(n) && passes >= 0 && passes <= n;
}
