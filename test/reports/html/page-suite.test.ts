import { describe, expect, test } from 'vitest';
import type { CaseReport, Report, SuiteReport, VariantReport } from '../../../src/model/report/report.ts';
import { createFindGateEffect } from '../../../src/reports/cases/gate-effect.ts';
import { buildPageVariant, buildRemarks, createPageRows } from '../../../src/reports/html/page-suite.ts';
import { buildCase, buildComparison, buildReport, buildSuite, buildVariant } from '../../support/build-report.ts';

const both = [buildVariant({ prompt: 'v1' }), buildVariant()];

function rowsOf(entries: readonly CaseReport[], maxCells = 10, variants: readonly VariantReport[] = both) {
  const suite = buildSuite(entries, { variants });
  const report: Report = buildReport([suite], {
    decision: { outcome: 'failed', breaches: [{ code: 'pass-rate-regressed', message: 'low' }], warnings: [] },
  });
  const findEffect = createFindGateEffect(report, suite);
  const rows = createPageRows(maxCells).open(suite);
  const blocks = entries.flatMap((entry, index) => rows.add(entry, findEffect(entry), { block: 3, item: index }) ?? []);
  return { blocks, end: rows.end(), ...rows.list() };
}

const asked = (...tags: readonly string[]) => ({ asked: { messages: [], tags } }) as never;

describe('the rows of a suite', () => {
  test('hold what each variant says of a case', () => {
    const { cases, blocks, end } = rowsOf([
      buildCase({ caseId: 'a', prompt: 'v1' }, [
        { score: 0.123456, latencyMs: 10.26, costUsd: 0.5, output: 'x'.repeat(200) },
      ]),
      buildCase({ caseId: 'a', status: 'failed', change: 'regressed' }, [
        { score: 1, latencyMs: 100, costUsd: 1, output: '', status: 'passed' },
        {
          score: 0,
          latencyMs: 300,
          costUsd: 2,
          output: 'second',
          checks: [{ assertion: 'equals', pass: false, score: 0, reason: 'no' }],
        },
        { score: 0.5, latencyMs: 900, costUsd: 4, status: 'passed', confirmation: true },
      ]),
      buildCase({ caseId: 'b', status: 'skipped' }, [{ status: 'skipped', skip: { reason: 'budget' } }]),
    ]);
    expect(cases).toEqual([
      {
        id: 'a',
        cells: [
          {
            variant: 0,
            status: 'passed',
            block: 3,
            item: 0,
            score: 0.1235,
            latencyMs: 10.3,
            costUsd: 0.5,
            answer: 'x'.repeat(160),
          },
          {
            variant: 1,
            status: 'failed',
            block: 3,
            item: 1,
            change: 'regressed',
            rank: 0,
            score: 0.5,
            latencyMs: 200,
            costUsd: 3,
            trials: [2, 3],
            answer: 'second',
            reason: 'equals: no',
          },
        ],
      },
      {
        id: 'b',
        cells: [
          expect.objectContaining({
            variant: 1,
            status: 'skipped',
            item: 2,
            reason: expect.stringContaining('budget'),
          }),
        ],
      },
    ]);
    expect([blocks, end]).toEqual([[], undefined]);
  });

  test('say why the gate tolerates a case, and what is not known', () => {
    const { cases } = rowsOf([
      buildCase({ caseId: 'a', status: 'failed', observe: true }, [{ costUsd: null }, { costUsd: 1 }]),
      buildCase({ caseId: 'b', status: 'errored' }, [
        { error: { kind: 'timeout', message: 'late', attempts: 1 } as never, costUsd: 0, output: '', latencyMs: 0 },
      ]),
    ]);
    const [a, b] = cases.map(({ cells: [cell] }) => cell);
    expect(a).toMatchObject({ tolerated: 'observed only: outside the gate', costUsd: null, trials: [0, 2] });
    expect(b).toMatchObject({ status: 'errored', costUsd: 0, reason: expect.stringContaining('late') });
    expect(b).not.toHaveProperty('answer');
    expect(b).not.toHaveProperty('trials');
    expect(b).not.toHaveProperty('latencyMs');
  });

  test('name the tags of cases by their places', () => {
    const { cases, tags } = rowsOf([
      buildCase({ caseId: 'a' }, [asked('vip', 'eu')]),
      buildCase({ caseId: 'b' }, [asked('eu', 'new')]),
      buildCase({ caseId: 'c' }, [asked()]),
    ]);
    expect([tags, cases.map((row) => row.tags)]).toEqual([
      ['vip', 'eu', 'new'],
      [[0, 1], [1, 2], undefined],
    ]);
  });

  test('become blocks where they are more than a page opens with, no case in two of them', () => {
    const entries = ['a', 'b', 'c', 'd'].flatMap((caseId) => [
      buildCase({ caseId, prompt: 'v1' }),
      buildCase({ caseId }),
    ]);
    const ids = (rows: readonly { readonly id: string }[] = []) => rows.map(({ id }) => id).join('');
    const { blocks, end, cases, rowBlocks } = rowsOf(entries, 4);
    expect(blocks.map(({ number, rows }) => [number, ids(rows)])).toEqual([[0, 'ab']]);
    expect([end, ids(cases), rowBlocks]).toEqual([undefined, 'cd', [0]]);
    // One case alone may have more cells than fit.
    expect(rowsOf(entries.slice(0, 2), 1)).toMatchObject({ blocks: [], end: { number: 0 } });
    expect(rowsOf(entries, 8)).toMatchObject({ blocks: [], end: undefined });
    expect(rowsOf(entries, 8)).not.toHaveProperty('rowBlocks');
    const odd = rowsOf(entries, 3);
    expect(odd.blocks.map(({ rows }) => ids(rows))).toEqual(['a', 'b', 'c']);
    expect(odd.blocks.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells))).toHaveLength(6);
    expect([odd.end, ids(odd.cases)]).toEqual([undefined, 'd']);
  });

  test('of all suites together fit into the page, or become blocks', () => {
    const suites = ['a', 'b', 'c'].map((id) => buildSuite([buildCase({ caseId: id })], { suite: id, variants: both }));
    const pages = createPageRows(2);
    const ends = suites.map((suite) => {
      const rows = pages.open(suite);
      for (const entry of suite.cases()) rows.add(entry, { kind: 'passed' }, { block: 0, item: 0 });
      const end = rows.end();
      return [end?.number, rows.list().cases.length, rows.list().rowBlocks];
    });
    expect(ends).toEqual([
      [undefined, 1, undefined],
      [undefined, 1, undefined],
      [0, 0, [0]],
    ]);
  });

  test('leave out cases of a variant that the suite does not have', () => {
    expect(rowsOf([buildCase({ caseId: 'a', prompt: 'other' })]).cases).toEqual([]);
  });
});

