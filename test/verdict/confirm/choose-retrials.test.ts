import { describe, expect, test } from 'vitest';
import { chooseRetrials, type RetrialBudget } from '../../../src/verdict/confirm/choose-retrials.ts';
import type { WantedRetrials } from '../../../src/verdict/confirm/judge-case.ts';
import { settleSuspicions } from '../../../src/verdict/confirm/settle-suspicions.ts';
import type { SuspicionInput } from '../../../src/verdict/confirm/suspicion-input.ts';
import { buildAverage, buildSuspicions, type SuspicionOptions } from '../../support/build-suspicions.ts';

const many = (count: number, outcomes: string, prefix = 's') =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${prefix}${String(index).padStart(3, '0')}`, outcomes]),
  );

function choose(input: SuspicionInput, budget: Partial<RetrialBudget['left']> = {}, spend = { calls: 1, usd: 0.01 }) {
  const left = { calls: 1000, usd: undefined, ...budget };
  return chooseRetrials(input, settleSuspicions(input, false), { left, spendOf: () => spend });
}

const chosen = (options: SuspicionOptions, budget?: Partial<RetrialBudget['left']>) =>
  choose(buildSuspicions(options), budget).map(({ id, side, count }) => `${id} ${side} ${count}`);

/** How many retrials of each side, and of how many cases. */
function count(wanted: readonly WantedRetrials[]) {
  const of = (side: WantedRetrials['side']) => wanted.filter((one) => one.side === side);
  const sum = (all: readonly WantedRetrials[]) => all.reduce((total, one) => total + one.count, 0);
  return {
    candidate: sum(of('candidate')),
    accepted: sum(of('accepted')),
    cases: new Set(wanted.map(({ id }) => id)).size,
  };
}

test('nothing is chosen where nothing is open', () => {
  expect(chosen({})).toEqual([]);
  expect(chosen({ suspects: { a: 'f+p' }, mustPass: { b: 'f+pp' }, added: { c: 'f+p' } })).toEqual([]);
});

describe('what is asked first', () => {
  const all: SuspicionOptions = {
    suspects: { a: 'f' },
    mustPass: { m: 'f' },
    added: { x: 'f' },
    averages: [buildAverage(100)],
  };

  test('are must-pass cases, then added cases, then suspects, then averages', () => {
    expect(chosen(all)).toEqual(['m candidate 1']);
    expect(chosen({ ...all, mustPass: { m: 'f+pp' } })).toEqual(['x candidate 1']);
    expect(chosen({ ...all, mustPass: {}, added: { x: 'f+fff' } })).toEqual(['a candidate 1']);
    const input = buildSuspicions({ ...all, mustPass: {}, added: {}, suspects: { a: 'f+p' } });
    expect(count(choose(input))).toEqual({ candidate: 0, accepted: 50, cases: 50 });
  });

  test('are averages where no suspect can fail the gate', () => {
    const input = buildSuspicions({ suspects: { a: 'f' }, suspect: { isGated: false }, averages: [buildAverage(100)] });
    expect(count(choose(input)).cases).toBe(50);
  });

  test('are suspects twenty at a time, and no more than the budget can settle', () => {
    expect(chosen({ suspects: many(50, 'f'), maxRetrials: 1000 })).toHaveLength(20);
    expect(chosen({ suspects: many(50, 'f'), maxRetrials: 1000 }, { calls: 140 })).toHaveLength(10);
    expect(chosen({ suspects: many(50, 'f'), maxRetrials: 1000 }, { calls: 15 })).toHaveLength(1);
    expect(chosen({ added: many(50, 'f'), maxRetrials: 1000 })).toHaveLength(20);
  });

  test('are more at a time where those asked before flaked', () => {
    const flaked = many(20, 'f+p', 'a');
    expect(chosen({ suspects: { ...flaked, ...many(500, 'f') }, maxRetrials: 5000 }, { calls: 5000 })).toHaveLength(80);
    expect(chosen({ suspects: { ...flaked, ...many(500, 'f') }, maxRetrials: 5000 }, { calls: 140 })).toHaveLength(10);
    expect(chosen({ added: { ...flaked, ...many(500, 'f') }, maxRetrials: 5000 })).toHaveLength(80);
  });

  test('are the other suspects, each once, where no more can be settled beside one that is broken', () => {
    const suspects = { a: 'f+ffffffff|ppppppp', b: 'f', c: 'f+f', d: 'f' };
    expect(chosen({ suspects }, { calls: 13 })).toEqual(['b candidate 1', 'd candidate 1']);
    expect(chosen({ suspects }, { calls: 1 })).toEqual(['b candidate 1']);
  });
});

describe('many suspects of a flagged average', () => {
  const averages = [buildAverage(40)];
  const word = (suspects: Readonly<Record<string, string>>, calls = 1000) =>
    chosen({ suspects, averages, maxRetrials: 1000 }, { calls });

  test('are probed: the first two show whether cases broke or the average fell', () => {
    expect(word(many(10, 'f'))).toEqual(['s000 candidate 1', 's001 candidate 1']);
  });

  test('that fail again are settled first', () => {
    const suspects = many(10, 'f');
    expect(word({ ...suspects, s000: 'f+f', s001: 'f+f' })).toHaveLength(10);
    expect(word({ ...suspects, s000: 'f+p', s001: 'f+f' })).toEqual(['s001 accepted 1']);
    // However little is left.
    expect(word({ ...suspects, s000: 'f+fff|p', s001: 'f+p' }, 20)).toEqual(['s000 candidate 3']);
  });

  test('are all asked where they are fewer than six, and one that failed again is settled first', () => {
    const few = [buildAverage(30)];
    const ask = (suspects: Readonly<Record<string, string>>) => chosen({ suspects, averages: few, maxRetrials: 30 });
    expect(ask(many(5, 'f'))).toEqual(['s000 candidate 1', 's001 candidate 1']);
    expect(ask({ ...many(5, 'f'), s000: 'f+f', s001: 'f+p' })).toEqual(['s002 candidate 1']);
    expect(ask({ ...many(5, 'f+p'), s003: 'f+f' })).toEqual(['s003 accepted 1']);
    expect(ask(many(5, 'f+p')).every((one) => one.startsWith('pass rate-'))).toBe(true);
  });

  test('are cases that broke if one of them is broken', () => {
    const broken = { ...many(10, 'f'), s000: 'f+ffffffff|pppppppp', s001: 'f+p' };
    expect(word(broken)).toHaveLength(8);
  });

  test('that pass leave it to the average', () => {
    const passing = word({ ...many(10, 'f'), s000: 'f+p', s001: 'f+p' });
    expect(passing.every((one) => one.startsWith('pass rate-'))).toBe(true);
  });

  test('are not probed where there are few of them', () => {
    expect(word(many(5, 'f'))).toHaveLength(5);
    expect(word(many(6, 'f'))).toHaveLength(2);
  });

  test('leave it to the average where the budget can’t settle two of them', () => {
    expect(word(many(6, 'f'), 27).every((one) => one.startsWith('pass rate-'))).toBe(true);
    expect(word(many(6, 'f'), 28)).toHaveLength(2);
  });
});

describe('the budget', () => {
  test('makes retrials of a block together or not at all, and takes a smaller one then', () => {
    const options = { added: { ...many(29, 'f+p'), m: 'f+ff', n: 'f' }, maxRetrials: 1000 };
    expect(chosen(options, { calls: 3 })).toEqual(['m candidate 2', 'n candidate 1']);
    expect(chosen(options, { calls: 2 })).toEqual(['m candidate 2']);
    expect(chosen(options, { calls: 1 })).toEqual(['n candidate 1']);
    expect(chosen(options, { calls: 0 })).toEqual([]);
  });

  test('counts calls by the case and the side', () => {
    const input = buildSuspicions({ mustPass: { m: 'f', n: 'f' } });
    expect(choose(input, { calls: 5 }, { calls: 3, usd: 0 })).toHaveLength(1);
    expect(choose(input, { calls: 6 }, { calls: 3, usd: 0 })).toHaveLength(2);
  });

  test('counts money where it is known, to the last digit', () => {
    const input = buildSuspicions({ mustPass: { m: 'f', n: 'f' } });
    expect(choose(input, { usd: 0.02 })).toHaveLength(2);
    // 0.3 − 0.28 is a little less than 0.02 in floating point.
    expect(choose(input, { usd: 0.3 - 0.28 })).toHaveLength(2);
    expect(choose(input, { usd: 0.019 })).toHaveLength(1);
    expect(choose(input, { usd: 0 })).toEqual([]);
    expect(choose(input, { usd: undefined })).toHaveLength(2);
  });

  test('cuts a look short, down to the cases that it must have', () => {
    const input = buildSuspicions({ averages: [buildAverage(100)], maxRetrials: 100 });
    expect(count(choose(input, { calls: 50 }))).toEqual({ candidate: 0, accepted: 50, cases: 50 });
    expect(count(choose(input, { calls: 30 }))).toEqual({ candidate: 0, accepted: 30, cases: 30 });
    expect(choose(input, { calls: 29 })).toEqual([]);
  });

  test('pays once for what two looks ask of one case', () => {
    const [rate, cost] = [buildAverage(30, { id: 'a' }), buildAverage(30, { id: 'b' })];
    const averages = [rate, { ...cost, cases: rate.cases }];
    const input = buildSuspicions({ averages, maxRetrials: 1000 });
    expect(count(choose(input, { calls: 10 }))).toEqual({ candidate: 0, accepted: 10, cases: 10 });
  });

  test('pays once for the cases of a slice, which are also those of the whole', () => {
    const whole = buildAverage(60, { id: 'whole' });
    const slice = buildAverage(20, { id: 'slice' });
    const averages = [{ ...slice, cases: whole.cases.slice(0, 20) }, whole];
    const input = buildSuspicions({ averages, maxRetrials: 1000 });
    const wanted = count(choose(input));
    expect(wanted).toEqual({ candidate: 0, accepted: 15, cases: 15 });
    expect(count(choose(input, { calls: 15 }))).toEqual(wanted);
  });
});
