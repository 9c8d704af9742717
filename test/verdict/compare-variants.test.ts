import { describe, expect, test } from 'vitest';
import type { CaseSummary, RowSummary } from '../../src/model/run/summary.ts';
import { openGate } from '../support/build-case.ts';
import { buildCaseSummary, buildSide, compareSides, repeatCase } from '../support/build-side.ts';
import fc from '../support/property.ts';

const changesOf = (...sides: Parameters<typeof compareSides>) =>
  Object.fromEntries(Array.from(compareSides(...sides).cases.values(), ({ caseId, change }) => [caseId, change]));

describe('pairing', () => {
  test('is by case and hash: position never enters', { tags: ['slow'] }, () => {
    const outcomes = fc.stringMatching(/^[pfe]{1,3}$/);
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.tuple(outcomes, outcomes), { maxKeys: 12 }),
        fc.infiniteStream(fc.nat()),
        (pairs, order) => {
          const entries = Object.entries(pairs);
          const shuffled = entries
            .map((entry) => ({ entry, at: order.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ entry }) => entry);
          const side = (list: typeof entries, pick: 0 | 1) =>
            buildSide(Object.fromEntries(list.map(([id, pair]) => [`id ${id}`, pair[pick]])));
          const { baseline: _a, candidate: _b, ...plain } = compareSides(side(entries, 0), side(entries, 1));
          const { baseline: _c, candidate: _d, ...mixed } = compareSides(side(shuffled, 0), side(entries, 1));
          expect(mixed).toEqual(plain);
        },
      ),
    );
  });

  test('keeps added, removed and redefined cases out of the rate', () => {
    const other = buildCaseSummary('c', 'f', { caseHash: 'other' });
    const compared = compareSides(buildSide({ a: 'p', b: 'p', c: 'p' }), buildSide({ b: 'p', c: other, d: 'f' }));
    expect(Array.from(compared.cases.values(), ({ caseId, change }) => [caseId, change])).toEqual([
      ['a', 'removed'],
      ['b', 'stillPassing'],
      ['c', 'redefined'],
      ['d', 'added'],
    ]);
    expect([compared.passRate.n, compared.passRate.delta]).toEqual([1, 0]);
  });

  test('calls nothing removed where the candidate ran on a part of the cases', () => {
    expect(changesOf(buildSide({ a: 'p', b: 'p' }), buildSide({ a: 'p' }), { isWhole: false })).toEqual({
      a: 'stillPassing',
    });
  });

  test('leaves observed cases out, on either way', () => {
    const observed = (id: string) => buildCaseSummary(id, 'f', { observe: true });
    expect(changesOf(buildSide({ a: 'p' }), buildSide({ a: observed('a'), b: observed('b') }))).toEqual({});
  });

  test('of no common case has no numbers but the rates of the two sides', () => {
    const { passRate, costUsd, latencyMs, planning } = compareSides(buildSide({ a: 'p' }), buildSide({ b: 'p' }));
    expect(passRate).toMatchObject({ baseline: 1, candidate: 1, delta: 0, n: 0, isUnpaired: true });
    for (const metric of [costUsd, latencyMs]) {
      expect(metric).toMatchObject({ baseline: null, candidate: null, delta: null, low: null, high: null, n: 0 });
    }
    expect(planning.repeats).toBeNull();
  });
});

