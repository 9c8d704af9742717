import { countStatus, isJudged } from '../../model/run/cell.ts';
import type { RowSummary } from '../../model/run/summary.ts';
import { confirmationP, fisherExact } from '../../stats/exact-tests.ts';
import { mostFailures } from '../../stats/plan-confirmed.ts';

/** The verdict of retrials on a case that failed. */
export type RetriedVerdict =
  /** It fails again and again. `acceptedTrials` is 0 where the accepted prompt was not asked. */
  | { readonly kind: 'broken'; readonly acceptedFailures: number; readonly acceptedTrials: number }
  /** The accepted prompt fails too: the model or the data changed, not this edit. */
  | { readonly kind: 'drifted'; readonly acceptedFailures: number; readonly acceptedTrials: number }
  /** A retrial passed. */
  | { readonly kind: 'flaky' }
  /** Its retrials errored. */
  | { readonly kind: 'errored' }
  /** The other cases decide already. */
  | { readonly kind: 'not-needed' }
  | { readonly kind: 'open'; readonly wanted: WantedRetrials };

export interface SuspectRule {
  /** Retrials a side; undefined where the accepted prompt can't be asked as often. */
  readonly trials: number | undefined;
  readonly asksAccepted: boolean;
  /** The level of the test between the two sides, after the correction over all suspects. */
  readonly level: number;
  /** The number of failures, planned ones included, that break the case if the two sides can't be tested. */
  readonly failures: number;
  /** True if the accepted prompt is asked once after the first failed retrial, so that drift costs only two calls. */
  readonly asksAcceptedEarly: boolean;
  readonly finalEvidence: FinalEvidence;
}

/** The evidence that breaks a case once no further retrial can be made. If calls ran short, less is enough. */
export type FinalEvidence =
  /** The same evidence as while further retrials can be made. */
  | 'full'
  /** One failed retrial beside an accepted prompt that passed. A run this small can't pay for one case on both sides. */
  | 'one-failure-beside-pass'
  /** One failed retrial where the sides can't be tested: the calls may not have reached the accepted prompt. */
  | 'one-failure'
  /** One failed retrial even in place of the test of both sides. A few retrials of many calls each used the calls up. */
  | 'one-failure-untested';

/**
 * Judges a case that passed when it was accepted and failed in every planned trial. The candidate is asked first: the
 * first retrial that passes clears the case. Then the accepted prompt is asked, and the case is broken where its
 * failures are significantly fewer (one-sided Fisher test). `isFinal`: no further retrial can be made.
 */
export function judgeSuspect(found: RetriedCase, rule: SuspectRule, isFinal: boolean): RetriedVerdict {
  const { trials, level } = rule;
  if (trials === undefined) return judgeByRate(found, rule, isFinal);
  const candidate = judgedRows(found.candidate);
  if (countStatus(candidate, 'failed') < candidate.length) return { kind: 'flaky' };
  const accepted = judgedRows(found.accepted).slice(0, trials);
  const failures = countStatus(accepted, 'failed');
  const tally = { acceptedFailures: failures, acceptedTrials: accepted.length };
  if (confirmationP(trials, failures) > level) return { kind: 'drifted', ...tally };
  const isCandidateDone = candidate.length >= trials;
  // The most accepted failures that still convict the candidate.
  const most = mostFailures(trials, level);
  // Accepted trials to ask. The others may all fail without clearing the candidate, so they are not made.
  const missing = trials - accepted.length - (most - failures);
  if (isCandidateDone && missing <= 0) return { kind: 'broken', ...tally };
  if (isFinal && isSignificant(found, level)) return { kind: 'broken', ...tally };
  if (isFinal && isRateEnough(found, rule)) return judgeByRate(found, rule, isFinal);
  if (!isCandidateDone) return askEarly(found, rule) ?? askInSteps(found, candidate.length, trials);
  if (countStatus(found.accepted, 'errored') >= maxErroredRetrials && failures === 0)
    return judgeByRate(found, rule, isFinal);
  // At first it asks as few trials as can show that the accepted prompt fails too.
  return ask(found, 'accepted', found.accepted, accepted.length === 0 ? Math.min(missing, most + 1) : missing);
}

