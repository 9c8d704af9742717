import { describe, expect, test } from 'vitest';
import type { CaseVerdict } from '../../src/compare/gate/judge-cases.ts';
import type { CaseSummary } from '../../src/model/summary.ts';
import {
  buildGated,
  type GatedOptions,
  type JudgeGatedOptions,
  judgeGated,
  unavailable,
  unchanged,
} from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, compareSides } from '../support/build-side.ts';

interface JudgeOptions extends GatedOptions, JudgeGatedOptions {}

/** A run with room for all the confirmation trials that a case can need. */
function judgeOne(before: CaseSummary | undefined, after: CaseSummary, options: JudgeOptions = {}) {
  const side = (found: CaseSummary | undefined) => buildSide(found === undefined ? {} : { a: found });
  const gated = buildGated(compareSides(side(before), side(after)), { planned: 20, ...options });
  const judged = judgeGated([gated], options);
  return { verdicts: judged.verdicts.get(gated.variant) ?? [], settled: judged.settled };
}

/** What is said of one case, in short: `broken must-pass`, `unsettled budget`, or nothing. */
function shorten(words: readonly CaseVerdict[]): string {
  return words
    .map((word) => {
      if (word.kind === 'broken') return `broken ${word.because}`;
      return word.kind === 'unsettled' ? `unsettled ${word.why}` : word.kind;
    })
    .join(', ');
}

const judge = (...args: Parameters<typeof judgeOne>) => shorten(judgeOne(...args).verdicts);
const messageOf = (...args: Parameters<typeof judgeOne>) => judgeOne(...args).verdicts.map(({ message }) => message);

const plain = (outcomes: string, caseHash = 'caseHash') => buildCaseSummary('a', outcomes, { caseHash });
const contract = (outcomes: string) => buildCaseSummary('a', outcomes, { mustPass: true });

const recorded: JudgeOptions = { suite: { replayed: true } };
const ofRecords: JudgeOptions = { isOfRecords: true };
const alone: JudgeOptions = { acceptedPrompt: unavailable };
const same: JudgeOptions = { acceptedPrompt: unchanged };
const drift: JudgeOptions = { acceptedPrompt: unchanged, settings: { drift: true } };
const stopped: JudgeOptions = { stopReason: 'budget' };

