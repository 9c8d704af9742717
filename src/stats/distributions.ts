const sqrtTwoPi = Math.sqrt(2 * Math.PI);

/** The standard normal distribution function. Series: Marsaglia 2004, https://doi.org/10.18637/jss.v011.i04; tail: DLMF 7.9, https://dlmf.nist.gov/7.9. */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) throw new RangeError('normalCdf takes a number');
  if (x < -3) return normalDensity(x) * millsRatio(-x);
  if (x > 3) return 1 - normalDensity(x) * millsRatio(x);
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-18; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

/**
 * The standard normal quantile: a rational start, then Halley's steps on the distribution function.
 * Source of the start: Abramowitz and Stegun 1964, 26.2.23, https://personal.math.ubc.ca/~cbm/aands/page_933.htm.
 */
export function normalQuantile(p: number): number {
  checkProbability(p);
  if (p === 0) return Number.NEGATIVE_INFINITY;
  if (p === 0.5) return 0;
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (let step = 0; step < 4; step += 1) {
    const density = normalDensity(x);
    if (density === 0) break;
    const error = (normalCdf(x) - p) / density;
    x -= error / (1 + (x * error) / 2);
  }
  return x;
}

/** z of a two-sided alpha: each side keeps alpha/2. */
export function normalCritical(alpha: number): number {
  checkAlpha(alpha);
  return -normalQuantile(alpha / 2);
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / sqrtTwoPi;
}

/** Upper tail over density for x ≥ 3, by its continued fraction from the inside out; 80 levels give 16 digits from 3 on. */
function millsRatio(x: number): number {
  let fraction = x;
  for (let level = 80; level >= 1; level -= 1) fraction = x + level / fraction;
  return 1 / fraction;
}

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

/** P(X = x) for X ~ Bin(n, p). Source: Loader 2000, https://www.r-project.org/doc/reports/CLoader-dbinom-2002.pdf. */
export function binomialProbability(x: number, n: number, p: number): number {
  if (x < 0 || x > n) return 0;
  if (p === 0) return x === 0 ? 1 : 0;
  if (p === 1) return x === n ? 1 : 0;
  if (x === 0) return Math.exp(n * Math.log1p(-p));
  if (x === n) return Math.exp(n * Math.log(p));
  const rest = n - x;
  const exponent =
    stirlingError(n) - stirlingError(x) - stirlingError(rest) - deviance(x, n * p) - deviance(rest, n * (1 - p));
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * x * rest));
}

/** P(X ≤ x) and P(X > x) for X ~ Bin(n, p), from the incomplete beta: no sum over n terms. Source: DLMF 8.17.5, https://dlmf.nist.gov/8.17. */
export function binomialTails(x: number, n: number, p: number): { lower: number; upper: number } {
  checkProbability(p);
  const count = Math.floor(x);
  if (count < 0) return { lower: 0, upper: 1 };
  if (count >= n) return { lower: 1, upper: 0 };
  return betaTails(1 - p, p, n - count, count + 1);
}

/** P(X < x) + ½ P(X = x) for X ~ Bin(n, p). Source: Lancaster 1961, https://doi.org/10.1080/01621459.1961.10482105. */
export function binomialMidP(x: number, n: number, p: number): number {
  return binomialTails(x - 1, n, p).lower + binomialProbability(x, n, p) / 2;
}

const maxTerms = 100_000;

const tiny = 1e-300;

/** The distribution function of Beta(a, b) at x. Source: DLMF 8.17, https://dlmf.nist.gov/8.17. */
export function regularisedIncompleteBeta(x: number, a: number, b: number): number {
  return betaTails(x, 1 - x, a, b).lower;
}

/** Both tails of Beta(a, b) at x = 1 − y. Taking y apart from x keeps the digits of a tail that 1 − x would lose. */
export function betaTails(x: number, y: number, a: number, b: number): { lower: number; upper: number } {
  if (!(a > 0 && b > 0)) throw new RangeError(`a beta distribution takes positive parameters, not ${a} and ${b}`);
  if (!(x >= 0 && y >= 0)) throw new RangeError(`a beta distribution lives on [0, 1], ${x} is outside`);
  if (x === 0) return { lower: 0, upper: 1 };
  if (y === 0) return { lower: 1, upper: 0 };
  const weight = betaWeight(x, y, a, b);
  // The fraction converges fast only below the mean; above it the mirrored one does.
  if (x < (a + 1) / (a + b + 2)) {
    const lower = clamp((weight * betaFraction(x, a, b)) / a);
    return { lower, upper: 1 - lower };
  }
  const upper = clamp((weight * betaFraction(y, b, a)) / b);
  return { lower: 1 - upper, upper };
}

