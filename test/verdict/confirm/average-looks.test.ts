import { describe, expect, test } from 'vitest';
import {
  type AverageOutcome,
  endLooks,
  type LookedCase,
  lookAtAverage,
} from '../../../src/verdict/confirm/average-looks.ts';
import { type AverageOptions, buildAverage, freshOf } from '../../support/build-flagged.ts';

/** `cleared 20 of 20`: the pairs of the last look, and their cases. Of an open one, what it lacks. */
function shorten({ kind, pairs, cases, wanted }: AverageOutcome): string {
  const lacks = wanted.length === 0 ? '' : `, wants ${wanted.length}`;
  return `${kind} ${pairs} of ${cases}${lacks}`;
}

/** An average of 20 planned trials, with so many fresh pairs of each case. */
const look = (pairs: number, options: AverageOptions = {}, flagged = 1, count = 20) => {
  const outcomes = `${'p'.repeat(pairs)}|${'p'.repeat(pairs)}`;
  return lookAtAverage(buildAverage(count, { outcomes, ...options }), flagged);
};

/** An average of 20 cases, of which the first so many have a pair. */
const lookAtFirst = (pairs: number, options: AverageOptions = {}) => {
  const average = buildAverage(20, options);
  const cases = average.cases.map((found, index) => (index < pairs ? { ...found, fresh: freshOf('p|p') } : found));
  return lookAtAverage({ ...average, cases }, 1);
};

describe('the looks at a flagged average', () => {
  test('are after half of the planned trials, all of them, and twice as many', () => {
    expect(shorten(lookAtFirst(0))).toBe('open 0 of 0, wants 20');
    expect(shorten(lookAtFirst(10, { look: 0.2 }))).toBe('open 10 of 10, wants 20');
    expect(shorten(lookAtFirst(20, { look: 0.2 }))).toBe('open 20 of 20, wants 40');
    expect(shorten(look(2, { look: 0.2 }))).toBe('cleared 40 of 20');
  });

  test('want each case on both sides once, then again', () => {
    const sidesOf = ({ wanted }: AverageOutcome) => wanted.map(({ id, side, count }) => `${id} ${side} ${count}`);
    const first = sidesOf(lookAtFirst(0));
    expect(first.slice(0, 3)).toEqual(['pass rate-0 candidate 1', 'pass rate-0 accepted 1', 'pass rate-1 candidate 1']);
    expect(sidesOf(lookAtFirst(20, { look: 0.2 }))[0]).toBe('pass rate-0 candidate 2');
    // What was asked for a case counts for its average.
    const half = lookAtAverage(buildAverage(20, { outcomes: 'f' }), 1);
    expect(new Set(half.wanted.map(({ side }) => side))).toEqual(new Set(['accepted']));
    expect(shorten(lookAtAverage(buildAverage(20, { outcomes: '', asksAccepted: false }), 1))).toBe(
      'open 0 of 0, wants 10',
    );
  });

  test.each([
    [10, 0.3],
    [20, 0.4],
    [40, 0.5],
  ])('spend their part of the level: after %d pairs %f of it', (pairs, share) => {
    for (const flagged of [1, 4]) {
      const bound = (share * 0.025) / flagged;
      const at = (p: number) => {
        const average = buildAverage(20, {
          // The earlier looks neither confirm nor clear it.
          test: (cases) => (cases.reduce((sum, { candidate }) => sum + candidate.length, 0) === pairs ? p : 0.3),
        });
        const cases = average.cases.map((found, index) => {
          const asked = Math.floor(pairs / 20) + Number(index < pairs % 20);
          return { ...found, fresh: freshOf(`${'p'.repeat(asked)}|${'p'.repeat(asked)}`) };
        });
        return lookAtAverage({ ...average, cases }, flagged).kind;
      };
      expect(at(bound)).toBe('confirmed');
      expect(at(bound * 1.001)).not.toBe('confirmed');
    }
  });

  test.each([
    // The first look clears what seems as good or better, unless the planned trials alone were significant.
    [10, 0.5, 0.05, 'cleared'],
    [10, 0.49, 0.05, 'open'],
    [10, 0.5, 0.025, 'open'],
    [10, 0.9, 0.001, 'open'],
    [10, null, 0.05, 'open'],
    // The second look clears nothing.
    [20, 0.49, 0.05, 'open'],
    [20, 0.9, 0.001, 'open'],
    // The last one clears what it would not have flagged.
    [40, 0.11, 0.05, 'cleared'],
    [40, 0.9, 0.001, 'cleared'],
    [40, 0.1, 0.05, 'cleared'],
    [40, 0.02, 0.05, 'cleared'],
    [40, null, 0.05, 'unsettled'],
  ])('after %d pairs, at p %f with a planned p of %f: %s', (pairs, p, planned, kind) => {
    const options = { look: p, p: planned };
    const outcome = pairs === 40 ? look(2, options) : lookAtFirst(pairs, options);
    expect(outcome.kind).toBe(kind);
  });

  test('are of ten pairs at least, and of a small suite at once of all its cases', () => {
    expect(shorten(look(0, {}, 1, 4))).toBe('open 0 of 0, wants 8');
    expect(shorten(look(1, { look: 0.2 }, 1, 4))).toBe('open 4 of 4, wants 8');
    expect(shorten(look(2, { look: 0.2 }, 1, 4))).toBe('cleared 8 of 4');
    expect(shorten(look(0, {}, 1, 12))).toBe('open 0 of 0, wants 20');
  });

  test('see pairs in which both sides have a verdict alone, and say nothing where too few have one', () => {
    const seen: (readonly LookedCase[])[] = [];
    const average = (errored: number) => {
      const built = buildAverage(20, {
        test: (cases) => {
          seen.push(cases);
          return 0.2;
        },
      });
      return {
        ...built,
        cases: built.cases.map((found, index) => ({ ...found, fresh: freshOf(index < errored ? 'p|e' : 'p|p') })),
      };
    };
    expect(shorten(lookAtAverage(average(4), 1))).toBe('open 16 of 16, wants 40');
    expect(seen[0]?.map(({ candidate, accepted }) => [candidate.length, accepted.length])).toEqual(
      Array.from({ length: 6 }, () => [1, 1]),
    );
    expect(lookAtAverage(average(5), 1).kind).toBe('errored');
    expect(lookAtAverage(average(20), 1).kind).toBe('errored');
  });

  test('that are cut short may confirm, where they add ten pairs', () => {
    expect(lookAtFirst(9, { look: 0.001 }).kind).toBe('open');
    expect(lookAtFirst(10, { look: 0.001 }).kind).toBe('confirmed');
    const average = buildAverage(40, { look: 0.001 });
    const cases = average.cases.map((found, index) => (index < 12 ? { ...found, fresh: freshOf('p|p') } : found));
    expect(shorten(lookAtAverage({ ...average, cases }, 1))).toBe('confirmed 12 of 12');
  });
});

describe('an average of which no more can be asked', () => {
  test.each([
    [0, 0.5, 'unsettled'],
    [10, 0.4, 'unsettled'],
    [20, 0.4, 'cleared'],
    [20, 0.1, 'unsettled'],
  ])('after %d pairs at p %f is %s', (pairs, p, kind) => {
    expect(endLooks(lookAtFirst(pairs, { look: p }), { plannedTrials: 20 }).kind).toBe(kind);
  });

  test('keeps an outcome that it has', () => {
    for (const p of [0.001, 0.5]) {
      const outcome = lookAtFirst(10, { look: p });
      expect(endLooks(outcome, { plannedTrials: 20 })).toBe(outcome);
    }
  });
});
