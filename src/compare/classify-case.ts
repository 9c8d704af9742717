import type { CaseChange } from '../model/comparison.ts';
import type { CaseSummary } from '../model/summary.ts';

/** Trials with a verdict, the planned ones only: fresh confirmations answer another question. */
export function validResults({ trials }: CaseSummary): readonly number[] {
  return trials
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(({ status }) => (status === 'passed' ? 1 : 0));
}

export function erroredTrials(found: CaseSummary): number {
  return found.trials.reduce((sum, { status }) => sum + (status === 'errored' ? 1 : 0), 0);
}

export function passedByMajority(found: CaseSummary): boolean {
  const results = validResults(found);
  return results.length > 0 && results.reduce((sum, result) => sum + result, 0) * 2 > results.length;
}

/** Every planned trial failed, with at least one verdict and none missing in between. */
export function failedThroughout(found: CaseSummary): boolean {
  const results = validResults(found);
  return results.length > 0 && results.every((result) => result === 0);
}

/** A case that passed by majority and now fails in all its trials is a suspect until fresh trials confirm it. */
export function isSuspect(baseline: CaseSummary, candidate: CaseSummary): boolean {
  return passedByMajority(baseline) && failedThroughout(candidate) && !passedWhenConfirmed(candidate);
}

/** A fresh trial that passes shows that the case is not broken, only flaky. */
export function passedWhenConfirmed(candidate: CaseSummary): boolean {
  return candidate.confirmations.some(({ status }) => status === 'passed');
}

export function classifyCase(baseline: CaseSummary, candidate: CaseSummary): CaseChange {
  const before = validResults(baseline);
  const after = validResults(candidate);
  if (before.length === 0 || after.length === 0) return 'unjudged';
  const [passedBefore, passedAfter] = [passedByMajority(baseline), passedByMajority(candidate)];
  const isMixed = after.includes(0) && after.includes(1);
  if (!passedAfter && failedThroughout(candidate) && passedWhenConfirmed(candidate)) return 'flaky';
  if (isMixed) return 'flaky';
  if (passedBefore && !passedAfter) return 'regressed';
  if (!passedBefore && passedAfter) return 'fixed';
  return passedAfter ? 'stillPassing' : 'stillFailing';
}
