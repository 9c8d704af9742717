import { describe, expect, test } from 'vitest';
import {
  countOtherCases,
  countSharing,
  freshTrialsOf,
  settle,
  thresholdOf,
} from '../../../src/verdict/confirm/settle.ts';
import {
  buildAverage,
  buildFlagged,
  buildFlaggedCase,
  buildTrial,
  shortenSettled,
} from '../../support/build-flagged.ts';
import fc from '../../support/property.ts';

const broken = `${'f'.repeat(9)}|${'p'.repeat(9)}`;
const open = { isFinal: false };
const final = { isFinal: true };

describe('flagged cases', () => {
  test('need the more evidence the more of them are flagged, here and in other shards; must-pass cases do not count', () => {
    const cases = ['a', 'b', 'c'].map((id) => buildFlaggedCase(id));
    const must = buildFlaggedCase('m', '', { rule: 'must-pass' });
    const [first] = cases;
    if (first === undefined) throw new Error('three cases');
    expect(thresholdOf(first, buildFlagged([first]))).toBe(40);
    expect(thresholdOf(first, buildFlagged([...cases, must]))).toBe(120);
    expect(thresholdOf(first, buildFlagged(cases, { casesOfOtherShards: 17 }))).toBe(800);
    expect(thresholdOf({ level: 0.005 }, buildFlagged([first]))).toBe(200);
  });

  test('have one verdict in whatever order they are listed', () => {
    const word = fc.constantFrom('', 'f', 'p', 'ff|pp', broken, 'ff|ff', 'ee', 'fff|p');
    const found = fc.record({
      outcomes: word,
      rule: fc.constantFrom('suspect', 'added', 'must-pass'),
      askable: fc.constantFrom('both', 'candidate', 'budget', 'recordings', 'records'),
      group: fc.constantFrom(undefined, undefined, 'g', 'h'),
      suite: fc.constantFrom('one', 'two'),
      isGated: fc.boolean(),
      maxConfirmed: fc.constantFrom(1, 10),
    } as const);
    fc.assert(
      fc.property(fc.array(found, { maxLength: 8 }), fc.boolean(), fc.nat(), (all, isFinal, turn) => {
        const cases = all.map(({ outcomes, ...rest }, index) => buildFlaggedCase(`c${index}`, outcomes, rest));
        const at = cases.length === 0 ? 0 : turn % cases.length;
        const others = [cases.toReversed(), [...cases.slice(at), ...cases.slice(0, at)]];
        const said = shortenSettled(settle(buildFlagged(cases), { isFinal }));
        for (const other of others) expect(shortenSettled(settle(buildFlagged(other), { isFinal }))).toEqual(said);
      }),
    );
  });

  test('stay open while more can be asked, and end unsettled', () => {
    const flagged = buildFlagged([buildFlaggedCase('a'), buildFlaggedCase('b', 'ff|pp'), buildFlaggedCase('c', 'p')]);
    expect(shortenSettled(settle(flagged, open))).toEqual({ a: 'open', b: 'open', c: 'flaky' });
    expect(shortenSettled(settle(flagged, final))).toEqual({ a: 'unsettled', b: 'unsettled', c: 'flaky' });
  });

  test('are not needed at the end where another one is confirmed, unless that only warns', () => {
    const run = (isGated: boolean) =>
      shortenSettled(settle(buildFlagged([buildFlaggedCase('a', broken, { isGated }), buildFlaggedCase('b')]), final));
    expect(run(true)).toEqual({ a: 'broken', b: 'not-needed' });
    expect(run(false)).toEqual({ a: 'broken', b: 'unsettled' });
  });

  test('are asked no more once ten of their suite are confirmed, must-pass cases excepted', () => {
    const ten = Array.from({ length: 10 }, (_, index) => buildFlaggedCase(`b${index}`, broken));
    const rest = [
      buildFlaggedCase('same'),
      buildFlaggedCase('other', '', { suite: 'other' }),
      buildFlaggedCase('must', '', { rule: 'must-pass' }),
      buildFlaggedCase('cleared', 'p'),
    ];
    expect(shortenSettled(settle(buildFlagged([...ten, ...rest]), open))).toMatchObject({
      same: 'not-needed',
      other: 'open',
      must: 'open',
      cleared: 'flaky',
    });
    expect(shortenSettled(settle(buildFlagged([...ten.slice(1), ...rest]), open))).toMatchObject({ same: 'open' });
  });

  test('of a group are settled by the first that breaks, whichever that is', () => {
    const said = [0, 1, 2].map((place) => {
      const cases = [0, 1, 2].map((index) =>
        buildFlaggedCase(`c${index}`, index === place ? broken : '', { group: 'kin' }),
      );
      return Object.values(shortenSettled(settle(buildFlagged(cases), open))).toSorted();
    });
    expect(said).toEqual(Array.from({ length: 3 }, () => ['broken', 'not-needed', 'not-needed']));
    // One that drifted says nothing of the others: any of them may still be broken.
    const drifted = [buildFlaggedCase('a', 'ffff|ffff', { group: 'kin' }), buildFlaggedCase('b', '', { group: 'kin' })];
    expect(shortenSettled(settle(buildFlagged(drifted), open))).toEqual({ a: 'drifted', b: 'open' });
    const flaky = [buildFlaggedCase('a', 'p', { group: 'kin' }), buildFlaggedCase('b', '', { group: 'kin' })];
    expect(shortenSettled(settle(buildFlagged(flaky), open))).toEqual({ a: 'flaky', b: 'open' });
    const apart = [buildFlaggedCase('a', broken, { group: 'kin' }), buildFlaggedCase('b', '', { group: 'others' })];
    expect(shortenSettled(settle(buildFlagged(apart), open))).toEqual({ a: 'broken', b: 'open' });
  });

  test('that fail the gate are still asked where others that only warn are confirmed', () => {
    const warns = Array.from({ length: 10 }, (_, index) =>
      buildFlaggedCase(`w${index}`, broken, { isGated: false, group: 'kin' }),
    );
    const rest = [
      buildFlaggedCase('gated', '', { rule: 'added', group: 'kin' }),
      buildFlaggedCase('warned', '', { isGated: false }),
    ];
    expect(shortenSettled(settle(buildFlagged([...warns, ...rest]), open))).toMatchObject({
      gated: 'open',
      warned: 'not-needed',
    });
    expect(shortenSettled(settle(buildFlagged([...warns, ...rest]), final))).toMatchObject({ gated: 'unsettled' });
  });

  test.each([
    // Asking a recording again gives the same answer: the failure stands.
    ['recordings', 'suspect', '', 'broken'],
    ['recordings', 'must-pass', '', 'broken'],
    ['recordings', 'added', '', 'broken'],
    // Without a budget, and of two records, nothing fails that no fresh trial has confirmed.
    ['budget', 'suspect', '', 'unsettled'],
    ['budget', 'must-pass', '', 'unsettled'],
    ['budget', 'added', '', 'unsettled'],
    ['records', 'suspect', 'ff|pp', 'unsettled'],
    // The pairs of the run that wrote a record still count.
    ['records', 'suspect', broken, 'broken'],
    ['records', 'suspect', 'ffff|ffff', 'drifted'],
    ['records', 'must-pass', 'ff|pp', 'broken'],
    ['records', 'suspect', 'f|pp', 'unsettled'],
    ['budget', 'suspect', 'p', 'flaky'],
    // Without the accepted side each failure counts two to one.
    ['candidate', 'suspect', 'ffffff', 'broken'],
    ['candidate', 'suspect', 'fffff', 'open'],
    ['candidate', 'suspect', 'fp', 'flaky'],
    // A new case has no accepted side.
    ['both', 'added', 'ffffff', 'broken'],
    ['both', 'added', 'fffff', 'open'],
    ['both', 'suspect', 'ffffff', 'open'],
    ['candidate', 'must-pass', 'ff', 'broken'],
    ['both', 'must-pass', 'pfp|ppp', 'flaky'],
  ] as const)('of which %s can be asked, by the rule %s, with trials "%s": %s', (askable, rule, outcomes, said) => {
    const flagged = buildFlagged([buildFlaggedCase('a', outcomes, { askable, rule })]);
    expect(shortenSettled(settle(flagged, open))).toEqual({ a: said });
  });
});

