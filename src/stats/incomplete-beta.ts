import { checkProbability } from './check-arguments.ts';
import { deviance, stirlingError } from './gamma.ts';

const MAX_TERMS = 100_000;
const TINY = 1e-300;

/** The distribution function of Beta(a, b) at x. Source: DLMF 8.17, https://dlmf.nist.gov/8.17. */
export function regularisedIncompleteBeta(x: number, a: number, b: number): number {
  return betaTails(x, 1 - x, a, b).lower;
}

/** Both tails of Beta(a, b) at x = 1 − y. Taking y apart from x keeps the digits of a tail that 1 − x would lose. */
export function betaTails(x: number, y: number, a: number, b: number): { lower: number; upper: number } {
  if (!(a > 0 && b > 0)) throw new RangeError(`a beta distribution takes positive parameters, not ${a} and ${b}`);
  if (!(x >= 0 && y >= 0)) throw new RangeError(`a beta distribution lives on [0, 1], ${x} is outside`);
  if (x === 0) return { lower: 0, upper: 1 };
  if (y === 0) return { lower: 1, upper: 0 };
  const weight = betaWeight(x, y, a, b);
  // The fraction converges fast only below the mean; above it the mirrored one does.
  if (x < (a + 1) / (a + b + 2)) {
    const lower = clamp((weight * betaFraction(x, a, b)) / a);
    return { lower, upper: 1 - lower };
  }
  const upper = clamp((weight * betaFraction(y, b, a)) / b);
  return { lower: 1 - upper, upper };
}

/** The x in [0, 1] below which Beta(a, b) has the share p, by bisection: it can't fail and is used for a few intervals only. */
export function betaQuantile(p: number, a: number, b: number): number {
  checkProbability(p);
  if (p === 0 || p === 1) return p;
  let low = 0;
  let high = 1;
  for (let middle = 0.5; middle > low && middle < high; middle = (low + high) / 2) {
    if (regularisedIncompleteBeta(middle, a, b) < p) low = middle;
    else high = middle;
  }
  return high;
}

/** x^a y^b / B(a, b), by Loader's saddle point form, which has no large terms to cancel. */
function betaWeight(x: number, y: number, a: number, b: number): number {
  const n = a + b;
  const exponent = stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * y);
  return Math.exp(exponent) * Math.sqrt((a / n) * (b / (2 * Math.PI)));
}

/** The continued fraction DLMF 8.17.22 by the modified Lentz method (Thompson and Barnett 1986, https://doi.org/10.1016/0021-9991(86)90046-X). */
function betaFraction(x: number, a: number, b: number): number {
  let ratioUp = 1;
  let ratioDown = 0;
  let value = 1;
  for (let term = 1; term < MAX_TERMS; term += 1) {
    const coefficient = fractionCoefficient(term, x, a, b);
    ratioUp = awayFromZero(1 + coefficient / ratioUp);
    ratioDown = 1 / awayFromZero(1 + coefficient * ratioDown);
    const factor = ratioUp * ratioDown;
    value *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return 1 / value;
}

function fractionCoefficient(term: number, x: number, a: number, b: number): number {
  const m = Math.floor(term / 2);
  if (term % 2 === 0) return (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
  return (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
}

function awayFromZero(x: number): number {
  return Math.abs(x) < TINY ? TINY : x;
}

function clamp(probability: number): number {
  return Math.min(1, Math.max(0, probability));
}