/** The x in [0, 1] below which Beta(a, b) has the share p, by bisection: it can't fail and is used for a few intervals only. */
export function betaQuantile(p: number, a: number, b: number): number {
  checkProbability(p);
  if (p === 0 || p === 1) return p;
  let low = 0;
  let high = 1;
  for (let middle = 0.5; middle > low && middle < high; middle = (low + high) / 2) {
    if (regularisedIncompleteBeta(middle, a, b) < p) low = middle;
    else high = middle;
  }
  return high;
}

/** x^a y^b / B(a, b), by Loader's saddle point form, which has no large terms to cancel. */
function betaWeight(x: number, y: number, a: number, b: number): number {
  const n = a + b;
  const exponent = stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * y);
  return Math.exp(exponent) * Math.sqrt((a / n) * (b / (2 * Math.PI)));
}

/** The continued fraction DLMF 8.17.22 by the modified Lentz method (Thompson and Barnett 1986, https://doi.org/10.1016/0021-9991(86)90046-X). */
function betaFraction(x: number, a: number, b: number): number {
  let ratioUp = 1;
  let ratioDown = 0;
  let value = 1;
  for (let term = 1; term < maxTerms; term += 1) {
    const coefficient = fractionCoefficient(term, x, a, b);
    ratioUp = awayFromZero(1 + coefficient / ratioUp);
    ratioDown = 1 / awayFromZero(1 + coefficient * ratioDown);
    const factor = ratioUp * ratioDown;
    value *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return 1 / value;
}

function fractionCoefficient(term: number, x: number, a: number, b: number): number {
  const m = Math.floor(term / 2);
  if (term % 2 === 0) return (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
  return (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
}

function awayFromZero(x: number): number {
  return Math.abs(x) < tiny ? tiny : x;
}

function clamp(probability: number): number {
  return Math.min(1, Math.max(0, probability));
}

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/** Natural logarithm of the gamma function for x > 0, from Stirling's series. Source: DLMF 5.11.1, https://dlmf.nist.gov/5.11. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma takes a positive number, not ${x}`);
  return (x - 0.5) * Math.log(x) - x + halfLogTwoPi + stirlingError(x);
}

/**
 * The error of Stirling's formula: logGamma(x) − ((x − ½) log x − x + ½ log 2π). Ratios of gamma functions built from
 * it are exact to 1e-14, while differences of logGamma lose 1e-10 at x = 1e5. Source: Loader, Fast and accurate
 * computation of binomial probabilities, 2000, https://www.r-project.org/doc/reports/CLoader-dbinom-2002.pdf.
 */
function stirlingError(x: number): number {
  let shift = 0;
  let y = x;
  // The asymptotic series has 16 digits from 10 on; below, gamma's recurrence carries there.
  for (; y < 10; y += 1) shift += (y + 0.5) * Math.log1p(1 / y) - 1;
  const r = 1 / (y * y);
  const series =
    1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * (691 / 360360 - r * (1 / 156))))));
  return shift + series / y;
}

/** x log(x/m) + m − x: how far a count x lies from its mean m, on the log scale. Source: Loader 2000, as above. */
export function deviance(x: number, m: number): number {
  if (x === 0) return m;
  if (m === 0) return Number.POSITIVE_INFINITY;
  const r = (x - m) / m;
  return m * ((1 + r) * Math.log1p(r) - r);
}

/** Refuses an alpha that is not a probability strictly between 0 and 1, NaN included. */
export function checkAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha lies between 0 and 1, ${alpha} does not`);
}

/** Throws for a number that is not a probability, including NaN. */
export function checkProbability(p: number): void {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability lies in [0, 1], ${p} does not`);
}

/** Refuses more successes than trials, NaN included; counts may be fractional. */
export function checkCounts(successes: number, n: number): void {
  if (!(successes >= 0 && successes <= n)) throw new RangeError(`${successes} of ${n} is not a proportion`);
}
