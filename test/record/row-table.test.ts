import { expect, test } from 'vitest';
import type { RowSummary } from '../../src/model/summary.ts';
import { CaseTable, rankCases } from '../../src/record/case-table.ts';
import { RowTable } from '../../src/record/row-table.ts';
import { buildRowSummary } from '../support/build-summary.ts';
import fc from '../support/property.ts';

const amount = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined });
const price = fc.option(amount, { nil: null });
const text = fc.string({ unit: 'binary', maxLength: 30 });
const hash = fc.stringMatching(/^[0-9a-f]{16}$/);
const row: fc.Arbitrary<RowSummary> = fc.record({
  suite: fc.constantFrom('a', 'b'),
  prompt: fc.constantFrom('v1', 'v2'),
  provider: fc.constantFrom('p', 'q'),
  caseId: fc.oneof(fc.constantFrom('x', 'y', 'é', '\ud800', '\uffff', '\u{1f600}'), text),
  trial: fc.nat({ max: 70_000 }),
  stamp: fc.oneof(fc.constant('0123456789ab.0123456789ab'), text),
  status: fc.constantFrom('passed', 'failed', 'errored', 'skipped'),
  observe: fc.boolean(),
  mustPass: fc.boolean(),
  confirmation: fc.boolean(),
  cached: fc.boolean(),
  score: amount,
  latencyMs: amount,
  costUsd: price,
  spentUsd: price,
  judgeCostUsd: price,
  skipReason: fc.constantFrom(undefined, 'case', 'budget', 'deadline', 'bail', 'interrupted', 'storage', 'queue'),
  answerHash: fc.oneof(fc.constant(undefined), hash, text),
  answerId: fc.oneof(fc.constant(undefined), hash),
  model: fc.option(text, { nil: undefined }),
  rowIndex: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
});

test('every row comes back as it was put in', () => {
  fc.assert(
    fc.property(fc.array(row), fc.constantFrom(undefined, 3, 1000), (rows, maxKeptCases) => {
      const table = new RowTable(maxKeptCases);
      for (const one of rows) table.addSummary(one);
      expect(Array.from(table, copyRow)).toEqual(rows);
    }),
  );
});

test('a table that was cleared holds nothing of what was in it', () => {
  fc.assert(
    fc.property(fc.array(row), fc.array(row), fc.constantFrom(undefined, 3, 1000), (before, rows, maxKeptCases) => {
      const table = new RowTable(maxKeptCases);
      for (const one of before) table.addSummary(one);
      table.clear();
      for (const one of rows) table.addSummary(one);
      expect(Array.from(table, copyRow)).toEqual(rows);
      expect(table.caseCount).toBe(new Set(rows.map(({ caseId }) => caseId)).size);
    }),
  );
});

test('the cases of a variant are sorted by id, their trials in order, and of a cell that ran again the last row counts', () => {
  const cells = fc.array(
    fc.record({
      caseId: fc.constantFrom('b', 'a', '\u{1f600}', '\uffff', 'ab'),
      trial: fc.nat({ max: 3 }),
      prompt: fc.constantFrom('v1', 'v2'),
    }),
  );
  fc.assert(
    fc.property(cells, (found) => {
      const rows = found.map((cell, rowIndex) => buildRowSummary({ ...cell, rowIndex }));
      const table = new RowTable();
      for (const one of rows) table.addSummary(one);
      const selected = table.rowsOf({ suite: 'triage', prompt: 'v1', provider: 'p' });
      const cases = new CaseTable(table, selected, rankCases(table));
      const expected = new Map<string, Map<number, RowSummary>>();
      for (const one of rows.filter(({ prompt }) => prompt === 'v1')) {
        expected.set(one.caseId, (expected.get(one.caseId) ?? new Map<number, RowSummary>()).set(one.trial, one));
      }
      const ids = [...expected.keys()].sort();
      expect([...cases.keys()]).toEqual(ids);
      expect(cases.size).toBe(ids.length);
      for (const id of ids) {
        const trials = [...(expected.get(id)?.values() ?? [])].sort((a, b) => a.trial - b.trial);
        expect(cases.get(id)?.trials.map(copyRow)).toEqual(trials);
      }
      expect([cases.get('none'), cases.has('none'), cases.has('a')]).toEqual([undefined, false, ids.includes('a')]);
    }),
  );
});

/** A table gives views, whose fields are no members of their own. */
function copyRow(row: RowSummary): RowSummary {
  return {
    suite: row.suite,
    prompt: row.prompt,
    provider: row.provider,
    caseId: row.caseId,
    trial: row.trial,
    stamp: row.stamp,
    status: row.status,
    observe: row.observe,
    mustPass: row.mustPass,
    confirmation: row.confirmation,
    cached: row.cached,
    score: row.score,
    latencyMs: row.latencyMs,
    costUsd: row.costUsd,
    spentUsd: row.spentUsd,
    judgeCostUsd: row.judgeCostUsd,
    skipReason: row.skipReason,
    answerHash: row.answerHash,
    answerId: row.answerId,
    model: row.model,
    rowIndex: row.rowIndex,
  };
}
