import { describe, expect, test } from 'vitest';
import type { SuiteBaseline } from '../../src/model/comparison/baseline.ts';
import type { ComparedVariant } from '../../src/model/comparison/comparison.ts';
import type { JudgedLine } from '../../src/model/run/deciding-lines.ts';
import type { RunSettings } from '../../src/model/run/record.ts';
import type { CaseSummary, RunSummary } from '../../src/model/run/summary.ts';
import { findLoosenedCases, withJudged } from '../../src/verdict/edited-checks.ts';
import { buildGated, type GatedOptions } from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, type CaseOptions, compareSides } from '../support/build-side.ts';
import { buildHeader } from '../support/build-summary.ts';

type AcceptedChecks = Extract<JudgedLine, { by: 'accepted-checks' }>;
type NewChecks = Extract<JudgedLine, { by: 'new-checks' }>;
type OfClasses = Extract<JudgedLine, { by: 'classes' }>;

const where = { type: 'judged', suite: 'triage', prompt: 'v1', provider: 'p', caseId: 'a' } as const;

/** The new answers to case a, judged by the accepted checks. */
const judgedBy = (verdict: AcceptedChecks['verdict'], more: Partial<AcceptedChecks> = {}): AcceptedChecks => ({
  ...where,
  by: 'accepted-checks',
  verdict,
  before: ['contains: refund'],
  after: ['contains: r'],
  ...more,
});

interface Options extends GatedOptions {
  readonly judged?: readonly JudgedLine[];
  readonly settings?: Partial<RunSettings>;
  readonly summary?: Partial<Pick<RunSummary, 'stopReason'>>;
  readonly baseline?: Partial<SuiteBaseline>;
  readonly isFirst?: true;
}

function find(compared: ComparedVariant, options: Options = {}) {
  const { judged = [], settings = {}, summary = {}, baseline, isFirst, ...rest } = options;
  const gated = { ...buildGated(compared, rest), ...(isFirst === true && { isFirst }) };
  const header = buildHeader([gated.suite.recorded]);
  return findLoosenedCases([gated], {
    header: { ...header, settings: { ...header.settings, ...settings } },
    summary: { suites: [gated.suite], stopReason: undefined, ...summary },
    judged,
    findBaseline: () => baseline as SuiteBaseline | undefined,
  });
}

const shorten = (...args: Parameters<typeof find>) =>
  find(...args).map(({ caseId, mustPass, before, after }) =>
    [caseId, ...(mustPass ? ['must-pass'] : []), before.join(), after.join()].join(' | '),
  );

const caseOf = (options: CaseOptions & { readonly outcomes?: string } = {}): CaseSummary => {
  const { outcomes = 'p', ...rest } = options;
  return buildCaseSummary('a', outcomes, rest);
};
const sides = (before: CaseSummary | undefined, now: CaseSummary | undefined, more: object = {}) => {
  const side = (found: CaseSummary | undefined) => buildSide({ z: 'p', ...(found !== undefined && { a: found }) });
  return compareSides(side(before), side(now), more);
};
const must: CaseOptions = { mustPass: true };
const said = 'a | contains: refund | contains: r';
const saidMust = 'a | must-pass | contains: refund | contains: r';

describe('a case whose checks were edited', () => {
  const plain = sides(caseOf({ caseHash: 'old' }), caseOf());

  test('is loosened where its new answer fails the accepted checks', () => {
    const reason = 'no refund';
    expect(find(plain, { judged: [judgedBy('fails', { reason })] })).toEqual([
      {
        suite: 'triage',
        prompt: 'v1',
        provider: 'p',
        caseId: 'a',
        mustPass: false,
        before: ['contains: refund'],
        after: ['contains: r'],
        reason,
      },
    ]);
    expect(shorten(plain)).toEqual([]);
    expect(shorten(plain, { judged: [judgedBy('passes')] })).toEqual([]);
    expect(shorten(plain, { judged: [judgedBy('not-kept')] })).toEqual([]);
  });

  test('counts where its accepted checks could not be made again only if it must pass', () => {
    const judged = [judgedBy('unknown')];
    expect(shorten(plain, { judged })).toEqual([]);
    expect(shorten(sides(caseOf({ ...must, caseHash: 'old' }), caseOf(must)), { judged })).toEqual([saidMust]);
    expect(shorten(sides(caseOf({ caseHash: 'old' }), caseOf(must)), { judged })).toEqual([saidMust]);
  });

  test('is found by its own suite, prompt and provider', () => {
    for (const other of [{ suite: 'other' }, { prompt: 'v2' }, { provider: 'q' }, { caseId: 'z' }]) {
      expect(shorten(plain, { judged: [judgedBy('fails', other)] })).not.toContain(said);
    }
  });

  test('is not loosened against what was not accepted: another version of the run, or a first baseline', () => {
    const judged = [judgedBy('fails')];
    expect(shorten({ ...plain, baseline: { ...plain.baseline, kind: 'run' } }, { judged })).toEqual([]);
    expect(shorten(plain, { judged, isFirst: true })).toEqual([]);
  });

  test('is accepted where the change brings a baseline that holds it as it is now', () => {
    const judged = [judgedBy('fails')];
    const own = (accepted: CaseSummary | undefined) => ({ judged, own: sides(accepted, caseOf()) });
    expect(shorten(plain, own(caseOf()))).toEqual([]);
    expect(shorten(plain, own(caseOf({ caseHash: 'old' })))).toEqual([said]);
    expect(shorten(plain, own(caseOf({ outcomes: 'f' })))).toEqual([said]);
    expect(shorten(plain, own(caseOf(must)))).toEqual([said]);
    expect(shorten(plain, own(undefined))).toEqual([said]);
  });
});

