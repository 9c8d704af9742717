import { describe, expect, test } from 'vitest';
import { countDisagreements, flakeChangeP, suiteFlakiness, testErosion } from '../../src/stats/trend.ts';

test('a drop in a few groups of cases is less certain than one in as many cases on their own', () => {
  const differences = Array.from({ length: 40 }, (_, index) => (index < 12 ? -1 : 0));
  const groups = differences.map((_, index) => Math.floor(index / 4));
  const alone = testErosion(differences, 0.05);
  const grouped = testErosion(differences, 0.05, groups);
  expect([alone.isEroded, grouped.isEroded]).toEqual([true, false]);
  expect(grouped.delta).toBe(alone.delta);
  expect(Math.abs(grouped.z ?? 0)).toBeLessThan(Math.abs(alone.z ?? 0));
});

test('one group is one observation', () => {
  for (const differences of [
    [-1, -1, -1, 0],
    [-1, -1, -1, -1],
  ]) {
    expect(testErosion(differences, 0.05, [1, 1, 1, 1]).isEroded).toBe(false);
  }
});

test('a flaky case counts in the suite only where it was repeated', () => {
  expect(
    suiteFlakiness([
      { passes: 1, n: 2 },
      { passes: 2, n: 2 },
      { passes: 1, n: 1 },
    ]),
  ).toBe(0.5);
  expect(suiteFlakiness([{ passes: 1, n: 1 }])).toBeNull();
});

const outcomes = (text: string): readonly boolean[] => text.split('').map((mark) => mark === '+');

describe('disagreements', () => {
  test.each([
    ['', 0, 0],
    ['+', 0, 0],
    ['++++', 2, 0],
    ['+-+-+-', 3, 3],
    ['++--', 2, 0],
    // A lasting change makes one at most.
    ['+++---', 3, 1],
    ['+-+', 1, 1],
  ])('%s: %i pairs, %i disagree', (text, pairs, disagreements) => {
    expect(countDisagreements(outcomes(text))).toEqual({ pairs, disagreements });
  });
});

describe('the test of disagreements', () => {
  test('is 1 where both sides are alike, and symmetric', () => {
    expect(flakeChangeP({ pairs: 10, disagreements: 0 }, { pairs: 10, disagreements: 0 })).toBe(1);
    const [a, b] = [
      { pairs: 12, disagreements: 1 },
      { pairs: 8, disagreements: 6 },
    ];
    expect(flakeChangeP(a, b)).toBeCloseTo(flakeChangeP(b, a) ?? 2, 12);
  });

  test('agrees with the hypergeometric by hand: 0 of 5 and 5 of 5', () => {
    // P(X = 5) = 1/C(10, 5) = 1/252, its mid-p half of that, two-sided twice that.
    expect(flakeChangeP({ pairs: 5, disagreements: 0 }, { pairs: 5, disagreements: 5 })).toBeCloseTo(1 / 252, 12);
  });

  test('says nothing without a pair on each side', () => {
    expect(flakeChangeP({ pairs: 0, disagreements: 0 }, { pairs: 5, disagreements: 1 })).toBeNull();
  });

  test('names hardly more than its level where nothing changed', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const draw = () => countDisagreements(Array.from({ length: 40 }, () => random() < 0.7));
    const named = Array.from({ length: 2000 }, () => flakeChangeP(draw(), draw()) ?? 1).filter((p) => p <= 0.05);
    expect(named.length / 2000).toBeLessThan(0.065);
    expect(named.length).toBeGreaterThan(0);
  });
});
