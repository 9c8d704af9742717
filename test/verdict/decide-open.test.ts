import { describe, expect, test } from 'vitest';
import type { Breach } from '../../src/model/comparison/gate.ts';
import type { EndRow, RecordedSuite, RunSettings } from '../../src/model/run/record.ts';
import type { RowSummary, RunSummary, VariantSummary } from '../../src/model/run/summary.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { decide } from '../../src/verdict/gate/decide-run.ts';
import { findDecided } from '../../src/verdict/gate/find-breaches.ts';
import type { JudgedRun } from '../../src/verdict/gate/judge-comparisons.ts';
import { judgeLimits } from '../../src/verdict/gate/judge-limits.ts';
import { buildHeader, buildRecordedSuite, buildVariant, end, rowsOf, settings } from '../support/build-summary.ts';

interface Compared {
  readonly isInconclusive?: boolean;
  readonly kind?: 'unchanged' | 'certain' | 'unseen';
  readonly partial?: { readonly isCertain: boolean };
  readonly failures?: readonly Breach[];
  readonly warnings?: readonly string[];
  /** The version of the run that it is compared with. */
  readonly besideOf?: string;
  /** Accepted cases that are gone. */
  readonly removed?: readonly string[];
}

/** What an inconclusive comparison has found. */
const openRate = 'the pass rate fell, and it was not asked again';

function comparisonOf(
  variant: VariantSummary,
  { isInconclusive = false, kind = 'certain', partial, failures = [], warnings = [], besideOf, removed = [] }: Compared,
) {
  const side = besideOf === undefined ? 'stored' : 'run';
  return {
    variant,
    mustPassWhole: false,
    isInconclusive,
    certainty: { kind, cases: 1, ...(kind === 'unseen' && { drop: 0.2 }) },
    failures,
    warnings,
    errors: [],
    unsettled: [],
    unsettledAverages: isInconclusive ? [{ code: 'unsettled', message: openRate } as const] : [],
    drift: { cases: [], of: 1, drop: undefined, isBeyondMargin: false },
    report: { accepted: [] },
    compared: {
      passRate: { n: 1 },
      cases: new Map(removed.map((id) => [id, { change: 'removed' }])),
      baseline: { cases: new Map(), kind: side, recorded: { ...variant.recorded, prompt: besideOf ?? 'old' } },
    },
    ...(partial !== undefined && { partial }),
  };
}

interface Options {
  /** By the place of the variant. */
  readonly compared?: Readonly<Record<number, Compared>>;
  readonly settings?: Partial<RunSettings>;
  readonly end?: EndRow;
  readonly further?: Parameters<typeof decide>[0]['further'];
}

function judgedOf({ suites }: RunSummary, compared: Options['compared'] = {}) {
  const variants = suites.flatMap((suite) => suite.variants);
  const comparisons = variants.flatMap((variant, index) => {
    const found = compared[index];
    return found === undefined ? [] : [comparisonOf(variant, found)];
  });
  return { comparisons, verdicts: new Map() } as unknown as JudgedRun;
}

function decideOn(suites: readonly RecordedSuite[], rows: readonly RowSummary[], options: Options = {}) {
  const summary = summarizeRun(buildHeader(suites), rows, options.end ?? end);
  const judged = judgedOf(summary, options.compared);
  const { outcome, incompleteBecause, breaches, warnings } = decide({
    summary,
    settings: { ...settings, ...options.settings },
    judged,
    ...(options.further !== undefined && { further: options.further }),
  });
  return [incompleteBecause ?? outcome, ...breaches.map(({ message }) => message), ...warnings];
}

const one = (planned: number, more: Partial<RecordedSuite> = {}) =>
  buildRecordedSuite([buildVariant(planned)], {}, more);
const decided = rowsOf('s', { skipReason: 'decided', caseId: 'late' });

