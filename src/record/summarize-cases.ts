import type { CaseStatus } from '../model/cell.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';

/** The cases of one variant by id, sorted by code units; their trials in order. Of a cell that ran again the last row counts. */
export function summarizeCases(rows: Iterable<RowSummary>): ReadonlyMap<string, CaseSummary> {
  const byCase = new Map<string, RowSummary[]>();
  for (const row of rows) {
    const known = byCase.get(row.caseId);
    if (known === undefined) byCase.set(row.caseId, [row]);
    else known.push(row);
  }
  const cases = new Map<string, CaseSummary>();
  for (const caseId of [...byCase.keys()].sort()) {
    const found = lastOfEachTrial(byCase.get(caseId) ?? []);
    const [first] = found;
    if (first !== undefined) cases.set(caseId, summarizeCase(first, found));
  }
  return cases;
}

function lastOfEachTrial(rows: readonly RowSummary[]): readonly RowSummary[] {
  if (rows.length === 1) return rows;
  // The sort is stable: rows of one trial stay in the order in which they came.
  const sorted = rows.toSorted((a, b) => a.trial - b.trial);
  return sorted.filter(({ trial }, index) => sorted[index + 1]?.trial !== trial);
}

const none: readonly RowSummary[] = [];

function summarizeCase(first: RowSummary, rows: readonly RowSummary[]): CaseSummary {
  const { caseId, observe, mustPass, stamp } = first;
  const hasConfirmations = rows.some(({ confirmation }) => confirmation);
  const trials = hasConfirmations ? rows.filter(({ confirmation }) => !confirmation) : rows;
  const confirmations = hasConfirmations ? rows.filter(({ confirmation }) => confirmation) : none;
  return { caseId, status: caseStatusOf(trials), observe, mustPass, stamp, trials, confirmations };
}

/** Passed (all trials), failed (none), flaky (mixed). A failure is certain whatever an errored or skipped trial would have said, a pass is not. */
export function caseStatusOf(trials: readonly Pick<RowSummary, 'status'>[]): CaseStatus {
  const has = (wanted: RowSummary['status']) => trials.some(({ status }) => status === wanted);
  if (has('failed')) return has('passed') ? 'flaky' : 'failed';
  if (has('errored')) return 'errored';
  return has('skipped') || !has('passed') ? 'skipped' : 'passed';
}
