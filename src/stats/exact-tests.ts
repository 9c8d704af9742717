import { binomialMidP, binomialProbability } from './distributions.ts';

/**
 * One-sided mid-p of more pairs that turned to fail than to pass, and of the opposite, given the changed pairs.
 * Source: McNemar 1947, https://doi.org/10.1007/BF02295996; mid-p: Fagerland, Lydersen and Laake 2013, https://doi.org/10.1186/1471-2288-13-91.
 */
export function mcnemarTest(worse: number, better: number): { readonly pWorse: number; readonly pBetter: number } {
  const changed = worse + better;
  return { pWorse: binomialMidP(better, changed, 0.5), pBetter: binomialMidP(worse, changed, 0.5) };
}

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
  if (!(isCountOf(baselinePasses, baselineN) && isCountOf(candidatePasses, candidateN))) {
    throw new RangeError('passes are whole numbers between 0 and the number of repeats');
  }
  const urn = { drawn: candidateN, white: baselinePasses + candidatePasses, total: baselineN + candidateN };
  const observed = hypergeometricProbability(candidatePasses, urn);
  return Math.min(1, lowerTail(candidatePasses, observed, urn) + observed / 2);
}

/** Failures out of trials on both sides of one case. */
export interface FailureCounts {
  readonly candidateFailures: number;
  readonly candidateTrials: number;
  readonly acceptedFailures: number;
  readonly acceptedTrials: number;
}

/**
 * One-sided exact p that the candidate fails more often than the accepted prompt, given all failures: P(X ≥ x), X hypergeometric.
 * Source: Fisher 1935, The Design of Experiments, section 12; R's fisher.test(alternative = "greater").
 */
export function fisherExact(counts: FailureCounts): number {
  const { candidateFailures, candidateTrials, acceptedFailures, acceptedTrials } = counts;
  if (!isCountOf(candidateFailures, candidateTrials) || !isCountOf(acceptedFailures, acceptedTrials)) {
    throw new RangeError('failures are whole numbers between 0 and the number of trials');
  }
  const white = candidateFailures + acceptedFailures;
  const urn = { drawn: candidateTrials, white, total: candidateTrials + acceptedTrials };
  let sum = 0;
  for (let x = candidateFailures; x <= Math.min(candidateTrials, white); x += 1) {
    sum += hypergeometricProbability(x, urn);
  }
  return Math.min(1, sum);
}

interface Urn {
  readonly drawn: number;
  readonly white: number;
  readonly total: number;
}

/**
 * P(X = x) for x white balls among the drawn ones, as a ratio of three binomials. Source: Loader 2000,
 * https://www.r-project.org/doc/reports/CLoader-dbinom-2002.pdf.
 */
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

function isCountOf(passes: number, n: number): boolean {
  return Number.isInteger(passes) && Number.isInteger(n) && passes >= 0 && passes <= n;
}
