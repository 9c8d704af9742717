import { describe, expect, test } from 'vitest';
import { trialsToConfirm } from '../../../src/stats/exact-tests.ts';
import { judgeAlone, judgeMustPass, judgeSuspect, type SuspectRule } from '../../../src/verdict/confirm/judge-case.ts';
import { buildRetried, shortenVerdict } from '../../support/build-retried.ts';
import fc from '../../support/property.ts';

/** One suspect at alpha 5 %: five trials a side, of which the accepted prompt may fail one. */
const alone: SuspectRule = {
  trials: 5,
  asksAccepted: true,
  level: 0.025,
  failures: 8,
  asksAcceptedEarly: false,
  finalEvidence: 'full',
};

const judge = (outcomes: string, isFinal = false, rule: Partial<SuspectRule> = {}) =>
  shortenVerdict(judgeSuspect(buildRetried(outcomes), { ...alone, ...rule }, isFinal));

describe('a suspect beside the accepted prompt', () => {
  test.each([
    // The candidate first: once, then twice as many.
    ['f', 'ask candidate 1'],
    ['fff', 'ask candidate 1'],
    ['f+f', 'ask candidate 1'],
    ['f+ff', 'ask candidate 2'],
    ['f+fff', 'ask candidate 2'],
    ['f+ffff', 'ask candidate 1'],
    // Any pass clears it, the first as well as a late one.
    ['f+p', 'flaky'],
    ['f+fffp', 'flaky'],
    ['f+fffffp', 'flaky'],
    ['f+fp|ffff', 'flaky'],
    ['f+fffffp|ppppp', 'flaky'],
    // Then the accepted prompt: twice, since two failures show drift, and no more often than it takes.
    ['f+fffff', 'ask accepted 2'],
    ['f+fffff|p', 'ask accepted 3'],
    ['f+fffff|ppp', 'ask accepted 1'],
    ['f+fffff|f', 'ask accepted 4'],
    ['f+fffff|fppp', 'ask accepted 1'],
    ['f+fffff|pppp', 'broken 0/4'],
    ['f+fffff|ppppp', 'broken 0/5'],
    ['f+fffff|ppppf', 'broken 1/5'],
    ['f+fffff|fpppp', 'broken 1/5'],
    // Trials that an average was looked at with count too, no more than five of them.
    ['f+fffff|ppppff', 'broken 1/5'],
    ['f+fffff|ff', 'drifted 2/2'],
    ['f+fffff|pppff', 'drifted 2/5'],
    ['f+fffff|fffff', 'drifted 5/5'],
    // Errors are no verdict; two end the asking.
    ['f+e', 'ask candidate 1'],
    ['f+ee', 'errored'],
    ['f+fee', 'errored'],
    ['f+effff', 'ask candidate 1'],
    ['f+eefffff|pppp', 'broken 0/4'],
    ['f+eep', 'flaky'],
    ['f+fffff|e', 'ask accepted 2'],
    ['f+fffff|epppp', 'broken 0/4'],
    ['f+fffff|eeff', 'drifted 2/2'],
    // Then the rate decides, unless the accepted prompt has failed as well.
    ['f+fffff|ee', 'ask candidate 2'],
    ['f+fffffff|ee', 'broken'],
    ['f+fffff|eef', 'errored'],
  ])('%s: %s', (outcomes, word) => {
    expect(judge(outcomes)).toBe(word);
  });

  test.each([
    // No test can be significant without trials of both.
    ['f', 'open'],
    ['f+ffff', 'open'],
    ['f+fffff', 'open'],
    // 5 of 5 against 0 of 2 is 1 in 21, against 0 of 3 it is 1 in 56.
    ['f+fffff|pp', 'open'],
    ['f+fffff|ppp', 'broken 0/3'],
    // 4 of 4 against 0 of 3 is 1 in 35, against 0 of 4 it is 1 in 70.
    ['f+ffff|ppp', 'open'],
    ['f+ffff|pppp', 'broken 0/4'],
    ['f+fffp|pppp', 'flaky'],
    ['f+fffff|fppp', 'open'],
    ['f+fffff|ff', 'drifted 2/2'],
  ])('once no further trial can be made, %s: %s', (outcomes, word) => {
    expect(judge(outcomes, true).replace(/^ask .*/, 'open')).toBe(word);
  });

  test('needs more trials the more suspects there are', () => {
    for (const [suspects, trials] of [
      [1, 5],
      [5, 7],
      [20, 8],
      [80, 9],
    ] as const) {
      const level = 0.025 / suspects;
      expect([suspects, trialsToConfirm(level)]).toEqual([suspects, trials]);
      const rule = { trials, level };
      expect(judge(`f+${'f'.repeat(trials - 1)}`, false, rule)).toBe('ask candidate 1');
      expect(judge(`f+${'f'.repeat(trials)}|${'p'.repeat(trials - 1)}`, false, rule)).toBe(`broken 0/${trials - 1}`);
    }
  });
});

