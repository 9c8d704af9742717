import { describe, expect, test } from 'vitest';
import type { CaseSummary } from '../../src/model/run/summary.ts';
import { defaultGate, type GatePolicy } from '../../src/model/suite/suite.ts';
import { type CaseVerdict, gateCases } from '../../src/verdict/gate/gate-cases.ts';
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

  test('is not known if it was no contract when its failure was accepted', () => {
    expect(judge(plain('f'), contract('f+ff'))).toBe('broken must-pass');
  });

  test('whose definition changed is not known', () => {
    const before = buildCaseSummary('a', 'f', { mustPass: true, caseHash: 'old' });
    expect(judge(before, contract('f+ff'))).toBe('broken must-pass');
  });

  test('is none if it is only observed', () => {
    const observed = buildCaseSummary('a', 'f', { mustPass: true, observe: true });
    expect(judge(contract('p'), observed, recorded)).toBe('');
  });

  test('is said with all its counts', () => {
    expect(messageOf(contract('p'), contract('pff+fpf'))).toEqual([
      'must-pass case a failed in 2 of 3 trials and in 2 of 3 confirmation trials',
    ]);
    expect(messageOf(contract('p'), contract('f'), recorded)).toEqual(['must-pass case a failed in 1 of 1 trials']);
    expect(messageOf(contract('p'), contract('f+pp'))).toEqual([
      'must-pass case a failed 1 time and then passed a confirmation trial: it is flaky',
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

  test.each([
    ['a first failure, after which the user wants an end', undefined, 'bail', 'broken case-added-failed'],
    ['a stop by the budget', undefined, 'budget', 'unsettled stopped'],
    ['a case that the baseline has', plain('f', 'old'), 'bail', 'unsettled stopped'],
  ] as const)('that nothing confirmed before %s', (_, before, stopReason, said) => {
    expect(judge(before, plain('f'), { stopReason })).toBe(said);
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

describe('the verdicts on all cases of a variant', () => {
  const where = { suite: 'triage', prompt: 'v1', provider: 'p' };
  const gate = (verdicts: readonly CaseVerdict[], cases: Partial<GatePolicy['cases']> = {}, isDrift = false) =>
    gateCases(verdicts, { ...defaultGate, cases: { ...defaultGate.cases, ...cases } }, { where, isDrift });
  const broken = (caseId: string, because: (CaseVerdict & { readonly kind: 'broken' })['because'] = 'case-broken') =>
    ({ kind: 'broken', caseId, because, message: `${caseId} broke` }) as const;
  const open = (
    caseId: string,
    why: (CaseVerdict & { readonly kind: 'unsettled' })['why'] = 'budget',
    because: (CaseVerdict & { readonly kind: 'broken' })['because'] = 'case-broken',
  ) => ({ kind: 'unsettled', caseId, because, why, message: `${caseId} is open` }) as const;
  const remark = (kind: 'drifted' | 'flaky' | 'changed' | 'unconfirmed' | 'not-needed' | 'known', caseId: string) =>
    ({ kind, caseId, message: `${caseId} is ${kind}` }) as const;
  const many = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
  const none = { failures: [], unsettled: [], notes: [], isOpen: false };

  test('are none without cases', () => {
    expect(gate([])).toEqual(none);
  });

  test.each([
    ['case-broken', {}, 'case-broken'],
    ['case-broken', { broken: 'warn' }, undefined],
    ['case-drifted', {}, undefined],
    ['case-drifted', { drifted: 'fail' }, 'case-drifted'],
    ['case-added-failed', {}, 'case-added-failed'],
    ['case-added-failed', { added: 'warn' }, undefined],
    ['must-pass', { broken: 'warn', added: 'warn' }, 'must-pass'],
    ['first-run', {}, undefined],
  ] as const)('fail by what is broken: %s (%j)', (because, cases, code) => {
    const found = gate([broken('a', because)], cases);
    const failure = { code, ...where, caseId: 'a', message: 'a broke' };
    expect(found).toEqual({
      ...none,
      ...(code === undefined ? { notes: ['a broke'] } : { failures: [failure] }),
    });
    // What is open is so only where it would count; a first run's failures always do.
    const unsettled = open('a', 'errors', because);
    const isOpen = code !== undefined || because === 'first-run';
    expect(gate([unsettled], cases)).toEqual({
      ...none,
      unsettled: isOpen ? [unsettled] : [],
      notes: ['a is open'],
      isOpen,
    });
  });

  test('fail by drift where the run looks for it, or the gate says so', () => {
    const failure = { code: 'case-drifted', ...where, caseId: 'a', message: 'a is drifted' };
    expect(gate([remark('drifted', 'a')])).toEqual({ ...none, notes: ['a is drifted'] });
    expect(gate([remark('drifted', 'a')], {}, true)).toEqual({ ...none, failures: [failure] });
    expect(gate([remark('drifted', 'a')], { drifted: 'fail' })).toEqual({ ...none, failures: [failure] });
  });

  test('are open by a hint, unless broken cases only warn', () => {
    for (const kind of ['changed', 'unconfirmed'] as const) {
      expect(gate([remark(kind, 'a')])).toEqual({ ...none, notes: [`a is ${kind}`], isOpen: true });
      expect(gate([remark(kind, 'a')], { broken: 'warn' })).toEqual({ ...none, notes: [`a is ${kind}`] });
    }
    for (const kind of ['flaky', 'not-needed', 'known'] as const) {
      expect(gate([remark(kind, 'a')])).toEqual({ ...none, notes: [`a is ${kind}`] });
    }
  });

  test('say the same of many in one sentence', () => {
    const kinds = ['not-needed', 'changed', 'unconfirmed'] as const;
    const five = gate(kinds.flatMap((kind) => many(5).map((id) => remark(kind, id))));
    expect(five.notes).toEqual(kinds.flatMap((kind) => many(5).map((id) => `${id} is ${kind}`)));
    const six = gate([...kinds.flatMap((kind) => many(6).map((id) => remark(kind, id))), remark('flaky', 'x')]);
    expect(six.notes).toEqual([
      'x is flaky',
      '6 cases passed on the baseline and failed in every trial with a verdict now; no confirmation trial confirms them: c0, c1, c2, c3, c4 and 1 more',
      '6 cases passed on the baseline and failed in every trial now, although nothing that is sent has changed: c0, c1, c2, c3, c4 and 1 more',
      '6 cases look broken too and were not asked again: c0, c1, c2, c3, c4 and 1 more',
    ]);
    // Others are named one by one, however many there are.
    expect(gate(many(7).map((id) => remark('flaky', id))).notes).toHaveLength(7);
  });

  test('say by its reason what was left open', () => {
    const all = [
      open('a', 'budget'),
      broken('x'),
      open('b', 'errors'),
      open('c', 'budget'),
      ...many(6).map((id) => open(id, 'stopped')),
    ];
    expect(gate(all).notes).toEqual([
      'b is open',
      '6 failures were not settled: the run stopped before confirmation trials could confirm them: c0, c1, c2, c3, c4 and 1 more',
      '2 failures were not settled: the calls for confirmation trials were used up: a, c',
    ]);
    expect(gate([open('a', 'errors'), open('b', 'errors')]).notes).toEqual([
      '2 failures were not settled: confirmation trials errored: a, b',
    ]);
  });
});