describe('flagged averages', () => {
  test('share their level with each other, with those of other shards, and with those that stored trials decide', () => {
    const averages = ['a', 'b', 'c'].map((id) => buildAverage(20, { id }));
    expect(countSharing(buildFlagged([], { averages }))).toBe(3);
    expect(countSharing(buildFlagged([], { averages, shards: 2, storedAverages: 4 }))).toBe(10);
    expect(countSharing(buildFlagged([]))).toBe(1);
    const at = (look: number, more: object) => {
      const first = buildAverage(20, { id: 'a', outcomes: 'p|p', look });
      return shortenSettled(settle(buildFlagged([], { averages: [first], ...more }), open))['a'];
    };
    const last = 0.4 * 0.025;
    expect([at(last, {}), at(last, { storedAverages: 1 }), at(last / 2, { storedAverages: 1 })]).toEqual([
      'confirmed',
      'open',
      'confirmed',
    ]);
  });

  test('are not needed where broken cases of their variant decide', () => {
    const average = buildAverage(20, { id: 'rate' });
    const other = buildAverage(20, { id: 'other', variant: 'v1 × q' });
    const flagged = buildFlagged([buildFlaggedCase('a', broken)], { averages: [average, other] });
    expect(shortenSettled(settle(flagged, open))).toEqual({ a: 'broken', rate: 'not-needed', other: 'open' });
    expect(shortenSettled(settle(flagged, final))).toMatchObject({ rate: 'not-needed', other: 'not-needed' });
    const warns = buildFlagged([buildFlaggedCase('a', broken, { isGated: false })], { averages: [average] });
    expect(shortenSettled(settle(warns, final))).toEqual({ a: 'broken', rate: 'unsettled' });
  });

  test('end unsettled where no more can be asked', () => {
    const flagged = (outcomes: string, look: number) =>
      buildFlagged([], { averages: [buildAverage(20, { id: 'a', outcomes, look })] });
    expect(shortenSettled(settle(flagged('', 0.5), open))).toEqual({ a: 'open' });
    expect(shortenSettled(settle(flagged('', 0.5), final))).toEqual({ a: 'unsettled' });
    expect(shortenSettled(settle(flagged('p|p', 0.4), final))).toEqual({ a: 'cleared' });
  });
});

test('a skipped fresh trial was not asked', () => {
  const [passed, skipped] = [buildTrial('p'), buildTrial('s')];
  const { candidate, accepted } = freshTrialsOf({ confirmations: [passed, skipped], accepted: [skipped] });
  expect([candidate, accepted]).toEqual([[passed], []]);
});

test('the cases of other shards are those of all suites', () => {
  expect(countOtherCases({})).toBe(0);
  expect(countOtherCases({ shard: { index: 1, count: 2, otherCases: { one: 3, two: 4 } } })).toBe(7);
});
