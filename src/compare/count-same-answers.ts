import type { ComparedSide } from '../model/comparison.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';

export interface SameAnswers {
  /** Of the candidate, those that the baseline holds and that came without a call. */
  readonly same: number;
  /** Of the candidate, observed cases and fresh trials included: what is not among the same was measured anew. */
  readonly all: number;
}

/**
 * "40 of 40: nothing new was measured". An answer is the baseline's where it is the same one, not where it reads alike. Of
 * two versions of one run that ask the same, whichever asks second gets the answer of the first.
 */
export function countSameAnswers(
  baseline: Pick<ComparedSide, 'cases'>,
  candidate: Pick<ComparedSide, 'cases'>,
  isWithinRun: boolean,
): SameAnswers {
  let [same, all] = [0, 0];
  for (const found of candidate.cases.values()) {
    const others = baseline.cases.get(found.caseId);
    for (const row of rowsOf(found)) {
      if (row.answerHash === undefined) continue;
      all += 1;
      if (others !== undefined && isHeld(row, others, isWithinRun)) same += 1;
    }
  }
  return { same, all };
}

function isHeld(row: RowSummary, others: CaseSummary, isWithinRun: boolean): boolean {
  const { answerId } = row;
  if (answerId === undefined || (!row.cached && !isWithinRun)) return false;
  return rowsOf(others).some((other) => other.answerId === answerId && (row.cached || other.cached));
}

function rowsOf({ trials, confirmations }: CaseSummary): readonly RowSummary[] {
  return confirmations.length === 0 ? trials : [...trials, ...confirmations];
}