describe('a run that ended before its plan', () => {
  test('says why, how many cells it did not judge, and what they still decide', () => {
    const stopped = { ...end, stopReason: 'budget' as const };
    const why = 'the run stopped before its end: the budget is used up (--max-cost)';
    expect(decideOn([one(1)], rowsOf('p'), { end: stopped })).toEqual(['stopped', why]);
    expect(decideOn([one(2)], rowsOf('p'), { end: stopped })).toEqual([
      'stopped',
      `${why}; 1 planned cell was not judged; undecided: pass rate of triage · v1 × p`,
    ]);
    expect(decideOn([one(2), one(3, { suite: 'b' })], rowsOf('p'))).toEqual([
      'stopped',
      'the run stopped before its end: cells have no result; 4 planned cells were not judged; undecided: pass rate of triage · v1 × p and 1 more',
    ]);
    expect(decideOn([one(2)], rowsOf('p c'))).toEqual(['passed']);
  });

  test('early is complete where what was asked decides it', () => {
    const early = { ...end, stopReason: 'decided' as const };
    const rows = [...rowsOf('p'), ...decided];
    const open = 'and what was asked does not decide the run: run it again without --early';
    expect(decideOn([one(2)], rows, { end: early })).toEqual([
      'stopped',
      `1 planned cell was not asked (decided early), ${open}; undecided: pass rate of triage · v1 × p`,
    ]);
    const certain = { partial: { isCertain: true } };
    expect(decideOn([one(2)], rows, { end: early, compared: { 0: certain } })).toEqual(['passed']);
    expect(decideOn([one(2)], rows, { end: early, compared: { 0: { partial: { isCertain: false } } } })).toEqual([
      'stopped',
      `1 planned cell was not asked (decided early), ${open}`,
    ]);
    const more = [...rows, ...rowsOf('s', { skipReason: 'decided', caseId: 'later' })];
    expect(decideOn([one(3)], more, { end: early, compared: { 0: {} } })[1]).toMatch(/^2 planned cells were not asked/);
    // A run that failed needs no further cell.
    const failures = [{ code: 'case-broken', message: 'broken' } as const];
    expect(decideOn([one(2)], rows, { end: early, compared: { 0: { failures } } })).toEqual(['failed', 'broken']);
  });

  test('early is decided for a version that is replaced, and for one that another is compared with, by those', () => {
    const suite = buildRecordedSuite([
      buildVariant(2, { prompt: 'old' }),
      buildVariant(2, { prompt: 'new', replaces: 'old' }),
      buildVariant(2, { prompt: 'other' }),
    ]);
    const rows = ['old', 'new', 'other'].flatMap((prompt) => [
      ...rowsOf('p', { prompt }),
      ...rowsOf('s', { prompt, skipReason: 'decided', caseId: 'late' }),
    ]);
    const summary = summarizeRun(buildHeader([suite]), rows, end);
    const names = (compared: Options['compared']) => {
      const judged = judgedOf(summary, compared);
      return [...findDecided(summary, judgeLimits(summary, judged), judged)].map(({ recorded }) => recorded.prompt);
    };
    const [certain, open] = [{ partial: { isCertain: true } }, { partial: { isCertain: false } }];
    expect(names({})).toEqual([]);
    expect(names({ 1: certain })).toEqual(['old', 'new']);
    expect(names({ 0: certain, 1: open })).toEqual([]);
    expect(names({ 2: certain })).toEqual(['other']);
    // The answers of `other` are needed for the comparison of `new`.
    expect(names({ 1: { ...open, besideOf: 'other' }, 2: certain })).toEqual([]);
    expect(names({ 1: { ...certain, besideOf: 'other' }, 2: certain })).toEqual(['old', 'new', 'other']);
  });
});

