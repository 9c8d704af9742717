import { expect, test } from 'vitest';
import { createRandom } from '../../src/text/random.ts';

function draw(seed: number, count: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random());
}

test('the same seed gives the same numbers', () => {
  expect(draw(42, 5)).toEqual(draw(42, 5));
  expect(draw(42, 3)).toEqual(draw(42, 5).slice(0, 3));
});

test('neighbouring seeds share nothing', () => {
  const first = new Set(draw(1, 1000));
  expect(draw(2, 1000).filter((value) => first.has(value))).toEqual([]);
});

test('seeds beyond 32 bits give different numbers', () => {
  expect(draw(1, 3)).not.toEqual(draw(2 ** 32 + 1, 3));
});

test('numbers fill [0, 1) evenly', () => {
  const values = draw(7, 20_000);
  const tenths = Array.from(
    { length: 10 },
    (_, tenth) => values.filter((value) => Math.floor(value * 10) === tenth).length,
  );
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
});
