import type { ComparedCase, ComparedVariant } from '../../model/comparison.ts';
import type { GatePolicy } from '../../model/suite.ts';
import type { CaseSummary, RowSummary } from '../../model/summary.ts';
import { formatCount } from '../../text/format-amount.ts';

/**
 * Whether fresh trials can be asked for. Where the same answer would come again, failures stand (`stands`); two records
 * leave suspects open (`unknown`); a run that was cut off before it could ask has confirmed nothing (`stopped`).
 */
export type Confirmability = 'fresh' | 'stands' | 'unknown' | 'stopped';

export interface JudgeCasesOptions {
  readonly gate: GatePolicy;
  readonly confirmability: Confirmability;
  /** Failures in a row that make a suspect broken (stats.md 4.4). */
  readonly failuresToBreak: number;
}

/** What a case says when it is judged alone. */
export type CaseWord =
  | { readonly kind: 'broken'; readonly caseId: string; readonly because: CaseBreach; readonly message: string }
  | { readonly kind: 'flaky' | 'unconfirmed' | 'known'; readonly caseId: string; readonly message: string }
  /** It failed, and what was asked to confirm it came to nothing: no verdict (stats.md 4.3). */
  | {
      readonly kind: 'unsettled';
      readonly caseId: string;
      readonly because: CaseBreach;
      readonly why: 'errors' | 'stopped';
      readonly message: string;
    }
  /** Fresh trials that would settle it. */
  | { readonly kind: 'open'; readonly caseId: string; readonly freshTrials: number };

export type CaseBreach = 'must-pass' | 'case-broken' | 'case-added-failed';

/** Fresh passes that turn a failed contract into a flaky one (stats.md 4.3). */
export const contractConfirmations = 2;

/** Judges every case of a comparison alone: contracts and new cases by 4.3, the others by 4.4. */
export function judgeComparedCases(
  { cases, baseline: { accepted } }: ComparedVariant,
  options: JudgeCasesOptions,
): readonly CaseWord[] {
  const words: CaseWord[] = [];
  for (const found of cases.values()) {
    // Nearly all of a large suite: they have nothing to say.
    if (found.change === 'stillPassing' && found.candidate?.mustPass === false) continue;
    words.push(...judgeCase(found, accepted === undefined ? found.baseline : accepted.get(found.caseId), options));
  }
  return words;
}

/** `accepted` is the case as the baseline holds it. */
function judgeCase(found: ComparedCase, accepted: CaseSummary | undefined, options: JudgeCasesOptions): CaseWord[] {
  const { candidate, baseline, change, caseId } = found;
  if (candidate === undefined) return [];
  if (candidate.mustPass) {
    const isKnown = change !== 'redefined' && isKnownFailure(accepted, candidate);
    // A contract that was accepted although it fails at times can still break for good, as any case can.
    if (isKnown && found.suspect) return judgeSuspect(found, candidate, options);
    return judgeContract(caseId, candidate, 'must-pass', options.confirmability, isKnown);
  }
  // A baseline without a verdict on the case is none: what it does now must stand by itself.
  const isNew = change === 'added' || change === 'redefined' || (change === 'unjudged' && !isJudged(baseline));
  if (isNew) {
    const noun = change === 'redefined' ? 'redefined case' : 'new case';
    return judgeContract(caseId, candidate, 'case-added-failed', options.confirmability, false, noun);
  }
  return judgeSuspect(found, candidate, options);
}

/** Judges a case that must pass: one failure asks for two fresh trials, and one more failure breaks it. */
export function judgeContract(
  caseId: string,
  candidate: CaseSummary,
  because: 'must-pass' | 'case-added-failed',
  confirmability: Confirmability,
  isKnown: boolean,
  noun = 'must-pass case',
): CaseWord[] {
  const failed = countStatus(candidate.trials, 'failed');
  if (failed === 0 || candidate.observe) return [];
  const again = countStatus(candidate.confirmations, 'failed');
  const confirmed = countStatus(candidate.confirmations, 'passed');
  const what = `${noun} ${caseId} failed in ${failed} of ${candidate.trials.length} trials`;
  const fresh = again + confirmed === 0 ? '' : ` and in ${again} of ${again + confirmed} fresh ones`;
  const broken = { kind: 'broken', caseId, because, message: `${what}${fresh}` } as const;
  if (isKnown) return [{ kind: 'known', caseId, message: `${what}${fresh}; it was broken on the baseline already` }];
  if (again > 0) return [broken];
  if (confirmed >= contractConfirmations) {
    return [{ kind: 'flaky', caseId, message: `${what}, but in none of ${confirmed} fresh ones: a flaky contract` }];
  }
  if (confirmability === 'fresh') return [{ kind: 'open', caseId, freshTrials: contractConfirmations - confirmed }];
  // Where the same answer would come again the failure stands as it is.
  return findUnsettled(candidate, { caseId, because, message: `${what}${fresh}` }, confirmability) ?? [broken];
}

