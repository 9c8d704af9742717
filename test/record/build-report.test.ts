import { describe, expect, test } from 'vitest';
import type { Decision } from '../../src/model/comparison/gate.ts';
import type { CaseSummary, RowSummary } from '../../src/model/run/summary.ts';
import { buildReport, type ReportInput } from '../../src/record/build-report.ts';
import { summarizeRun, totalsOf } from '../../src/record/summarize-run.ts';
import { buildDecision, buildRow } from '../support/build-report.ts';
import { buildHeader, buildRecordedSuite, buildRowSummary, buildVariant, end } from '../support/build-summary.ts';

const passed: Decision = buildDecision();

const suite = buildRecordedSuite([
  buildVariant(2, { prompt: 'v2', replaces: 'v1' }),
  buildVariant(2, { provider: 'q' }),
  buildVariant(2),
]);

function build(rows: readonly RowSummary[], overrides: Partial<ReportInput> = {}) {
  const header = buildHeader([suite]);
  const indexed = rows.map((row, rowIndex) => ({ ...row, rowIndex }));
  const input: ReportInput = {
    header,
    end,
    summary: summarizeRun(header, indexed, end),
    decision: passed,
    readRow: (rowIndex) => {
      const row = indexed[rowIndex];
      if (row === undefined) throw new Error(`row ${rowIndex} was not written`);
      return buildRow({
        caseId: row.caseId,
        prompt: row.prompt,
        provider: row.provider,
        trial: row.trial,
        status: row.status,
      });
    },
    ...overrides,
  };
  return buildReport(input);
}

describe('buildReport', () => {
  test('says which run it is of and how that ended', () => {
    const rows = [{ prompt: 'v2' }, { provider: 'q' }, {}].flatMap((variant) =>
      ['a', 'b'].map((caseId) => buildRowSummary({ caseId, ...variant })),
    );
    expect(build(rows, { end: { ...end, notes: ['a note'] }, recordPath: 'runs/x.jsonl' })).toMatchObject({
      tool: { name: 'llmcheck', version: '0.1.0' },
      run: { id: '20261124-153012-a1b2c3', durationMs: 1000, complete: true, recordPath: 'runs/x.jsonl' },
      decision: passed,
      exitCode: 0,
      notes: ['a note'],
    });
  });

  test('of a run that was killed or stopped is not complete', () => {
    const header = buildHeader([suite]);
    const killed = build([], { end: undefined, summary: summarizeRun(header, [], undefined) });
    expect(killed.run).toMatchObject({ complete: false, stopReason: 'interrupted', durationMs: 0 });
    const stopped = build([], { summary: summarizeRun(header, [], { ...end, stopReason: 'bail' }) });
    expect(stopped.run).toMatchObject({ complete: false, stopReason: 'bail' });
  });

  test('of a run whose record lacks a cell is not complete, whatever its end says', () => {
    expect(build([buildRowSummary({ caseId: 'a' })]).run).toMatchObject({ complete: false });
  });

  test('takes its exit code from the decision alone', () => {
    const decision: Decision = buildDecision({ outcome: 'incomplete', incompleteBecause: 'errors' });
    expect(build([], { decision }).exitCode).toBe(3);
  });

  test('shows a case’s versions and providers together, sorted', () => {
    const rows = [
      buildRowSummary({ caseId: 'b' }),
      buildRowSummary({ caseId: 'a', provider: 'q' }),
      buildRowSummary({ caseId: 'a', prompt: 'v2' }),
      buildRowSummary({ caseId: 'a' }),
    ];
    const cases = [...(build(rows).suites[0]?.cases() ?? [])];
    expect(cases.map(({ caseId, prompt, provider }) => [caseId, prompt, provider])).toEqual([
      ['a', 'v1', 'p'],
      ['a', 'v1', 'q'],
      ['a', 'v2', 'p'],
      ['b', 'v1', 'p'],
    ]);
  });

  test('reads the rows of a case only when somebody looks at them, and once', () => {
    const read: number[] = [];
    const rows = ['a', 'b', 'c'].map((caseId, index) =>
      buildRowSummary({ caseId, status: index === 1 ? 'failed' : 'passed' }),
    );
    const report = build(rows, {
      readRow: (rowIndex) => {
        read.push(rowIndex);
        return buildRow();
      },
    });
    expect(read).toEqual([]);
    const [found, ...others] = report.suites[0]?.cases({ statuses: ['failed'] }) ?? [];
    expect([found?.caseId, others]).toEqual(['b', []]);
    expect(read).toEqual([]);
    expect([found?.trials, found?.at, found?.trials]).toEqual([[buildRow()], buildRow().at, [buildRow()]]);
    expect(read).toEqual([1]);
  });

  test('shows confirmations behind the trials', () => {
    const rows = [buildRowSummary({ trial: 1, confirmation: true }), buildRowSummary({ trial: 0, status: 'failed' })];
    const [found] = build(rows).suites[0]?.cases() ?? [];
    expect(found).toMatchObject({ status: 'failed', trials: [{ trial: 0 }, { trial: 1 }] });
  });

  test('a variant shows its counts, what replaces it and its comparison', () => {
    const rows = [buildRowSummary(), buildRowSummary({ caseId: 'x', status: 'failed' })];
    const [, , variant] = build(rows).suites[0]?.variants ?? [];
    expect(variant).toMatchObject({ prompt: 'v1', provider: 'p', planned: 2, passed: 1, failed: 1, replacedBy: 'v2' });
    expect(variant).not.toHaveProperty('cases');
  });
});

