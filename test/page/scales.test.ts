import { describe, expect, test } from 'vitest';
import { linearScale, placeLabels, rateScale } from '../../src/page/overview/scales.ts';

describe('a scale of pass rates', () => {
  test('has 0 at its foot where a rate is 0', () => {
    const scale = rateScale([{ value: 0, low: null, high: null, n: 3 }], [176, 10]);
    expect([scale(0), scale(1), scale.ticks]).toEqual([176, 10, [0, 0.25, 0.5, 0.75, 1]]);
  });

  test('has ticks that are round, whatever sums of fractions give', () => {
    expect(linearScale([0.6, 1], [0, 1]).ticks).toEqual([0.6, 0.7, 0.8, 0.9, 1]);
    expect(linearScale([0, 1], [0, 1], 10).ticks).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  });
});

test('labels of variants with the same figures are not drawn over one another', () => {
  const points = Array.from({ length: 6 }, (_, at) => ({ name: `v${at}`, x: 300, y: 150 }));
  const heights = placeLabels(points, 400).map(({ y }) => y);
  expect(heights.every((y, at) => at === 0 || y - (heights[at - 1] ?? 0) >= 14)).toBe(true);
  expect(heights.every((y) => y > 0 && y < 170)).toBe(true);
});
