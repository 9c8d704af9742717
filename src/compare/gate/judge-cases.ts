import type { StopReason } from '../../model/record.ts';
import type { CaseSummary } from '../../model/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { RetriedVerdict } from '../confirm/judge-case.ts';
import { countVerdicts } from '../pair-cases.ts';
import { type CaseBreach, countStatus, type Suspicion } from './find-suspicions.ts';

/** What the gate says of a single case, beside the averages. */
export type CaseVerdict = BrokenCase | UnsettledCase | RemarkedCase;

export interface BrokenCase {
  readonly kind: 'broken';
  readonly caseId: string;
  readonly because: CaseBreach;
  readonly message: string;
}

/** It failed, and its confirmation trials errored, were not made, or were too few. */
export interface UnsettledCase {
  readonly kind: 'unsettled';
  readonly caseId: string;
  readonly because: CaseBreach;
  readonly why: 'errors' | 'stopped' | 'budget';
  readonly message: string;
}

/**
 * `drifted`: it fails with the accepted prompt too. `changed`: it fails although nothing that is sent has changed.
 * `unconfirmed`: of two records, which can't be asked. `not-asked`: other cases decide already. `known`: accepted so.
 */
export interface RemarkedCase {
  readonly kind: 'drifted' | 'flaky' | 'changed' | 'unconfirmed' | 'not-asked' | 'known';
  readonly caseId: string;
  readonly message: string;
}

/** Says what became of a case that failed. `stopReason`: why the run ended before its plan. */
export function judgeSuspicion(
  suspicion: Suspicion,
  retried: RetriedVerdict | undefined,
  stopReason: StopReason | undefined,
): CaseVerdict {
  const { caseId, because, rule, sides, baseline } = suspicion;
  const message = describeFailures(suspicion);
  if (rule === 'known') return { kind: 'known', caseId, message: `${message}; it was broken on the baseline already` };
  if (retried === undefined) {
    if (rule === 'suspect' && sides === 'unchanged') {
      return { kind: 'changed', caseId, message: `${message}, although nothing that is sent has changed` };
    }
    if (rule === 'suspect' && sides === 'records') {
      return { kind: 'unconfirmed', caseId, message: `${message}; no confirmation trial confirms it` };
    }
    // Recorded answers: asking again would give the same.
    return { kind: 'broken', caseId, because, message };
  }
  switch (retried.kind) {
    case 'broken':
      return { kind: 'broken', caseId, because, message: `${message}${describeAccepted(retried)}` };
    case 'drifted': {
      const why = 'the model or the data changed, not this prompt';
      return { kind: 'drifted', caseId, message: `${message}${describeAccepted(retried)}: ${why}` };
    }
    case 'flaky':
      return { kind: 'flaky', caseId, message: describeFlaky(suspicion) };
    case 'not-asked':
      return { kind: 'not-asked', caseId, message: `${message}; it was not asked again` };
    case 'errored':
    case 'open':
      // The user has asked for an end at a failure, and there is nothing to compare it with.
      if (stopReason === 'bail' && baseline === undefined) return { kind: 'broken', caseId, because, message };
      return unsettled(suspicion, message, stopReason !== undefined);
  }
}

/** A failure is no verdict yet where its confirmation trials errored, or too few of them were made. */
function unsettled({ caseId, because, candidate }: Suspicion, message: string, isStopped: boolean): UnsettledCase {
  const { confirmations, accepted } = candidate;
  const errored = countStatus(confirmations, 'errored');
  const shared = { kind: 'unsettled', caseId, because } as const;
  if (errored > 0) {
    const said = `${errored} of ${confirmations.length} confirmation trials errored, so nothing confirms it`;
    return { ...shared, why: 'errors', message: `${message}; ${said}` };
  }
  if (isStopped) {
    return {
      ...shared,
      why: 'stopped',
      message: `${message}; the run stopped before confirmation trials could confirm it`,
    };
  }
  const ofAccepted = countStatus(accepted, 'errored');
  const said =
    ofAccepted > 0
      ? `${ofAccepted} of ${formatCount(accepted.length, 'trial')} of the accepted prompt errored, so nothing confirms it`
      : 'the calls for confirmation trials were used up before it was settled';
  return { ...shared, why: 'budget', message: `${message}; ${said}` };
}

function describeFailures({ caseId, rule, noun, candidate, baseline }: Suspicion): string {
  const failed = countStatus(candidate.trials, 'failed');
  const retried = judgedOf(candidate.confirmations);
  if (rule === 'suspect') {
    const before = countVerdicts(baseline ?? { trials: [] });
    const failures = failed + countStatus(candidate.confirmations, 'failed');
    const all = candidate.trials.length + candidate.confirmations.length;
    const now = failures === all ? `all ${all}` : `${failures} of ${all}, the others without a verdict`;
    return `${noun} ${caseId} passed ${before.trials - before.failures} of ${before.trials} trials on the baseline and now failed ${now}`;
  }
  const again =
    retried === 0 ? '' : ` and in ${countStatus(candidate.confirmations, 'failed')} of ${retried} confirmation trials`;
  return `${noun} ${caseId} failed in ${failed} of ${candidate.trials.length} trials${again}`;
}

function describeAccepted({
  acceptedFailures,
  acceptedTrials,
}: Extract<RetriedVerdict, { kind: 'broken' | 'drifted' }>): string {
  return acceptedTrials === 0 ? '' : `; the accepted prompt failed ${acceptedFailures} of ${acceptedTrials}`;
}

function describeFlaky({ caseId, rule, noun, candidate }: Suspicion): string {
  const failures = countStatus(candidate.trials, 'failed') + countStatus(candidate.confirmations, 'failed');
  const times = `failed ${formatCount(failures, 'time')} and then passed a confirmation trial`;
  return rule === 'contract' ? `${noun} ${caseId} ${times}: a flaky contract` : `${noun} ${caseId} ${times}`;
}

function judgedOf(rows: CaseSummary['confirmations']): number {
  return countStatus(rows, 'passed') + countStatus(rows, 'failed');
}