describe('the pass rate', () => {
  test('is the mean over cases of their valid trials, whatever confirmations said', () => {
    const { passRate } = compareSides(
      buildSide({ a: 'pp', b: 'pf', c: 'p' }),
      buildSide({ a: 'ppp', b: 'fe', c: 'f+ppp' }),
    );
    expect([passRate.baseline, passRate.candidate, passRate.n]).toEqual([(1 + 0.5 + 1) / 3, 1 / 3, 3]);
    expect(passRate.delta).toBeCloseTo(1 / 3 - 2.5 / 3, 12);
  });

  test('of one side is that of the other with its sign turned', { tags: ['slow'] }, () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('p', 'f'), fc.constantFrom('p', 'f')), { minLength: 1 }),
        (list) => {
          const side = (pick: 0 | 1) =>
            buildSide(Object.fromEntries(list.map((pair, index) => [`c${index}`, pair[pick]])));
          const there = compareSides(side(0), side(1)).passRate;
          const back = compareSides(side(1), side(0)).passRate;
          expect(there.delta).toBeCloseTo(-(back.delta ?? Number.NaN), 12);
          expect(there.low).toBeCloseTo(-(back.high ?? Number.NaN), 9);
        },
      ),
    );
  });

  test('with errors is also bounded as if they had failed, and never better', () => {
    const clean = compareSides(buildSide(repeatCase(100, 'p')), buildSide(repeatCase(100, 'p')));
    expect(clean.passRate).not.toHaveProperty('worstLow');
    const candidate = buildSide({ ...repeatCase(100, 'p'), 'case-000': 'e', 'case-001': 'pe' });
    const { passRate, errors } = compareSides(buildSide(repeatCase(100, 'p')), candidate);
    expect(passRate.n).toBe(99);
    expect(passRate.worstLow).toBeLessThan(passRate.low ?? -1);
    expect(errors).toEqual({ baseline: 0, candidate: 2, share: 2 / 101 });
  });

  test('takes an errored baseline trial for a pass', () => {
    const baseline = buildSide({ ...repeatCase(50, 'p'), 'case-000': 'e' });
    const candidate = buildSide({ ...repeatCase(50, 'p'), 'case-000': 'f' });
    const { passRate } = compareSides(baseline, candidate);
    expect(passRate.delta).toBe(0);
    expect(passRate.worstLow).toBeLessThan(passRate.low ?? -1);
  });
});

describe('the score', () => {
  const scored = (id: string, outcomes: string, score: number) => buildCaseSummary(id, outcomes, { row: { score } });

  test('is left out where it is pass or fail again', () => {
    expect(compareSides(buildSide({ a: 'pf' }), buildSide({ a: 'ff' }))).not.toHaveProperty('score');
  });

  test('is compared by its own margin, with errors against it', () => {
    const sides = (before: number, after: number) =>
      [before, after].map((score) =>
        buildSide(Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`c${n}`, scored(`c${n}`, 'p', score + n / 100)]))),
      );
    const [baseline = buildSide({}), candidate = buildSide({})] = sides(0.8, 0.6);
    const { score, scorePlanning } = compareSides(baseline, candidate, { scoreMargin: 0.3 });
    expect(score?.delta).toBeCloseTo(-0.2, 12);
    expect(score).not.toHaveProperty('worstLow');
    expect(scorePlanning).not.toEqual(compareSides(baseline, candidate, { scoreMargin: 0.01 }).scorePlanning);
    const errored = buildSide({ ...Object.fromEntries(candidate.cases), c1: 'e' });
    const worse = compareSides(baseline, errored).score;
    expect(worse?.worstLow).toBeLessThan(worse?.low ?? -1);
  });
});

