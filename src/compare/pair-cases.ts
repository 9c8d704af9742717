import type { CaseChange, ComparedCase, ComparedCases, ComparedSide } from '../model/comparison.ts';
import type { CaseSummary } from '../model/summary.ts';

export interface PairedCase extends ComparedCase {
  readonly baseline: CaseSummary;
  readonly candidate: CaseSummary;
}

/** True for a case that both sides judged by the same checks. Without a verdict it still counts by its errors. */
export function isPaired(found: ComparedCase): found is PairedCase {
  return (
    found.baseline !== undefined && found.candidate !== undefined && (found.change !== 'redefined' || found.rejudged)
  );
}

export interface PairOptions {
  /** Cases that were accepted under other checks, although both sides were judged by the same ones here. */
  readonly redefined: ReadonlySet<string>;
  /** False where the candidate ran on some of the cases only, so that the others are not removed. */
  readonly isWhole: boolean;
}

/** The cases of both sides by id, sorted, each with its change. */
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

/** The change of a case that was not accepted as it is now. */
function changeWithout(before: CaseSummary | undefined, after: CaseSummary | undefined): CaseChange {
  if (after === undefined) return 'removed';
  return before === undefined ? 'added' : 'redefined';
}

/** Planned trials with a verdict, of a baseline those of every accepted run, and how many of them failed. */
export function countVerdicts({ trials, pooled }: Pick<CaseSummary, 'trials' | 'pooled'>): {
  readonly trials: number;
  readonly failures: number;
} {
  if (pooled !== undefined) return pooled;
  let [judged, failures] = [0, 0];
  for (const { status } of trials) {
    if (status === 'failed') failures += 1;
    if (status === 'failed' || status === 'passed') judged += 1;
  }
  return { trials: judged, failures };
}

/** 1 for each planned trial that passed, 0 for each that failed. Confirmation trials would bias the rate. */
export function validResults(found: CaseSummary): readonly number[] {
  if (found.pooled !== undefined) {
    const { trials, failures } = found.pooled;
    return Array.from({ length: trials }, (_, index) => (index < trials - failures ? 1 : 0));
  }
  return found.trials
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

/** A case that passed by majority and now fails in all its planned trials. */
export function isSuspect(baseline: CaseSummary, candidate: CaseSummary): boolean {
  return passedByMajority(baseline) && failedThroughout(candidate);
}

/** A confirmation trial that passes shows that the case is flaky, not broken. */
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
