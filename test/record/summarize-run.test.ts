import { describe, expect, test } from 'vitest';
import type { CellStatus } from '../../src/model/run/cell.ts';
import type { RowSummary, VariantSummary } from '../../src/model/run/summary.ts';
import { caseStatusOf } from '../../src/record/case-summaries.ts';
import { isComplete, summarizeRun, totalsOf } from '../../src/record/summarize-run.ts';
import {
  buildHeader,
  buildRecordedSuite,
  buildRowSummary,
  buildVariant,
  end,
  rowsOf,
  summarize,
} from '../support/build-summary.ts';
import fc from '../support/property.ts';

function variantOf(rows: readonly RowSummary[], planned?: number): VariantSummary {
  const variant = summarize(rows, planned === undefined ? {} : { planned }).suites[0]?.variants[0];
  if (variant === undefined) throw new Error('the summary has no variant');
  return variant;
}

describe('the counts', () => {
  test('add up to the planned cells, whatever the rows are', () => {
    const row = fc
      .record({
        status: fc.constantFrom<CellStatus>('passed', 'failed', 'errored', 'skipped'),
        caseId: fc.constantFrom('a', 'b', 'c'),
        trial: fc.nat(4),
        observe: fc.boolean(),
        confirmation: fc.boolean(),
        isByCase: fc.boolean(),
        suite: fc.constantFrom('triage', 'triage', 'other'),
      })
      .map(({ isByCase, ...fields }) =>
        buildRowSummary({
          ...fields,
          skipReason: fields.status !== 'skipped' ? undefined : isByCase ? 'case' : 'budget',
        }),
      );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), fc.nat(40), (rows, recorded) => {
        const { planned, passed, failed, errored, skipped, skippedByCase, passRate } = variantOf(rows, recorded);
        expect(passed + failed + errored + skipped).toBe(planned);
        expect(planned).toBeGreaterThanOrEqual(recorded);
        expect(skippedByCase).toBeLessThanOrEqual(skipped);
        const { value, low, high } = passRate;
        expect(value === null || (Number(low) <= value + 1e-12 && Number(high) >= value - 1e-12)).toBe(true);
      }),
    );
  });

  test('take a planned cell without a row for skipped', () => {
    expect(variantOf(rowsOf('p f'), 5)).toMatchObject({
      planned: 5,
      passed: 1,
      failed: 1,
      skipped: 3,
      skippedByCase: 0,
    });
  });

  test('tell what the suite skipped from what the run did not reach', () => {
    expect(variantOf(rowsOf('p c c s'))).toMatchObject({ planned: 4, passed: 1, skipped: 3, skippedByCase: 2 });
  });

  test('leave out observed cells and confirmations, but not their bill', () => {
    const observed = buildRowSummary({ caseId: 'watched', status: 'failed', observe: true, spentUsd: 0.5 });
    const fresh = buildRowSummary({ caseId: 'case-0', trial: 1, confirmation: true, status: 'failed', spentUsd: 0.25 });
    const variant = variantOf([...rowsOf('p p'), observed, fresh]);
    expect(variant).toMatchObject({ planned: 2, passed: 2, failed: 0, observed: 1, passRate: { value: 1, n: 2 } });
    expect(variant.costUsd).toBeCloseTo(0.002);
    expect(variant.spentUsd).toBeCloseTo(0.752);
    expect(variant.latencyMs.p50).toBe(100);
  });

  test('use the last row of a cell that ran again, at any place', () => {
    const rows = [...rowsOf('ef p'), ...rowsOf('pf'), buildRowSummary({ caseId: 'case-0', trial: 1, costUsd: 0.25 })];
    const suites = [buildRecordedSuite([buildVariant(3)])];
    const variant = summarizeRun(buildHeader(suites), rows, end).suites[0]?.variants[0];
    expect(variant).toMatchObject({ planned: 3, passed: 3, failed: 0, errored: 0, skipped: 0 });
    expect(variant?.cases.get('case-0')?.trials.map(({ trial, costUsd }) => [trial, costUsd])).toEqual([
      [0, 0.001],
      [1, 0.25],
    ]);
  });

  test('count cells that came from the cache', () => {
    expect(variantOf([...rowsOf('p f', { cached: true }), buildRowSummary()]).cached).toBe(2);
  });

  test('belong to the row’s own variant; rows of a variant that was not planned count nowhere', () => {
    const suites = [
      buildRecordedSuite([buildVariant(1), buildVariant(1, { prompt: 'v2' }), buildVariant(1, { provider: 'q' })]),
      buildRecordedSuite([buildVariant(1)], {}, { suite: 'other' }),
    ];
    const rows = [
      buildRowSummary({ status: 'failed', prompt: 'v2' }),
      buildRowSummary({ provider: 'q' }),
      buildRowSummary({ status: 'errored', suite: 'other' }),
      buildRowSummary({ prompt: 'v9' }),
    ];
    const summary = summarizeRun(buildHeader(suites), rows, end);
    const counts = summary.suites.map(({ variants }) =>
      variants.map(({ passed, failed, errored, skipped }) => [passed, failed, errored, skipped]),
    );
    expect(counts).toEqual([
      [
        [0, 0, 0, 1],
        [0, 1, 0, 0],
        [1, 0, 0, 0],
      ],
      [[0, 0, 1, 0]],
    ]);
  });
});