describe('the cost', () => {
  const priced = (costs: readonly (number | null | undefined)[]) =>
    buildSide(
      Object.fromEntries(
        costs.map((costUsd, index) => [`c${index}`, buildCaseSummary(`c${index}`, 'p', { row: { costUsd } })]),
      ),
    );

  test('is a ratio of totals with its interval', () => {
    const { costUsd, isCostUnknown } = compareSides(priced([1, 2, 3, 4]), priced([2.1, 3.9, 6.2, 7.8]));
    expect([costUsd.baseline, costUsd.candidate, costUsd.n, isCostUnknown]).toEqual([10, 20, 4, false]);
    expect(costUsd.delta).toBeCloseTo(1, 12);
    expect(costUsd.low).toBeGreaterThan(0.8);
    expect(costUsd.high).toBeLessThan(1.2);
    // Four cases are too few for the test over ranks, so each must have risen beyond the margin.
    expect(costUsd.everyCaseRose).toBe(true);
    expect(compareSides(priced([1, 2, 3, 4]), priced([1.05, 3.9, 6.2, 7.8])).costUsd.everyCaseRose).toBe(false);
  });

  test('of answers that were free and now cost something counts as the largest rise', () => {
    const before = [1, 1, 0, 0, 0, 0, 0, 0];
    const risen = compareSides(priced(before), priced([1.1, 1.2, 3, 4, 5, 6, 7, 8])).costUsd;
    expect(risen.p).toBeLessThan(0.025);
    const fallen = compareSides(priced([1.1, 1.2, 3, 4, 5, 6, 7, 8]), priced(before)).costUsd;
    expect(fallen.p).toBeGreaterThan(0.9);
  });

  test('of one very expensive answer does not show that costs rose', () => {
    const before = [1, 1.1, 1.2, 1.3, 1.4, 1.5, 100];
    const { costUsd } = compareSides(priced(before), priced([0.99, 1.08, 1.19, 1.26, 1.33, 1.49, 900]));
    expect(costUsd.delta).toBeGreaterThan(7);
    expect(costUsd.p).toBeGreaterThan(0.5);
    expect(costUsd.everyCaseRose).toBeUndefined();
  });

  test('that changed alike in every case is certain', () => {
    const { costUsd } = compareSides(priced([1, 2, 3]), priced([2, 4, 6]));
    expect(costUsd).toMatchObject({ delta: 1, low: 1, high: 1, p: 0 });
    expect(compareSides(priced([1, 2, 3]), priced([1, 2, 3])).costUsd).toMatchObject({
      delta: 0,
      low: 0,
      high: 0,
      p: 1,
    });
  });

  test('of nothing on both sides has not changed, from nothing to something has no ratio', () => {
    expect(compareSides(priced([0, 0]), priced([0, 0])).costUsd).toMatchObject({ delta: 0, low: 0, high: 0 });
    expect(compareSides(priced([0, 0]), priced([1, 1])).costUsd).toMatchObject({ delta: null, low: null, high: null });
  });

  test('of one case has no interval', () => {
    expect(compareSides(priced([1]), priced([2])).costUsd).toMatchObject({ delta: 1, low: null, high: null, n: 1 });
  });

  test('is unknown as soon as one answer is unpriced, and never 0', () => {
    for (const sides of [
      [priced([1, 2]), priced([1, null])],
      [priced([null, 2]), priced([1, 2])],
    ] as const) {
      expect(compareSides(...sides)).toMatchObject({ costUsd: { delta: null, n: 0 }, isCostUnknown: true });
    }
    const { costUsd, isCostUnknown } = compareSides(priced([1, 2]), priced([1, undefined]));
    expect([costUsd.n, isCostUnknown]).toEqual([1, false]);
  });

  test('is priced by the table of the side, not as it was booked', () => {
    const baseline = { ...priced([1, 2]), costOf: () => 5 };
    expect(compareSides(baseline, priced([5, 5])).costUsd).toMatchObject({ baseline: 10, candidate: 10, delta: 0 });
    const unpriced = { ...priced([1, 2]), costOf: () => null };
    expect(compareSides(unpriced, priced([1, 2])).isCostUnknown).toBe(true);
  });

  test('of two baselines is that of their average answers, as often as the second has one', () => {
    /** Of accepted runs whose answers took so many tokens on average; a case's errored trial has no answer. */
    const accepted = (outcomes: readonly string[], inputTokens: number) => ({
      ...buildSide(
        Object.fromEntries(
          outcomes.map((word, index) => {
            const { trials, ...found } = buildCaseSummary(`c${index}`, word);
            const pooled = {
              runs: 2,
              trials: 2,
              failures: 0,
              score: { n: 2, mean: 1, squares: 0 },
              answered: 2,
              answers: [],
              usage: { inputTokens: index === 0 ? inputTokens : 1, outputTokens: 0 },
            };
            const answered = trials.map((row) => (row.status === 'errored' ? row : { ...row, answerHash: 'hash' }));
            return [`c${index}`, { ...found, pooled, trials: answered }];
          }),
        ),
      ),
      costOf: ({ usage }: Pick<RowSummary, 'usage'>) => usage?.inputTokens ?? null,
    });
    const { costUsd } = compareSides(accepted(['ppp', 'p'], 10), accepted(['pe', 'pp'], 20));
    expect([costUsd.baseline, costUsd.candidate, costUsd.n]).toEqual([10 + 2, 20 + 2, 2]);
  });
});

