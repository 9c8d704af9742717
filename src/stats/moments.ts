/** Count, mean and spread of values that are not kept. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Sum of squared deviations from the mean. */
  readonly squares: number;
}

export const noValues: Moments = { n: 0, mean: 0, squares: 0 };

/** Adds values one at a time. Source: Welford 1962, https://doi.org/10.1080/00401706.1962.10490022. */
export function addValues(moments: Moments, values: Iterable<number>): Moments {
  let { n, mean, squares } = moments;
  for (const value of values) {
    n += 1;
    const deviation = value - mean;
    mean += deviation / n;
    squares += deviation * (value - mean);
  }
  return { n, mean, squares };
}

/**
 * As many values in [0, 1] with the same mean and spread, for tests that take values. They lie between values that are all
 * equal and the widest ones that have this mean: ones, zeros and one value between. Passes and failures come out as they were.
 */
export function representValues({ n, mean, squares }: Moments): readonly number[] {
  const sum = n * mean;
  const ones = Math.min(n, Math.floor(sum + rounding));
  const rest = sum - ones < rounding ? 0 : sum - ones;
  const widest = Array.from({ length: n }, (_, index) => (index < ones ? 1 : index === ones ? rest : 0));
  const most = widest.reduce((total, value) => total + (value - mean) ** 2, 0);
  if (squares >= most - rounding) return widest;
  const share = Math.sqrt(squares / most);
  return widest.map((value) => Math.min(1, Math.max(0, mean + share * (value - mean))));
}

const rounding = 1e-9;
