import { describe, expect, test } from 'vitest';
import type { MetricEvidence } from '../../src/model/comparison/comparison.ts';
import { decideHypothesis, findHypotheses, type Hypothesis } from '../../src/verdict/gate/judge-metrics.ts';
import { openGate } from '../support/build-case.ts';
import { buildCaseSummary, buildSide, compareSides, repeatCase } from '../support/build-side.ts';

const evidence = (low: number | null, high: number | null, p: number | null, worstLow?: number): MetricEvidence => ({
  baseline: 1,
  candidate: 1,
  delta: 0,
  low,
  high,
  p,
  n: 20,
  ...(worstLow === undefined ? {} : { worstLow }),
});

function decide(found: MetricEvidence, options: Partial<Hypothesis> = {}) {
  const { margin = 0.05, isRatio = false } = options;
  const plain = { metric: 'passRate', code: 'pass-rate-regressed', level: 'fail', p: found.p } as const;
  return decideHypothesis({ ...plain, evidence: found, margin, isRatio }, found.p, 0.05);
}

describe('a drop of the pass rate', () => {
  test.each([
    ['excluded beyond the margin', evidence(-0.05, 0.1, 0.4), 'not_regressed'],
    ['excluded, though it is significant', evidence(-0.04, -0.01, 0.001), 'not_regressed'],
    ['not excluded and significant', evidence(-0.3, -0.1, 0.025), 'regressed'],
    ['not excluded and not significant', evidence(-0.3, -0.1, 0.0251), 'inconclusive'],
    ['not excluded, with an interval that holds 0', evidence(-0.3, 0, 0.01), 'inconclusive'],
    ['excluded, unless the errors hide it', evidence(-0.04, 0.1, 0.4, -0.06), 'inconclusive'],
    ['excluded, errors and all', evidence(-0.04, 0.1, 0.4, -0.05), 'not_regressed'],
    ['of which there is no evidence', evidence(null, null, null), 'inconclusive'],
  ])('%s', (_name, found, verdict) => {
    expect(decide(found)).toBe(verdict);
  });
});

describe('two separate samples', () => {
  const apart = (low: number, high: number, p: number): MetricEvidence => ({
    ...evidence(low, high, p),
    n: 0,
    isUnpaired: true,
  });

  test.each([
    ['can show a drop', apart(-0.3, -0.1, 0.001), 'regressed'],
    ['can not show that there is none', apart(-0.01, 0.02, 0.5), 'inconclusive'],
    ['can not certify a small one', apart(-0.04, -0.01, 0.03), 'inconclusive'],
  ])('%s', (_name, found, verdict) => {
    expect(decide(found)).toBe(verdict);
  });
});

describe('an increase of the cost', () => {
  test.each([
    ['excluded beyond the margin', evidence(-0.1, 0.1, 0.4), 'not_regressed'],
    ['not excluded and significant', evidence(0.05, 0.3, 0.01), 'regressed'],
    ['not excluded and not significant', evidence(-0.05, 0.3, 0.2), 'inconclusive'],
    ['of which there is no evidence', evidence(null, null, null), 'inconclusive'],
  ])('%s', (_name, found, verdict) => {
    expect(decide(found, { margin: 0.1, isRatio: true })).toBe(verdict);
  });
});

describe('the claims that are tested', () => {
  const sides = [buildSide(repeatCase(10, 'p')), buildSide(repeatCase(10, 'p'))] as const;
  const describeAll = (...args: Parameters<typeof findHypotheses>) =>
    findHypotheses(...args).map(({ metric, margin, level }) => [metric, margin, level]);

  test('are those of the defaults, of which cost only warns', () => {
    expect(describeAll(compareSides(...sides), openGate)).toEqual([
      ['passRate', 0.05, 'fail'],
      ['cost', 0.1, 'warn'],
    ]);
  });

  test('are what the suite wrote, and those fail', () => {
    const gate = {
      ...openGate,
      passRate: { maxDrop: 0.1 },
      cost: { maxIncrease: 0.3 },
      latency: { maxIncrease: 0.4 },
    };
    expect(describeAll(compareSides(...sides, { latencyComparable: true }), gate)).toEqual([
      ['passRate', 0.1, 'fail'],
      ['cost', 0.3, 'fail'],
      ['latency', 0.4, 'fail'],
    ]);
  });

  test('leave latency out where it is not comparable, and take the score where it says more than pass or fail', () => {
    const scored = buildSide({ a: buildCaseSummary('a', 'p', { row: { score: 0.7 } }) });
    const gate = { ...openGate, latency: { maxIncrease: 0.4 }, score: { maxDrop: 0.2 } };
    expect(describeAll(compareSides(scored, scored), gate)).toEqual([
      ['passRate', 0.05, 'fail'],
      ['score', 0.2, 'fail'],
      ['cost', 0.1, 'warn'],
    ]);
  });
});
