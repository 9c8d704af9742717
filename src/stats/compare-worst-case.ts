import { type CaseComparison, type CompareOptions, compareCases } from './compare-cases.ts';
import { decideVerdict, type TestVerdict } from './decide-verdict.ts';
import type { PairedResults } from './pair-cases.ts';

/** Results beside the number of errored repeats of each case. */
export interface ErroredResults extends PairedResults {
  readonly baselineErrors: ArrayLike<number>;
  readonly candidateErrors: ArrayLike<number>;
}

export interface WorstCaseComparison {
  readonly observed: CaseComparison;
  /** As if each errored candidate repeat had failed and each errored baseline repeat passed. */
  readonly worst: CaseComparison;
  readonly verdict: TestVerdict;
}

/** Errors can't help: what they could hide keeps a comparison from being called not regressed. */
export function compareWorstCase(results: ErroredResults, options: CompareOptions): WorstCaseComparison {
  const observed = compareCases(results, options);
  const baseline = fill(results.baseline, results.baselineErrors, 1);
  const candidate = fill(results.candidate, results.candidateErrors, 0);
  const hasErrors = baseline !== results.baseline || candidate !== results.candidate;
  const filled = hasErrors ? { ...results, baseline, candidate } : undefined;
  const worst = filled === undefined ? observed : compareCases(filled, options);
  const worstLow = worst.low;
  return {
    observed,
    worst,
    verdict: decideVerdict({ ...observed, ...(worstLow === null ? {} : { worstLow }) }, options),
  };
}

function fill(
  sides: readonly (readonly number[])[],
  errors: ArrayLike<number>,
  result: 0 | 1,
): readonly (readonly number[])[] {
  if (errors.length !== sides.length) {
    throw new RangeError(`${sides.length} cases need as many error counts, not ${errors.length}`);
  }
  if (Array.prototype.every.call(errors, (count) => count === 0)) return sides;
  return sides.map((side, index) => {
    const errored = errors[index] ?? 0;
    return errored === 0 ? side : [...side, ...Array.from({ length: errored }, () => result)];
  });
}