/** One trial of the accepted prompt at a time, after the first retrial that failed. Undefined once it has passed one. */
function askEarly(found: RetriedCase, { asksAcceptedEarly, asksAccepted }: SuspectRule): RetriedVerdict | undefined {
  const isEarly = asksAcceptedEarly && asksAccepted && judgedRows(found.candidate).length > 0;
  const { candidate, accepted } = found;
  const hasErrored = [candidate, accepted].some((rows) => countStatus(rows, 'errored') >= maxErroredRetrials);
  if (!isEarly || hasErrored || accepted.some(({ status }) => status === 'passed')) return undefined;
  return ask(found, 'accepted', found.accepted, 1);
}

/** True where the accepted prompt was asked again and never failed. */
function hasPassedBefore({ accepted }: RetriedCase): boolean {
  return judgedRows(accepted).length > 0 && countStatus(accepted, 'failed') === 0;
}

/** Shards ask for as many retrials as their own suspects need; all suspects together may need more. */
function isSignificant({ candidate, accepted }: RetriedCase, level: number): boolean {
  const [after, before] = [judgedRows(candidate), judgedRows(accepted)];
  const counts = {
    candidateFailures: countStatus(after, 'failed'),
    candidateTrials: after.length,
    acceptedFailures: countStatus(before, 'failed'),
    acceptedTrials: before.length,
  };
  return after.length > 0 && before.length > 0 && fisherExact(counts) <= level;
}

/** True where the rate may decide a case whose test of both sides was not completed. */
function isRateEnough(found: RetriedCase, { finalEvidence }: SuspectRule): boolean {
  if (judgedRows(found.accepted).length > 0) return countStatus(found.accepted, 'failed') === 0;
  return finalEvidence === 'one-failure-untested' && countStatus(found.candidate, 'errored') < maxErroredRetrials;
}

/** Enough failures in a row, planned ones included, break a case where both sides can't be tested against each other. */
function judgeByRate(found: RetriedCase, rule: SuspectRule, isFinal: boolean): RetriedVerdict {
  const { failures, asksAccepted } = rule;
  const accepted = judgedRows(found.accepted);
  const tally = { acceptedFailures: countStatus(accepted, 'failed'), acceptedTrials: accepted.length };
  const isOneEnough = isOneFailureEnough(found, rule.finalEvidence);
  const trials = Math.max(1, failures - countStatus(found.planned, 'failed'));
  const verdict = judgeAlone(found, { trials, isOneEnough }, isFinal);
  // The accepted model may have answered some trials before it was retired.
  const isKnown = asksAccepted || accepted.length > 0;
  if (!isKnown || verdict.kind === 'flaky' || verdict.kind === 'errored') return verdict;
  if (verdict.kind === 'open') {
    const isDrifted = accepted.length > 0 && 2 * tally.acceptedFailures >= accepted.length;
    return isDrifted ? { kind: 'drifted', ...tally } : (askEarly(found, rule) ?? verdict);
  }
  // The change is not to blame where the accepted prompt fails as well.
  if (accepted.length === 0) {
    const isAskable = countStatus(found.accepted, 'errored') < maxErroredRetrials && !(isFinal && isOneEnough);
    return isAskable ? ask(found, 'accepted', found.accepted, 1) : verdict;
  }
  if (tally.acceptedFailures === 0) return { kind: 'broken', ...tally };
  const isDrifted = 2 * tally.acceptedFailures >= accepted.length;
  if (isDrifted) return { kind: 'drifted', ...tally };
  return asksAccepted ? ask(found, 'accepted', found.accepted, 1) : { kind: 'broken', ...tally };
}