describe('a suspect', () => {
  test.each<[string, string, string, JudgeOptions]>([
    ['p', 'p', '', {}],
    ['p', 'f+fffff|ppppp', 'broken case-broken', {}],
    ['ppp', 'fff+fffff|pppp', 'broken case-broken', {}],
    ['p', 'f+fffff|ff', 'drifted', {}],
    ['p', 'f+p', 'flaky', {}],
    ['p', 'f+fffp', 'flaky', {}],
    // Nothing has settled it.
    ['p', 'f', 'unsettled budget', {}],
    ['p', 'f+fffff', 'unsettled budget', { planned: 10 }],
    ['p', 'f+fff', 'unsettled stopped', stopped],
    // A few trials of many calls each have used the budget up: one that failed again has to do.
    ['p', 'f+fff', 'broken case-broken', {}],
    // The calls were used up: enough failures decide beside an accepted prompt that passed.
    ['p', 'f+fffff|pp', 'broken case-broken', {}],
    ['p', 'f', 'unsettled stopped', stopped],
    ['p', 'f+fffff|pppp', 'broken case-broken', stopped],
    // Errors are no verdict.
    ['p', 'f+ee', 'unsettled errors', {}],
    ['p', 'f+ffee', 'unsettled errors', {}],
    ['p', 'f+fffff|eef', 'drifted', {}],
    ['p', 'f+fffff|fppee', 'unsettled budget', {}],
    ['p', 'f+fffff|eep', 'broken case-broken', {}],
    ['p', 'f+ee', 'unsettled errors', stopped],
    // The candidate alone: by its rate.
    ['p', 'f+f', 'unsettled stopped', { ...alone, ...stopped }],
    ['p', 'f+ff', 'broken case-broken', alone],
    ['ppp', 'fff+f', 'broken case-broken', alone],
    ['p', 'f+fp', 'flaky', alone],
    // Asking a recording again would give the same answer.
    ['p', 'f', 'broken case-broken', recorded],
    ['p', 'f', 'unconfirmed', ofRecords],
    ['p', 'f+ffff', 'unconfirmed', ofRecords],
    // Nothing that is sent has changed.
    ['p', 'f', 'changed', same],
    ['p', 'f+ff', 'changed', same],
    ['p', 'f', 'unsettled budget', drift],
    ['p', 'f+ff', 'broken case-drifted', drift],
    ['p', 'f+fp', 'flaky', drift],
    [
      'p',
      'f+ff',
      'broken case-drifted',
      { ...same, gate: { cases: { broken: 'fail', drifted: 'fail', added: 'fail' } } },
    ],
    // It never passed by majority, or still passes sometimes.
    ['f', 'f', '', {}],
    ['pf', 'ff', '', {}],
    ['ppp', 'ffp', '', {}],
    ['p', 'e', '', {}],
  ])('that was %s and is %s: %s (%j)', (before, after, word, options) => {
    expect(judge(plain(before), plain(after), options)).toBe(word);
  });

  test('is asked for again while more trials can be made, and otherwise not', () => {
    const wanted = (after: string, options: JudgeOptions) => {
      const [verdict] = [...judgeOne(plain('p'), plain(after), { isFinal: false, ...options }).settled.cases.values()];
      return verdict?.kind === 'open' ? `${verdict.wanted.side} ${verdict.wanted.count}` : verdict?.kind;
    };
    expect(wanted('f', {})).toBe('candidate 1');
    expect(wanted('f+fffff', {})).toBe('accepted 2');
    expect(wanted('f', alone)).toBe('candidate 1');
    expect(wanted('f', drift)).toBe('candidate 1');
    for (const options of [recorded, ofRecords, same]) expect(wanted('f', options)).toBeUndefined();
  });

  test('must fail the more often alone the more cases there are, and the more often it failed before', () => {
    const breaks = (failures: number, before: string, otherCases: number) => {
      const after = plain(`f+${'f'.repeat(failures - 1)}`);
      const { settled } = judgeOne(plain(before), after, { ...alone, otherCases, isFinal: false });
      return [...settled.cases.values()].map(({ kind }) => kind).join();
    };
    expect([breaks(2, 'p', 0), breaks(3, 'p', 0), breaks(5, 'p', 99), breaks(6, 'p', 99)]).toEqual([
      'open',
      'broken',
      'open',
      'broken',
    ]);
    // Five failures of eleven: it may fail at 35 %.
    const flaky = 'ppppppfffff';
    expect([breaks(3, flaky, 0), breaks(4, flaky, 0)]).toEqual(['open', 'broken']);
  });

  test('is said with all its counts', () => {
    expect(messageOf(plain('ppp'), plain('fff+fffff|pppp'))).toEqual([
      'case a passed 3 of 3 trials on the baseline and now failed all 8; the accepted prompt failed 0 of 4',
    ]);
    expect(messageOf(plain('ppf'), plain('fe+fffff|fff'))).toEqual([
      'case a passed 2 of 3 trials on the baseline and now failed 6 of 7, the others without a verdict; the accepted prompt failed 3 of 3: the model or the data changed, not this prompt',
    ]);
    expect(messageOf(plain('p'), plain('f+ffp'))).toEqual([
      'case a failed 3 times and then passed a confirmation trial',
    ]);
    expect(messageOf(plain('p'), plain('f+fee'))).toEqual([
      'case a passed 1 of 1 trials on the baseline and now failed 2 of 4, the others without a verdict; 2 of 3 confirmation trials errored, so nothing confirms it',
    ]);
    expect(messageOf(plain('p'), plain('f'), stopped)).toEqual([
      'case a passed 1 of 1 trials on the baseline and now failed all 1; the run stopped before confirmation trials could confirm it',
    ]);
    expect(messageOf(plain('p'), plain('f'))).toEqual([
      'case a passed 1 of 1 trials on the baseline and now failed all 1; the calls for confirmation trials were used up before it was settled',
    ]);
    expect(messageOf(plain('p'), plain('f+fffff|fppee'))).toEqual([
      'case a passed 1 of 1 trials on the baseline and now failed all 6; 2 of 5 trials of the accepted prompt errored, so nothing confirms it',
    ]);
    expect(messageOf(plain('p'), plain('f'), same)).toEqual([
      'case a passed 1 of 1 trials on the baseline and now failed all 1, although nothing that is sent has changed',
    ]);
    expect(messageOf(plain('p'), plain('f'), ofRecords)).toEqual([
      'case a passed 1 of 1 trials on the baseline and now failed all 1; no confirmation trial confirms it',
    ]);
  });
});

