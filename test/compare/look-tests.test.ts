import { describe, expect, test } from 'vitest';
import { clearedAt, flaggedAt, type TrialPair } from '../../src/compare/confirm/judge-average.ts';
import type { RetriedCase, TrialRow } from '../../src/compare/confirm/judge-retrials.ts';
import { createLookTest } from '../../src/compare/gate/find-averages.ts';
import { findHypotheses } from '../../src/compare/gate/judge-metrics.ts';
import { openGate } from '../support/build-case.ts';
import { buildCaseSummary, buildSide, compareSides, repeatCase } from '../support/build-side.ts';

test('a look at the pass rate counts the cases of a group as one', () => {
  const ids = Object.keys(repeatCase(10, 'p'));
  const pOf = (groupOf: (index: number) => string | undefined) => {
    const side = buildSide(
      Object.fromEntries(ids.map((id, index) => [id, buildCaseSummary(id, 'p', { group: groupOf(index) })])),
    );
    const compared = compareSides(side, side);
    const [hypothesis] = findHypotheses(compared, openGate);
    if (hypothesis === undefined) throw new Error('no hypothesis');
    const cases = ids.map((id): RetriedCase => ({ id, caseId: id, planned: [], candidate: [], accepted: [] }));
    const pairs = ids.map(
      (_, index): TrialPair => ({
        accepted: [{ status: 'passed', score: 1, costUsd: 0 }],
        candidate: [{ status: index < 8 ? 'failed' : 'passed', score: index < 8 ? 0 : 1, costUsd: 0 }],
      }),
    );
    return createLookTest(hypothesis, compared, openGate)(cases, pairs) ?? 1;
  };
  expect(pOf(() => undefined)).toBeLessThan(0.01);
  expect(pOf((index) => (index < 5 ? 'a' : 'b'))).toBeGreaterThan(0.01);
});

describe('a look at the cost', () => {
  const compared = compareSides(buildSide(repeatCase(10, 'p')), buildSide(repeatCase(10, 'p')));
  const gate = { ...openGate, cost: { maxIncrease: 0.1 } };
  const hypothesis = findHypotheses(compared, gate).find(({ metric }) => metric === 'cost');
  const pOf = (costs: readonly (readonly [number, number])[]): number | null => {
    if (hypothesis === undefined) throw new Error('no hypothesis');
    const row = (costUsd: number): TrialRow => ({ status: 'passed', score: 1, costUsd });
    const pairs = costs.map(([a, b]): TrialPair => ({ accepted: [row(a)], candidate: [row(b)] }));
    const cases = costs.map((_, index): RetriedCase => {
      const id = `c${index}`;
      return { id, caseId: id, planned: [], candidate: [], accepted: [] };
    });
    return createLookTest(hypothesis, compared, gate)(cases, pairs);
  };
  const rising = Array.from({ length: 10 }, (_, index) => [100, 130 + index] as const);

  test('confirms by the signed rank test where the totals rose too', () => {
    expect(pOf(rising)).toBeCloseTo(2 ** -10, 12);
  });

  test('leaves open what one expensive answer hides from the totals', () => {
    const p = pOf([...rising, [100_000, 90_000]]);
    expect(p).toBeGreaterThan(flaggedAt);
    expect(p).toBeLessThan(clearedAt);
  });

  test('clears what did not rise in most cases', () => {
    expect(pOf(rising.map(([a, b], index) => (index % 2 === 0 ? [a, b] : [b, a])))).toBeGreaterThan(clearedAt);
    expect(pOf(rising.map(([a]) => [a, a]))).toBe(1);
  });

  test('counts each of fewer than six cases', () => {
    expect(pOf(rising.slice(0, 5))).toBe(0);
    expect(pOf([...rising.slice(0, 4), [100, 100]])).toBe(1);
    expect(pOf([...rising.slice(0, 4), [100, 109]])).toBe(1);
  });

  test('of what was free tells something from nothing', () => {
    expect(pOf(rising.map(([, b]) => [0, b]))).toBe(0);
    expect(pOf(rising.map(() => [0, 0]))).toBe(1);
  });
});
