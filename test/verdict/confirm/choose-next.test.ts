import { describe, expect, test } from 'vitest';
import { type AskingBudget, chooseNext, type Spend } from '../../../src/verdict/confirm/choose-next.ts';
import { type Flagged, settle } from '../../../src/verdict/confirm/settle.ts';
import { buildAverage, buildFlagged, buildFlaggedCase, freshOf } from '../../support/build-flagged.ts';

const calls = (count: number, usd?: number): Spend => ({ calls: count, usd });

interface BudgetOptions {
  readonly allowed?: Spend;
  readonly planned?: Spend;
  readonly spent?: Spend;
  readonly of?: Spend;
}

function choose(flagged: Flagged, options: BudgetOptions = {}): readonly string[] {
  const { allowed = calls(200), planned = calls(100), spent = calls(0), of = calls(1) } = options;
  const budget: AskingBudget = { allowed, planned, spent, spendOf: () => of };
  const settled = settle(flagged, { isFinal: false });
  return chooseNext(flagged, settled, budget).map(({ id, side, count }) => `${id} ${side} ${count}`);
}

const suspects = (count: number, outcomes = '') =>
  Array.from({ length: count }, (_, index) => buildFlaggedCase(`c${index}`, outcomes));

describe('what is asked next', () => {
  test('is nothing where nothing is flagged or all is settled', () => {
    expect(choose(buildFlagged([]))).toEqual([]);
    expect(choose(buildFlagged([buildFlaggedCase('a', 'p')]))).toEqual([]);
  });

  test('is must-pass cases first, then the other cases in their order, then averages', () => {
    const must = buildFlaggedCase('m', '', { rule: 'must-pass' });
    const averages = [buildAverage(20, { id: 'rate' })];
    expect(choose(buildFlagged([...suspects(2), must], { averages }))).toEqual(['m candidate 1']);
    expect(choose(buildFlagged(suspects(2), { averages }))).toEqual(['c0 candidate 1', 'c1 candidate 1']);
    const looked = choose(buildFlagged([], { averages }));
    expect([looked.length, looked[0], looked[1]]).toEqual([20, 'rate-0 candidate 1', 'rate-0 accepted 1']);
  });

  test('is the first trial of a case alone, and later both sides at once', () => {
    const next = (outcomes: string, more = {}) => choose(buildFlagged([buildFlaggedCase('a', outcomes, more)]));
    expect(next('')).toEqual(['a candidate 1']);
    expect(next('f')).toEqual(['a accepted 1']);
    expect(next('f|p')).toEqual(['a candidate 2', 'a accepted 2']);
    expect(next('f', { askable: 'candidate' })).toEqual(['a candidate 2']);
    expect(next('f', { rule: 'added' })).toEqual(['a candidate 2']);
    expect(next('f|p', { rule: 'must-pass' })).toEqual(['a candidate 2', 'a accepted 2']);
  });

  test('is of 20 cases at once at most, and of as many as the planned calls pay for if they break', () => {
    expect(choose(buildFlagged(suspects(50)), { planned: calls(10_000) })).toHaveLength(20);
    // Of 20 flagged cases each needs seven pairs.
    expect(choose(buildFlagged(suspects(20)), { planned: calls(14) })).toHaveLength(1);
    expect(choose(buildFlagged(suspects(20)), { planned: calls(28) })).toHaveLength(2);
    expect(choose(buildFlagged(suspects(20)), { planned: calls(1) })).toHaveLength(1);
  });

  test('is the average that looks worst', () => {
    const averages = [buildAverage(20, { id: 'a', p: 0.05 }), buildAverage(20, { id: 'b', p: 0.01 })];
    expect(choose(buildFlagged([], { averages }))[0]).toBe('b-0 candidate 1');
  });
});

describe('the budget', () => {
  test('is never exceeded, in calls or in USD', () => {
    expect(choose(buildFlagged(suspects(5)), { allowed: calls(3) })).toHaveLength(3);
    expect(choose(buildFlagged(suspects(5)), { allowed: calls(3), spent: calls(3) })).toEqual([]);
    expect(choose(buildFlagged(suspects(5)), { allowed: calls(9), of: calls(4) })).toHaveLength(2);
    const usd = { allowed: calls(200, 0.3), spent: calls(0, 0), of: calls(1, 0.1) };
    expect(choose(buildFlagged(suspects(5)), usd)).toHaveLength(3);
    // The second side of a pair may be one call too much.
    expect(choose(buildFlagged(suspects(1, 'f|p')), { allowed: calls(1) })).toEqual(['c0 candidate 2']);
  });

  test('is that of the planned trials once something is confirmed', () => {
    const broken = (isGated: boolean) => buildFlaggedCase('b', `${'f'.repeat(9)}|${'p'.repeat(9)}`, { isGated });
    const spent = { planned: calls(10), spent: calls(10) };
    expect(choose(buildFlagged([...suspects(2)]), spent)).not.toEqual([]);
    expect(choose(buildFlagged([broken(true), ...suspects(2)]), spent)).toEqual([]);
    expect(choose(buildFlagged([broken(true), ...suspects(2)]), { ...spent, planned: calls(100) })).not.toEqual([]);
    expect(choose(buildFlagged([broken(false), ...suspects(2)]), spent)).not.toEqual([]);
    const averages = [buildAverage(20, { id: 'fell', outcomes: 'p|p', look: 0.001 })];
    expect(choose(buildFlagged(suspects(2), { averages }), spent)).toEqual([]);
  });

  test('pays for a look that it cuts short where ten pairs remain', () => {
    const averages = [buildAverage(40, { id: 'a' })];
    const count = (allowed: number) => choose(buildFlagged([], { averages }), { allowed: calls(allowed) }).length;
    expect([count(200), count(25), count(20), count(19), count(0)]).toEqual([40, 25, 20, 0, 0]);
    const small = [buildAverage(4, { id: 'a' })];
    expect(choose(buildFlagged([], { averages: small }), { allowed: calls(8) })).toHaveLength(8);
    expect(choose(buildFlagged([], { averages: small }), { allowed: calls(7) })).toEqual([]);
  });

  test('goes to another average where the worst one costs too much', () => {
    const large = buildAverage(100, { id: 'large', p: 0.001 });
    const cases = buildAverage(4, { id: 'small', p: 0.05 }).cases.map((found) => ({ ...found, fresh: freshOf('') }));
    const small = buildAverage(4, { id: 'small', p: 0.05, cases });
    const next = choose(buildFlagged([], { averages: [large, small] }), { allowed: calls(10) });
    expect([next.length, next[0]]).toEqual([8, 'small-0 candidate 1']);
  });
});
