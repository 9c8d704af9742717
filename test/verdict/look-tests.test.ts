import { describe, expect, test } from 'vitest';
import type { ClassPolicy } from '../../src/model/suite/classes.ts';
import { selectionId } from '../../src/record/count-classes.ts';
import { clearedAtP, flaggedAtP, type TrialPair } from '../../src/verdict/confirm/judge-average.ts';
import type { RetriedCase, TrialRow } from '../../src/verdict/confirm/judge-case.ts';
import { createLookTest, findLookedAverages, isAbout } from '../../src/verdict/gate/find-averages.ts';
import { findHypotheses, type Hypothesis } from '../../src/verdict/gate/judge-metrics.ts';
import { openGate } from '../support/build-case.ts';
import { buildGated } from '../support/build-gated.ts';
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
    expect(p).toBeGreaterThan(flaggedAtP);
    expect(p).toBeLessThan(clearedAtP);
  });

  test('clears what did not rise in most cases', () => {
    expect(pOf(rising.map(([a, b], index) => (index % 2 === 0 ? [a, b] : [b, a])))).toBeGreaterThan(clearedAtP);
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
  const pairs = sides.map(([a, b]): TrialPair => ({ accepted: rows(a), candidate: rows(b) }));
  const cases = sides.map((_, index) => ({
    id: `c${index}`,
    caseId: `c${index}`,
    planned: [],
    candidate: [],
    accepted: [],
  }));
  return createLookTest(hypothesis, clean, { ...openGate, classes })(cases, pairs);
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

describe('the averages that are looked at', () => {
  const worse = compareSides(
    buildSide(repeatCase(20, 'p')),
    buildSide({ ...repeatCase(20, 'p'), ...repeatCase(8, 'f'), 'case-019': 's' }),
  );
  const looked = (
    more: Parameters<typeof buildGated>[1] = {},
    { settings = {}, compared = worse, isCertain = false } = {},
  ) =>
    findLookedAverages(buildGated(compared, more), settings, { share: 0.5, isCertain }).map(
      ({ id, alpha, p, cases }) => [JSON.parse(id).slice(3).join(), alpha, p === null ? null : p < 0.1, cases.length],
    );

  test('are those that can fail, with their cases where they look worse', () => {
    expect(looked()).toEqual([['passRate', 0.025, true, 19]]);
    expect(looked({}, { compared: clean })).toEqual([['passRate', 0.025, false, 0]]);
    expect(looked({}, { isCertain: true })).toEqual([['passRate', 0.025, false, 0]]);
    expect(looked({ own: worse })).toEqual([['passRate', 0.025, true, 19]]);
    // The change's own baseline has it as it is now.
    const own = compareSides(worse.candidate, worse.candidate);
    expect(looked({ own })).toEqual([['passRate', 0.025, null, 0]]);
    const part = compareSides(buildSide(repeatCase(10, 'p')), buildSide(repeatCase(10, 'p')));
    expect(looked({ own: part })).toEqual([['passRate', 0.025, true, 19]]);
  });

  test('are none where the accepted prompt is not asked for it', () => {
    expect(looked({}, { settings: { mergedShards: 2 } })).toEqual([]);
    expect(looked({ acceptedPrompt: { is: 'unchanged' } })).toEqual([]);
    const baseline = { ...worse.baseline, kind: 'run' } as const;
    expect(looked({}, { compared: { ...worse, baseline } })).toEqual([]);
    const apart = compareSides(buildSide({ a: 'p' }), buildSide({ b: 'f' }));
    expect(looked({}, { compared: apart })).toEqual([]);
  });
});
