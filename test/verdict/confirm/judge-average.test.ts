import { describe, expect, test } from 'vitest';
import {
  type AverageRule,
  type AverageVerdict,
  fullLooks,
  judgeAverage,
  shortLooks,
  type TrialPair,
} from '../../../src/verdict/confirm/judge-average.ts';
import { buildRetried } from '../../support/build-retried.ts';
import fc from '../../support/property.ts';

const full: AverageRule = { looks: fullLooks, level: 0.025, usesPlanned: false };
const short: AverageRule = { looks: shortLooks, level: 0.025, usesPlanned: true };

/** So many cases of each kind of outcomes, in their order. */
const cases = (...groups: readonly (readonly [number, string])[]) =>
  groups
    .flatMap(([count, outcomes]) => Array.from({ length: count }, () => outcomes))
    .map((outcomes, index) => buildRetried(outcomes, `c${index}`));

/** A test that gives a p by the number of the cases, and keeps what it saw. */
function createTest(pOf: (cases: number, trials: number) => number | null) {
  const seen: (readonly TrialPair[])[] = [];
  const test = (_cases: unknown, pairs: readonly TrialPair[]) => {
    seen.push(pairs);
    return pOf(pairs.length, pairs[0]?.accepted.length ?? 0);
  };
  return { seen, test };
}

function shorten(verdict: AverageVerdict): string {
  switch (verdict.kind) {
    case 'open': {
      const wanted = verdict.wanted.flat();
      const sides = ['candidate', 'accepted'] as const;
      const counts = sides.map((side) =>
        wanted.filter((one) => one.side === side).reduce((sum, { count }) => sum + count, 0),
      );
      return `look at ${verdict.wanted.length}, at least ${verdict.least}: ${counts.join(' + ')}`;
    }
    case 'not-needed':
    case 'unavailable':
      return verdict.kind;
    case 'confirmed':
    case 'cleared':
    case 'unsettled':
      return `${verdict.kind} by ${verdict.cases}`;
  }
}

const judge = (
  found: ReturnType<typeof cases>,
  pOf: (cases: number, trials: number) => number | null,
  rule: AverageRule = full,
  isFinal = false,
) => shorten(judgeAverage({ cases: found, test: createTest(pOf).test }, rule, { isFinal }));

/** Neither confirmed nor cleared by any look. */
const undecided = () => 0.05;

