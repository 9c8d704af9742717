import { expect, test } from 'vitest';
import { sideOfVariant } from '../../src/compare/side-of-variant.ts';
import type { CellRow } from '../../src/model/record.ts';
import { buildCaseSummary, buildSide } from '../support/build-side.ts';

/** Thirty answers of 10 input tokens that were booked at so much each; the last one has no answer. */
function openSide(booked: number | null, table: number | undefined) {
  const cases = Object.fromEntries(
    Array.from({ length: 30 }, (_, rowIndex) => [
      `c${String(rowIndex).padStart(2, '0')}`,
      buildCaseSummary('c', 'p', { row: { rowIndex, costUsd: rowIndex === 29 ? undefined : booked } }),
    ]),
  );
  const read: number[] = [];
  const passes: number[] = [];
  const usage = { inputTokens: 10, outputTokens: 0 };
  const { recorded } = buildSide({});
  const side = sideOfVariant(
    { recorded, cases: new Map(Object.entries(cases)) },
    {
      source: 'test',
      readRow: (rowIndex) => {
        read.push(rowIndex);
        return { usage } as CellRow;
      },
      readUsage: (rowIndex) => {
        passes.push(rowIndex);
        return usage;
      },
      costOf: (_variant, usage) => (table === undefined || usage === undefined ? undefined : table * usage.inputTokens),
    },
  );
  const costs = Object.values(cases).map(({ trials: [row] }) => (row === undefined ? null : side.costOf?.(row)));
  return { costs: new Set(costs), read: read.length, again: passes.length };
}

test('costs are as they were booked where the table says so of the first answers, without reading the rest', () => {
  expect(openSide(0.1 * 10, 0.1)).toEqual({ costs: new Set([1, undefined]), read: 20, again: 0 });
});

test('costs that the table has another price for are priced again, answer by answer', () => {
  expect(openSide(1, 0.2)).toEqual({ costs: new Set([2, undefined]), read: 1, again: 29 });
});

test('a price that is not known any more, or was not known then, is taken from the table too', () => {
  expect(openSide(1, undefined).costs).toEqual(new Set([null, undefined]));
  expect(openSide(null, 0.1).costs).toEqual(new Set([1, undefined]));
  expect(openSide(null, undefined).costs).toEqual(new Set([null, undefined]));
});
