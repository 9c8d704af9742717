import { describe, expect, test } from 'vitest';
import { binomialQuantile } from '../../scripts/reference-statistics.ts';
import {
  betaQuantile,
  betaTails,
  binomialMidP,
  binomialProbability,
  binomialTails,
  deviance,
  logGamma,
  normalCdf,
  normalCritical,
  normalQuantile,
  regularisedIncompleteBeta,
  tCdf,
  tCritical,
  tQuantile,
} from '../../src/stats/distributions.ts';
import fc from '../support/property.ts';

const probability = fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true });

describe('gamma', () => {
  test('the log of gamma is the log of a factorial at whole numbers', () => {
    let factorial = 1;
    for (let n = 1; n <= 30; n += 1) {
      expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 11);
      factorial *= n;
    }
  });

  test('gamma of one half is the root of pi', () => {
    expect(Math.exp(logGamma(0.5))).toBeCloseTo(Math.sqrt(Math.PI), 14);
  });

  test('gamma is refused where it has poles', () => {
    expect(() => logGamma(0)).toThrow(RangeError);
    expect(() => logGamma(Number.NaN)).toThrow(RangeError);
  });

  test('the deviance is zero at the mean and grows away from it', () => {
    expect(deviance(3, 3)).toBe(0);
    expect(deviance(0, 3)).toBe(3);
    expect(deviance(1, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(deviance(5, 3)).toBeCloseTo(5 * Math.log(5 / 3) - 2, 14);
  });
});

describe('incomplete beta', () => {
  test('a beta with whole parameters is a polynomial', () => {
    expect(regularisedIncompleteBeta(0.3, 2, 5)).toBeCloseTo(0.579825, 14);
    expect(regularisedIncompleteBeta(0.4, 1, 1)).toBeCloseTo(0.4, 14);
    expect(regularisedIncompleteBeta(0.2, 3, 1)).toBeCloseTo(0.008, 14);
  });

  test('the arc sine law holds for parameters of one half', () => {
    expect(regularisedIncompleteBeta(0.25, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(0.5), 13);
  });

  test('both ends are exact', () => {
    expect(betaTails(0, 1, 2, 3)).toEqual({ lower: 0, upper: 1 });
    expect(betaTails(1, 0, 2, 3)).toEqual({ lower: 1, upper: 0 });
  });

  test('large equal parameters are symmetric about one half', () => {
    expect(regularisedIncompleteBeta(0.5, 50_000, 50_000)).toBeCloseTo(0.5, 11);
  });

  test('what lies outside its domain is refused', () => {
    expect(() => regularisedIncompleteBeta(1.1, 2, 2)).toThrow('1.1 is outside');
    expect(() => regularisedIncompleteBeta(0.5, 0, 2)).toThrow('positive parameters');
    expect(() => betaQuantile(2, 1, 1)).toThrow(RangeError);
  });

  test('mirroring x and the parameters swaps the tails', () => {
    const parameter = fc.double({ min: 0.05, max: 500, noNaN: true });
    fc.assert(
      fc.property(probability, parameter, parameter, (x, a, b) => {
        const swapped = betaTails(1 - x, x, b, a);
        expect(betaTails(x, 1 - x, a, b).lower).toBeCloseTo(swapped.upper, 10);
      }),
    );
  });

  test('the quantile undoes the distribution', () => {
    // Below 1 the density is unbounded at an end, where neighbouring doubles differ in probability.
    const parameter = fc.double({ min: 1, max: 200, noNaN: true });
    fc.assert(
      fc.property(probability, parameter, parameter, (p, a, b) => {
        expect(regularisedIncompleteBeta(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 9);
      }),
      { numRuns: 50 },
    );
    expect(betaQuantile(0, 2, 3)).toBe(0);
    expect(betaQuantile(1, 2, 3)).toBe(1);
  });
});

describe('normal distribution', () => {
  test('its tabulated quantiles are met to 14 digits', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
    expect(normalQuantile(0.8)).toBeCloseTo(0.8416212335729143, 14);
    expect(normalQuantile(1e-10)).toBeCloseTo(-6.361340902404056, 12);
    expect(normalQuantile(0.5)).toBe(0);
    expect(normalCritical(0.1)).toBeCloseTo(1.644853626951473, 14);
  });

  test('the ends are infinite and what is no probability is refused', () => {
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
    expect(normalQuantile(1e-320)).toBeLessThan(-37);
    expect(() => normalQuantile(-0.1)).toThrow(RangeError);
    expect(() => normalCritical(0)).toThrow('alpha');
    expect(() => normalCdf(Number.NaN)).toThrow(RangeError);
  });

  test('the quantile undoes the distribution', () => {
    fc.assert(
      fc.property(probability, (p) => {
        expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 13);
      }),
    );
  });

  test('the tails beyond 3 join the middle without a step', () => {
    expect(normalCdf(3.0000001) - normalCdf(3)).toBeCloseTo(0.00443185 * 1e-7, 12);
    expect(normalCdf(-3) - normalCdf(-3.0000001)).toBeCloseTo(0.00443185 * 1e-7, 12);
    expect(normalCdf(-10)).toBeCloseTo(7.61985302416e-24, 33);
  });
});

describe("Student's t", () => {
  test('it is the Cauchy distribution at one degree of freedom', () => {
    expect(tQuantile(0.975, 1)).toBeCloseTo(Math.tan(0.475 * Math.PI), 10);
    expect(tCdf(1, 1)).toBeCloseTo(0.75, 14);
  });

  test('it is algebraic at two', () => {
    expect(tCdf(2, 2)).toBeCloseTo(0.5 + 2 / (2 * Math.sqrt(6)), 14);
  });

  test('its tabulated quantiles are met', () => {
    expect(tCritical(0.05, 9)).toBeCloseTo(2.2621571627982049, 10);
    expect(tCritical(0.05, 99)).toBeCloseTo(1.9842169515864174, 10);
    expect(tQuantile(0.5, 3)).toBe(0);
    expect(tQuantile(0, 3)).toBe(Number.NEGATIVE_INFINITY);
    expect(tQuantile(1, 3)).toBe(Number.POSITIVE_INFINITY);
  });

  test('infinite statistics have no tail left', () => {
    expect(tCdf(Number.NEGATIVE_INFINITY, 4)).toBe(0);
    expect(tCdf(Number.POSITIVE_INFINITY, 4)).toBe(1);
  });

  test('impossible arguments are refused', () => {
    expect(() => tCdf(1, 0)).toThrow(RangeError);
    expect(() => tQuantile(0.5, -1)).toThrow(RangeError);
    expect(() => tQuantile(1.5, 3)).toThrow(RangeError);
    expect(() => tCritical(1, 3)).toThrow('alpha');
  });

  test('the quantile undoes the distribution at any degrees of freedom', () => {
    fc.assert(
      fc.property(probability, fc.integer({ min: 1, max: 100_000 }), (p, df) => {
        expect(tCdf(tQuantile(p, df), df)).toBeCloseTo(p, 10);
      }),
    );
  });
});

describe('binomial distribution', () => {
  test('small cases are the counted ones', () => {
    expect(binomialProbability(2, 4, 0.5)).toBeCloseTo(6 / 16, 14);
    expect(binomialProbability(0, 3, 0.2)).toBeCloseTo(0.512, 14);
    expect(binomialProbability(3, 3, 0.2)).toBeCloseTo(0.008, 14);
    expect(binomialProbability(5, 4, 0.5)).toBe(0);
    expect(binomialProbability(0, 4, 0)).toBe(1);
    expect(binomialProbability(4, 4, 1)).toBe(1);
    expect(binomialProbability(1, 4, 1)).toBe(0);
    expect(binomialMidP(2, 3, 0.9)).toBeCloseTo(0.1495, 14);
  });

  test('the tails cover all outcomes', () => {
    expect(binomialTails(-1, 5, 0.3)).toEqual({ lower: 0, upper: 1 });
    expect(binomialTails(5, 5, 0.3)).toEqual({ lower: 1, upper: 0 });
    expect(() => binomialTails(1, 5, 2)).toThrow(RangeError);
  });

  test('the distribution function is the sum of the probabilities', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 60 }), probability, (n, x, p) => {
        let sum = 0;
        for (let k = 0; k <= Math.min(x, n); k += 1) sum += binomialProbability(k, n, p);
        expect(binomialTails(x, n, p).lower).toBeCloseTo(sum, 11);
      }),
    );
  });

  test('the quantile is the first count that reaches the probability', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), probability, probability, (n, p, q) => {
        const x = binomialQuantile(q, n, p);
        expect(binomialTails(x, n, p).lower).toBeGreaterThanOrEqual(q * (1 - 1e-12));
        expect(binomialTails(x - 1, n, p).lower).toBeLessThan(q);
      }),
    );
    expect(() => binomialQuantile(1.5, 3, 0.5)).toThrow(RangeError);
  });

  test('a probability that is hit exactly is not missed by its last bit', () => {
    expect(binomialQuantile(0.5, 5, 0.5)).toBe(2);
    expect(binomialQuantile(0.9375, 4, 0.5)).toBe(3);
  });
});
