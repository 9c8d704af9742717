import { checkCounts, normalQuantile } from './distributions.ts';

/** Failures among the trials of one case. */
export interface CaseFailures {
  readonly failures: number;
  readonly n: number;
}

/** How the failure rates of similar cases are spread: a Beta distribution. */
export interface RateSpread {
  readonly alpha: number;
  readonly beta: number;
}

/** Draws spreads of failure rates, each as often as the trials speak for it. */
export type DrawSpread = (random: () => number) => RateSpread;

/**
 * Fits a beta-binomial distribution to cases with few trials each: its likelihood on a grid of the mean and of the
 * correlation within a case. A draw includes the remaining uncertainty about both. Sources: Skellam 1948,
 * https://doi.org/10.1111/j.2517-6161.1948.tb00014.x; Gelman 2013, Bayesian Data Analysis, section 5.3.
 */
export function fitFailureRates(cases: readonly CaseFailures[]): DrawSpread {
  const kinds = new Map<string, CaseFailures & { count: number }>();
  for (const { failures, n } of cases) {
    checkCounts(failures, n);
    const key = `${failures}/${n}`;
    const kind = kinds.get(key) ?? { failures, n, count: 0 };
    kinds.set(key, { ...kind, count: kind.count + 1 });
  }
  const spreads = means.flatMap((mean) =>
    correlations.map((correlation): RateSpread => {
      const weight = 1 / correlation - 1;
      return { alpha: mean * weight, beta: (1 - mean) * weight };
    }),
  );
  const logs = spreads.map((spread) => {
    let sum = 0;
    for (const { failures, n, count } of kinds.values()) sum += count * logLikelihood(failures, n, spread);
    return sum;
  });
  const best = logs.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  let total = 0;
  const cumulative = logs.map((value) => {
    total += Math.exp(value - best);
    return total;
  });
  return (random) => {
    const at = random() * total;
    const spread = spreads[cumulative.findIndex((sum) => sum > at)];
    if (spread === undefined) throw new Error('a draw lies within the grid');
    return spread;
  };
}

/** Points of equal probability under the arcsine prior, Beta(½, ½). */
const means = steps(60).map((u) => Math.sin((Math.PI / 2) * u) ** 2);

/** Points of equal probability under Beta(½, 1): a mix of cases that always and never fail is unlikely at first. */
const correlations = steps(24).map((u) => u * u);

function steps(count: number): readonly number[] {
  return Array.from({ length: count }, (_, step) => (step + 0.5) / count);
}

/** Without the binomial coefficient, which is the same for every spread. */
function logLikelihood(failures: number, n: number, { alpha, beta }: RateSpread): number {
  let sum = 0;
  for (let i = 0; i < failures; i += 1) sum += Math.log(alpha + i);
  for (let i = 0; i < n - failures; i += 1) sum += Math.log(beta + i);
  for (let i = 0; i < n; i += 1) sum -= Math.log(alpha + beta + i);
  return sum;
}

/** Draws the failure rate of one case, given its own trials and the trials of similar cases. */
export function drawRate({ failures, n }: CaseFailures, { alpha, beta }: RateSpread, random: () => number): number {
  const a = drawLogGamma(alpha + failures, random);
  const b = drawLogGamma(beta + n - failures, random);
  return 1 / (1 + Math.exp(b - a));
}

/** The logarithm of a draw from a Gamma distribution, which stays finite for small shapes. Source: Marsaglia and Tsang 2000, https://doi.org/10.1145/358407.358414. */
function drawLogGamma(shape: number, random: () => number): number {
  if (shape < 1) return drawLogGamma(shape + 1, random) + Math.log(openUniform(random)) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = normalQuantile(openUniform(random));
    const v = (1 + c * z) ** 3;
    if (v <= 0) continue;
    if (Math.log(openUniform(random)) < (z * z) / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}

/** A uniform number in (0, 1], because 0 has no logarithm. */
function openUniform(random: () => number): number {
  return 1 - random() * (1 - Number.EPSILON);
}