describe('a must-pass case', () => {
  const before = caseOf(must);
  const lost = (after: string) => [`a | must-pass | mustPass | ${after}`];

  test('is loosened where it is gone, skipped, only observed, or fails and need not pass any more', () => {
    expect(shorten(sides(before, undefined))).toEqual(lost('removed'));
    expect(shorten(sides(before, caseOf({ outcomes: 'f' })))).toEqual(lost('no longer mustPass'));
    expect(shorten(sides(before, caseOf()))).toEqual([]);
    const skipped = caseOf({ ...must, outcomes: 's', row: { skipReason: 'case' } });
    expect(shorten(sides(before, skipped))).toEqual(lost('skipped'));
    const notReached = caseOf({ ...must, outcomes: 's', row: { skipReason: 'budget' } });
    expect(shorten(sides(before, notReached))).toEqual([]);
    expect(shorten(sides(before, caseOf({ ...must, observe: true, row: { observe: true } })))).toEqual(
      lost('only observed'),
    );
    expect(shorten(sides(before, caseOf(must)))).toEqual([]);
    // A part of the suite says nothing of the cases that it leaves out.
    expect(shorten(sides(before, undefined, { isWhole: false }))).toEqual([]);
  });

  test('may go where the change’s own baseline has it no more', () => {
    const own = (accepted: CaseSummary | undefined, now?: CaseSummary) => ({ own: sides(accepted, now) });
    expect(shorten(sides(before, undefined), own(undefined))).toEqual([]);
    expect(shorten(sides(before, undefined), own(before))).toEqual(lost('removed'));
    expect(shorten(sides(before, caseOf()), own(caseOf(), caseOf()))).toEqual([]);
    const failing = caseOf({ outcomes: 'f' });
    expect(shorten(sides(before, failing), own(before, failing))).toEqual(lost('no longer mustPass'));
  });

  test('of a variant that the suite has no more is loosened, unless the run leaves out variants', () => {
    const kept = buildSide({ m: buildCaseSummary('m', 'p', must), z: 'p' }).cases;
    const baselineOf = (cases: ReadonlyMap<string, CaseSummary>) =>
      ({
        variants: [
          { prompt: 'v1', provider: 'p' },
          { prompt: 'v1', provider: 'gone' },
        ],
        casesOf: ({ provider }: { readonly provider: string }) => (provider === 'gone' ? cases : new Map()),
      }) as unknown as SuiteBaseline['baseline'];
    const clean = sides(undefined, undefined);
    const baseline = { baseline: baselineOf(kept) };
    const expected = ['m | must-pass | mustPass | removed with its variant'];
    expect(shorten(clean, { baseline })).toEqual(expected);
    expect(find(clean, { baseline })).toMatchObject([{ provider: 'gone' }]);
    const own = { ...baseline, own: baselineOf(new Map()) };
    expect(shorten(clean, { baseline: own })).toEqual([]);
    expect(shorten(clean, { baseline: { ...baseline, own: baseline.baseline } })).toEqual(expected);
    expect(shorten(clean, { baseline: { ...baseline, isFirst: true } })).toEqual([]);
    const parts: readonly Options[] = [
      { settings: { compare: ['v1', 'v2'] } },
      { settings: { shard: { index: 1, count: 2 } } },
      { summary: { stopReason: 'budget' } },
      { suite: { filtered: true } },
    ];
    for (const part of parts) expect(shorten(clean, { baseline, ...part })).toEqual([]);
  });
});

describe('verdicts by the checks of the run', () => {
  const side = buildSide({ a: 'pp', z: 'p' });
  const now = buildSide({ a: 'p', z: 'p' }).cases;
  const line = (more: Partial<NewChecks> = {}): NewChecks => ({
    ...where,
    by: 'new-checks',
    role: 'baseline',
    caseHash: 'caseHash',
    trials: [{ trial: 0, status: 'failed', score: 0 }],
    ...more,
  });

  test('replace those of the accepted answers, for the rates alone', () => {
    const judged = withJudged(side, [line()], now);
    expect([...judged.edited]).toEqual(['a']);
    expect(judged.side.cases.get('a')).toMatchObject({ status: 'flaky', caseHash: 'caseHash' });
    expect(judged.side.cases.get('a')?.trials.map(({ status }) => status)).toEqual(['failed', 'passed']);
    expect(judged.side.cases.get('z')).toBe(side.cases.get('z'));
    expect(judged.unedited).toBe(side);
  });

  test('are left out where the suite was edited once more, or the case is unknown', () => {
    for (const lines of [[], [line({ caseHash: 'other' })], [line({ caseId: 'unknown' })]]) {
      const judged = withJudged(side, lines, now);
      expect([judged.edited.size, judged.side, judged.unedited]).toEqual([0, side, side]);
    }
  });

  test('also say of which class an accepted answer is', () => {
    const classified = { truth: 'legal', found: 'spam', by: 'x' };
    const ofClasses: OfClasses = { ...where, by: 'classes', role: 'baseline', trials: [{ trial: 1, classified }] };
    const judged = withJudged(side, [ofClasses], now);
    expect(judged.edited.size).toBe(0);
    expect(judged.unedited.cases.get('a')?.trials.map((trial) => trial.classified)).toEqual([undefined, classified]);
    const both = withJudged(side, [line(), ofClasses], now);
    expect(both.side.cases.get('a')?.trials.map(({ status, ...trial }) => [status, trial.classified])).toEqual([
      ['failed', undefined],
      ['passed', classified],
    ]);
  });
});