test('cases are paired by id, in whatever order the sides hold them', () => {
  const ids = ['b', 'a', 'd', 'c', 'a-1'];
  const side = (order: readonly string[]) => buildSide(Object.fromEntries(order.map((id) => [id, 'p'])));
  const { cases } = compareSides(side(ids), side([...ids.slice(1), 'e'].reverse()));
  expect(Array.from(cases.values(), ({ caseId, change }) => `${caseId} ${change}`)).toEqual([
    'a stillPassing',
    'a-1 stillPassing',
    'b removed',
    'c stillPassing',
    'd stillPassing',
    'e added',
  ]);
});

describe('the latency', () => {
  const ranNow = { latencyComparable: true };
  const timed = (times: readonly number[]) =>
    buildSide(
      Object.fromEntries(
        times.map((latencyMs, index) => [`c${index}`, buildCaseSummary(`c${index}`, 'p', { row: { latencyMs } })]),
      ),
    );

  test('is the median ratio over cases with its interval', () => {
    const times = [100, 150, 200, 300, 500, 800, 900];
    const { latencyMs } = compareSides(timed(times), timed(times.map((time) => time * 1.5)), ranNow);
    expect(latencyMs.delta).toBeCloseTo(0.5, 9);
    expect([latencyMs.baseline, latencyMs.candidate, latencyMs.n]).toEqual([300, 450, 7]);
    expect(latencyMs.p).toBeLessThan(0.025);
  });

  test('of fewer than six cases has no interval', () => {
    const { latencyMs } = compareSides(timed([100, 200]), timed([200, 400]), ranNow);
    expect([latencyMs.low, latencyMs.high]).toEqual([null, null]);
  });

  test('of another day is shown, and nothing is said of the difference', () => {
    const { latencyMs, latencyComparable } = compareSides(timed([100, 200, 300]), timed([200, 400, 600]));
    expect(latencyComparable).toBe(false);
    expect(latencyMs).toMatchObject({ baseline: 200, candidate: 400, delta: null, low: null, high: null, p: null });
  });
});

test('answers are the very ones of the baseline only where they are the same and came from the cache', () => {
  const answered = (cached: boolean, answerId: string | undefined, outcomes = 'pp'): CaseSummary =>
    buildCaseSummary('a', outcomes, { row: { cached, answerId } });
  const count = (candidate: CaseSummary) => {
    const compared = compareSides(buildSide({ a: answered(false, 'x') }), buildSide({ a: candidate }));
    return [compared.sameAnswers, compared.answers];
  };
  expect(count(answered(true, 'x'))).toEqual([2, 2]);
  expect(count(answered(false, 'x'))).toEqual([0, 2]);
  expect(count(answered(true, 'y'))).toEqual([0, 2]);
  expect(count(answered(true, undefined))).toEqual([0, 2]);
  expect(count(answered(true, 'x', 'pp+p'))).toEqual([3, 3]);
});

test('what differs besides the prompt is listed', () => {
  const baseline = buildSide({ a: 'p' }, { params: { seed: 1, top_p: 0.5 } });
  const candidate = { ...buildSide({ a: 'p' }, { params: { seed: 2 }, model: 'gpt-5' }), models: ['gpt-5-0101'] };
  expect(compareSides({ ...baseline, models: ['gpt-4o-mini-0718'] }, candidate).unmatched).toEqual([
    'model: openai:gpt-4o-mini → openai:gpt-5',
    'model snapshot: gpt-4o-mini-0718 → gpt-5-0101',
    'params.seed: 1 → 2',
    'params.top_p: 0.5 → none',
  ]);
});

test('the scope of the suite takes the cases as all that there are', () => {
  const sides = [buildSide(repeatCase(20, 'ppppp')), buildSide(repeatCase(20, 'ppppp'))] as const;
  const population = compareSides(...sides).passRate.low ?? -1;
  const suite = compareSides(...sides, { gate: { ...openGate, scope: 'suite' } }).passRate.low ?? -1;
  expect([population < -0.16, suite > -0.04]).toEqual([true, true]);
});