describe('the status of a case', () => {
  test.each([
    ['ppp', 'passed'],
    ['fff', 'failed'],
    ['pfp', 'flaky'],
    ['pfe', 'flaky'],
    ['fe', 'failed'],
    ['fs', 'failed'],
    ['pe', 'errored'],
    ['es', 'errored'],
    ['ps', 'skipped'],
    ['c', 'skipped'],
    ['', 'skipped'],
  ])('of trials %j is %s', (trials, status) => {
    expect(caseStatusOf(rowsOf(trials))).toBe(status);
  });

  test('is not changed by confirmations, which are listed apart', () => {
    const fresh = [1, 2].map((trial) =>
      buildRowSummary({ caseId: 'case-0', trial, confirmation: true, status: 'passed' }),
    );
    const found = variantOf([...rowsOf('f'), ...fresh]).cases.get('case-0');
    expect(found?.status).toBe('failed');
    expect(found?.trials.map(({ trial }) => trial)).toEqual([0]);
    expect(found?.confirmations.map(({ trial }) => trial)).toEqual([1, 2]);
  });

  test('comes with its trials in order and the cases sorted by id', () => {
    const rows = [
      buildRowSummary({ caseId: 'b', trial: 1 }),
      buildRowSummary({ caseId: 'a', trial: 0, mustPass: true, caseHash: 's-a' }),
      buildRowSummary({ caseId: 'b', trial: 0 }),
    ];
    const { cases } = variantOf(rows);
    expect([...cases.keys()]).toEqual(['a', 'b']);
    expect(cases.get('b')?.trials.map(({ trial }) => trial)).toEqual([0, 1]);
    expect(cases.get('a')).toMatchObject({ mustPass: true, caseHash: 's-a', observe: false });
  });
});

describe('the estimates', () => {
  test('of single trials have Wilson’s interval', () => {
    // 8 of 10, z = 1.96: Wilson 1927.
    const { passRate } = variantOf(rowsOf('p p p p p p p p f f'));
    expect(passRate).toMatchObject({ value: 0.8, n: 10 });
    expect(passRate.low).toBeCloseTo(0.4902, 4);
    expect(passRate.high).toBeCloseTo(0.9433, 4);
  });

  test('weigh cases alike, whatever their number of trials', () => {
    const { passRate, score } = variantOf(rowsOf('ppppffff p'));
    expect(passRate).toMatchObject({ value: 0.75, n: 2 });
    expect(score.mean).toBe(0.75);
    expect(passRate.low).toBeLessThan(0.75);
    expect(passRate.high).toBeLessThanOrEqual(1);
  });

  test('leave errored and skipped trials out of both sides', () => {
    expect(variantOf(rowsOf('pe e s c f')).passRate).toMatchObject({ value: 0.5, n: 2 });
  });

  test('are null where nothing was judged', () => {
    expect(variantOf(rowsOf('e s'))).toMatchObject({
      passRate: { value: null, low: null, high: null, n: 0 },
      score: { mean: null, low: null, high: null },
      latencyMs: { p50: null, p95: null },
    });
  });

  test('of the score average the scores', () => {
    const rows = [0.2, 0.4, 0.9].map((score, index) =>
      buildRowSummary({ caseId: `c${index}`, score, status: 'failed' }),
    );
    const { score, passRate } = variantOf(rows);
    expect(score.mean).toBeCloseTo(0.5);
    expect(score.low).toBeGreaterThan(0);
    expect(score.high).toBeLessThan(1);
    expect(passRate.value).toBe(0);
  });

  test('of the latency are type-7 quantiles of judged cells alone', () => {
    const rows = [10, 20, 30, 40].map((latencyMs, index) => buildRowSummary({ caseId: `c${index}`, latencyMs }));
    const brokenOff = buildRowSummary({ caseId: 'broken', status: 'errored', latencyMs: 9999 });
    expect(variantOf([...rows, brokenOff]).latencyMs).toEqual({ p50: 25, p95: 38.5 });
  });
});