describe('a variant of a report', () => {
  const gate = { slices: { hard: { passRate: { min: 0.5 } }, unused: { passRate: {} } } };

  /** The only variant of a run of these rows. */
  function variantOf(rows: readonly RowSummary[]) {
    const header = buildHeader([buildRecordedSuite([buildVariant(rows.length)], gate)]);
    const [found] = build([], { header, summary: summarizeRun(header, rows, end) }).suites[0]?.variants ?? [];
    return found;
  }

  test('names the cases that failed or were flaky, and counts those with an error, without observed ones', () => {
    const found = variantOf([
      buildRowSummary({ caseId: 'failed', status: 'failed', mustPass: true }),
      buildRowSummary({ caseId: 'flaky', trial: 0 }),
      buildRowSummary({ caseId: 'flaky', trial: 1, status: 'failed' }),
      buildRowSummary({ caseId: 'seen', status: 'failed', observe: true }),
      buildRowSummary({ caseId: 'broken', status: 'errored' }),
      buildRowSummary({ caseId: 'seen-too', status: 'errored', observe: true }),
      buildRowSummary({ caseId: 'good' }),
    ]);
    expect(found).toMatchObject({
      failedCases: [
        { caseId: 'failed', mustPass: true },
        { caseId: 'flaky', mustPass: false },
      ],
      erroredCases: 1,
    });
    const good = variantOf([buildRowSummary()]);
    for (const key of ['failedCases', 'erroredCases', 'slices', 'classes', 'comparison'])
      expect(good).not.toHaveProperty(key);
  });

  test('has the pass rate of each slice that has cases, with its limits', () => {
    const found = variantOf([
      buildRowSummary({ caseId: 'a', slices: ['hard', 'other'] }),
      buildRowSummary({ caseId: 'b', slices: ['hard'], status: 'failed' }),
      buildRowSummary({ caseId: 'c' }),
    ]);
    expect(found?.slices).toEqual([
      { slice: 'hard', min: 0.5, passRate: expect.objectContaining({ value: 0.5, n: 2 }) },
    ]);
  });

  test('is shown case by case, of one variant or several, by status', () => {
    const rows = [buildRowSummary({ caseId: 'a' }), buildRowSummary({ caseId: 'b', status: 'failed', mustPass: true })];
    const header = buildHeader([buildRecordedSuite([buildVariant(2)])]);
    const single = build(rows, { header, summary: summarizeRun(header, rows, end) }).suites[0];
    for (const found of [single, build(rows).suites[0]]) {
      const idsOf = (filter?: { readonly statuses: readonly CaseSummary['status'][] }) =>
        [...(found?.cases(filter) ?? [])].map(({ caseId }) => caseId);
      expect([idsOf(), idsOf({ statuses: ['failed'] }), idsOf({ statuses: [] })]).toEqual([['a', 'b'], ['b'], []]);
      const [first, second] = found?.cases() ?? [];
      expect(first).not.toHaveProperty('mustPass');
      expect(second).toMatchObject({ mustPass: true, status: 'failed' });
    }
  });

  test('knows a run that was compared with nothing, and its notes', () => {
    const header = buildHeader([suite]);
    const settings = { ...header.settings, baseline: 'none' } as const;
    expect(build([], { header: { ...header, settings } }).run.baseline).toBe('none');
    expect(
      build([], { header: { ...header, settings: { ...settings, baseline: 'git' } as never } }).run,
    ).not.toHaveProperty('baseline');
    expect(build([], { end: { ...end, notes: ['n'] } }).notes).toEqual(['n']);
    const killed = build([], { end: undefined as never });
    expect([killed.notes, killed.run.durationMs]).toEqual([[], 0]);
  });
});

describe('totalsOf', () => {
  test('adds up all variants, and a cost that one of them does not know is not known', () => {
    const rows = [
      buildRowSummary({ cached: true }),
      buildRowSummary({ prompt: 'v2', status: 'failed', costUsd: null, spentUsd: 0.5 }),
    ];
    const totals = totalsOf(summarizeRun(buildHeader([suite]), rows, end));
    expect(totals).toMatchObject({
      planned: 6,
      passed: 1,
      failed: 1,
      errored: 0,
      skipped: 4,
      cached: 1,
      costUsd: null,
    });
    expect(totals.spentUsd).toBeCloseTo(0.501);
    expect(totals.judgeCostUsd).toBe(0);
  });
});