/** Fresh trials until one passes, or until it has failed often enough for a case that fails one time in five at most. */
function judgeSuspect(found: ComparedCase, candidate: CaseSummary, options: JudgeCasesOptions): CaseWord[] {
  const { caseId, suspect, baseline } = found;
  const confirmed = countStatus(candidate.confirmations, 'passed');
  const failures = countStatus(candidate.trials, 'failed') + countStatus(candidate.confirmations, 'failed');
  if (!suspect) {
    if (confirmed === 0 || found.change !== 'flaky') return [];
    return [
      {
        kind: 'flaky',
        caseId,
        message: `case ${caseId} failed ${formatCount(failures, 'time')} and then passed a fresh trial`,
      },
    ];
  }
  const passedBefore = baseline === undefined ? 0 : countStatus(baseline.trials, 'passed');
  const before = `passed ${passedBefore} of ${baseline?.trials.length ?? 0} trials on the baseline`;
  const message = `case ${caseId} ${before} and now failed ${describeFailures(candidate, failures)}`;
  const broken = { kind: 'broken', caseId, because: 'case-broken', message } as const;
  if (failures >= options.failuresToBreak) return [broken];
  if (options.confirmability === 'fresh') return [{ kind: 'open', caseId, freshTrials: 1 }];
  const unsettled = findUnsettled(candidate, { caseId, because: 'case-broken', message }, options.confirmability);
  if (unsettled !== undefined) return unsettled;
  if (options.confirmability === 'stands') return [broken];
  return [{ kind: 'unconfirmed', caseId, message: `${message}; no fresh trial confirms it` }];
}

/** Trials without a verdict did not fail. */
function describeFailures({ trials, confirmations }: CaseSummary, failures: number): string {
  const all = trials.length + confirmations.length;
  return failures === all ? `all ${all}` : `${failures} of ${all}, the others without a verdict`;
}

/** A failure that was to be confirmed and was not, for want of time or of answers, is no verdict yet. */
function findUnsettled(
  { confirmations }: CaseSummary,
  { message, ...which }: { caseId: string; because: CaseBreach; message: string },
  confirmability: Confirmability,
): CaseWord[] | undefined {
  const errored = countStatus(confirmations, 'errored');
  if (errored > 0) {
    const asked = `${errored} of ${confirmations.length} fresh trials errored`;
    return [{ kind: 'unsettled', ...which, why: 'errors', message: `${message}; ${asked}, so nothing confirms it` }];
  }
  if (confirmability !== 'stopped') return undefined;
  const stopped = 'the run stopped before fresh trials could confirm it';
  return [{ kind: 'unsettled', ...which, why: 'stopped', message: `${message}; ${stopped}` }];
}

function isJudged(found: CaseSummary | undefined): boolean {
  return found?.trials.some(({ status }) => status === 'passed' || status === 'failed') === true;
}

/** Accepted as a broken contract, under the same checks. */
function isKnownFailure(accepted: CaseSummary | undefined, { stamp }: CaseSummary): boolean {
  return accepted?.mustPass === true && accepted.stamp === stamp && wasBroken(accepted);
}

/** By the rule for contracts: a failure, and no fresh passes that call it flaky. */
function wasBroken(baseline: CaseSummary): boolean {
  if (countStatus(baseline.trials, 'failed') === 0) return false;
  return (
    countStatus(baseline.confirmations, 'failed') > 0 ||
    countStatus(baseline.confirmations, 'passed') < contractConfirmations
  );
}

function countStatus(rows: readonly RowSummary[], status: RowSummary['status']): number {
  return rows.reduce((count, row) => count + (row.status === status ? 1 : 0), 0);
}
