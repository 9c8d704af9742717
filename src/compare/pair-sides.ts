import type { CaseChange, ComparedCase, ComparedCases, ComparedSide } from '../model/comparison.ts';
import type { CaseSummary } from '../model/summary.ts';
import { classifyCase, isSuspect } from './classify-case.ts';

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
export function pairSides(
  { cases: before }: ComparedSide,
  { cases: after }: ComparedSide,
  { redefined, isWhole }: PairOptions,
): ComparedCases {
  const paired = new Map<string, ComparedCase>();
  for (const caseId of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [baseline, candidate] = [before.get(caseId), after.get(caseId)];
    if (candidate === undefined ? !isWhole : candidate.observe) continue;
    paired.set(caseId, pairCase(caseId, { baseline, candidate }, redefined.has(caseId)));
  }
  return paired;
}

function pairCase(
  caseId: string,
  { baseline, candidate }: Pick<ComparedCase, 'baseline' | 'candidate'>,
  isRedefined: boolean,
): ComparedCase {
  if (baseline === undefined || candidate?.stamp !== baseline.stamp) {
    const change = changeWithout(baseline, candidate);
    return { caseId, change, baseline, candidate, suspect: false, rejudged: false };
  }
  if (isRedefined && hasFailure(candidate)) {
    return { caseId, change: 'redefined', baseline, candidate, suspect: false, rejudged: true };
  }
  const [change, suspect] = [classifyCase(baseline, candidate), isSuspect(baseline, candidate)];
  return { caseId, change, baseline, candidate, suspect, rejudged: isRedefined };
}

function hasFailure({ trials }: CaseSummary): boolean {
  return trials.some(({ status }) => status === 'failed');
}

/** Of a case that was not accepted as it is now. */
function changeWithout(before: CaseSummary | undefined, after: CaseSummary | undefined): CaseChange {
  if (after === undefined) return 'removed';
  return before === undefined ? 'added' : 'redefined';
}
