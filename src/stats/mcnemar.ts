import { binomialMidP, binomialTails } from './binomial.ts';

/** p-values for paired pass/fail results of which `worse` turned to fail and `better` to pass. */
export interface McNemarTest {
  readonly pTwoSidedExact: number;
  readonly pTwoSidedMidP: number;
  /** One-sided mid-p of "more turned worse than better". */
  readonly pWorse: number;
  readonly pBetter: number;
}

/**
 * The conditional test given the changed pairs, exact and mid-p.
 * Source: McNemar 1947, https://doi.org/10.1007/BF02295996; mid-p: Fagerland, Lydersen and Laake 2013, https://doi.org/10.1186/1471-2288-13-91.
 */
export function mcnemarTest(worse: number, better: number): McNemarTest {
  const changed = worse + better;
  const pWorse = binomialMidP(better, changed, 0.5);
  const pBetter = binomialMidP(worse, changed, 0.5);
  return {
    pTwoSidedExact: Math.min(1, 2 * binomialTails(Math.min(worse, better), changed, 0.5).lower),
    pTwoSidedMidP: Math.min(1, 2 * Math.min(pWorse, pBetter)),
    pWorse,
    pBetter,
  };
}
