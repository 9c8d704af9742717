import { describe, expect, test } from 'vitest';
import type { BreachCode } from '../../src/model/comparison/breach.ts';
import { type UnsettledReason, unsettledReasons } from '../../src/model/comparison/gate.ts';
import type { CaseSummary } from '../../src/model/run/summary.ts';
import { defaultGate, type GatePolicy } from '../../src/model/suite/gate-policy.ts';
import type { CaseBreach } from '../../src/verdict/gate/flag-cases.ts';
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

/** A run whose fresh trials are all made. */
function judgeOne(before: CaseSummary | undefined, after: CaseSummary, options: JudgeOptions = {}) {
  const side = (found: CaseSummary | undefined) => buildSide(found === undefined ? {} : { a: found });
  const gated = buildGated(compareSides(side(before), side(after)), options);
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
const must = (outcomes: string) => buildCaseSummary('a', outcomes, { mustPass: true });

const recorded: JudgeOptions = { suite: { replayed: true } };
const ofRecords: JudgeOptions = { isOfRecords: true };
const alone: JudgeOptions = { acceptedPrompt: unavailable };
const same: JudgeOptions = { acceptedPrompt: unchanged };
const unpaid: JudgeOptions = { gate: { confirm: { cases: 10, budget: { calls: 0 } } } };
const stopped: JudgeOptions = { stopReason: 'budget' };
const mixed = `f+${'f'.repeat(15)}|${'ppf'.repeat(5)}`;

describe('a suspect', () => {
  test.each<[string, string, string, JudgeOptions]>([
    ['p', 'p', '', {}],
    ['ppp', 'fff+ffff|pppp', 'broken case-broken', {}],
    ['p', 'f+ffff|ffff', 'drifted', {}],
    ['p', 'f+fffp|pppp', 'flaky', {}],
    // Nothing has settled it.
    ['p', 'f', 'unsettled budget', {}],
    ['p', 'f+fff|ppp', 'unsettled budget', {}],
    ['p', 'f+fff|ppp', 'unsettled stopped', stopped],
    ['p', 'f+ffff|pppp', 'broken case-broken', stopped],
    ['p', mixed, 'unsettled mixed', { gate: { alpha: 1e-9 } }],
    // Errors are no verdict.
    ['p', 'f+ee|pp', 'unsettled errors', {}],
    ['p', 'f+ee|pp', 'unsettled errors', stopped],
    // The accepted prompt can't be asked.
    ['p', 'f+fffff', 'unsettled budget', alone],
    ['p', 'f+ffffff', 'broken case-broken', alone],
    ['p', 'f+fp', 'flaky', alone],
    // Asking a recording again would give the same answer.
    ['p', 'f', 'broken case-broken', recorded],
    ['p', 'f', 'unsettled records', ofRecords],
    // The pairs of another accepted prompt do not count.
    ['p', 'f+ffff|pppp', 'unsettled records', ofRecords],
    ['p', 'f+f|f', 'unsettled records', ofRecords],
    ['p', 'f+ffff|pppp', 'broken case-broken', { ...ofRecords, acceptedPrompt: { is: 'askable' } }],
    ['p', 'f', 'unsettled no-budget', unpaid],
    // An unchanged prompt is asked again like any other.
    ['p', 'f', 'unsettled budget', same],
    ['p', 'f+ffff|ffff', 'drifted', same],
    ['p', 'f+ffff|pppp', 'broken case-broken', same],
    // It never passed by majority, or still passes sometimes.
    ['f', 'f', '', {}],
    ['pf', 'ff', '', {}],
    ['ppp', 'ffp', '', {}],
    ['p', 'e', '', {}],
  ])('that was %s and is %s: %s (%j)', (before, after, word, options) => {
    expect(judge(plain(before), plain(after), options)).toBe(word);
  });

  test('is said with all its counts', () => {
    const before = 'case a passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now';
    expect(messageOf(plain('ppp'), plain('fff+ffff|pppp'))).toEqual([
      'case a passed 3 of 3 trials on the baseline, and failed 3 of 3 trials now, and 4 of 4 fresh ones; the accepted prompt failed 0 of 4',
    ]);
    expect(messageOf(plain('ppf'), plain('fe+ffff|ffff'))).toEqual([
      'case a passed 2 of 3 trials on the baseline, and failed 1 of 2 trials now, and 4 of 4 fresh ones; the accepted prompt failed 4 of 4: the model or the data changed, not this prompt',
    ]);
    expect(messageOf(plain('p'), plain('f+ffp|ppp'))).toEqual(['case a failed 3 times and then passed a fresh trial']);
    expect(messageOf(plain('p'), plain('f+ee|pp'))).toEqual([
      `${before}; its fresh trials errored, so nothing confirms it`,
    ]);
    expect(messageOf(plain('p'), plain('f'), stopped)).toEqual([`${before}; the run stopped before it was settled`]);
    expect(messageOf(plain('p'), plain('f'))).toEqual([
      `${before}; the calls for fresh trials were used up before it was settled`,
    ]);
    expect(messageOf(plain('p'), plain('f'), unpaid)).toEqual([
      `${before}; gate.confirm.budget is 0, so it was not asked again`,
    ]);
    expect(messageOf(plain('p'), plain('f'), ofRecords)).toEqual([
      `${before}; two records are compared, so it was not asked again`,
    ]);
    expect(messageOf(plain('p'), plain('f'), recorded)).toEqual([`${before}; not asked again`]);
    const [said] = messageOf(plain('p'), plain(mixed), { gate: { alpha: 1e-9 } });
    expect(said).toContain('both prompts fail it at times, and their trials do not tell them apart');
  });

  test('carries its counts and its evidence', () => {
    const evidenceOf = (...args: Parameters<typeof judgeOne>) => judgeOne(...args).verdicts[0]?.evidence;
    expect(evidenceOf(plain('p'), plain('ff+ffff|pppp'))).toEqual({
      caseId: 'a',
      verdict: 'broken',
      planned: 2,
      plannedFailed: 2,
      asked: 4,
      failed: 4,
      acceptedAsked: 4,
      acceptedFailed: 0,
      evidence: expect.any(Number),
    });
    expect(evidenceOf(plain('p'), plain('ff+ffff|pppp'))?.evidence).toBeGreaterThan(40);
    expect(evidenceOf(plain('p'), plain('f'))).toMatchObject({ verdict: 'unsettled', why: 'budget', asked: 0 });
    expect(evidenceOf(must('p'), must('f+ff|pp'))).toMatchObject({ failed: 2, acceptedAsked: 2, evidence: null });
  });
});

describe('a must-pass case', () => {
  test.each<[string, string, JudgeOptions]>([
    ['ppp', '', {}],
    ['f', 'unsettled budget', {}],
    ['ppf', 'unsettled budget', {}],
    ['f+p', 'unsettled budget', {}],
    ['f+pf|pp', 'unsettled budget', {}],
    ['f+ee|pp', 'unsettled errors', {}],
    ['f+pp|pp', 'flaky', {}],
    ['f+fpp|ppp', 'flaky', {}],
    // Two of three failed, whoever is to blame.
    ['f+ff|pp', 'broken must-pass', {}],
    ['f+ff|ff', 'broken must-pass', {}],
    ['ppf+pff|ppp', 'broken must-pass', {}],
    ['f+f|p', 'unsettled budget', {}],
    ['f', 'broken must-pass', recorded],
    ['ppf', 'broken must-pass', recorded],
    ['f', 'unsettled records', ofRecords],
    ['f+ff', 'broken must-pass', ofRecords],
    ['f', 'unsettled no-budget', unpaid],
    ['f', 'unsettled budget', same],
    ['f+ff|pp', 'broken must-pass', same],
    ['f+pp|pp', 'flaky', same],
    ['f+ff', 'broken must-pass', alone],
    // What nobody could confirm is no verdict yet.
    ['f', 'unsettled stopped', stopped],
    ['f+p', 'unsettled stopped', stopped],
    ['f+ff|p', 'broken must-pass', stopped],
    ['e', '', {}],
  ])('that is %s: %s (%j)', (after, word, options) => {
    expect(judge(must('p'), must(after), options)).toBe(word);
  });

  test.each([
    ['f', 'f', 'known'],
    ['f', 'f+ff|pp', 'known'],
    ['f+f', 'f', 'known'],
    ['pff', 'f', 'known'],
    ['f+fpf', 'f+ff|pp', 'known'],
    ['f+p', 'f+ff|pp', 'known'],
    // It passed most of the time, so it can still break for good.
    ['ppf+pf', 'f+p', 'flaky'],
    ['ppf+pf', 'f+ffff|pppp', 'broken must-pass'],
    // Fresh passes had called it flaky, so it was not broken.
    ['f+pp', 'f+ff|pp', 'broken must-pass'],
    ['f+fpp', 'f+ff|pp', 'broken must-pass'],
    ['p', 'f+ff|pp', 'broken must-pass'],
  ])('that was %s on the baseline and is %s: %s', (before, after, word) => {
    expect(judge(must(before), must(after))).toBe(word);
  });

  test('is not known if it was no contract when its failure was accepted', () => {
    expect(judge(plain('f'), must('f+ff|pp'))).toBe('broken must-pass');
  });

  test('whose definition changed is not known', () => {
    const before = buildCaseSummary('a', 'f', { mustPass: true, caseHash: 'old' });
    expect(judge(before, must('f+ff|pp'))).toBe('broken must-pass');
  });

  test('is none if it is only observed', () => {
    const observed = buildCaseSummary('a', 'f', { mustPass: true, observe: true });
    expect(judge(must('p'), observed, recorded)).toBe('');
  });

  test('is said with all its counts', () => {
    expect(messageOf(must('p'), must('pff+fpf|ppp'))).toEqual([
      'must-pass case a failed 2 of 3 trials, and 2 of 3 fresh ones; the accepted prompt failed 0 of 3',
    ]);
    expect(messageOf(must('p'), must('f'), recorded)).toEqual([
      'must-pass case a failed 1 of 1 trial; not asked again',
    ]);
    expect(messageOf(must('p'), must('f+pp|pp'))).toEqual([
      'must-pass case a failed 1 time and then passed 2 fresh trials: it is flaky',
    ]);
    expect(messageOf(must('f'), must('f'))).toEqual([
      'must-pass case a failed 1 of 1 trial; it was broken on the baseline already',
    ]);
  });
});

describe('a new case', () => {
  test.each<[string, string, JudgeOptions]>([
    ['p', '', {}],
    ['f', 'unsettled budget', {}],
    ['ppf', '', {}],
    ['f+p', 'flaky', {}],
    ['f+ffp', 'flaky', {}],
    ['f+fffff', 'unsettled budget', {}],
    ['f+fffff', 'unsettled stopped', stopped],
    // Each fresh failure counts two to one, whatever the accepted prompt says of it.
    ['f+ffffff', 'broken case-added-failed', {}],
    ['f+ffffff|f', 'broken case-added-failed', {}],
    ['f+ffffff', 'broken case-added-failed', alone],
    ['f+ffffff', 'broken case-added-failed', same],
    ['f', 'broken case-added-failed', recorded],
    ['f', 'unsettled records', ofRecords],
    ['f', 'unsettled no-budget', unpaid],
    ['f+ee', 'unsettled errors', {}],
    ['f', 'unsettled stopped', stopped],
  ])('that is %s: %s, added or redefined (%j)', (after, word, options) => {
    expect(judge(undefined, plain(after), options)).toBe(word);
    expect(judge(plain('f', 'old'), plain(after), options)).toBe(word);
  });

  test.each([
    ['a first failure, after which the user wants an end', undefined, 'bail', 'broken case-added-failed'],
    ['a stop by the budget', undefined, 'budget', 'unsettled stopped'],
    ['a case that the baseline has', plain('f', 'old'), 'bail', 'unsettled stopped'],
  ] as const)('that nothing confirmed before %s', (_, before, stopReason, said) => {
    expect(judge(before, plain('f'), { stopReason })).toBe(said);
  });

  test('that was never judged on the baseline is new', () => {
    expect(judge(plain('e'), plain('f+ffffff'))).toBe('broken case-added-failed');
  });

  test('is called new only where the baseline does not have it', () => {
    const said = 'case a failed 1 of 1 trial, and 6 of 6 fresh ones';
    expect(messageOf(undefined, plain('f+ffffff'))).toEqual([`new ${said}`]);
    expect(messageOf(plain('p', 'old'), plain('f+ffffff'))).toEqual([`redefined ${said}`]);
  });

  test('counts for the whole where nothing of the variant was accepted', () => {
    const whole: JudgeOptions = { mustPassWhole: true };
    expect(judge(plain('f'), plain('f+ffffff'), whole)).toBe('broken first-run');
    expect(judge(plain('f'), plain('f+p'), whole)).toBe('flaky');
    expect(judge(plain('f'), plain('f+ffffff'), { ...whole, gate: { passRate: { min: 0.5 } } })).toBe('');
  });
});

describe('the verdicts on all cases of a variant', () => {
  const where = { suite: 'triage', prompt: 'v1', provider: 'p' };
  const gate = (verdicts: readonly CaseVerdict[], cases: Partial<GatePolicy['cases']> = {}, isDrift = false) =>
    gateCases(verdicts, { ...defaultGate, cases: { ...defaultGate.cases, ...cases } }, { where, isDrift });
  const verdict = (kind: CaseVerdict['kind'], caseId: string, more: Partial<CaseVerdict> = {}): CaseVerdict => {
    const counts = { planned: 1, plannedFailed: 1, asked: 0, failed: 0, acceptedAsked: 0, acceptedFailed: 0 };
    const evidence = { caseId, verdict: kind, ...counts, evidence: null };
    return { kind, caseId, because: 'case-broken', message: `${caseId} is ${kind}`, evidence, ...more };
  };
  const open = (caseId: string, why: UnsettledReason = 'budget', because: CaseBreach = 'case-broken') =>
    verdict('unsettled', caseId, { why, because });
  const many = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
  const none = { failures: [], unsettled: [], drifted: [], notes: [] };

  test('are none without cases', () => {
    expect(gate([])).toEqual(none);
  });

  test.each<[CaseBreach, Partial<GatePolicy['cases']>, BreachCode | undefined]>([
    ['case-broken', {}, 'case-broken'],
    ['case-broken', { broken: 'warn' }, undefined],
    ['case-added-failed', {}, 'case-added-failed'],
    ['case-added-failed', { added: 'warn' }, undefined],
    ['contract-changed', { added: 'warn' }, 'case-added-failed'],
    ['must-pass', { broken: 'warn', added: 'warn' }, 'must-pass'],
  ])('fail by what is broken: %s (%j)', (because, cases, code) => {
    const failure = { code, ...where, caseId: 'a', message: 'a is broken' };
    expect(gate([verdict('broken', 'a', { because })], cases)).toEqual({
      ...none,
      ...(code === undefined ? { notes: ['a is broken'] } : { failures: [failure] }),
    });
    // What is open is so only where it would count.
    const unsettled = open('a', 'errors', because);
    expect(gate([unsettled], cases)).toEqual({
      ...none,
      unsettled: code === undefined ? [] : [unsettled],
      notes: ['a is unsettled'],
    });
  });

  test('of a first run are judged by its pass rate, and open in any case', () => {
    expect(gate([verdict('broken', 'a', { because: 'first-run' })])).toEqual(none);
    expect(gate([open('a', 'errors', 'first-run')]).unsettled).toHaveLength(1);
  });

  test('are drift where the accepted prompt fails too, and fail where the run looks for it', () => {
    const drifted = verdict('drifted', 'a');
    const failure = { code: 'case-drifted', ...where, caseId: 'a', message: 'a is drifted' };
    expect(gate([drifted])).toEqual({ ...none, drifted: [drifted], notes: ['a is drifted'] });
    expect(gate([drifted], {}, true)).toEqual({ ...none, drifted: [drifted], failures: [failure] });
  });

  test('are remarks where they are flaky, known or not needed', () => {
    for (const kind of ['flaky', 'known', 'not-needed'] as const) {
      expect(gate([verdict(kind, 'a')])).toEqual({ ...none, notes: [`a is ${kind}`] });
    }
  });

  test('say the same of many in one sentence', () => {
    expect(gate(many(5).map((id) => verdict('drifted', id))).notes).toHaveLength(5);
    const kinds = ['not-needed', 'drifted'] as const;
    const six = gate([...kinds.flatMap((kind) => many(6).map((id) => verdict(kind, id))), verdict('flaky', 'x')]);
    expect(six.notes).toEqual([
      'x is flaky',
      '6 cases fail with the accepted prompt too: c0, c1, c2, c3, c4 and 1 more; the model or the data changed, not this prompt',
      '6 more suspects, not asked: c0, c1, c2, c3, c4 and 1 more',
    ]);
    // Others are named one by one, however many there are.
    expect(gate(many(7).map((id) => verdict('flaky', id))).notes).toHaveLength(7);
  });

  test('say by its reason what was left open', () => {
    const all = [
      open('a', 'budget'),
      verdict('broken', 'x'),
      open('b', 'errors'),
      open('c', 'budget'),
      ...many(6).map((id) => open(id, 'stopped')),
    ];
    expect(gate(all).notes).toEqual([
      'b is unsettled',
      '6 failures are not settled: c0, c1, c2, c3, c4 and 1 more; the run stopped before they were settled',
      '2 failures are not settled: a, c; the calls for fresh trials were used up before they were settled',
    ]);
    const reasonOf = (why: UnsettledReason) => gate([open('a', why), open('b', why)]).notes;
    for (const why of unsettledReasons) expect(reasonOf(why)).toEqual([expect.stringContaining('2 failures')]);
    expect(new Set(unsettledReasons.flatMap(reasonOf)).size).toBe(unsettledReasons.length);
  });
});
