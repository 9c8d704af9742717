import { describe, expect, test } from 'vitest';
import { compareCases } from '../../src/stats/compare-cases.ts';
import { confirmedPower, planCase, smallestConfirmedDrop } from '../../src/stats/plan-confirmed.ts';
import type { SuiteDesign } from '../../src/stats/plan-suite.ts';
import { smallestSize } from '../../src/stats/smallest.ts';
import { createRandom } from '../../src/text/random.ts';

const options = { alpha: 0.05, margin: 0.05, scope: 'population', binary: true } as const;

function designOf(cases: number, trials: number, flakeRate: number): SuiteDesign {
  return { cases, trials, baselineTrials: trials, sigma2: flakeRate * (1 - flakeRate), scope: 'population' };
}

/** The share of drops that the stored trials flag and that so many fresh pairs of each case confirm. */
function simulate(
  cases: number,
  trials: number,
  flakeRate: number,
  drop: number,
  fresh: number,
  level: number,
): number {
  const random = createRandom(11);
  const replicates = 400;
  const valuesOf = (count: number, failureRate: number): number[] =>
    Array.from({ length: count }, () => (random() < failureRate ? 0 : 1));
  const p = (baseline: number[][], candidate: number[][]): number =>
    compareCases({ baseline, candidate }, options).pWorse ?? 1;
  let confirmed = 0;
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    const drawn = Array.from({ length: cases }, () => {
      const isBroken = random() < drop / (1 - 2 * flakeRate);
      const now = isBroken ? 1 - flakeRate : flakeRate;
      return {
        stored: [valuesOf(trials, flakeRate), valuesOf(trials, now)] as const,
        asked: [valuesOf(fresh, flakeRate), valuesOf(fresh, now)] as const,
      };
    });
    const pOf = (of: 'stored' | 'asked') =>
      p(
        drawn.map((found) => found[of][0]),
        drawn.map((found) => found[of][1]),
      );
    if (pOf('stored') <= 0.1 && pOf('asked') <= level) confirmed += 1;
  }
  return confirmed / replicates;
}

describe('confirmedPower', () => {
  test.each([
    [50, 1, 0.05, 0.2, 2, 1],
    [100, 1, 0.05, 0.1, 2, 1],
    [100, 1, 0.05, 0.1, 2, 2],
    [60, 1, 0, 0.12, 2, 1],
    [30, 3, 0.2, 0.3, 3, 4],
    [50, 3, 0.1, 0.2, 6, 1],
  ])(
    'of %i cases × %i at a flake rate of %f and a drop of %f, confirmed by %i pairs of each case, is that of the tests themselves (%i flagged)',
    (cases, trials, flakeRate, drop, fresh, flagged) => {
      const confirmation = { level: (0.5 * 0.025) / flagged, trials: fresh, usesPlanned: false };
      const planned = confirmedPower(designOf(cases, trials, flakeRate), drop, confirmation);
      const shown = simulate(cases, trials, flakeRate, drop, fresh, confirmation.level);
      expect(Math.abs(planned - shown)).toBeLessThan(0.13);
    },
  );

  test('grows with the drop and with the cases, and shrinks with the averages that are flagged', () => {
    const one = { level: 0.0325, trials: 1, usesPlanned: true };
    const power = (cases: number, drop: number, level = one.level) =>
      confirmedPower(designOf(cases, 1, 0.05), drop, { ...one, level });
    expect([0.05, 0.1, 0.2, 0.4].map((drop) => power(50, drop))).toEqual(
      [0.05, 0.1, 0.2, 0.4].map((drop) => power(50, drop)).toSorted((a, b) => a - b),
    );
    expect(power(100, 0.1)).toBeGreaterThan(power(50, 0.1));
    expect(power(50, 0.2, 0.0325 / 12)).toBeLessThan(power(50, 0.2));
    expect(power(0, 0.2)).toBe(0);
  });
});

