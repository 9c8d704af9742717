import { describe, expect, test } from 'vitest';
import { failuresToConfirm, pairsToConfirm } from '../../../src/stats/two-sample-evidence.ts';
import { maxPairs, weighCase, weighMustPass } from '../../../src/verdict/confirm/case-evidence.ts';
import { freshOf, shortenCase } from '../../support/build-flagged.ts';
import fc from '../../support/property.ts';

/** One flagged case at the usual level: four pairs confirm it. */
const threshold = 40;
const paired = (outcomes: string, of = threshold) =>
  shortenCase(weighCase(freshOf(outcomes), { asksAccepted: true, threshold: of }));
const alone = (outcomes: string, of = threshold) =>
  shortenCase(weighCase(freshOf(outcomes), { asksAccepted: false, threshold: of }));

describe('a case whose fresh trials are asked in pairs', () => {
  test.each([
    // The new prompt is asked first, and the accepted one only beside its failure.
    ['', 'ask candidate 1'],
    ['f', 'ask accepted 1'],
    ['f|p', 'ask candidate 2'],
    ['fff|ppp', 'ask candidate 4'],
    ['ffff|pppp', 'broken 4:4'],
    ['ffffff|pppppp', 'broken 4:4'],
    // A pass of the new prompt clears it, whatever the accepted prompt does.
    ['p', 'flaky 1:0'],
    ['fffp|ppp', 'flaky 4:3'],
    ['fffp|ppf', 'flaky 4:3'],
    // The accepted prompt fails it as well.
    ['ffff|ffff', 'drifted 4:4'],
    ['ff|pf', 'ask candidate 3'],
    ['fff|pff', 'ask candidate 4'],
    ['fffff|pffff', 'drifted 5:5'],
    ['ffffff|pppfpp', 'broken 6:6'],
    // An errored trial is no verdict, and a pair without two verdicts is no evidence.
    ['e', 'ask accepted 1'],
    ['ef|p', 'ask accepted 2'],
    ['efff|pppp', 'ask candidate 5'],
    ['effff|ppppp', 'broken 4:5'],
    ['fffff|epppp', 'broken 5:4'],
    ['ee|pp', 'errored 0:2'],
    // An accepted side that goes away counts as one that can't be asked: from then on, two to one.
    ['fff|ee', 'ask candidate 4'],
    ['fffffff|ee', 'ask candidate 8'],
    ['ffffffff|ee', 'broken 8:0'],
    ['ffffff|ppee', 'ask candidate 7'],
    ['fffffff|ppee', 'broken 7:2'],
    ['fffp|ee', 'flaky 4:0'],
    // It had failed too, so the change can't be blamed.
    ['ffffffff|fee', 'unsettled 4:1'],
    ['fefe|pp', 'ask accepted 3'],
    ['fefef|pppp', 'errored 2:4'],
  ])('and are %s: %s', (outcomes, said) => {
    expect(paired(outcomes)).toBe(said);
  });

  test('needs as many pairs as the evidence that is asked for', () => {
    for (const of of [2, 40, 400, 4000, 40_000]) {
      const pairs = pairsToConfirm(of);
      const all = (count: number) => `${'f'.repeat(count)}|${'p'.repeat(count)}`;
      expect(paired(all(pairs), of)).toBe(`broken ${pairs}:${pairs}`);
      expect(paired(all(pairs - 1), of)).toBe(`ask candidate ${pairs}`);
    }
  });

  test('is not settled where all pairs do not tell', () => {
    const mixed = (pairs: number) => `${'f'.repeat(pairs)}|${'ppf'.repeat(pairs).slice(0, pairs)}`;
    expect(maxPairs).toBe(15);
    expect(paired(mixed(14), 1e9)).toBe('ask candidate 15');
    expect(paired(mixed(15), 1e9)).toBe('unsettled 15:15');
  });

  test('never changes a verdict by further trials', () => {
    const word = fc.string({ unit: fc.constantFrom('f', 'f', 'f', 'p', 'e'), maxLength: 10 });
    fc.assert(
      fc.property(word, word, word, word, fc.boolean(), (candidate, accepted, more, moreAccepted, asksAccepted) => {
        const weigh = (outcomes: string) => weighCase(freshOf(outcomes), { asksAccepted, threshold });
        const settled = weigh(`${candidate}|${accepted}`);
        fc.pre(settled.outcome !== 'open');
        expect(weigh(`${candidate}${more}|${accepted}${moreAccepted}`)).toEqual(settled);
      }),
    );
  });
});

describe('a case whose accepted side can not be asked', () => {
  test.each([
    ['', 'ask candidate 1'],
    ['fffff', 'ask candidate 6'],
    ['ffffff', 'broken 6:0'],
    ['fffffp', 'flaky 6:0'],
    ['effffff', 'broken 6:0'],
    ['fee', 'errored 1:0'],
    // Whatever there is of the accepted side does not count.
    ['ffffff|ffffff', 'broken 6:0'],
  ])('counts each failure two to one, and is %s: %s', (outcomes, said) => {
    expect(alone(outcomes)).toBe(said);
  });

  test('is asked as often as its evidence needs, beyond the most pairs too', () => {
    const of = 2 ** 18;
    expect(failuresToConfirm(of)).toBe(18);
    expect(alone('f'.repeat(17), of)).toBe('ask candidate 18');
    expect(alone('f'.repeat(18), of)).toBe('broken 18:0');
  });
});

describe('a must-pass case', () => {
  const must = (outcomes: string, asksAccepted = true) =>
    shortenCase(weighMustPass(freshOf(outcomes), { asksAccepted }));

  test.each([
    ['', 'ask candidate 1'],
    ['f', 'ask accepted 1'],
    ['f|p', 'ask candidate 2'],
    // Two failures break it, whoever is to blame.
    ['ff|pp', 'broken 2:2'],
    ['ff|ff', 'broken 2:2'],
    ['fpf|ppp', 'broken 3:3'],
    ['pff|fff', 'broken 3:3'],
    // Two passes call it flaky.
    ['pp|pp', 'flaky 2:2'],
    ['fpp|ppp', 'flaky 3:3'],
    ['p|p', 'ask candidate 2'],
    ['fp|pp', 'ask candidate 3'],
    // Nothing is wanted of an accepted prompt that errs, and the outcome never waits for it.
    ['ff|ee', 'broken 2:0'],
    ['ff|p', 'broken 2:1'],
    ['ff', 'broken 2:0'],
    ['pf', 'ask accepted 1'],
    ['pp|f', 'flaky 2:1'],
    ['ee|pp', 'errored 0:2'],
    ['efe|ppp', 'errored 1:3'],
    ['eff|ppp', 'broken 2:3'],
  ])('whose fresh trials are %s: %s', (outcomes, said) => {
    expect(must(outcomes)).toBe(said);
  });

  test.each([
    ['f', 'ask candidate 2'],
    ['ff', 'broken 2:0'],
    ['pfp', 'flaky 3:0'],
  ])('whose accepted side can not be asked, and that are %s: %s', (outcomes, said) => {
    expect(must(outcomes, false)).toBe(said);
  });

  test('rests on no evidence against the accepted prompt', () => {
    expect(weighMustPass(freshOf('ff|pp'), { asksAccepted: true })).toMatchObject({ failed: 2, evidence: null });
  });
});
