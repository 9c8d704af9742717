import { describe, expect, test } from 'vitest';
import type { ClassPolicy } from '../../src/model/suite/classes.ts';
import { selectionId } from '../../src/record/count-classes.ts';
import { flaggedAtP, type LookedCase } from '../../src/verdict/confirm/average-looks.ts';
import type { TrialRow } from '../../src/verdict/confirm/case-evidence.ts';
import { createLookTest, findAskedClaims, isAbout, testDrift } from '../../src/verdict/gate/flag-averages.ts';
import { findHypotheses, type Hypothesis } from '../../src/verdict/gate/judge-metrics.ts';
import { openGate } from '../support/build-case.ts';
import { buildTrial } from '../support/build-flagged.ts';
import { buildGated, unavailable, unchanged } from '../support/build-gated.ts';
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
    const looked = ids.map(
      (caseId, index): LookedCase => ({
        caseId,
        accepted: [{ status: 'passed', score: 1, costUsd: 0 }],
        candidate: [{ status: index < 8 ? 'failed' : 'passed', score: index < 8 ? 0 : 1, costUsd: 0 }],
      }),
    );
    return createLookTest(hypothesis, compared, { ...openGate, asksAccepted: true })(looked) ?? 1;
  };
  expect(pOf(() => undefined)).toBeLessThan(0.01);
  expect(pOf((index) => (index < 5 ? 'a' : 'b'))).toBeGreaterThan(0.01);
});

/** The first look clears an average from this p on. */
const clearedAtFirstLook = 0.5;