describe('what is not in every run', () => {
  test('confirmations are counted apart, and what they and observed cells cost, too', () => {
    const found = variantOf([
      buildRowSummary({ spentUsd: 1 }),
      buildRowSummary({ trial: 1, confirmation: true, spentUsd: 2 }),
      buildRowSummary({ trial: 2, confirmation: true, side: 'accepted', spentUsd: 4 }),
      buildRowSummary({ caseId: 'seen', observe: true, spentUsd: 8 }),
    ]);
    expect(found).toMatchObject({ confirmations: 2, passed: 1, spentUsd: 15, spentApartUsd: 14, costUsd: 0.001 });
    expect(variantOf(rowsOf('p'))).toMatchObject({ confirmations: 0, spentApartUsd: 0 });
  });

  test('the time to the first token is a quantile of judged cells that have one', () => {
    const rows = [
      buildRowSummary({ caseId: 'a', firstTokenMs: 10 }),
      buildRowSummary({ caseId: 'b', firstTokenMs: 30, status: 'failed' }),
      buildRowSummary({ caseId: 'c' }),
      buildRowSummary({ caseId: 'd', firstTokenMs: 900, status: 'errored' }),
      buildRowSummary({ caseId: 'e', firstTokenMs: 900, observe: true }),
    ];
    expect(variantOf(rows).firstTokenMs).toEqual({ p50: 20, p95: 29 });
    expect(variantOf([buildRowSummary()])).not.toHaveProperty('firstTokenMs');
  });

  test('cases that were not asked leave the estimates without an interval', () => {
    const decided = buildRowSummary({ caseId: 'z', status: 'skipped', skipReason: 'decided' });
    const [early, whole] = [variantOf([...rowsOf('p f'), decided]), variantOf(rowsOf('p f'))];
    expect(early).toMatchObject({
      notAsked: 1,
      skipped: 1,
      skippedByCase: 0,
      passRate: { value: 0.5, low: null, high: null, n: 2 },
      score: { mean: 0.5, low: null, high: null },
    });
    expect(whole.notAsked).toBe(0);
    expect(whole.passRate.low).toBeGreaterThan(0);
    const totals = (rows: readonly RowSummary[]) => totalsOf(summarize(rows));
    expect(totals([...rowsOf('p f'), decided])).toMatchObject({ notAsked: 1, planned: 3 });
    expect(totals(rowsOf('p f'))).not.toHaveProperty('notAsked');
  });

  test('the totals weigh the pass rates of variants by their judged cases', () => {
    const rows = [...rowsOf('p p f'), ...rowsOf('f', { prompt: 'v2' })];
    const suites = [buildRecordedSuite([buildVariant(3), buildVariant(1, { prompt: 'v2' })])];
    const summary = summarizeRun(buildHeader(suites), rows, end);
    expect(totalsOf(summary)).toMatchObject({ planned: 4, passed: 2, failed: 2, passRate: 0.5 });
    expect(totalsOf(summarizeRun(buildHeader(suites), [], end))).toMatchObject({
      planned: 4,
      skipped: 4,
      passRate: null,
    });
  });

  test('single trials of cases in one group have no interval of independent cases', () => {
    const rows = rowsOf('p p f f');
    const grouped = rows.map((row, index) => ({ ...row, group: index < 2 ? 'one' : 'two' }));
    const observed = buildRowSummary({ caseId: 'seen', observe: true, group: 'three' });
    const [apart, together] = [variantOf(rows).passRate, variantOf([...grouped, observed]).passRate];
    expect(together.value).toBe(apart.value);
    expect(Number(together.high) - Number(together.low)).toBeGreaterThan(Number(apart.high) - Number(apart.low));
    // A group of one case each is no group.
    const alone = rows.map((row) => ({ ...row, group: row.caseId }));
    expect(variantOf(alone).passRate).toEqual(apart);
  });
});