describe('a suspect that can’t be tested on both sides', () => {
  const few = { trials: undefined, failures: 3 };

  test.each([
    ['f', false, 'ask candidate 1'],
    ['f+f', false, 'ask candidate 1'],
    ['f+p', false, 'flaky'],
    // The accepted prompt is asked once, so that the change is not blamed for what the provider did.
    ['f+ff', false, 'ask accepted 1'],
    ['f+ff|p', false, 'broken 0/1'],
    ['f+ff|f', false, 'drifted 1/1'],
    ['f+ff|fp', false, 'drifted 1/2'],
    ['f+f|f', false, 'drifted 1/1'],
    ['f+ff|e', false, 'ask accepted 1'],
    ['f+ff|ee', false, 'broken'],
    ['f+ff', true, 'ask accepted 1'],
    ['f+ff|p', true, 'broken 0/1'],
  ])('%s (at last: %s): %s', (outcomes, isFinal, word) => {
    expect(judge(outcomes, isFinal, few)).toBe(word);
  });

  test('is broken without the accepted prompt in a run of so few calls that there is none for it', () => {
    expect(judge('f+f', true, { ...few, finalEvidence: 'one-failure' })).toBe('broken');
    expect(judge('f+f|p', true, { ...few, finalEvidence: 'one-failure' })).toBe('broken 0/1');
    expect(judge('f+f|f', true, { ...few, finalEvidence: 'one-failure' })).toBe('drifted 1/1');
  });
});

test.each([
  ['f', 'open'],
  ['f+f', 'broken'],
  ['f+fffff', 'broken'],
  // The accepted prompt was asked, so its answers count.
  ['f+f|p', 'broken 0/1'],
  ['f+f|f', 'open'],
  ['f+fffff|p', 'broken 0/1'],
  ['f+fffff|pppp', 'broken 0/4'],
  ['f+fffff|ff', 'drifted 2/2'],
  ['f+fp', 'flaky'],
  ['f+fee', 'errored'],
])('a suspect whose calls were used up by a few costly trials, %s: %s', (outcomes, word) => {
  expect(judge(outcomes, true, { finalEvidence: 'one-failure-untested' }).replace(/^ask .*/, 'open')).toBe(word);
});

describe('a suspect whose accepted prompt is not asked', () => {
  const apart = { trials: undefined, asksAccepted: false };

  test.each([
    ['f', 5, 'ask candidate 1'],
    ['f+f', 5, 'ask candidate 1'],
    ['f+ff', 5, 'ask candidate 2'],
    ['f+ffff', 5, 'broken'],
    ['fff+f', 5, 'ask candidate 1'],
    ['fff+ff', 5, 'broken'],
    // Planned trials flagged it, so one fresh one must fail at least.
    ['fffff', 5, 'ask candidate 1'],
    ['fffff+f', 5, 'broken'],
    ['f+fffp', 5, 'flaky'],
    ['f+ffffp', 5, 'flaky'],
    ['fe+fff', 5, 'ask candidate 1'],
    ['f+fee', 5, 'errored'],
    ['f+eeffff', 5, 'broken'],
  ])('%s where %d failures break it: %s', (outcomes, failures, word) => {
    expect(judge(outcomes, false, { ...apart, failures })).toBe(word);
  });

  test.each([
    ['f', 'full', 'ask candidate 1'],
    ['f+ff', 'full', 'ask candidate 2'],
    ['f', 'one-failure', 'ask candidate 1'],
    ['f+e', 'one-failure', 'ask candidate 1'],
    // Of so few calls one failure has to do.
    ['f+f', 'one-failure', 'broken'],
    ['f+fp', 'one-failure', 'flaky'],
    ['f+fee', 'one-failure', 'errored'],
  ] as const)('that can be asked no more, %s (evidence: %s): %s', (outcomes, finalEvidence, word) => {
    expect(judge(outcomes, true, { ...apart, finalEvidence })).toBe(word);
  });
});

