import { expect, test } from 'vitest';
import type { CellKey } from '../../src/model/cell.ts';
import { CellNumbers } from '../../src/record/cell-numbers.ts';
import fc from '../support/property.ts';

const key: fc.Arbitrary<CellKey> = fc.record({
  suite: fc.constantFrom('a', 'b'),
  prompt: fc.constantFrom('v1', 'v","2'),
  provider: fc.constantFrom('p', 'q'),
  caseId: fc.oneof(fc.constantFrom('x', 'y'), fc.string({ maxLength: 3 })),
  trial: fc.nat({ max: 3 }),
});

test('every cell has the number of its first row, and those that did not come have none', () => {
  fc.assert(
    fc.property(fc.array(key), fc.array(key), (come, others) => {
      const cells = new CellNumbers();
      const numbers = new Map<string, number>();
      const textOf = ({ suite, prompt, provider, caseId, trial }: CellKey) =>
        JSON.stringify([suite, prompt, provider, caseId, trial]);
      for (const one of come) {
        const expected = numbers.get(textOf(one)) ?? numbers.size;
        numbers.set(textOf(one), expected);
        expect(cells.add(one)).toBe(expected);
      }
      expect(cells.length).toBe(numbers.size);
      for (const one of [...come, ...others]) expect(cells.find(one)).toBe(numbers.get(textOf(one)));
    }),
  );
});

test('ten thousand cells are found again', () => {
  const cells = new CellNumbers();
  const keyOf = (index: number): CellKey => ({
    suite: 's',
    prompt: `v${index % 2}`,
    provider: 'p',
    caseId: `case-${Math.floor(index / 10)}`,
    trial: Math.floor(index / 2) % 5,
  });
  const indexes = Array.from({ length: 10_000 }, (_, index) => index);
  expect(indexes.filter((index) => cells.add(keyOf(index)) !== index)).toEqual([]);
  expect(indexes.filter((index) => cells.find(keyOf(index)) !== index)).toEqual([]);
  expect(cells.find({ ...keyOf(0), trial: 5 })).toBeUndefined();
});
