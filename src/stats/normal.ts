import { checkAlpha, checkProbability } from './check-arguments.ts';

const SQRT_TWO_PI = Math.sqrt(2 * Math.PI);

/** The standard normal distribution function. Series: Marsaglia 2004, https://doi.org/10.18637/jss.v011.i04; tail: DLMF 7.9, https://dlmf.nist.gov/7.9. */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) throw new RangeError('normalCdf takes a number');
  if (x < -3) return normalDensity(x) * millsRatio(-x);
  if (x > 3) return 1 - normalDensity(x) * millsRatio(x);
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-18; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

/**
 * The standard normal quantile: a rational start, then Halley's steps on the distribution function.
 * Source of the start: Abramowitz and Stegun 1964, 26.2.23, https://personal.math.ubc.ca/~cbm/aands/page_933.htm.
 */
export function normalQuantile(p: number): number {
  checkProbability(p);
  if (p === 0) return Number.NEGATIVE_INFINITY;
  if (p === 0.5) return 0;
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (let step = 0; step < 4; step += 1) {
    const density = normalDensity(x);
    if (density === 0) break;
    const error = (normalCdf(x) - p) / density;
    x -= error / (1 + (x * error) / 2);
  }
  return x;
}

/** z of a two-sided alpha: each side keeps alpha/2. */
export function normalCritical(alpha: number): number {
  checkAlpha(alpha);
  return -normalQuantile(alpha / 2);
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / SQRT_TWO_PI;
}

/** Upper tail over density for x ≥ 3, by its continued fraction from the inside out; 80 levels give 16 digits from 3 on. */
function millsRatio(x: number): number {
  let fraction = x;
  for (let level = 80; level >= 1; level -= 1) fraction = x + level / fraction;
  return 1 / fraction;
}