describe('a contract', () => {
  test.each<[string, string, JudgeOptions]>([
    ['ppp', '', {}],
    ['f', 'unsettled budget', {}],
    ['ppf', 'unsettled budget', {}],
    ['f+p', 'unsettled budget', {}],
    ['f+pf', 'unsettled budget', {}],
    ['f+e', 'unsettled errors', {}],
    ['f+pp', 'flaky', {}],
    ['f+fpp', 'flaky', {}],
    ['f+ff', 'broken must-pass', {}],
    ['ppf+pff', 'broken must-pass', {}],
    ['f+f', 'broken must-pass', {}],
    ['f', 'broken must-pass', recorded],
    ['ppf', 'broken must-pass', recorded],
    ['f', 'broken must-pass', ofRecords],
    // It is asked again although nothing that is sent has changed, and where the accepted prompt can't be asked.
    ['f', 'unsettled budget', same],
    ['f+ff', 'broken must-pass', same],
    ['f+pp', 'flaky', same],
    ['f+ff', 'broken must-pass', alone],
    // What nobody could confirm is no verdict yet.
    ['f', 'unsettled stopped', stopped],
    ['f+p', 'unsettled stopped', stopped],
    ['f+f', 'broken must-pass', stopped],
    ['f+ee', 'unsettled errors', {}],
    ['f+pe', 'unsettled errors', {}],
    ['f+epp', 'flaky', {}],
    ['f+ef', 'broken must-pass', {}],
    ['e', '', {}],
  ])('that is %s: %s (%j)', (after, word, options) => {
    expect(judge(contract('p'), contract(after), options)).toBe(word);
  });

  test.each([
    ['f', 'f', 'known'],
    ['f', 'f+ff', 'known'],
    ['f+f', 'f', 'known'],
    ['pff', 'f', 'known'],
    ['f+fpf', 'f+ff', 'known'],
    ['f+p', 'f+ff', 'known'],
    // It passed most of the time, so it can still break for good.
    ['ppf+pf', 'f+p', 'flaky'],
    ['ppf+pf', 'f+fffff|pppp', 'broken must-pass'],
    // Fresh passes had called it flaky, so it was not broken.
    ['f+pp', 'f+ff', 'broken must-pass'],
    ['f+fpp', 'f+ff', 'broken must-pass'],
    ['p', 'f+ff', 'broken must-pass'],
  ])('that was %s on the baseline and is %s: %s', (before, after, word) => {
    expect(judge(contract(before), contract(after))).toBe(word);
  });

  test('that was no contract when its failure was accepted is not known', () => {
    expect(judge(plain('f'), contract('f+ff'))).toBe('broken must-pass');
  });

  test('whose definition changed is not known', () => {
    const before = buildCaseSummary('a', 'f', { mustPass: true, caseHash: 'old' });
    expect(judge(before, contract('f+ff'))).toBe('broken must-pass');
  });

  test('that is only observed is none', () => {
    const observed = buildCaseSummary('a', 'f', { mustPass: true, observe: true });
    expect(judge(contract('p'), observed, recorded)).toBe('');
  });

  test('is said with all its counts', () => {
    expect(messageOf(contract('p'), contract('pff+fpf'))).toEqual([
      'must-pass case a failed in 2 of 3 trials and in 2 of 3 confirmation trials',
    ]);
    expect(messageOf(contract('p'), contract('f'), recorded)).toEqual(['must-pass case a failed in 1 of 1 trials']);
    expect(messageOf(contract('p'), contract('f+pp'))).toEqual([
      'must-pass case a failed 1 time and then passed a confirmation trial: a flaky contract',
    ]);
    expect(messageOf(contract('f'), contract('f'))).toEqual([
      'must-pass case a failed in 1 of 1 trials; it was broken on the baseline already',
    ]);
  });
});

describe('a new case', () => {
  test.each<[string, string, JudgeOptions]>([
    ['p', '', {}],
    ['f', 'unsettled budget', {}],
    ['f+p', 'flaky', {}],
    ['f+ffp', 'flaky', {}],
    ['f+ff', 'unsettled stopped', stopped],
    ['f+ff', 'broken case-added-failed', {}],
    ['f+fff', 'broken case-added-failed', {}],
    ['ppf+fff', 'broken case-added-failed', {}],
    ['f+fff', 'broken case-added-failed', alone],
    ['f+fff', 'broken case-added-failed', same],
    ['f', 'broken case-added-failed', recorded],
    ['f', 'broken case-added-failed', ofRecords],
    ['f+ee', 'unsettled errors', {}],
    ['f', 'unsettled stopped', stopped],
  ])('that is %s: %s, added or redefined (%j)', (after, word, options) => {
    expect(judge(undefined, plain(after), options)).toBe(word);
    expect(judge(plain('f', 'old'), plain(after), options)).toBe(word);
  });

  test('is not asked again where it only warns', () => {
    const gate = { cases: { broken: 'fail', drifted: 'warn', added: 'warn' } } as const;
    const { settled, verdicts } = judgeOne(undefined, plain('f'), { gate, isFinal: false });
    expect([settled.cases.size, shorten(verdicts)]).toEqual([0, 'broken case-added-failed']);
  });

  test('that was never judged on the baseline is new', () => {
    expect(judge(plain('e'), plain('f+fff'))).toBe('broken case-added-failed');
  });

  test('is called new only where the baseline does not have it', () => {
    const said = 'case a failed in 1 of 1 trials and in 3 of 3 confirmation trials';
    expect(messageOf(undefined, plain('f+fff'))).toEqual([`new ${said}`]);
    expect(messageOf(plain('p', 'old'), plain('f+fff'))).toEqual([`redefined ${said}`]);
  });

  test('counts for the whole where nothing of the variant was accepted', () => {
    const whole: JudgeOptions = { mustPassWhole: true };
    expect(judge(plain('f'), plain('f+fff'), whole)).toBe('broken first-run');
    expect(judge(plain('f'), plain('f+p'), whole)).toBe('flaky');
    expect(judge(plain('f'), plain('f+fff'), { ...whole, gate: { passRate: { min: 0.5 } } })).toBe('');
  });
});