describe('the latencies of a variant', () => {
  const bins = (candidate: readonly number[], baseline: readonly number[] = []) =>
    buildPageVariant(buildVariant({ latencies: () => ({ candidate, baseline }) }), undefined).latencies;

  test('are counted in bins of equal ratio, on both sides', () => {
    const found = bins([100, 100, 200, 1600], [50, 3200]);
    expect(found?.edgesMs).toEqual([50, 84, 141, 238, 400, 673, 1131, 1903, 3200]);
    expect(found).toMatchObject({
      candidate: [0, 2, 1, 0, 0, 0, 1, 0],
      candidateMs: 150,
      baseline: [1, 0, 0, 0, 0, 0, 0, 1],
      baselineMs: 1625,
    });
  });

  test('that are all alike have bins too, and more of them where there are many', () => {
    expect(bins([100])).toMatchObject({ candidate: [1, 0, 0, 0, 0, 0, 0, 0], candidateMs: 100 });
    expect(bins([100])?.edgesMs.at(-1)).toBe(120);
    expect(bins([0])?.edgesMs[0]).toBe(1);
    expect(bins([])).toBeUndefined();
    expect(bins([100])).not.toHaveProperty('baseline');
    expect(bins(Array.from({ length: 36 }, (_, n) => n + 1))?.candidate).toHaveLength(12);
    expect(bins(Array.from({ length: 1000 }, (_, n) => n + 1))?.candidate).toHaveLength(24);
  });
});

describe('the remarks of a suite', () => {
  const remarksOf = (variants: readonly VariantReport[]) => {
    const suite: SuiteReport = buildSuite([], { variants });
    return buildRemarks(buildReport([suite]), suite).map(({ label, text, variants: names }) => [label, text, names]);
  };
  const compared = (more: Parameters<typeof buildComparison>[0]) => buildComparison({ notes: ['a note'], ...more });

  test('repeat no list of its table, and give no needless advice', () => {
    const cases = { ...buildComparison().cases, removed: ['x'], added: ['y'], fixed: ['z'] };
    const open = compared({
      outcome: 'inconclusive',
      advice: ['more cases'],
      cases,
      accepted: [{ caseId: 'r', change: 'added' }],
    });
    expect(remarksOf([buildVariant({ comparison: open })])).toEqual([
      ['accepted in this change', 'r (added)', undefined],
      ['removed', 'x', undefined],
      ['note', 'a note', undefined],
      ['to settle it', 'more cases', undefined],
    ]);
    const passed = compared({ outcome: 'passed', advice: ['more cases'] });
    expect(remarksOf([buildVariant({ comparison: passed })])).toEqual([['note', 'a note', undefined]]);
    const two = [
      buildVariant({ prompt: 'v1', comparison: passed }),
      buildVariant({ comparison: { ...open, cases: passed.cases, accepted: [] } }),
    ];
    expect(remarksOf(two).map(([label, text]) => [label, text])).toEqual([
      ['note', 'a note'],
      ['to settle it', 'more cases'],
    ]);
  });
});
