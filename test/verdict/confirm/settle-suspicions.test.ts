import { describe, expect, test } from 'vitest';
import { settleSuspicions } from '../../../src/verdict/confirm/settle-suspicions.ts';
import { buildRetried } from '../../support/build-retried.ts';
import {
  buildAverage,
  buildSuspicions,
  type SuspicionOptions,
  shortenSettled,
} from '../../support/build-suspicions.ts';
import fc from '../../support/property.ts';

const settle = (options: SuspicionOptions, isFinal = false) =>
  shortenSettled(settleSuspicions(buildSuspicions(options), isFinal));

/** So many of the same outcomes, by id. */
const many = (count: number, outcomes: string, prefix = 's') =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, outcomes]));

describe('suspects', () => {
  test('are confirmed by more trials the more of them there are', () => {
    expect(settle({ suspects: { a: 'f+fffff|pppp' } })).toEqual({ a: 'broken 0/4' });
    expect(settle({ suspects: { a: 'f+fffff|pppp', b: 'f' } })).toEqual({
      a: 'ask candidate 1',
      b: 'ask candidate 1',
    });
    expect(settle({ suspects: { a: 'f+ffffff|ppppp', b: 'f' } })['a']).toBe('broken 0/5');
  });

  test('of a shard are held to the suspects that all shards may have', () => {
    expect(settle({ suspects: { a: 'f+ffffff|ppppp' }, shards: 4 })).toEqual({ a: 'ask candidate 1' });
    expect(settle({ suspects: { a: 'f+fffffff|pppppp' }, shards: 4 })).toEqual({ a: 'broken 0/6' });
  });

  test('of a merge are held to the rule of one run', () => {
    const merge = (suspects: Readonly<Record<string, string>>, maxRetrials = 100) =>
      settle({ suspects, mergedShards: 4, maxRetrials }, true)['a'];
    expect(merge({ a: 'f+fffffff|pppppp', b: 'f' })).toBe('broken 0/6');
    expect(merge({ a: 'f+ffffff|fppppp', b: 'f' })).toBe('broken 1/6');
    expect(merge({ a: 'f+ffff|fppp', b: 'f' })).toMatch(/^ask/);
    // As many failures as the rate allows no case, beside an accepted prompt that passed.
    expect(merge({ a: 'f+ffff|p' })).toBe('broken 0/1');
    // One failed retrial is no more than one run would count it.
    for (const outcomes of ['f+f', 'f+f|p', 'f+fff|p', 'f+f|f']) expect(merge({ a: outcomes })).toMatch(/^ask/);
    expect(merge({ a: 'f+ffff|ff' })).toBe('drifted 2/2');
    expect(merge({ a: 'f+fp|p' })).toBe('flaky');
    // Nor is one that never asked the accepted prompt, however small the run.
    expect(merge({ a: 'f+f' }, 8)).toBe('ask accepted 1');
    expect(merge({ a: 'f+f|p' }, 8)).toBe('broken 0/1');
  });

  test('of a shard are not blamed on the change before the accepted prompt was asked', () => {
    const shard = (outcomes: string, maxRetrials: number) =>
      settle({ suspects: { a: outcomes }, shards: 4, maxRetrials }, true)['a'];
    expect([shard('f+fff', 5), shard('f+ffff', 5)]).toEqual(['ask accepted 1', 'ask accepted 1']);
    expect([shard('f+ff|f', 5), shard('f+ff|p', 5)]).toEqual(['drifted 1/1', 'broken 0/1']);
    // As in a run of one call.
    expect(shard('f+f', 1)).toBe('broken');
  });

  test('that can’t be asked on both sides within the budget are broken by their rate', () => {
    // Five of the candidate and four of the accepted prompt.
    expect(settle({ suspects: { a: 'f+fffff' }, maxRetrials: 9 })).toEqual({ a: 'ask accepted 2' });
    expect(settle({ suspects: { a: 'f+ffff' }, maxRetrials: 8 })).toEqual({ a: 'ask accepted 1' });
    expect(settle({ suspects: { a: 'f+ffff|p' }, maxRetrials: 8 })).toEqual({ a: 'broken 0/1' });
    expect(settle({ suspects: { a: 'f+ffff|f' }, maxRetrials: 8 })).toEqual({ a: 'drifted 1/1' });
    // And one of each other suspect.
    expect(settle({ suspects: { a: 'f+ffff|p', b: 'f+p' }, maxRetrials: 11 })['a']).toBe('broken 0/1');
    expect(settle({ suspects: { a: 'f+ffff|p', b: 'f+p' }, maxRetrials: 12 })['a']).toBe('ask candidate 2');
  });

  test('whose accepted prompt can’t be asked are broken by their rate', () => {
    const suspect = { asksAccepted: false };
    expect(settle({ suspects: { a: 'f+fff' }, suspect })).toEqual({ a: 'ask candidate 1' });
    expect(settle({ suspects: { a: 'f+ffff' }, suspect })).toEqual({ a: 'broken' });
  });

  test('of a run of few trials need no more failures than each can have', () => {
    const suspect = { asksAccepted: false, failures: 8 };
    expect(settle({ suspects: { ...many(10, 'f'), a: 'f+fff' }, suspect, maxRetrials: 33 })['a']).toBe(
      'ask candidate 3',
    );
    expect(settle({ suspects: { ...many(10, 'f'), a: 'f+f' }, suspect, maxRetrials: 3 })['a']).toBe('broken');
  });

  test('are not asked once enough of their suite are broken', () => {
    const suspects = { ...many(3, 'f+fffffffff|ppppppppp'), x: 'f', y: 'f+p' };
    const suspect = { maxConfirmed: 3 };
    expect(settle({ suspects, suspect })).toMatchObject({ s0: 'broken 0/7', x: 'not-needed', y: 'flaky' });
    expect(settle({ suspects, suspect: { maxConfirmed: 4 } })['x']).toBe('ask candidate 1');
    const input = buildSuspicions({ suspects, suspect });
    const apart = input.suspects.map((one) => (one.found.id === 'x' ? { ...one, suite: 'another' } : one));
    expect(shortenSettled(settleSuspicions({ ...input, suspects: apart }, false))['x']).toBe('ask candidate 1');
  });

  test('that failed again are broken too where one of the suite is for certain and the budget is used up', () => {
    const suspects = { a: 'f+ffffff|ppppp', b: 'f+f', c: 'f', d: 'f+p', e: 'f+ee' };
    const found = settle({ suspects: { ...suspects, a: 'f+ffffffff|ppppppp' } }, true);
    expect(found).toEqual({ a: 'broken 0/7', b: 'broken', c: 'ask candidate 1', d: 'flaky', e: 'errored' });
    expect(settle({ suspects: { b: 'f+f', c: 'f' }, isStopped: true }, true)).toEqual({
      b: 'ask accepted 1',
      c: 'ask candidate 1',
    });
  });

  test('that failed again are broken where a few retrials of many calls each used the budget up', () => {
    const suspects = { a: 'f+ff', b: 'f+f|f', c: 'f+fee', d: 'f', e: 'f+p' };
    expect(settle({ suspects }, true)).toEqual({
      a: 'broken',
      b: 'ask candidate 1',
      c: 'errored',
      d: 'ask candidate 1',
      e: 'flaky',
    });
    expect(settle({ suspects: { a: 'f+ff' }, isStopped: true }, true)).toEqual({ a: 'ask accepted 1' });
  });

  test('of a confirmed average need no verdict of their own', () => {
    const averages = [buildAverage(100, { outcomes: 'p+p|p', look: 0.001 })];
    expect(settle({ suspects: { a: 'f', b: 'f+p', c: 'f+fffffff|pppppp' }, averages })).toEqual({
      a: 'not-needed',
      b: 'flaky',
      c: 'broken 0/6',
      'pass rate': 'confirmed',
    });
  });
});