describe('the looks', () => {
  test.each([
    // A quarter, half, all, all twice; both sides.
    [cases([100, 'p']), 'look at 25, at least 15: 25 + 25'],
    [cases([25, 'p+p|p'], [75, 'p']), 'look at 50, at least 30: 25 + 25'],
    [cases([50, 'p+p|p'], [50, 'p']), 'look at 100, at least 60: 50 + 50'],
    [cases([100, 'p+p|p']), 'look at 100, at least 100: 100 + 100'],
    [cases([100, 'p+pp|pp']), 'unsettled by 100'],
    // What a suspect was asked is there already.
    [cases([5, 'f+ff'], [95, 'p']), 'look at 25, at least 15: 20 + 25'],
    // At least ten cases at a time, and a small suite is looked at whole at once.
    [cases([20, 'p']), 'look at 10, at least 6: 10 + 10'],
    [cases([10, 'p+p|p'], [10, 'p']), 'look at 20, at least 12: 10 + 10'],
    [cases([8, 'p']), 'look at 8, at least 5: 8 + 8'],
    [cases([8, 'p+p|p']), 'look at 8, at least 8: 8 + 8'],
    [cases([1, 'p']), 'look at 1, at least 1: 1 + 1'],
    // One errored retrial is asked for again, two are not.
    [cases([1, 'p+e|p'], [99, 'p+p|p']), 'look at 25, at least 15: 1 + 0'],
    [cases([1, 'p+ee|p'], [24, 'p+p|p'], [75, 'p']), 'look at 50, at least 30: 25 + 25'],
  ])('%#: are at the next share of the cases: %s', (found, word) => {
    expect(judge(found, undecided)).toBe(word);
  });

  test('where the budget is short are two, at half of the cases and all', () => {
    expect(judge(cases([100, 'p']), undecided, short)).toBe('look at 50, at least 30: 0 + 50');
    expect(judge(cases([50, 'p|p'], [50, 'p']), undecided, short)).toBe('look at 100, at least 60: 0 + 50');
    expect(judge(cases([100, 'p|p']), undecided, short)).toBe('unsettled by 100');
  });

  test('take half of the cases as the whole where that is all that can be asked of a small suite', () => {
    const part = cases([8, 'f|p'], [4, 'f']);
    expect(judge(part, undecided, short)).toBe('look at 10, at least 6: 0 + 2');
    // The first look may spend 0.0025, the last one 0.0325.
    expect(judge(part, () => 0.004, short, true)).toBe('confirmed by 8');
    expect(judge(cases([7, 'f|p'], [5, 'f']), () => 0.004, short, true)).toBe('unsettled by 7');
    expect(judge(cases([10, 'f|p'], [2, 'f']), () => 0.004, short, true)).toBe('confirmed by 10');
  });

  test('of half of the cases clear what looks better, and not what looks the same', () => {
    const half = cases([50, 'p|p'], [50, 'p']);
    expect(judge(half, () => 0.5, short)).toBe('look at 100, at least 60: 0 + 50');
    expect(judge(half, () => 0.6, short)).toBe('cleared by 50');
  });

  test('see as many trials of each side as the look has', () => {
    const found = cases([30, 'pf+fpp|ppf']);
    const { seen, test: look } = createTest(undecided);
    judgeAverage({ cases: found, test: look }, full, { isFinal: false });
    expect(seen.map((pairs) => pairs.length)).toEqual([10, 15, 30, 30]);
    const statuses = (pairs: readonly TrialPair[] | undefined) =>
      (['candidate', 'accepted'] as const).map((side) => pairs?.[0]?.[side].map(({ status }) => status));
    expect(statuses(seen[0])).toEqual([['failed'], ['passed']]);
    expect(statuses(seen[3])).toEqual([
      ['failed', 'passed'],
      ['passed', 'passed'],
    ]);
  });

  test('that use the planned trials ask the accepted prompt alone', () => {
    const found = cases([30, 'pfe+p|epf']);
    const { seen, test: look } = createTest(undecided);
    judgeAverage({ cases: found, test: look }, { ...full, usesPlanned: true }, { isFinal: false });
    expect(seen.map((pairs) => pairs[0]?.candidate.map(({ status }) => status))).toEqual(
      Array.from({ length: 4 }, () => ['passed', 'failed']),
    );
    expect(seen.map((pairs) => pairs[0]?.accepted.length)).toEqual([1, 1, 1, 2]);
  });
});

describe('an average', () => {
  const looked = (count: number) => cases([count, 'p+p|p'], [100 - count, 'p']);

  test.each([
    // Each look spends its part of the level.
    [25, 0.025 * 0.3, 'confirmed by 25'],
    [25, 0.025 * 0.31, 'look at 50, at least 30: 25 + 25'],
    [50, 0.025 * 0.4, 'confirmed by 50'],
    [50, 0.025 * 0.41, 'look at 100, at least 60: 50 + 50'],
    [100, 0.025 * 0.6, 'confirmed by 100'],
    [100, 0.025 * 0.61, 'look at 100, at least 100: 100 + 100'],
    // It is cleared where confirmation trials look no worse.
    [25, 0.39, 'look at 50, at least 30: 25 + 25'],
    [25, 0.4, 'cleared by 25'],
    [100, 0.4, 'cleared by 100'],
    [100, 1, 'cleared by 100'],
  ])('is decided after %d cases were looked at, with p %d: %s', (count, p, word) => {
    expect(judge(looked(count), (seen) => (seen === count ? p : 0.1))).toBe(word);
  });

  test.each([
    [0.025 * 0.7, 'confirmed by 100'],
    [0.025 * 0.71, 'unsettled by 100'],
    [0.1, 'unsettled by 100'],
    // The last look clears what it would not have flagged.
    [0.11, 'cleared by 100'],
  ])('after the last look, with p %d: %s', (p, word) => {
    expect(judge(cases([100, 'p+pp|pp']), (_seen, trials) => (trials === 2 ? p : 0.05))).toBe(word);
  });

  test('is looked at further if a look can say nothing, and at last unsettled', () => {
    expect(judge(looked(25), () => null)).toBe('look at 50, at least 30: 25 + 25');
    expect(judge(cases([100, 'p+pp|pp']), () => null)).toBe('unsettled by 100');
    expect(judge(cases([0, '']), () => null)).toBe('unsettled by 0');
  });

  test('whose accepted prompt answers nothing any more is left to the stored trials', () => {
    expect(judge(cases([8, 'p+p|ee']), undecided)).toBe('unavailable');
    expect(judge(cases([8, 'p|ee']), undecided, short)).toBe('unavailable');
    expect(judge(cases([7, 'p+p|ee'], [1, 'p+p|p']), undecided)).toBe('unavailable');
  });

  test('is confirmed at the corrected level', () => {
    const strict = { ...full, level: 0.025 / 12 };
    expect(judge(looked(25), () => 0.025 * 0.3, strict)).not.toContain('confirmed');
    expect(judge(looked(25), () => strict.level * 0.3, strict)).toBe('confirmed by 25');
  });
});

