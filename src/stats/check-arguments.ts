/** Refuses an alpha that is no probability strictly between 0 and 1, NaN included. */
export function checkAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha lies between 0 and 1, ${alpha} does not`);
}

/** Refuses what is no probability, NaN included. */
export function checkProbability(p: number): void {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability lies in [0, 1], ${p} does not`);
}

/** Refuses more successes than trials, NaN included; counts may be fractional. */
export function checkCounts(successes: number, n: number): void {
  if (!(successes >= 0 && successes <= n)) throw new RangeError(`${successes} of ${n} is not a proportion`);
}
