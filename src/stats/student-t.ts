import { checkAlpha, checkProbability } from './check-arguments.ts';
import { logGamma } from './gamma.ts';
import { betaTails } from './incomplete-beta.ts';
import { normalQuantile } from './normal.ts';

/** The distribution function of Student's t. Source: DLMF 8.17 and Student 1908, https://doi.org/10.1093/biomet/6.1.1. */
export function tCdf(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0))
    throw new RangeError(`tCdf takes a number and positive degrees of freedom, not ${t} and ${df}`);
  return t <= 0 ? upperTail(-t, df) : 1 - upperTail(t, df);
}

/** The quantile of Student's t. Newton from the normal quantile: the tail is convex, so every step stays on the near side. */
export function tQuantile(p: number, df: number): number {
  checkProbability(p);
  if (!(df > 0)) throw new RangeError(`degrees of freedom are positive, ${df} is not`);
  if (p === 0.5) return 0;
  if (p > 0.5) return -tQuantile(1 - p, df);
  if (p === 0) return Number.NEGATIVE_INFINITY;
  let t = -normalQuantile(p);
  for (let step = 0; step < 500; step += 1) {
    const move = (upperTail(t, df) - p) / tDensity(t, df);
    t += move;
    if (Math.abs(move) <= 1e-15 * t) break;
  }
  return -t;
}

/** t of a two-sided alpha: each side keeps alpha/2. */
export function tCritical(alpha: number, df: number): number {
  checkAlpha(alpha);
  return -tQuantile(alpha / 2, df);
}

function upperTail(t: number, df: number): number {
  const square = t * t;
  if (!Number.isFinite(square)) return 0;
  return betaTails(df / (df + square), square / (df + square), df / 2, 0.5).lower / 2;
}

function tDensity(t: number, df: number): number {
  const scale = logGamma((df + 1) / 2) - logGamma(df / 2) - 0.5 * Math.log(df * Math.PI);
  return Math.exp(scale - ((df + 1) / 2) * Math.log1p((t * t) / df));
}
