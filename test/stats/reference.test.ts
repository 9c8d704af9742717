import { describe, expect, test } from 'vitest';
import { statsMethods } from '../../scripts/stats-methods.ts';
import { checkReference, parseReference } from '../../scripts/stats-reference.ts';

describe('the checker of reference values', () => {
  const wilson = { id: 'w', method: 'wilson', input: { passes: 0, n: 1, alpha: 0.05 } };

  test('knows 52 methods', () => {
    expect(statsMethods.size).toBe(52);
  });

  test('passes what is within the tolerance and fails what is not', () => {
    const expected = { lower: 0, upper: 0.793450685622763 };
    expect(checkReference([{ ...wilson, expected, tol: 1e-9 }])).toEqual([]);
    expect(checkReference([{ ...wilson, expected: { ...expected, upper: 0.79 }, tol: 1e-9 }])).toMatchObject([
      { id: 'w', field: 'upper', expected: 0.79 },
    ]);
    expect(checkReference([{ ...wilson, expected: { ...expected, upper: 0.79 }, tol: 0.01 }])).toEqual([]);
  });

  test('takes null, strings and missing fields exactly', () => {
    expect(checkReference([{ ...wilson, expected: { lower: null }, tol: 1 }])).toMatchObject([{ field: 'lower' }]);
    expect(checkReference([{ ...wilson, expected: { other: null }, tol: 1 }])).toMatchObject([{ field: 'other' }]);
    expect(checkReference([{ ...wilson, expected: { lower: '0' }, tol: 1 }])).toMatchObject([{ field: 'lower' }]);
  });

  test('compares lists item by item', () => {
    const holm = { id: 'h', method: 'holm', input: { p: [0.01, 0.5] }, tol: 1e-9 };
    expect(checkReference([{ ...holm, expected: { adjusted: [0.02, 0.5] } }])).toEqual([]);
    expect(checkReference([{ ...holm, expected: { adjusted: [0.02, 0.6] } }])).toMatchObject([
      { field: 'adjusted[1]', got: 0.5 },
    ]);
    expect(checkReference([{ ...holm, expected: { adjusted: [0.02] } }])).toMatchObject([{ field: 'adjusted' }]);
  });

  test('fails an unknown method and a refused input', () => {
    expect(checkReference([{ ...wilson, method: 'constructor', expected: {}, tol: 1 }])).toMatchObject([
      { field: 'method', got: 'constructor' },
    ]);
    expect(
      checkReference([{ ...wilson, input: { passes: 2, n: 1, alpha: 0.05 }, expected: {}, tol: 1 }]),
    ).toMatchObject([{ field: 'answer' }]);
    expect(checkReference([{ ...wilson, input: 'none', expected: {}, tol: 1 }])).toMatchObject([{ field: 'answer' }]);
  });

  test('says why a file holds no reference values', () => {
    expect(parseReference('{')).toContain('not JSON');
    expect(parseReference('[]')).toContain('expected object');
    expect(parseReference('{"cases": []}')).toContain('cases');
  });
});
