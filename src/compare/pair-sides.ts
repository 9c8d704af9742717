import type { CaseChange } from '../model/case-change.ts';
import type { ComparedCase, ComparedCases, ComparedSide } from '../model/comparison.ts';
import type { CaseSummary, SortedCases } from '../model/summary.ts';
import { classifyCase, isSuspect } from './classify-case.ts';
import { ComparedCaseList, type PlacedCases } from './compared-case-list.ts';

export interface PairedCase extends ComparedCase {
  readonly baseline: CaseSummary;
  readonly candidate: CaseSummary;
}

/** Cases that both sides judged by the same checks; one that a side has no verdict on is paired because of its errors. */
export function isPaired(found: ComparedCase): found is PairedCase {
  return (
    found.baseline !== undefined && found.candidate !== undefined && (found.change !== 'redefined' || found.rejudged)
  );
}

export interface PairOptions {
  /** Cases that were accepted under other checks, although both sides have a verdict by the same ones. */
  readonly redefined: ReadonlySet<string>;
  /** False where the candidate ran on a part of the cases only, so that nothing can be said of the others. */
  readonly isWhole: boolean;
}

/** The cases of both sides, sorted by id, each with what became of it. */
export function pairSides(baseline: ComparedSide, candidate: ComparedSide, options: PairOptions): ComparedCases {
  const [left, right] = [placeCases(baseline.cases), placeCases(candidate.cases)];
  const paired = new ComparedCaseList(left, right);
  const { redefined, isWhole } = options;
  /** `i` and `j` are undefined for a side that does not have the case. */
  const pair = (i: number | undefined, j: number | undefined, caseId: string) => {
    const before = i === undefined ? undefined : left.at(i);
    const after = j === undefined ? undefined : right.at(j);
    if (after === undefined ? !isWhole : after.observe) return;
    const isComparable = before !== undefined && after !== undefined && before.stamp === after.stamp;
    const rejudged = isComparable && redefined.size > 0 && redefined.has(caseId);
    const isSame = isComparable && !(rejudged && hasFailure(after));
    const change = isSame ? classifyCase(before, after) : changeWithout(before, after);
    const suspect = isSame && isSuspect(before, after);
    paired.push({ baseline: i, candidate: j }, { change, suspect, rejudged });
  };
  let [i, j] = [0, 0];
  const idAt = (cases: PlacedCases, place: number) => (place < cases.size ? cases.at(place).caseId : undefined);
  let [before, after] = [idAt(left, i), idAt(right, j)];
  for (;;) {
    if (before === undefined && after === undefined) return paired;
    const isBefore = before !== undefined && (after === undefined || before <= after);
    const isAfter = after !== undefined && (before === undefined || after <= before);
    pair(isBefore ? i : undefined, isAfter ? j : undefined, (isBefore ? before : after) ?? '');
    if (isBefore) {
      i += 1;
      before = idAt(left, i);
    }
    if (isAfter) {
      j += 1;
      after = idAt(right, j);
    }
  }
}

function hasFailure({ trials }: CaseSummary): boolean {
  return trials.some(({ status }) => status === 'failed');
}

/** Of a case that was not accepted as it is now. */
function changeWithout(before: CaseSummary | undefined, after: CaseSummary | undefined): CaseChange {
  if (after === undefined) return 'removed';
  return before === undefined ? 'added' : 'redefined';
}

/** What a table does not have in order is sorted; nearly always it is already. */
function placeCases(cases: ReadonlyMap<string, CaseSummary>): PlacedCases {
  if (isSorted(cases)) return cases;
  const found = [...cases.values()];
  const isInOrder = found.every(({ caseId }, index) => index === 0 || (found[index - 1]?.caseId ?? '') < caseId);
  if (!isInOrder) found.sort((a, b) => (a.caseId < b.caseId ? -1 : 1));
  return {
    size: found.length,
    at(place) {
      const one = found[place];
      if (one === undefined) throw new RangeError(`case ${place} of ${found.length}`);
      return one;
    },
  };
}

function isSorted(cases: ReadonlyMap<string, CaseSummary>): cases is SortedCases {
  return 'at' in cases;
}
