import type { ComparedCase, ComparedSide } from '../model/comparison.ts';
import type { CaseSummary } from '../model/summary.ts';
import { classifyCase, isSuspect } from './classify-case.ts';

export interface PairedCase extends ComparedCase {
  readonly baseline: CaseSummary;
  readonly candidate: CaseSummary;
}

/** Cases that both sides define alike; one that a side has no verdict on is paired for its errors' sake. */
export function isPaired(found: ComparedCase): found is PairedCase {
  return found.baseline !== undefined && found.candidate !== undefined && found.change !== 'redefined';
}

export interface PairOptions {
  /** Cases of the baseline that were judged again by the candidate's checks. */
  readonly rejudged: ReadonlySet<string>;
  /** False where the candidate ran on a part of the cases only, so that nothing can be said of the others. */
  readonly isWhole: boolean;
}

/** The cases of both sides, sorted by id, each with what became of it. */
export function pairSides(baseline: ComparedSide, candidate: ComparedSide, options: PairOptions): ComparedCase[] {
  const paired: ComparedCase[] = [];
  for (const [before, after] of mergeCases(baseline.cases, candidate.cases)) {
    const caseId = after?.caseId ?? before?.caseId ?? '';
    const rejudged = options.rejudged.has(caseId);
    if (after === undefined) {
      if (before === undefined || !options.isWhole) continue;
      paired.push({ caseId, change: 'removed', suspect: false, rejudged, baseline: before });
    } else if (after.observe) {
      // Observed cases are outside the gate.
    } else if (before === undefined) {
      paired.push({ caseId, change: 'added', suspect: false, rejudged, candidate: after });
    } else if (before.stamp !== after.stamp) {
      paired.push({ caseId, change: 'redefined', suspect: false, rejudged, baseline: before, candidate: after });
    } else {
      const change = classifyCase(before, after);
      const suspect = isSuspect(before, after);
      paired.push({ caseId, change, suspect, rejudged, baseline: before, candidate: after });
    }
  }
  return paired;
}

type SidesOfCase = readonly [CaseSummary | undefined, CaseSummary | undefined];

/** The cases of both sides, each once, by id; a set of them all would be one more of the largest things in memory. */
function* mergeCases(
  baseline: ReadonlyMap<string, CaseSummary>,
  candidate: ReadonlyMap<string, CaseSummary>,
): Generator<SidesOfCase> {
  const [left, right] = [sortCases(baseline), sortCases(candidate)];
  let [i, j] = [0, 0];
  for (;;) {
    const [before, after] = [left[i], right[j]];
    if (before !== undefined && (after === undefined || before.caseId <= after.caseId)) {
      const isPair = before.caseId === after?.caseId;
      yield [before, isPair ? after : undefined];
      i += 1;
      if (isPair) j += 1;
    } else if (after !== undefined) {
      yield [undefined, after];
      j += 1;
    } else {
      return;
    }
  }
}

/** Nearly always they are sorted already. */
function sortCases(cases: ReadonlyMap<string, CaseSummary>): readonly CaseSummary[] {
  const found = [...cases.values()];
  const isSorted = found.every(({ caseId }, index) => index === 0 || (found[index - 1]?.caseId ?? '') < caseId);
  return isSorted ? found : found.sort((a, b) => (a.caseId < b.caseId ? -1 : 1));
}
