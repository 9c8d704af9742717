import { describe, expect, test } from 'vitest';
import type { PageCell, PageIndex, PageSuite } from '../../src/model/report/page.ts';
import { type CaseFilter, filterQuery, filterRows, listCells, readFilter } from '../../src/page/cases/filter-rows.ts';
import { buildVariant } from '../support/build-report.ts';

const cell = (variant: number, overrides: Partial<PageCell> = {}): PageCell => ({
  variant,
  status: 'passed',
  block: 0,
  item: 0,
  ...overrides,
});

const triage: PageSuite = {
  suite: 'triage',
  path: 'evals/triage.eval.yaml',
  variants: [variantOf('v1'), variantOf('v2')],
  prompts: [],
  remarks: [],
  tags: ['billing', 'hostile'],
  cases: [
    {
      id: 'refund',
      tags: [0],
      cells: [
        cell(0, { answer: 'Your Money is on its way' }),
        cell(1, { status: 'failed', change: 'regressed', reason: 'equals: found "sales"' }),
      ],
    },
    { id: 'injected', tags: [0, 1], cells: [cell(0, { status: 'failed' }), cell(1)] },
  ],
};
const chat: PageSuite = {
  ...triage,
  suite: 'chat',
  variants: [variantOf('v2'), variantOf('v2', 'local')],
  tags: [],
  cases: [{ id: 'greeting', cells: [cell(0), cell(1, { status: 'errored' })] }],
};
const index: Pick<PageIndex, 'suites'> = { suites: [triage, chat] };

describe('the cases of a page', () => {
  test('are all there without a filter, suites with the same variant in one column', () => {
    const { columns, rows, total, counts } = filterRows(index, {});
    expect(columns.map(({ prompt, provider }) => `${prompt} × ${provider}`)).toEqual([
      'v1 × openai:gpt-4o-mini',
      'v2 × openai:gpt-4o-mini',
      'v2 × local',
    ]);
    expect(rows.map(({ cells }) => [0, 1, 2].map((at) => cells[at]?.status))).toEqual([
      ['passed', 'failed', undefined],
      ['failed', 'passed', undefined],
      [undefined, 'passed', 'errored'],
    ]);
    expect([total, counts]).toEqual([3, { passed: 3, failed: 2, flaky: 0, errored: 1, skipped: 0 }]);
  });

  test.each<[CaseFilter, string[]]>([
    [{ statuses: ['errored'] }, ['greeting']],
    [{ statuses: ['failed'], prompt: 'v2' }, ['refund']],
    [{ change: 'regressed' }, ['refund']],
    [{ tag: 'hostile' }, ['injected']],
    [{ tag: 'unknown' }, []],
    [{ suite: 'chat' }, ['greeting']],
    [{ provider: 'local' }, ['greeting']],
    [{ text: 'money' }, ['refund']],
    [{ text: 'MONEY way' }, ['refund']],
    [{ text: 'sales' }, ['refund']],
    [{ text: 'sales', statuses: ['passed'] }, []],
    [{ text: 'hostile' }, ['injected']],
  ])('that fit %j are %j', (filter, ids) => {
    expect(filterRows(index, filter).rows.map(({ row }) => row.id)).toEqual(ids);
  });

  test('are read one after the other as the filter lists them', () => {
    const filter: CaseFilter = { statuses: ['failed', 'errored'] };
    const cells = listCells(filterRows(index, filter), filter);
    expect(cells.map(({ row, cell: { variant } }) => [row.row.id, variant])).toEqual([
      ['refund', 1],
      ['injected', 0],
      ['greeting', 1],
    ]);
  });

  test('keep their filter in an address', () => {
    const filter: CaseFilter = { text: 'a & b = ü?', statuses: ['failed', 'flaky'], tag: '#1/2', prompt: 'v%2' };
    expect(readFilter(filterQuery(filter))).toEqual(filter);
    expect(filterQuery({})).toBe('');
    expect(readFilter('?status=owned&evil=1')).toEqual({});
  });
});

function variantOf(prompt: string, provider = 'openai:gpt-4o-mini') {
  const { comparison: _comparison, latencies: _latencies, ...variant } = buildVariant({ prompt, provider });
  return variant;
}
