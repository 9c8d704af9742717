/**
 * P(T ≤ t) for t = 0, 1, … n(n+1)/2, T being the sum of a random subset of the ranks 1 … n.
 * The counts are whole numbers up to 2^n, so they are exact for n ≤ 50. Source: Wilcoxon 1945, https://doi.org/10.2307/3001968.
 */
export function signedRankCdf(n: number): Float64Array {
  if (!(Number.isInteger(n) && n >= 0 && n <= 50))
    throw new RangeError(`exact signed ranks take 0 to 50 values, not ${n}`);
  const size = (n * (n + 1)) / 2 + 1;
  const counts = new Float64Array(size);
  counts[0] = 1;
  for (let rank = 1; rank <= n; rank += 1) {
    for (let total = size - 1; total >= rank; total -= 1) {
      counts[total] = (counts[total] ?? 0) + (counts[total - rank] ?? 0);
    }
  }
  let sum = 0;
  return counts.map((count) => {
    sum += count;
    return sum / 2 ** n;
  });
}
