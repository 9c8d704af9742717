import { expect, test } from 'vitest';
import { sideOfVariant } from '../../src/compare/pair-cases.ts';
import { buildCaseSummary, buildSide } from '../support/build-side.ts';

/** Thirty answers of 10 input tokens that were booked at so much each; the last one has no answer. */
function costsOf(booked: number | null, table: number | undefined) {
  const usage = { inputTokens: 10, outputTokens: 0 };
  const cases = Object.fromEntries(
    Array.from({ length: 30 }, (_, rowIndex) => [
      `c${String(rowIndex).padStart(2, '0')}`,
      buildCaseSummary('c', 'p', { row: { usage, costUsd: rowIndex === 29 ? undefined : booked } }),
    ]),
  );
  const { recorded } = buildSide({});
  const side = sideOfVariant(
    { recorded, cases: new Map(Object.entries(cases)) },
    {
      source: 'test',
      readRow: (rowIndex) => {
        throw new Error(`row ${rowIndex} was read`);
      },
      costOf: (_variant, usage) => (table === undefined || usage === undefined ? undefined : table * usage.inputTokens),
    },
  );
  return new Set(Object.values(cases).map(({ trials: [row] }) => (row === undefined ? null : side.costOf?.(row))));
}

test('costs are as they were booked where the table says so of the first answers, and no row is read', () => {
  expect(costsOf(0.1 * 10, 0.1)).toEqual(new Set([1, undefined]));
});

test('costs that the table has another price for are priced again, answer by answer', () => {
  expect(costsOf(1, 0.2)).toEqual(new Set([2, undefined]));
});

test('a price that is not known any more, or was not known then, is taken from the table too', () => {
  expect(costsOf(1, undefined)).toEqual(new Set([null, undefined]));
  expect(costsOf(null, 0.1)).toEqual(new Set([1, undefined]));
  expect(costsOf(null, undefined)).toEqual(new Set([null, undefined]));
});