function isOneFailureEnough(found: RetriedCase, evidence: FinalEvidence): boolean {
  switch (evidence) {
    case 'full':
      return false;
    case 'one-failure-beside-pass':
      return hasPassedBefore(found);
    case 'one-failure':
    case 'one-failure-untested':
      return true;
  }
}

interface AloneRule {
  readonly trials: number;
  /** True where the calls may not pay for these trials. Once no further one can be made, one that fails is enough. */
  readonly isOneEnough: boolean;
}

/** The first retrial that passes clears the case; as many failures in a row confirm it. */
export function judgeAlone(found: RetriedCase, { trials, isOneEnough }: AloneRule, isFinal: boolean): RetriedVerdict {
  const candidate = judgedRows(found.candidate);
  if (countStatus(candidate, 'failed') < candidate.length) return { kind: 'flaky' };
  // Retrials that errored say nothing, however few could be made.
  const isAllThereIs = isFinal && isOneEnough && countStatus(found.candidate, 'errored') < maxErroredRetrials;
  const isEnough = candidate.length >= trials || (isAllThereIs && candidate.length > 0);
  return isEnough ? brokenAlone : askInSteps(found, candidate.length, trials);
}

/** The accepted prompt was not asked. */
const brokenAlone: RetriedVerdict = { kind: 'broken', acceptedFailures: 0, acceptedTrials: 0 };

const mustPassRetrials = 3;
const mustPassFailures = 2;

/**
 * Two failures in three retrials confirm that a must-pass case fails. If no more can be made, one failed retrial
 * confirms it, if none passed.
 */
export function judgeMustPass(found: RetriedCase, isFinal: boolean): RetriedVerdict {
  const candidate = judgedRows(found.candidate).slice(0, mustPassRetrials);
  const failures = countStatus(candidate, 'failed');
  const passes = candidate.length - failures;
  if (failures >= mustPassFailures || (isFinal && failures > 0 && passes === 0)) return brokenAlone;
  if (passes > mustPassRetrials - mustPassFailures) return { kind: 'flaky' };
  // One at a time, so that a run of a single call can pay for it.
  return ask(found, 'candidate', found.candidate, 1);
}

/** One retrial at first, then as many again: most cases that flaked pass the first. */
function askInSteps(found: RetriedCase, made: number, trials: number): RetriedVerdict {
  return ask(found, 'candidate', found.candidate, Math.min(trials - made, Math.max(1, made)));
}

function ask(
  { id }: RetriedCase,
  side: WantedRetrials['side'],
  rows: readonly TrialRow[],
  count: number,
): RetriedVerdict {
  if (countStatus(rows, 'errored') >= maxErroredRetrials) return { kind: 'errored' };
  return { kind: 'open', wanted: { id, side, count } };
}

/** The members of a trial's row that verdicts on cases use. An errored trial has no result. */
export type TrialRow = Pick<RowSummary, 'status' | 'score' | 'costUsd' | 'steps' | 'classified'>;

export type RetrialSide = 'candidate' | 'accepted';

/** A case that retrials may decide; rows in the order of their trial numbers. */
export interface RetriedCase {
  /** Unique in the invocation. */
  readonly id: string;
  readonly caseId: string;
  /** The planned trials of the candidate. */
  readonly planned: readonly TrialRow[];
  /** Retrials of the candidate and of the accepted prompt. */
  readonly candidate: readonly TrialRow[];
  readonly accepted: readonly TrialRow[];
}

/** The retrials to make on one side of a case. */
export interface WantedRetrials {
  /** The id of the case. */
  readonly id: string;
  readonly side: RetrialSide;
  readonly count: number;
}

/** A side of a case with this many errored retrials can't be settled by asking again. */
export const maxErroredRetrials = 2;

export function judgedRows(rows: readonly TrialRow[]): readonly TrialRow[] {
  return rows.filter(isJudged);
}
