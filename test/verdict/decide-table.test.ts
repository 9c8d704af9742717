import { describe, expect, test } from 'vitest';
import type { ComparedVariant } from '../../src/model/comparison/comparison.ts';
import { exitCodeFor } from '../../src/model/comparison/exit-code.ts';
import type { Breach, Decision, LoosenedCase } from '../../src/model/comparison/gate.ts';
import type { RunSettings } from '../../src/model/run/record.ts';
import type { GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { decide } from '../../src/verdict/gate/decide-run.ts';
import { buildGated, type GatedOptions, judgeGated, unchanged } from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, compareSides, repeatCase } from '../support/build-side.ts';
import { rowsOf, settings, summarize } from '../support/build-summary.ts';

interface Options extends GatedOptions {
  readonly settings?: Partial<RunSettings>;
  readonly loosenedCases?: readonly LoosenedCase[];
  readonly missing?: readonly string[];
  readonly failures?: readonly Breach[];
  readonly interrupted?: 'SIGINT';
}

function decideOn(compared: ComparedVariant, options: Options = {}): Decision {
  const { settings: more, loosenedCases, missing, failures = [], interrupted, ...rest } = options;
  const gated = buildGated(compared, rest);
  const ofRun = { ...settings, ...more };
  return decide({
    summary: { ...summarize(rowsOf('p')), suites: [gated.suite] },
    settings: ofRun,
    judged: judgeGated([gated], { settings: ofRun }),
    further: { failures, warnings: [] },
    ...(loosenedCases !== undefined && { loosenedCases }),
    ...(missing !== undefined && { missing }),
    ...(interrupted !== undefined && { interrupted }),
  });
}

/** `passed unchanged 0`: what the record says, and the exit code. */
const said = (...args: Parameters<typeof decideOn>): string => {
  const decision = decideOn(...args);
  const { outcome, kind, incompleteBecause } = decision;
  return `${incompleteBecause ?? outcome} ${kind} ${exitCodeFor(decision)}`;
};

type Cases = Readonly<Record<string, string>>;

/** Cases that passed, and these of them as they are now. */
const after = (now: Cases, of = 100) =>
  compareSides(buildSide(repeatCase(of, 'p')), buildSide({ ...repeatCase(of, 'p'), ...now }));
const must = (before: string, now: string) => {
  const side = (outcomes: string) =>
    buildSide({ ...repeatCase(100, 'p'), m: buildCaseSummary('m', outcomes, { mustPass: true }) });
  return compareSides(side(before), side(now));
};
/** A fall of the pass rate that no single case shows, with fresh trials of each case on both sides. */
const fallen = (now: string, fresh: string, others = '+pp|pp') => {
  const kept = repeatCase(60, `pp${others}`, 'kept');
  return compareSides(
    buildSide({ ...repeatCase(40, 'pp', 'fell'), ...repeatCase(60, 'pp', 'kept') }),
    buildSide({ ...repeatCase(40, `${now}${fresh}`, 'fell'), ...kept }),
  );
};

const broken = 'f+ffff|pppp';
const drifted = 'f+ffff|ffff';
const loosened = (mustPass: boolean): LoosenedCase => ({
  suite: 'triage',
  prompt: 'v1',
  provider: 'p',
  caseId: 'case-001',
  mustPass,
  before: ['contains: refund'],
  after: ['contains: r'],
  reason: 'no refund',
});
const gateOf = (gate: Partial<GatePolicy>): Options => ({ gate });
const cases = { broken: 'fail', drifted: 'fail', added: 'fail' } as const;
const nightly: Options = { settings: { drift: true } };