describe('a run whose certainty is asked for', () => {
  const suites = [one(1), one(1, { suite: 'b' })];
  const rows = [...rowsOf('p'), ...rowsOf('p', { suite: 'b' })];
  const asking = { settings: { requireConclusive: true } };

  test('is complete where every variant is certain', () => {
    expect(decideOn(suites, rows, { ...asking, compared: { 0: {}, 1: { kind: 'unchanged' } } })).toEqual(['passed']);
    expect(decideOn(suites, rows, { compared: { 0: { kind: 'unseen' }, 1: {} } })).toEqual(['passed']);
    expect(decideOn(suites, rows, { compared: { 0: { isInconclusive: true }, 1: {} } })).toEqual([
      'inconclusive',
      openRate,
    ]);
  });

  test.each<[Options['compared'], string]>([
    [{ 0: { kind: 'unseen' }, 1: {} }, '1 verdict is open, and --require-conclusive asks for it'],
    [
      { 0: { kind: 'unseen' }, 1: { kind: 'unseen' } },
      '2 verdicts are open, and --require-conclusive asks for all of them',
    ],
    [{ 0: {} }, '1 variant is compared with nothing, and --require-conclusive asks for it'],
    [{}, '2 variants are compared with nothing, and --require-conclusive asks for all of them'],
    [
      { 0: { kind: 'unseen' } },
      '1 verdict is open, 1 variant is compared with nothing, and --require-conclusive asks for all of them',
    ],
  ])('is incomplete otherwise: %j', (compared, message) => {
    expect(decideOn(suites, rows, { ...asking, compared: compared ?? {} })).toEqual(['inconclusive', message]);
  });

  test('is not asked of a suite whose cases are all skipped, where others were compared', () => {
    const skipped = [...rowsOf('p'), ...rowsOf('c', { suite: 'b' })];
    const open = { kind: 'unseen', isInconclusive: true } as const;
    const decideSkipped = (compared: Options['compared'], more: Options = asking) =>
      decideOn(suites, skipped, { ...more, compared: compared ?? {} })[0];
    expect(decideSkipped({ 0: {}, 1: open })).toBe('passed');
    expect(decideSkipped({ 0: {} })).toBe('passed');
    expect(decideSkipped({ 0: {}, 1: open }, {})).toBe('passed');
    expect(decideSkipped({ 0: open, 1: open })).toBe('inconclusive');
    // Skipped cases do not stand for those that were removed.
    expect(decideSkipped({ 0: {}, 1: { ...open, removed: ['a'] } }, {})).toBe('inconclusive');
    // Nothing was compared.
    expect(decideSkipped({ 1: open }, {})).toBe('inconclusive');
  });

  test('is asked for by the gate of one suite alone', () => {
    const [first] = suites;
    const certified = buildRecordedSuite([buildVariant(1)], { certify: true }, { suite: 'b' });
    const both = [first ?? certified, certified];
    const open = { kind: 'unseen' } as const;
    expect(decideOn(both, rows, { compared: { 0: open, 1: {} } })).toEqual(['passed']);
    expect(decideOn(both, rows, { compared: { 0: {}, 1: open } })).toEqual([
      'inconclusive',
      '1 verdict is open, and gate.certify asks for it',
    ]);
  });
});

test('what others found, such as contracts, fails and warns too', () => {
  const failures = [{ code: 'contract-broken', suite: 'triage', message: 'broken' } as const];
  const compared = { 0: { warnings: ['of the comparison'] } };
  expect(decideOn([one(1)], rowsOf('p'), { further: { failures, warnings: ['remark'] }, compared })).toEqual([
    'failed',
    'broken',
    'of the comparison',
    'remark',
  ]);
  expect(decideOn([one(1)], rowsOf('p'), { further: { failures: [], warnings: ['remark'] } })).toEqual([
    'passed',
    'remark',
  ]);
  // Contracts are compared without a judge.
  const unvalidated = one(1, { unvalidated: ['not measured'] });
  expect(decideOn([unvalidated], rowsOf('p'), { further: { failures, warnings: [] } })).toEqual([
    'failed',
    'broken',
    'not measured',
  ]);
});
