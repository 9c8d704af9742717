import { expect, test } from 'vitest';
import type { RowSummary } from '../../src/model/run/summary.ts';
import { SortedCases } from '../../src/record/case-summaries.ts';
import { classifyRows, createFindClass, reportClasses, selectionId, truthOf } from '../../src/record/count-classes.ts';
import { buildRowSummary } from '../support/build-summary.ts';

const found = { path: '$.class' } as never;
const by = selectionId(found);
const names = ['bug', 'other', 'refund'];
const policy = { truth: '{{ class }}', found, names, recall: {}, precision: {}, f1: {} };

/** A trial of a case whose class is the start of its id, and whose answer names another or the same. */
const row = (caseId: string, named: string | null | undefined, more: Partial<RowSummary> = {}): RowSummary =>
  buildRowSummary({
    caseId,
    classified: { truth: caseId.split('-')[0] ?? '', by, ...(named === undefined ? {} : { found: named }) },
    ...more,
  });

const report = (rows: readonly RowSummary[]) => reportClasses(new SortedCases(rows), policy, 0.05);

test('the class of an answer is one of the suite’s, or none of them', () => {
  const findClass = createFindClass(policy);
  const classified = { truth: 'bug', by, found: 'bug' };
  const ask = (more: object, status: RowSummary['status'] = 'passed') =>
    findClass({ status, classified: { ...classified, ...more } });
  expect([ask({}), ask({}, 'failed'), ask({ found: 'spam' }), ask({ found: null })]).toEqual([
    'bug',
    'bug',
    '(none)',
    '(none)',
  ]);
  expect([ask({}, 'errored'), ask({}, 'skipped'), ask({ by: 'else' }), ask({ found: undefined })]).toEqual(
    Array(4).fill(undefined),
  );
  expect(findClass({ status: 'passed', classified: undefined })).toBeUndefined();
  expect(selectionId({ b: 1, a: 2 } as never)).toBe(selectionId({ a: 2, b: 1 } as never));
  expect(by).toMatch(/^[0-9a-f]{12}$/);
});

test('the answers to a case weigh as much as one', () => {
  const rows = [row('bug-1', 'bug'), row('bug-1', undefined), row('bug-1', 'refund')];
  expect(classifyRows(rows, 'bug', createFindClass(policy))).toEqual([
    { truth: 'bug', found: 'bug', weight: 0.5 },
    { truth: 'bug', found: 'refund', weight: 0.5 },
  ]);
  expect(classifyRows([], 'bug', createFindClass(policy))).toEqual([]);
  expect(truthOf({ trials: [buildRowSummary(), ...rows] })).toBe('bug');
  expect(truthOf({ trials: [buildRowSummary()] })).toBeUndefined();
});

test('the classes of a variant are counted by case and scored', () => {
  const counted = report([
    row('bug-1', 'bug'),
    row('bug-2', 'bug', { trial: 0 }),
    row('bug-2', 'refund', { trial: 1 }),
    row('refund-1', 'refund'),
    row('refund-2', null),
    row('refund-3', 'spam'),
    row('other-1', undefined),
    buildRowSummary({ caseId: 'unclassified' }),
  ]);
  const { scores, ...rest } = counted;
  expect(rest).toEqual({
    names,
    cells: [
      { truth: 'bug', found: 'bug', cases: 1.5 },
      { truth: 'bug', found: 'refund', cases: 0.5 },
      { truth: 'refund', found: null, cases: 2 },
      { truth: 'refund', found: 'refund', cases: 1 },
    ],
    macro: {
      precision: expect.closeTo((1 + 1 / 1.5) / 2, 9),
      recall: expect.closeTo((0.75 + 1 / 3) / 2, 9),
      f1: expect.objectContaining({ value: expect.any(Number) }),
    },
    others: [
      { found: null, answers: 1 },
      { found: 'spam', answers: 1 },
    ],
  });
  const shown = scores.map(({ class: name, cases, recall, precision, f1 }) =>
    [name, cases, recall.value, precision.value, f1.value].map((value) =>
      typeof value === 'number' ? Math.round(value * 1000) / 1000 : value,
    ),
  );
  expect(shown).toEqual([
    ['bug', 2, 0.75, 1, 0.857],
    ['refund', 3, 0.333, 0.667, 0.444],
  ]);
  for (const { recall, precision, f1 } of scores) {
    for (const { value, low, high } of [recall, precision, f1]) {
      expect(low ?? -1).toBeLessThan(value ?? 0);
      expect(high ?? -1).toBeGreaterThanOrEqual(value ?? 0);
    }
  }
});

test('what answers of no class said is counted without observed cases and those without a verdict', () => {
  const said = Array.from({ length: 12 }, (_, index) => row(`bug-${index}`, `x${String(index).padStart(2, '0')}`));
  const { others } = report([
    row('refund-1', 'often'),
    row('refund-2', 'often'),
    row('refund-3', null),
    row('refund-4', 'unseen', { observe: true }),
    row('refund-5', 'broken', { status: 'errored' }),
    row('refund-6', 'bug'),
    ...said,
  ]);
  expect(others).toHaveLength(10);
  expect(others.slice(0, 3)).toEqual([
    { found: 'often', answers: 2 },
    { found: null, answers: 1 },
    { found: 'x00', answers: 1 },
  ]);
  expect(report([]).others).toEqual([]);
  expect(report([]).scores).toEqual([]);
});