describe('a case of which nothing was accepted', () => {
  test.each([
    ['f', 3, 'ask candidate 1'],
    ['ppf', 3, 'ask candidate 1'],
    ['f+ff', 3, 'ask candidate 1'],
    ['f+fff', 3, 'broken'],
    ['f+ffp', 3, 'flaky'],
    ['f+p', 1, 'flaky'],
    ['f+f', 1, 'broken'],
    ['f+fp', 1, 'flaky'],
    ['f+ee', 3, 'errored'],
  ])('%s with %d trials to fail: %s', (outcomes, trials, word) => {
    expect(shortenVerdict(judgeAlone(buildRetried(outcomes), { trials, isOneEnough: false }, false))).toBe(word);
  });
});

describe('a contract', () => {
  test.each([
    ['f', 'ask candidate 1', 'ask candidate 1'],
    ['ppf', 'ask candidate 1', 'ask candidate 1'],
    ['f+p', 'ask candidate 1', 'ask candidate 1'],
    ['f+f', 'ask candidate 1', 'broken'],
    ['f+pf', 'ask candidate 1', 'ask candidate 1'],
    ['f+fp', 'ask candidate 1', 'ask candidate 1'],
    ['f+pp', 'flaky', 'flaky'],
    ['f+ff', 'broken', 'broken'],
    ['f+pff', 'broken', 'broken'],
    ['f+fpp', 'flaky', 'flaky'],
    // Two of the first three.
    ['f+fppff', 'flaky', 'flaky'],
    ['f+e', 'ask candidate 1', 'ask candidate 1'],
    ['f+ee', 'errored', 'errored'],
    ['f+pee', 'errored', 'errored'],
    ['f+fee', 'errored', 'broken'],
    ['f+eeff', 'broken', 'broken'],
  ])('%s: %s, and once no further trial can be made: %s', (outcomes, word, atLast) => {
    const found = buildRetried(outcomes);
    expect([judgeMustPass(found, false), judgeMustPass(found, true)].map(shortenVerdict)).toEqual([word, atLast]);
  });
});

describe('whatever the retrials say', () => {
  const word = fc.stringMatching(/^[pfe]{0,12}$/);
  const rule = fc
    .record({
      suspects: fc.integer({ min: 1, max: 200 }),
      failures: fc.integer({ min: 3, max: 12 }),
      asksAcceptedEarly: fc.boolean(),
      finalEvidence: fc.constantFrom('full', 'one-failure-beside-pass', 'one-failure'),
      asksAccepted: fc.boolean(),
      asks: fc.boolean(),
    })
    .map(({ suspects, asks, ...rest }): SuspectRule => {
      const level = 0.025 / suspects;
      return { ...rest, level, trials: asks ? trialsToConfirm(level) : undefined };
    });

  test('a case that passed one is never broken, nor drifted', () => {
    fc.assert(
      fc.property(word, word, rule, fc.boolean(), (candidate, accepted, suspect, isFinal) => {
        const found = buildRetried(`f+${candidate}|${accepted}`);
        const { kind } = judgeSuspect(found, suspect, isFinal);
        expect(kind === 'flaky').toBe(candidate.includes('p'));
      }),
    );
  });

  test('a case is broken only where it failed significantly more often than the accepted prompt', () => {
    fc.assert(
      fc.property(fc.nat(12), word, fc.boolean(), (failures, accepted, isFinal) => {
        const found = buildRetried(`f+${'f'.repeat(failures)}|${accepted}`);
        const verdict = judgeSuspect(found, alone, isFinal);
        const seen = accepted.replaceAll('e', '').slice(0, 5);
        if (verdict.kind !== 'broken' || verdict.acceptedTrials === 0) return;
        expect(seen.split('').filter((letter) => letter === 'f').length).toBeLessThanOrEqual(1);
        expect(seen.length).toBeGreaterThanOrEqual(3);
      }),
    );
  });

  test('what is asked for ends with a verdict, and more of the same changes nothing', () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.constantFrom('p', 'f', 'e')),
        fc.array(fc.constantFrom('p', 'f', 'e')),
        rule,
        (answers, more, suspect) => {
          const asked = { candidate: '', accepted: '' };
          const found = () => buildRetried(`f+${asked.candidate}|${asked.accepted}`);
          let verdict = judgeSuspect(found(), suspect, false);
          for (let rounds = 0; verdict.kind === 'open' && rounds < 40; rounds += 1) {
            const { side, count } = verdict.wanted;
            for (let trial = 0; trial < count; trial += 1) asked[side] += answers.next().value;
            verdict = judgeSuspect(found(), suspect, false);
          }
          expect(verdict.kind).not.toBe('open');
          const isTested = suspect.trials !== undefined && 'acceptedTrials' in verdict && verdict.acceptedTrials > 0;
          if (isTested) asked.accepted += more.join('');
          expect(judgeSuspect(found(), suspect, isTested).kind).toBe(verdict.kind);
        },
      ),
    );
  });
});
