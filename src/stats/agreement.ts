import type { Interval } from './descriptive.ts';
import { checkAlpha, normalCritical } from './distributions.ts';
import { clopperPearsonInterval, newcombeUnpairedInterval, wilsonInterval } from './proportions.ts';

interface KappaEstimate extends Interval {
  /** Agreement beyond chance; null if chance would always agree, or if there is nothing to agree on. */
  readonly kappa: number | null;
  /** The share of pairs that agree. */
  readonly agreement: number | null;
  readonly n: number;
}

/**
 * Agreement of two raters over categories, `counts[i][j]` of pairs that the first put in i and the second in j. Kappa:
 * Cohen 1960, https://doi.org/10.1177/001316446002000104; its large-sample variance: Fleiss, Cohen and Everitt 1969,
 * https://doi.org/10.1037/h0028106. If all pairs agree, that variance is 0. The exact lower bound of the agreement
 * (Clopper and Pearson 1934) then takes its place.
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
      // On the diagonal, uses the marginals of its own category; off it, the marginals with rows and columns exchanged.
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

export interface CorrelationEstimate extends Interval {
  /** In [-1, 1]; null if one side is the same throughout. */
  readonly rho: number | null;
  readonly n: number;
}

/**
 * Spearman's rank correlation with midranks for ties: Spearman 1904, https://doi.org/10.2307/1412159. Its interval is
 * by Fisher's z with the standard error of Bonett and Wright 2000, https://doi.org/10.1007/BF02294183. Null for 3 pairs
 * or less.
 */
export function rankCorrelation(pairs: readonly (readonly [number, number])[], alpha: number): CorrelationEstimate {
  checkAlpha(alpha);
  const n = pairs.length;
  const [a, b] = [rank(pairs.map(([x]) => x)), rank(pairs.map(([, y]) => y))];
  // Midranks keep the mean of the ranks.
  const middle = (n + 1) / 2;
  let [both, squareA, squareB] = [0, 0, 0];
  for (const [index, x] of a.entries()) {
    const y = (b[index] ?? 0) - middle;
    both += (x - middle) * y;
    squareA += (x - middle) ** 2;
    squareB += y ** 2;
  }
  if (squareA === 0 || squareB === 0) return { rho: null, n, low: null, high: null };
  const rho = Math.max(-1, Math.min(1, both / Math.sqrt(squareA * squareB)));
  if (n <= 3) return { rho, n, low: null, high: null };
  const half = normalCritical(alpha) * Math.sqrt((1 + rho ** 2 / 2) / (n - 3));
  const z = Math.atanh(rho);
  return { rho, n, low: Math.tanh(z - half), high: Math.tanh(z + half) };
}

/** Ranks from 1; equal values share the mean of theirs. */
function rank(values: readonly number[]): readonly number[] {
  const order = values.map((value, index) => ({ value, index })).sort((x, y) => x.value - y.value);
  const ranks = values.map(() => 0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && order[end]?.value === order[start]?.value) end += 1;
    for (const { index } of order.slice(start, end)) ranks[index] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/** A judge's verdicts on answers that people have labelled. */
export interface JudgeCounts {
  /** Labelled pass: judged pass, of how many. */
  readonly passesFound: number;
  readonly passes: number;
  /** Labelled fail: judged fail, of how many. */
  readonly failuresFound: number;
  readonly failures: number;
}

interface JudgeError {
  /** The share of good answers that the judge passes, with its interval. */
  readonly sensitivity: { readonly value: number | null; readonly low: number | null; readonly high: number | null };
  /** The share of bad answers that the judge fails. */
  readonly specificity: { readonly value: number | null; readonly low: number | null; readonly high: number | null };
  /** sensitivity + specificity − 1; null if a kind has no label. */
  readonly youden: number | null;
  /** Its lower one-sided 80 % bound. */
  readonly youdenLow: number | null;
}

/** Two-sided, so that one side is the 80 % bound. */
const youdenAlpha = 0.4;

/**
 * How often a judge is right. Of a true difference of rates it shows youden times as much.
 * Sources: Youden 1950, https://doi.org/10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3; Rogan and Gladen 1978,
 * https://doi.org/10.1093/oxfordjournals.aje.a112510; the bound as a difference of two proportions by Newcombe 1998, method 10.
 */
export function judgeError(counts: JudgeCounts, alpha: number): JudgeError {
  const { passesFound, passes, failuresFound, failures } = counts;
  const sensitivity = { value: share(passesFound, passes), ...wilsonInterval(passesFound, passes, alpha) };
  const specificity = { value: share(failuresFound, failures), ...wilsonInterval(failuresFound, failures, alpha) };
  const { delta, low } = newcombeUnpairedInterval(
    { successes1: passesFound, n1: passes, successes2: failures - failuresFound, n2: failures },
    youdenAlpha,
  );
  return { sensitivity, specificity, youden: delta, youdenLow: low };
}

/**
 * The drop of a judge's pass rate that stands for a true drop of the margin: margin × J. `judged` is the part of failures
 * that only the judge decides; the rest is seen without error.
 */
export function judgedMargin(margin: number, youdenLow: number, judged = 1): number {
  return margin * (1 - judged + judged * Math.max(0, youdenLow));
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
