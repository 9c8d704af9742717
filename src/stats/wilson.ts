import { checkCounts } from './check-arguments.ts';
import type { Interval } from './moments.ts';
import { normalCritical } from './normal.ts';

/** Score interval of a proportion, without continuity correction; null for no trials. Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953. */
export function wilsonInterval(successes: number, n: number, alpha: number): Interval {
  checkCounts(successes, n);
  if (n === 0) return { low: null, high: null };
  const z = normalCritical(alpha);
  const failures = n - successes;
  const centre = successes + (z * z) / 2;
  const spread = z * Math.sqrt((successes * failures) / n + (z * z) / 4);
  const size = n + z * z;
  return {
    low: successes === 0 ? 0 : (centre - spread) / size,
    high: failures === 0 ? 1 : (centre + spread) / size,
  };
}