describe('once no further trial can be made', () => {
  const pOf = (p: number) => () => p;

  test.each([
    // Of a look that was cut short, three fifths count.
    [cases([14, 'p+p|p'], [86, 'p']), 0.001, 'unsettled by 0'],
    [cases([15, 'p+p|p'], [85, 'p']), 0.001, 'confirmed by 15'],
    [cases([15, 'p+p|p'], [85, 'p']), 0.5, 'cleared by 15'],
    [cases([15, 'p+p|p'], [85, 'p']), 0.05, 'unsettled by 15'],
    [cases([25, 'p+p|p'], [75, 'p']), 0.05, 'unsettled by 25'],
    [cases([30, 'p+p|p'], [70, 'p']), 0.05, 'unsettled by 30'],
    // The second trial of each case counts whole or not at all.
    [cases([99, 'p+pp|pp'], [1, 'p+p|p']), 0.05, 'unsettled by 100'],
    // A trial that is missing ends what counts.
    [cases([1, 'p+p'], [99, 'p+p|p']), 0.001, 'unsettled by 0'],
    [cases([8, 'p+p|p']), 0.001, 'confirmed by 8'],
    [cases([5, 'p+p|p'], [3, 'p']), 0.001, 'confirmed by 5'],
    [cases([4, 'p+p|p'], [4, 'p']), 0.001, 'unsettled by 0'],
  ])('%#: with p %d: %s', (found, p, word) => {
    expect(judge(found, pOf(p), full, true)).toBe(word);
  });

  test('each look counts by more cases than the one before', () => {
    const seen = createTest(undecided);
    judgeAverage({ cases: cases([30, 'p+p|p'], [70, 'p']), test: seen.test }, full, { isFinal: true });
    expect(seen.seen.map((pairs) => pairs.length)).toEqual([25, 30]);
  });

  test('nothing more is wanted, and otherwise what is wanted is what is missing', () => {
    const outcome = fc.stringMatching(/^[pf]{1,3}\+[pfe]{0,3}\|[pfe]{0,3}$/);
    fc.assert(
      fc.property(
        fc.array(outcome, { maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        (all, p, usesPlanned) => {
          const found = all.map((outcomes, index) => buildRetried(outcomes, `c${index}`));
          const average = { cases: found, test: pOf(p) };
          for (const looks of [fullLooks, shortLooks]) {
            const rule = { looks, level: 0.025, usesPlanned };
            expect(judgeAverage(average, rule, { isFinal: true }).kind).not.toBe('open');
            const verdict = judgeAverage(average, rule, { isFinal: false });
            if (verdict.kind !== 'open') continue;
            expect(verdict.wanted.flat().length).toBeGreaterThan(0);
            for (const { id, side, count } of verdict.wanted.flat()) {
              const rows = found.find((one) => one.id === id)?.[side] ?? [];
              expect(rows.filter(({ status }) => status === 'errored').length).toBeLessThan(2);
              expect(rows.filter(({ status }) => status !== 'errored').length + count).toBeLessThanOrEqual(2);
              expect(usesPlanned && side === 'candidate').toBe(false);
            }
          }
        },
      ),
    );
  });
});