describe('a look at the cost', () => {
  const compared = compareSides(buildSide(repeatCase(10, 'p')), buildSide(repeatCase(10, 'p')));
  const gate = { ...openGate, cost: { maxIncrease: 0.1 } };
  const hypothesis = findHypotheses(compared, gate).find(({ metric }) => metric === 'cost');
  const pOf = (costs: readonly (readonly [number, number])[]): number | null => {
    if (hypothesis === undefined) throw new Error('no hypothesis');
    const row = (costUsd: number): TrialRow => ({ status: 'passed', score: 1, costUsd });
    const looked = costs.map(
      ([a, b], index): LookedCase => ({ caseId: `c${index}`, accepted: [row(a)], candidate: [row(b)] }),
    );
    return createLookTest(hypothesis, compared, { ...gate, asksAccepted: true })(looked);
  };
  const rising = Array.from({ length: 10 }, (_, index) => [100, 130 + index] as const);

  test('confirms by the signed rank test where the totals rose too', () => {
    expect(pOf(rising)).toBeCloseTo(2 ** -10, 12);
  });

  test('leaves open what one expensive answer hides from the totals', () => {
    const p = pOf([...rising, [100_000, 90_000]]);
    expect(p).toBeGreaterThan(flaggedAtP);
    expect(p).toBeLessThan(clearedAtFirstLook);
  });

  test('clears what did not rise in most cases', () => {
    expect(pOf(rising.map(([a, b], index) => (index % 2 === 0 ? [a, b] : [b, a])))).toBeGreaterThanOrEqual(
      clearedAtFirstLook,
    );
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

const found = { kind: 'field', path: 'route' } as unknown as ClassPolicy['found'];
const classes: ClassPolicy = { truth: '', found, names: ['legal', 'spam'], recall: {}, precision: {}, f1: {} };
const clean = compareSides(buildSide(repeatCase(10, 'p')), buildSide(repeatCase(10, 'p')));

/** The p of a metric over as many cases, each with the rows of both sides. */
function lookAt(
  metric: string,
  sides: readonly (readonly [readonly Partial<TrialRow>[], readonly Partial<TrialRow>[]])[],
) {
  const hypothesis = { metric, margin: 0.1 } as unknown as Hypothesis;
  const rows = (list: readonly Partial<TrialRow>[]) =>
    list.map((row): TrialRow => ({ status: 'passed', score: 1, costUsd: 1, ...row }));
  const looked = sides.map(
    ([a, b], index): LookedCase => ({ caseId: `c${index}`, accepted: rows(a), candidate: rows(b) }),
  );
  return createLookTest(hypothesis, clean, { ...openGate, classes, asksAccepted: true })(looked);
}
const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

describe('a look at another metric', () => {
  test('takes costs and steps as means of the answers that have one', () => {
    const cost = (...usd: readonly (number | null | undefined)[]) => usd.map((costUsd) => ({ costUsd }));
    expect(lookAt('cost', times(5, [cost(1, 3), cost(2, 2)]))).toBe(1);
    expect(lookAt('cost', times(5, [cost(1, 3), cost(2, 3)]))).toBe(0);
    expect(lookAt('cost', times(5, [cost(1, undefined), cost(2)]))).toBe(0);
    expect(
      lookAt('cost', [
        [cost(1), cost(2)],
        [cost(undefined), cost(9)],
      ]),
    ).toBe(0);
    expect(
      lookAt('cost', [
        [cost(1), cost(2)],
        [cost(1), cost(null)],
      ]),
    ).toBeNull();
    expect(
      lookAt('cost', [
        [cost(1), cost(2)],
        [cost(null), cost(1)],
      ]),
    ).toBeNull();
    expect(lookAt('cost', times(3, [cost(undefined), cost(1)]))).toBeNull();
    const steps = (...counts: readonly number[]) => counts.map((count) => ({ steps: count }));
    expect(lookAt('steps', times(5, [steps(2, 4), steps(3, 3)]))).toBe(1);
    expect(lookAt('steps', times(5, [steps(2, 4), steps(4, 3)]))).toBe(0);
    // Six cases are tested.
    const tested = lookAt('steps', times(6, [steps(2), steps(4)]));
    expect(tested).toBeGreaterThan(0);
    expect(tested).toBeLessThan(0.02);
  });

  test('takes scores, verdicts and classes, each for its own metric', () => {
    const [passed, failed]: Partial<TrialRow>[] = [{}, { status: 'failed' }];
    const low = { score: 0.2 };
    const named = (truth: string, name: string): Partial<TrialRow> => ({
      classified: { truth, found: name, by: selectionId(found) },
    });
    const ps = (metric: string, before: Partial<TrialRow>, after: Partial<TrialRow>) =>
      lookAt(metric, times(8, [[before], [after]])) ?? -1;
    expect(ps('passRate', passed ?? {}, failed ?? {})).toBeLessThan(0.01);
    expect(ps('passRate', {}, low)).toBeGreaterThan(0.4);
    expect(ps('score', {}, low)).toBeLessThan(0.01);
    expect(ps('score', {}, failed ?? {})).toBeGreaterThan(0.4);
    expect(ps('recall', named('legal', 'legal'), named('legal', 'spam'))).toBeLessThan(0.01);
    expect(ps('recall', named('legal', 'legal'), {})).toBeLessThan(0.01);
    expect(ps('recall', named('legal', 'spam'), named('legal', 'spam'))).toBeGreaterThan(0.4);
    expect(ps('f1', named('legal', 'legal'), named('legal', 'spam'))).toBeLessThan(0.05);
    expect(ps('f1', named('legal', 'legal'), named('legal', 'legal'))).toBeGreaterThan(0.4);
  });
});

test('a metric is of the cases of its slice or class', () => {
  const about = (claim: Partial<Hypothesis>, more: object) =>
    isAbout(claim as Hypothesis, { ...buildCaseSummary('a', 'p'), ...more });
  expect(about({}, {})).toBe(true);
  expect([
    about({ slice: 'vip' }, { slices: ['eu', 'vip'] }),
    about({ slice: 'vip' }, { slices: ['eu'] }),
    about({ slice: 'vip' }, {}),
  ]).toEqual([true, false, false]);
  const row = { classified: { truth: 'legal', by: 'x' } };
  const ofClass = buildCaseSummary('a', 'p', { row });
  expect([
    about({ class: 'legal' }, ofClass),
    about({ class: 'spam' }, ofClass),
    about({ class: 'legal' }, {}),
  ]).toEqual([true, false, false]);
});

test('a look without the accepted prompt compares fresh trials with the accepted ones', () => {
  const before = buildSide({ ...repeatCase(10, 'p'), 'case-009': 'f' });
  const compared = compareSides(before, before);
  const [hypothesis] = findHypotheses(compared, openGate);
  if (hypothesis === undefined) throw new Error('no hypothesis');
  const pOf = (failed: number) => {
    const looked = [...before.cases.keys()].map(
      (caseId, index): LookedCase => ({ caseId, accepted: [], candidate: [buildTrial(index < failed ? 'f' : 'p')] }),
    );
    return createLookTest(hypothesis, compared, { ...openGate, asksAccepted: false })(looked) ?? -1;
  };
  expect(pOf(9)).toBeLessThan(0.01);
  expect(pOf(0)).toBeGreaterThan(0.5);
});

describe('the averages that are asked again', () => {
  const worse = compareSides(
    buildSide(repeatCase(20, 'p')),
    buildSide({ ...repeatCase(20, 'p'), ...repeatCase(8, 'f'), 'case-019': 's' }),
  );
  const asked = (
    more: Parameters<typeof buildGated>[1] = {},
    { settings = {}, compared = worse, isCertain = false } = {},
  ) =>
    findAskedClaims(buildGated(compared, more), { settings, share: 0.5, isCertain }).map(({ id, average }) => [
      JSON.parse(id).slice(3).join(),
      average && [average.level, average.p < 0.1, average.cases.length, average.plannedTrials, average.asksAccepted],
    ]);

  test('are those that can fail and look worse, with their cases', () => {
    expect(asked()).toEqual([['passRate', [0.0125, true, 19, 19, true]]]);
    expect(asked({}, { compared: clean })).toEqual([['passRate', undefined]]);
    expect(asked({}, { isCertain: true })).toEqual([['passRate', undefined]]);
    expect(asked({ own: worse })).toEqual([['passRate', [0.0125, true, 19, 19, true]]]);
    // The change's own baseline has it as it is now.
    const own = compareSides(worse.candidate, worse.candidate);
    expect(asked({ own })).toEqual([['passRate', undefined]]);
    const part = compareSides(buildSide(repeatCase(10, 'p')), buildSide(repeatCase(10, 'p')));
    expect(asked({ own: part })).toHaveLength(1);
    // An unchanged prompt is asked again like any other.
    expect(asked({ acceptedPrompt: unchanged })).toEqual(asked());
  });

  test('are the pass rate and the score alone where the accepted prompt can’t be asked', () => {
    const gate = { cost: { maxIncrease: 0.1 } };
    expect(asked({ gate }).map(([name]) => name)).toEqual(['passRate', 'cost']);
    expect(asked({ gate, acceptedPrompt: unavailable })).toEqual([['passRate', [0.0125, true, 19, 19, false]]]);
  });

  test('are none where nothing can be asked, or no case is compared', () => {
    expect(asked({ isOfRecords: true })).toEqual([]);
    expect(asked({ suite: { replayed: true } })).toEqual([]);
    expect(asked({ gate: { confirm: { cases: 10, budget: { calls: 0 } } } })).toEqual([]);
    const apart = compareSides(buildSide({ a: 'p' }), buildSide({ b: 'f' }));
    expect(asked({}, { compared: apart })).toEqual([]);
  });

  test('are flagged by a shard at a higher p, so that some shard asks whenever the whole is flagged', () => {
    const slightly = compareSides(
      buildSide(repeatCase(60, 'p')),
      buildSide({ ...repeatCase(60, 'p'), ...repeatCase(2, 'f') }),
    );
    expect(asked({}, { compared: slightly })).toEqual([['passRate', undefined]]);
    const [[, flagged] = []] = asked({}, { compared: slightly, settings: { shard: { index: 1, count: 4 } } });
    expect(flagged).toBeDefined();
  });

  test('of a merge are those of the shards that asked for them', () => {
    const side = (fresh: string) =>
      Object.fromEntries(
        Object.keys(repeatCase(20, 'p')).map((id, index) => {
          const shard = index < 10 ? 1 : 2;
          const outcomes = `${index % 2 === 0 ? 'f' : 'p'}${shard === 1 ? fresh : ''}`;
          return [id, buildCaseSummary(id, outcomes, { row: { shard } })];
        }),
      );
    const casesOf = (fresh: string) => {
      const compared = compareSides(buildSide(repeatCase(20, 'p')), buildSide(side(fresh)));
      const [[, flagged] = []] = asked({}, { compared, settings: { mergedShards: 2 } });
      return Array.isArray(flagged) ? flagged[2] : undefined;
    };
    expect(casesOf('+p|p')).toBe(10);
    expect(casesOf('')).toBe(20);
  });
});

describe('the drift of an average', () => {
  const before = buildSide(repeatCase(20, 'p'));
  const drift = (failed: number, count = 20) => {
    const cases = [...before.cases.keys()].map((caseId, index) => {
      const accepted = index < count ? [buildTrial(index < failed ? 'f' : 'p')] : [];
      return { id: caseId, caseId, fresh: { candidate: [], accepted } };
    });
    return testDrift({ metric: 'passRate', margin: 0.05 }, cases, compareSides(before, before).cases, openGate);
  };

  test('is that of the fresh trials of the accepted prompt against the accepted ones', () => {
    expect(drift(10)?.drop).toBeCloseTo(0.5, 9);
    expect(drift(10)?.p).toBeLessThan(0.01);
    expect(drift(0)?.p).toBeGreaterThanOrEqual(0.5);
    expect(drift(5, 10)?.drop).toBeCloseTo(0.5, 9);
    expect(drift(0, 0)).toBeUndefined();
  });

  test('is that of a score or a recall by the values of each answer', () => {
    const row = (found: string) => ({ classified: { by: 'x', truth: 'legal', found } });
    const right = buildSide(
      Object.fromEntries(
        Object.keys(repeatCase(20, 'p')).map((id) => [id, buildCaseSummary(id, 'p', { row: row('legal') })]),
      ),
    );
    const fallOf = (metric: 'score' | 'recall' | 'cost', again: Partial<TrialRow>) => {
      const cases = [...right.cases.keys()].map((caseId) => ({
        id: caseId,
        caseId,
        fresh: { candidate: [], accepted: [{ ...buildTrial('p'), ...again }] },
      }));
      return testDrift({ metric, margin: 0.05 }, cases, compareSides(right, right).cases, openGate)?.drop;
    };
    expect(fallOf('recall', row('billing'))).toBeCloseTo(1, 9);
    expect(fallOf('recall', row('legal'))).toBeCloseTo(0, 9);
    expect(fallOf('score', { score: 0.25 })).toBeCloseTo(0.75, 9);
    expect(fallOf('cost', {})).toBeUndefined();
  });
});
