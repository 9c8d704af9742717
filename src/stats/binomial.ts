import { checkProbability } from './check-arguments.ts';
import { deviance, stirlingError } from './gamma.ts';
import { betaTails } from './incomplete-beta.ts';

/** P(X = x) for X ~ Bin(n, p). Source: Loader 2000, https://www.r-project.org/doc/reports/CLoader-dbinom-2002.pdf. */
export function binomialProbability(x: number, n: number, p: number): number {
  if (x < 0 || x > n) return 0;
  if (p === 0) return x === 0 ? 1 : 0;
  if (p === 1) return x === n ? 1 : 0;
  if (x === 0) return Math.exp(n * Math.log1p(-p));
  if (x === n) return Math.exp(n * Math.log(p));
  const rest = n - x;
  const exponent =
    stirlingError(n) - stirlingError(x) - stirlingError(rest) - deviance(x, n * p) - deviance(rest, n * (1 - p));
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * x * rest));
}

/** P(X ≤ x) and P(X > x) for X ~ Bin(n, p), from the incomplete beta: no sum over n terms. Source: DLMF 8.17.5, https://dlmf.nist.gov/8.17. */
export function binomialTails(x: number, n: number, p: number): { lower: number; upper: number } {
  checkProbability(p);
  const count = Math.floor(x);
  if (count < 0) return { lower: 0, upper: 1 };
  if (count >= n) return { lower: 1, upper: 0 };
  return betaTails(1 - p, p, n - count, count + 1);
}

/** P(X < x) + ½ P(X = x) for X ~ Bin(n, p). Source: Lancaster 1961, https://doi.org/10.1080/01621459.1961.10482105. */
export function binomialMidP(x: number, n: number, p: number): number {
  return binomialTails(x - 1, n, p).lower + binomialProbability(x, n, p) / 2;
}

/** The smallest x with P(X ≤ x) ≥ q. */
export function binomialQuantile(q: number, n: number, p: number): number {
  checkProbability(q);
  // A hair below q, so that a cumulative probability equal to q in decimals is not missed by its last bit.
  const target = q * (1 - 64 * Number.EPSILON);
  let low = -1;
  let high = n;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (binomialTails(middle, n, p).lower >= target) high = middle;
    else low = middle;
  }
  return high;
}