describe('must-pass and added cases', () => {
  test('are judged by themselves', () => {
    const mustPass = { m: 'f+ff', n: 'ppf+pp', o: 'f' };
    expect(settle({ mustPass })).toEqual({ m: 'broken', n: 'flaky', o: 'ask candidate 1' });
    expect(settle({ added: { x: 'f+fff', y: 'f+ffp', z: 'f+f' } })).toEqual({
      x: 'broken',
      y: 'flaky',
      z: 'ask candidate 1',
    });
  });

  test('fail by as many trials as the number of added cases wants, and as the budget has for each', () => {
    const failing = (count: number, trials: number, maxRetrials: number) =>
      settle({ added: { ...many(count - 1, 'f+p'), x: `f+${'f'.repeat(trials)}` }, maxRetrials })['x'];
    expect([failing(1, 2, 100), failing(1, 3, 100)]).toEqual(['ask candidate 1', 'broken']);
    expect([failing(30, 4, 1000), failing(30, 5, 1000)]).toEqual(['ask candidate 1', 'broken']);
    expect([failing(30, 1, 60), failing(30, 2, 60)]).toEqual(['ask candidate 1', 'broken']);
    expect(failing(30, 1, 10)).toBe('broken');
  });

  test('of a merge are what their shards have found', () => {
    const added = { ...many(30, 'f+p'), x: 'f+ff', y: 'f+fp', z: 'f' };
    const settled = settle({ added, mergedShards: 4, maxRetrials: 1000 }, true);
    expect([settled['x'], settled['y'], settled['z']]).toEqual(['broken', 'flaky', 'ask candidate 1']);
    expect(settle({ added, maxRetrials: 1000 })['x']).toBe('ask candidate 2');
    // One that was stopped has not asked enough.
    expect(settle({ added, mergedShards: 4, maxRetrials: 1000, isStopped: true }, true)['x']).toBe('ask candidate 2');
  });

  test('of a merge that was stopped are held to the calls of its parts, as each part holds them', () => {
    const stopped = (added: Readonly<Record<string, string>>, calls: Partial<SuspicionOptions>) =>
      settle({ added, isStopped: true, ...calls }, true)['x'];
    const few = { ...many(4, 'f+p'), x: 'f+f' };
    for (const added of [{ x: 'f+f' }, few]) {
      expect(stopped(added, { shards: 4, maxRetrials: 5 })).toBe('broken');
      expect(stopped(added, { mergedShards: 4, maxRetrials: 20 })).toBe('broken');
    }
    // Forty calls in each of four parts, and five such cases: a part needs five failures of one, and so does the merge.
    const ofPart = { shards: 4, maxRetrials: 40 };
    const merged = { mergedShards: 4, maxRetrials: 160 };
    expect(stopped({ ...many(4, 'f+p'), x: 'f+ff' }, ofPart)).not.toBe('broken');
    expect(stopped({ ...many(19, 'f+p'), x: 'f+ff' }, merged)).not.toBe('broken');
    expect(stopped({ ...many(4, 'f+p'), x: 'f+fffff' }, ofPart)).toBe('broken');
    expect(stopped({ ...many(19, 'f+p'), x: 'f+fffff' }, merged)).toBe('broken');
  });

  test('are not asked once enough of them are broken', () => {
    const added = { ...many(2, 'f+ffff'), x: 'f' };
    expect(settle({ added, addedCase: { maxConfirmed: 2 } })['x']).toBe('not-needed');
    expect(settle({ added, addedCase: { maxConfirmed: 3 } })['x']).toBe('ask candidate 1');
  });
});

