import type { Interval } from './moments.ts';

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