describe('the bill', () => {
  test('is unknown as soon as one answer has no price, and only then', () => {
    const rows = [buildRowSummary(), buildRowSummary({ caseId: 'x', costUsd: null, spentUsd: null })];
    expect(variantOf(rows)).toMatchObject({ costUsd: null, spentUsd: null, judgeCostUsd: 0 });
    expect(variantOf(rowsOf('e s')).costUsd).toBe(0);
  });

  test('holds the answers of errored and skipped cells too', () => {
    const rows = [
      buildRowSummary({ status: 'errored', costUsd: 0.25, spentUsd: 0.25 }),
      buildRowSummary({ caseId: 'x', status: 'skipped', skipReason: 'budget', costUsd: 0.5, spentUsd: 0 }),
    ];
    expect(variantOf(rows)).toMatchObject({ costUsd: 0.75, spentUsd: 0.25 });
  });

  test('of judges is apart, and unknown where one is', () => {
    const rows = [buildRowSummary({ judgeCostUsd: 0.5 }), buildRowSummary({ caseId: 'x', judgeCostUsd: 0.25 })];
    expect(variantOf(rows).judgeCostUsd).toBe(0.75);
    expect(variantOf([...rows, buildRowSummary({ caseId: 'y', judgeCostUsd: null })]).judgeCostUsd).toBeNull();
  });
});

describe('the run', () => {
  test('is complete where only its suite left cells out', () => {
    const header = buildHeader([buildRecordedSuite([buildVariant(2)])]);
    const rows = (skipReason: RowSummary['skipReason']) => [
      buildRowSummary({ caseId: 'a' }),
      buildRowSummary({ caseId: 'b', status: 'skipped', ...(skipReason !== undefined && { skipReason }) }),
    ];
    const isWhole = (skipReason: RowSummary['skipReason'], ended: typeof end | undefined = end) =>
      isComplete(summarizeRun(header, rows(skipReason), ended));
    expect([isWhole('case'), isWhole('bail'), isWhole('case', { ...end, stopReason: 'bail' })]).toEqual([
      true,
      false,
      false,
    ]);
    expect(isComplete(summarizeRun(header, rows('case'), undefined))).toBe(false);
  });

  test('without an end was interrupted', () => {
    const header = buildHeader([buildRecordedSuite([buildVariant(1)])]);
    expect(summarizeRun(header, [], undefined)).toMatchObject({ stopReason: 'interrupted', ended: false });
    expect(summarizeRun(header, [], end)).toMatchObject({ stopReason: undefined, ended: true });
    expect(summarizeRun(header, [], { ...end, stopReason: 'bail' })).toMatchObject({ stopReason: 'bail', ended: true });
  });

  test('shows which version replaces another on the same provider', () => {
    const suite = buildRecordedSuite([
      buildVariant(1),
      buildVariant(1, { provider: 'q' }),
      buildVariant(1, { prompt: 'v2', replaces: 'v1' }),
      buildVariant(0, { prompt: 'v2', provider: 'q', replaces: 'v1' }),
    ]);
    const summary = summarizeRun(buildHeader([suite]), [], end);
    // On q no cell of v2 is planned, so v1 is still the one that counts.
    expect(summary.suites[0]?.variants.map(({ replacedBy }) => replacedBy)).toEqual([
      'v2',
      undefined,
      undefined,
      undefined,
    ]);
  });
});