describe('averages', () => {
  test('are looked at where they look worse at one-sided 10 %', () => {
    const averages = [
      buildAverage(20, { id: 'a', p: 0.1 }),
      buildAverage(20, { id: 'b', p: 0.1001 }),
      buildAverage(20, { id: 'c', p: null }),
    ];
    expect(settle({ averages })).toEqual({ a: 'open' });
  });

  test('are held to a level that all that are flagged share', () => {
    const settled = (id: string, others: number, look: number) => {
      const looked = { outcomes: 'p+p|p', look };
      const flagged = Array.from({ length: others }, (_, index) => buildAverage(20, { ...looked, id: `x${index}` }));
      const quiet = buildAverage(20, { id: 'quiet', p: 0.5 });
      return settle({ averages: [buildAverage(20, { ...looked, id }), ...flagged, quiet], maxRetrials: 1000 })[id];
    };
    expect(settled('a', 0, 0.025 * 0.6)).toBe('confirmed');
    expect(settled('a', 3, 0.025 * 0.6)).toBe('open');
    expect(settled('a', 3, (0.025 * 0.6) / 4)).toBe('confirmed');
  });

  test('use the planned trials where all are flagged, or where the budget has no room for both sides', () => {
    const wantsCandidate = (averages: ReturnType<typeof buildAverage>[], maxRetrials: number) => {
      const verdict = settleSuspicions(buildSuspicions({ averages, maxRetrials }), false).averages.get('a');
      if (verdict?.kind !== 'open') return verdict?.kind;
      return verdict.wanted.flat().some(({ side }) => side === 'candidate');
    };
    const [flagged, quiet] = [buildAverage(20, { id: 'a' }), buildAverage(20, { id: 'b', p: 0.5 })];
    expect(wantsCandidate([flagged], 1000)).toBe(false);
    expect(wantsCandidate([flagged, quiet], 1000)).toBe(true);
    expect(wantsCandidate([flagged, quiet], 40)).toBe(true);
    expect(wantsCandidate([flagged, quiet], 39)).toBe(false);
  });

  test('that use the planned trials are held to a level that all averages share', () => {
    const averages = (look: number) => [
      buildAverage(20, { id: 'a', outcomes: 'p|p', look }),
      ...Array.from({ length: 3 }, (_, index) => buildAverage(20, { id: `quiet${index}`, p: 0.5 })),
    ];
    expect(settle({ averages: averages(0.025 * 1.3), maxRetrials: 20 })['a']).not.toBe('confirmed');
    expect(settle({ averages: averages((0.025 * 1.3) / 4), maxRetrials: 20 })['a']).toBe('confirmed');
  });

  test('are not looked at once a case of the variant is broken for the gate', () => {
    const averages = [buildAverage(20)];
    const suspects = { a: 'f+fffff|pppp' };
    expect(settle({ averages, suspects })['pass rate']).toBe('not-needed');
    expect(settle({ averages, suspects, suspect: { isGated: false } })['pass rate']).toBe('open');
    expect(settle({ averages, suspects, suspect: { averages: [] } })['pass rate']).toBe('open');
    const looked = [buildAverage(20, { outcomes: 'p+p|p', look: 0.001 })];
    expect(settle({ averages: looked, suspects })['pass rate']).toBe('confirmed');
  });

  test('are never open once no further trial can be made', () => {
    expect(settle({ averages: [buildAverage(20)] }, true)).toEqual({ 'pass rate': 'unsettled' });
  });
});

