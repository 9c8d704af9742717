import { checkAlpha } from './check-arguments.ts';
import { clopperPearsonInterval } from './clopper-pearson.ts';
import type { Interval } from './moments.ts';
import { normalCritical } from './normal.ts';

export interface KappaEstimate extends Interval {
  /** Agreement beyond chance; null where chance alone would agree always, or where there is nothing to agree on. */
  readonly kappa: number | null;
  /** The share of pairs that agree. */
  readonly agreement: number | null;
  readonly n: number;
}

/**
 * Agreement of two raters over categories, `counts[i][j]` of pairs that the first put in i and the second in j. Kappa: Cohen
 * 1960, https://doi.org/10.1177/001316446002000104; its large-sample variance: Fleiss, Cohen and Everitt 1969,
 * https://doi.org/10.1037/h0028106. Where all agree that variance is 0, so the exact lower bound of the agreement (Clopper
 * and Pearson 1934) takes its place.
 */
export function cohenKappa(counts: readonly (readonly number[])[], alpha: number): KappaEstimate {
  checkAlpha(alpha);
  const n = counts.flat().reduce((sum, count) => sum + count, 0);
  if (n === 0) return { kappa: null, agreement: null, n, low: null, high: null };
  const shares = counts.map((row) => row.map((count) => count / n));
  const first = shares.map((row) => row.reduce((sum, share) => sum + share, 0));
  const second = shares.map((_, j) => shares.reduce((sum, row) => sum + (row[j] ?? 0), 0));
  const agreeing = counts.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  const agreement = agreeing / n;
  const chance = first.reduce((sum, share, i) => sum + share * (second[i] ?? 0), 0);
  if (chance > 1 - 1e-12) return { kappa: null, agreement, n, low: null, high: null };
  const kappa = (agreement - chance) / (1 - chance);
  if (agreeing === n) {
    const exact = clopperPearsonInterval(agreeing, n, alpha).low ?? 0;
    return { kappa, agreement, n, low: Math.max(-1, (exact - chance) / (1 - chance)), high: 1 };
  }
  let spread = 0;
  for (const [i, row] of shares.entries()) {
    for (const [j, share] of row.entries()) {
      // On the diagonal the marginals are those of its own category, off it those of the other way round.
      spread +=
        i === j
          ? share * (1 - ((first[i] ?? 0) + (second[i] ?? 0)) * (1 - kappa)) ** 2
          : share * (1 - kappa) ** 2 * ((second[i] ?? 0) + (first[j] ?? 0)) ** 2;
    }
  }
  const variance = (spread - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2);
  const half = normalCritical(alpha) * Math.sqrt(Math.max(0, variance));
  return { kappa, agreement, n, low: Math.max(-1, kappa - half), high: Math.min(1, kappa + half) };
}