test('the smallest drop that is confirmed has the wanted power, and a smaller one has not', () => {
  const [design, confirmation] = [designOf(50, 1, 0.05), { level: 0.0325, trials: 1, usesPlanned: true }];
  const drop = smallestConfirmedDrop(design, confirmation, 0.8) ?? 0;
  expect(confirmedPower(design, drop, confirmation)).toBeGreaterThanOrEqual(0.8);
  expect(confirmedPower(design, drop - 0.002, confirmation)).toBeLessThan(0.8);
  expect(smallestConfirmedDrop(designOf(3, 1, 0.05), confirmation, 0.8)).toBeNull();
});

test('smallestSize finds the first that is enough, and null beyond the most', () => {
  expect([1, 2, 7, 100].map((wanted) => smallestSize(1, 100, (size) => size >= wanted))).toEqual([1, 2, 7, 100]);
  expect(smallestSize(1, 100, (size) => size >= 101)).toBeNull();
});

describe('planCase', () => {
  const design = { trials: 1, baselineTrials: 3, alpha: 0.05, suspects: 1, cases: 50, budget: 50, asksAccepted: true };

  test('asks as often as the gate: 5 for one suspect, 7 for five; the accepted prompt once where both are too many', () => {
    expect(planCase(design)).toMatchObject({ trials: 5, acceptedTrials: 5 });
    expect(planCase({ ...design, suspects: 5 })).toMatchObject({ trials: 7, acceptedTrials: 7 });
    expect(planCase({ ...design, asksAccepted: false })).toMatchObject({ trials: 4, acceptedTrials: 0 });
    expect(planCase({ ...design, cases: 5, budget: 5 })).toMatchObject({ trials: 3, acceptedTrials: 1 });
  });

  // The chance of 0.9 that it passed, of 0.9 that each trial fails now, and that the accepted prompt passes often enough.
  const asked = (trials: number) => 0.9 * 0.9 ** (1 + trials);
  test.each([
    ['both sides within the budget', { budget: 9 }, 5, 5, asked(5) * 0.91854],
    ['both sides just beyond it', { budget: 8 }, 2, 1, asked(2) * 0.9],
    ['other suspects that need one each, within it', { suspects: 4, budget: 16 }, 7, 7, asked(7) * 0.8503056],
    ['other suspects just beyond it', { suspects: 4, budget: 15 }, 2, 1, asked(2) * 0.9],
    ['no accepted prompt', { asksAccepted: false }, 2, 0, asked(2)],
    ['no accepted prompt, of many cases', { asksAccepted: false, cases: 100 }, 5, 0, asked(5)],
    ['a tiny budget of one trial for each suspect', { cases: 100, budget: 3, suspects: 2 }, 1, 1, asked(1) * 0.9],
    ['more planned trials than are needed', { trials: 5, asksAccepted: false }, 1, 0, asked(5)],
  ])('with %s', (_, more, trials, acceptedTrials, power) => {
    const plan = planCase({ ...design, baselineTrials: 1, cases: 1, budget: 100, ...more });
    expect(plan).toMatchObject({ trials, acceptedTrials });
    expect(plan.power(0.1, 0.9)).toBeCloseTo(power, 6);
  });

  test('a case must have passed more than half of the accepted trials', () => {
    const passed = (baselineTrials: number) => {
      const plan = planCase({ ...design, baselineTrials, cases: 1, asksAccepted: false });
      return plan.power(0.1, 1);
    };
    expect(passed(1)).toBeCloseTo(0.9, 9);
    expect(passed(2)).toBeCloseTo(0.81, 9);
    expect(passed(3)).toBeCloseTo(0.9 ** 3 + 3 * 0.9 ** 2 * 0.1, 9);
    expect(passed(4)).toBeCloseTo(0.9 ** 4 + 4 * 0.9 ** 3 * 0.1, 9);
  });
});