describe('where the calls did not pay for a single retrial', () => {
  const averages = [buildAverage(20), buildAverage(20, { id: 'other', p: 0.5 })];
  const all = { averages, suspects: { a: 'f' }, mustPass: { m: 'f' }, added: { x: 'f' }, maxRetrials: 3 };

  test('the stored trials decide', () => {
    expect(settle(all, true)).toEqual({ m: 'broken', a: 'broken', x: 'broken', 'pass rate': 'unavailable' });
    expect(Object.values(settle(all, false))).not.toContain('broken');
  });

  test('nothing is broken if the run stopped before the retrials, or made one of them', () => {
    expect(Object.values(settle({ ...all, isStopped: true }, true))).not.toContain('broken');
    for (const made of ['f+e', 'f+s', 'f|e', 'f+p']) {
      expect(settle({ ...all, suspects: { a: 'f', b: made } }, true)['a']).toBe('ask candidate 1');
    }
    expect(Object.values(settle({ ...all, maxRetrials: 20 }, true))).not.toContain('broken');
  });
});

test('verdicts do not depend on the order of what they are about', () => {
  const word = fc.stringMatching(/^f+\+[pfe]{0,8}\|[pfe]{0,8}$/);
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 8 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 200 }),
      fc.boolean(),
      (words, ps, maxRetrials, isFinal) => {
        const suspects = Object.fromEntries(words.map((outcomes, index) => [`s${index}`, outcomes]));
        const averages = ps.map((p, index) => buildAverage(12, { id: `a${index}`, outcomes: 'p+p|p', p, look: p / 2 }));
        const input = buildSuspicions({ suspects, averages, maxRetrials });
        const turned = { ...input, suspects: input.suspects.toReversed(), averages: averages.toReversed() };
        const settled = shortenSettled(settleSuspicions(input, isFinal));
        expect(shortenSettled(settleSuspicions(turned, isFinal))).toEqual(settled);
      },
    ),
  );
});

test('the verdict on a single suspect does not depend on its id', () => {
  const word = fc.stringMatching(/^f+\+[pfe]{0,8}\|[pfe]{0,8}$/);
  fc.assert(
    fc.property(word, fc.string(), fc.boolean(), (outcomes, id, isFinal) => {
      const input = buildSuspicions({ suspects: { a: outcomes } });
      const renamed = input.suspects.map((one) => ({ ...one, found: { ...buildRetried(outcomes, 'a'), id } }));
      const verdict = settleSuspicions({ ...input, suspects: renamed }, isFinal).cases.get(id);
      const before = settleSuspicions(input, isFinal).cases.get('a');
      expect(verdict?.kind).toBe(before?.kind);
    }),
  );
});
