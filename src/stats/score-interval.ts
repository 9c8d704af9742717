import type { Interval } from './moments.ts';
import { mean } from './moments.ts';
import { normalCritical } from './normal.ts';
import { groupEqual, mapValues, scoreLower, scoreUpper } from './score-bound.ts';

/** The mean of values in [0, 1] with its score interval; null throughout for no values. */
export interface MeanEstimate extends Interval {
  readonly n: number;
  readonly mean: number | null;
}

/** Mean of values in [0, 1], one a case. For 0/1 values the interval is Wilson's. */
export function scoreMeanInterval(values: ArrayLike<number>, alpha: number): MeanEstimate {
  if (values.length === 0) return { n: 0, mean: null, low: null, high: null };
  const z = normalCritical(alpha);
  const grouped = groupEqual(values);
  const low =
    1 +
    scoreLower(
      mapValues(grouped, (value) => value - 1),
      z,
    );
  const high = -scoreLower(
    mapValues(grouped, (value) => -value),
    z,
  );
  return { n: values.length, mean: mean(values), low: Math.max(0, low), high: Math.min(1, high) };
}

/** Mean of differences in [−1, 1]. For differences in {−1, 0, 1} the interval is Tango's. */
export function scoreDifferenceInterval(differences: readonly number[], alpha: number): MeanEstimate {
  if (differences.length === 0) return { n: 0, mean: null, low: null, high: null };
  const z = normalCritical(alpha);
  const grouped = groupEqual(differences);
  return {
    n: differences.length,
    mean: mean(differences),
    low: scoreLower(grouped, z),
    high: scoreUpper(grouped, z),
  };
}