describe('what was found decides the outcome, its kind and the exit code', () => {
  test.each<[string, ComparedVariant, Options, string]>([
    // Nothing flagged, or all cleared.
    ['the same requests and verdicts', after({}), { acceptedPrompt: unchanged }, 'passed unchanged 0'],
    ['a drop that is excluded', after({}), {}, 'passed certain 0'],
    ['too few cases to exclude one', after({}, 20), {}, 'passed unseen 0'],
    ['a flaky case', after({ 'case-000': 'f+p' }, 400), {}, 'passed certain 0'],
    ['an average that fresh trials clear', fallen('pf', '+pp|pp'), {}, 'passed unseen 0'],
    // Confirmed.
    ['a broken case', after({ 'case-000': broken }), {}, 'failed broken 1'],
    [
      'a broken case of an unchanged prompt',
      after({ 'case-000': broken }),
      { acceptedPrompt: unchanged },
      'failed broken 1',
    ],
    [
      'a broken case that only warns',
      after({ 'case-000': broken }, 400),
      gateOf({ cases: { ...cases, broken: 'warn' } }),
      'passed certain 0',
    ],
    ['a new case that fails', after({ z: 'f+ffffff' }), {}, 'failed added 1'],
    ['an average that fell', fallen('pf', '+ff|pp'), {}, 'failed regressed 1'],
    ['a broken must-pass case', must('p', 'f+ff|pp'), {}, 'failed must-pass 1'],
    ['a must-pass case that the accepted prompt fails too', must('p', 'f+ff|ff'), {}, 'failed must-pass 1'],
    ['a must-pass case that is flaky', must('p', 'f+pp|pp'), {}, 'passed unseen 0'],
    ['a must-pass case that is known as broken', must('f', 'f'), {}, 'passed certain 0'],
    ['an absolute limit', after({}), gateOf({ cost: { max: 0 } }), 'failed limit 1'],
    [
      'a broken contract',
      after({}),
      { failures: [{ code: 'contract-broken', message: 'a member is gone' }] },
      'failed contract 1',
    ],
    ['erosion', after({}), { failures: [{ code: 'erosion', message: 'it eroded' }] }, 'failed erosion 1'],
    // Drift.
    ['drift within the margin', after({ 'case-000': drifted }), {}, 'passed drifted 0'],
    ['drift beyond the margin', after({ 'case-000': drifted }, 10), {}, 'drift drift 3'],
    ['drift of all cases', after(repeatCase(20, drifted), 20), {}, 'drift drift 3'],
    [
      'drift that the gate tolerates',
      after({ 'case-000': drifted }, 10),
      gateOf({ cases: { ...cases, drifted: 'warn' } }),
      'passed drifted 0',
    ],
    ['a drop of the accepted prompt', fallen('pf', '+ff|ff'), {}, 'drift drift 3'],
    ['drift within the margin of a nightly run', after({ 'case-000': drifted }), nightly, 'passed drifted 0'],
    ['drift that a nightly run looks for', after({ 'case-000': drifted }, 10), nightly, 'failed drift 1'],
    ['a drop that a nightly run looks for', fallen('pf', '+ff|ff'), nightly, 'failed drift 1'],
    ['drift beside a broken case', after({ 'case-000': drifted, 'case-001': broken }, 10), {}, 'failed broken 1'],
    // Flagged and not settled.
    ['a case that was not asked again', after({ 'case-000': 'f' }), {}, 'inconclusive unsettled 4'],
    [
      'no budget',
      after(repeatCase(20, 'f'), 20),
      gateOf({ confirm: { cases: 10, budget: { calls: 0 } } }),
      'inconclusive unsettled 4',
    ],
    ['two records', after({ 'case-000': 'f' }), { isOfRecords: true }, 'inconclusive unsettled 4'],
    ['an average that was not asked again', fallen('pf', '', ''), {}, 'inconclusive unsettled 4'],
    [
      'an open case that is tolerated',
      after({ 'case-000': 'f' }, 400),
      gateOf({ unsettled: 'warn' }),
      'passed unseen 0',
    ],
    [
      'an open must-pass case that is tolerated',
      must('p', 'f'),
      gateOf({ unsettled: 'warn' }),
      'inconclusive unsettled 4',
    ],
    ['an open average that is tolerated', fallen('pf', '', ''), gateOf({ unsettled: 'warn' }), 'passed unseen 0'],
    [
      'no case that can be compared',
      compareSides(buildSide({ a: 'p' }), buildSide({ b: 'p' })),
      {},
      'inconclusive unsettled 4',
    ],
    // Cells without a verdict.
    ['errors', after({ 'case-000': 'e' }), {}, 'errors errors 3'],
    ['fresh trials that errored', after({ 'case-000': 'f+ee|pp' }), {}, 'errors errors 3'],
    [
      'tolerated errors',
      after({ 'case-000': 'e' }, 400),
      { settings: { maxErrors: { count: 1 } } },
      'passed certain 0',
    ],
    ['errors beside a broken case', after({ 'case-000': 'e', 'case-001': broken }), {}, 'failed broken 1'],
    // A record that lacks what the decision needs.
    ['an older record', after({}), { missing: ['it holds no baseline'] }, 'record record 4'],
    [
      'an older record with a failure',
      after({ 'case-000': broken }),
      { missing: ['it holds no baseline'] },
      'record record 4',
    ],
    ['an interrupt', after({}), { interrupted: 'SIGINT' }, 'stopped interrupted 130'],
    // Edited checks.
    ['loosened checks', after({}), { loosenedCases: [loosened(false)] }, 'passed loosened 0'],
    [
      'loosened checks that the gate forbids',
      after({}),
      { loosenedCases: [loosened(false)], ...gateOf({ cases: { ...cases, loosened: 'fail' } }) },
      'failed loosened 1',
    ],
    ['a loosened must-pass case', after({}), { loosenedCases: [loosened(true)] }, 'failed loosened 1'],
    // Certainty that is asked for.
    [
      'uncertainty that is forbidden',
      after({}, 20),
      { settings: { requireConclusive: true } },
      'inconclusive uncertain 4',
    ],
    [
      'differences that the change accepts',
      after({ z: 'f' }),
      { own: compareSides(after({ z: 'f' }).candidate, after({ z: 'f' }).candidate) },
      'passed accepted 0',
    ],
  ])('%s', (_, compared, options, outcome) => {
    expect(said(compared, options)).toBe(outcome);
  });

  test('by the breach that decides, whichever others there are', () => {
    const both = compareSides(
      buildSide({ ...repeatCase(20, 'p'), m: buildCaseSummary('m', 'p', { mustPass: true }) }),
      buildSide({
        ...repeatCase(20, 'p'),
        'case-000': broken.replaceAll('ffff|pppp', 'fffff|ppppp'),
        z: 'f+fffffff',
        m: buildCaseSummary('m', 'f+ff|pp', { mustPass: true }),
      }),
    );
    const { kind, breaches } = decideOn(both, gateOf({ cost: { max: 0 } }));
    expect(kind).toBe('must-pass');
    expect(breaches.map(({ code }) => code)).toEqual(['cost-max', 'case-broken', 'must-pass', 'case-added-failed']);
  });

  test('of a failed run says nothing of what is open', () => {
    const { breaches } = decideOn(after({ 'case-000': 'f+ffffff|pppppp', 'case-001': 'f' }));
    expect(breaches.map(({ code, caseId }) => [code, caseId])).toEqual([['case-broken', 'case-000']]);
  });
});

