import { expect, test } from 'vitest';
import { testErosion } from '../../src/stats/trend.ts';

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