describe('a drop of any size that could go unnoticed', () => {
  test('is never green', () => {
    // Both flaked, so that nothing of the new rate is known.
    const failing = compareSides(buildSide({ a: 'p', b: 'p' }), buildSide({ a: 'f+p', b: 'f+p' }));
    const { outcome, breaches } = decideOn(failing);
    expect([outcome, breaches.map(({ message }) => message)]).toEqual([
      'inconclusive',
      ['a drop of any size could go unnoticed'],
    ]);
    expect(decideOn(failing, gateOf({ unsettled: 'warn' })).outcome).toBe('passed');
  });
});

describe('a decision', () => {
  test('lists what was found of each failed case, and the drift', () => {
    const { evidence, drift } = decideOn(after({ 'case-000': drifted, 'case-001': 'f+p' }));
    expect(evidence).toMatchObject([
      { suite: 'triage', prompt: 'v1', provider: 'p', caseId: 'case-000', verdict: 'drifted', acceptedFailed: 4 },
      { caseId: 'case-001', verdict: 'flaky', asked: 1, failed: 0 },
    ]);
    expect(drift).toEqual({ cases: 1, of: 100, isBeyondMargin: false });
    expect(decideOn(after({})).drift).toBeUndefined();
  });

  test('counts the cases of other shards where it says how much drifted', () => {
    const part = after({ 'case-000': drifted }, 10);
    expect(decideOn(part, { otherCases: 90 })).toMatchObject({ outcome: 'passed', drift: { cases: 1, of: 100 } });
  });
});
