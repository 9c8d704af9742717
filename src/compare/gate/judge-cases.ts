import type { ComparedCase, ComparedVariant } from '../../model/comparison.ts';
import type { CaseSummary, RowSummary } from '../../model/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import { countVerdicts } from '../pair-cases.ts';

/**
 * Whether confirmation trials can be made. Where the same answer would come again, failures count as they are (`stands`). Two
 * records leave suspects open (`unknown`). A run that was stopped before it could confirm has confirmed nothing (`stopped`).
 */
export type Confirmability = 'retrials' | 'stands' | 'unknown' | 'stopped';

export interface JudgeCasesOptions {
  readonly confirmability: Confirmability;
  /** Failures in a row after which a suspect is broken (stats.md 4.4). */
  readonly failuresToBreak: number;
}

/** What the gate says of a single case, beside the averages. */
export type CaseVerdict = BrokenCase | UnsettledCase | OpenCase | RemarkedCase;

export interface BrokenCase {
  readonly kind: 'broken';
  readonly caseId: string;
  readonly because: CaseBreach;
  readonly message: string;
}

/** It failed, but its confirmation trials errored or were not made. */
export interface UnsettledCase {
  readonly kind: 'unsettled';
  readonly caseId: string;
  readonly because: CaseBreach;
  readonly why: 'errors' | 'stopped';
  readonly message: string;
}

/** This many confirmation trials would bring it further. */
export interface OpenCase {
  readonly kind: 'open';
  readonly caseId: string;
  readonly retrials: number;
}

/** It fails no gate. */
export interface RemarkedCase {
  readonly kind: 'flaky' | 'unconfirmed' | 'known';
  readonly caseId: string;
  readonly message: string;
}

export type CaseBreach = 'must-pass' | 'case-broken' | 'case-added-failed';

/** Passed confirmation trials that make a failed must-pass case flaky (stats.md 4.3). */
export const mustPassRetrials = 2;

/** Judges every case of a comparison alone: must-pass and new cases by stats.md 4.3, the others by 4.4. */
export function judgeComparedCases(
  { cases, baseline: { accepted } }: ComparedVariant,
  options: JudgeCasesOptions,
): readonly CaseVerdict[] {
  const verdicts: CaseVerdict[] = [];
  for (const found of cases.values()) {
    // Nearly all cases of a large suite, and there is nothing to say of them.
    if (found.change === 'stillPassing' && found.candidate?.mustPass === false) continue;
    verdicts.push(...judgeCase(found, accepted === undefined ? found.baseline : accepted.get(found.caseId), options));
  }
  return verdicts;
}

/** `accepted` is the case as the baseline holds it. */
function judgeCase(found: ComparedCase, accepted: CaseSummary | undefined, options: JudgeCasesOptions): CaseVerdict[] {
  const { candidate, baseline, change, caseId } = found;
  if (candidate === undefined) return [];
  if (candidate.mustPass) {
    const isKnown = change !== 'redefined' && isKnownFailure(accepted, candidate);
    // A must-pass case that was accepted although it fails at times can still break for good, like any case.
    if (isKnown && found.suspect) return judgeSuspect(found, candidate, options);
    return judgeContract(caseId, candidate, 'must-pass', options.confirmability, isKnown);
  }
  const isNew = change === 'added' || change === 'redefined' || (change === 'unjudged' && !hasVerdict(baseline));
  if (isNew) {
    const noun = change === 'redefined' ? 'redefined case' : 'new case';
    return judgeContract(caseId, candidate, 'case-added-failed', options.confirmability, false, noun);
  }
  return judgeSuspect(found, candidate, options);
}

/** Judges a case that must pass. After one failure, two confirmation trials are made, and a second failure breaks it. */
export function judgeContract(
  caseId: string,
  candidate: CaseSummary,
  because: 'must-pass' | 'case-added-failed',
  confirmability: Confirmability,
  isKnown: boolean,
  noun = 'must-pass case',
): CaseVerdict[] {
  const failed = countStatus(candidate.trials, 'failed');
  if (failed === 0 || candidate.observe) return [];
  const again = countStatus(candidate.confirmations, 'failed');
  const passed = countStatus(candidate.confirmations, 'passed');
  const what = `${noun} ${caseId} failed in ${failed} of ${candidate.trials.length} trials`;
  const retried = again + passed === 0 ? '' : ` and in ${again} of ${again + passed} confirmation trials`;
  const message = `${what}${retried}`;
  const broken: BrokenCase = { kind: 'broken', caseId, because, message };
  if (isKnown) return [{ kind: 'known', caseId, message: `${message}; it was broken on the baseline already` }];
  if (again > 0) return [broken];
  if (passed >= mustPassRetrials) {
    return [
      { kind: 'flaky', caseId, message: `${what}, but in none of ${passed} confirmation trials: a flaky contract` },
    ];
  }
  if (confirmability === 'retrials') return [{ kind: 'open', caseId, retrials: mustPassRetrials - passed }];
  return [findUnsettled(candidate, broken, confirmability) ?? broken];
}

/** A suspect gets confirmation trials until one passes, or until it has failed too often for a case that is only flaky. */
function judgeSuspect(found: ComparedCase, candidate: CaseSummary, options: JudgeCasesOptions): CaseVerdict[] {
  const { caseId, suspect, baseline } = found;
  const { confirmability, failuresToBreak } = options;
  const failures = countStatus(candidate.trials, 'failed') + countStatus(candidate.confirmations, 'failed');
  if (!suspect) {
    if (countStatus(candidate.confirmations, 'passed') === 0 || found.change !== 'flaky') return [];
    const message = `case ${caseId} failed ${formatCount(failures, 'time')} and then passed a confirmation trial`;
    return [{ kind: 'flaky', caseId, message }];
  }
  const before = countVerdicts(baseline ?? { trials: [] });
  const message = `case ${caseId} passed ${before.trials - before.failures} of ${before.trials} trials on the baseline and now failed ${describeFailures(candidate, failures)}`;
  const broken: BrokenCase = { kind: 'broken', caseId, because: 'case-broken', message };
  if (failures >= failuresToBreak) return [broken];
  if (confirmability === 'retrials') return [{ kind: 'open', caseId, retrials: 1 }];
  const unsettled = findUnsettled(candidate, broken, confirmability);
  if (unsettled !== undefined) return [unsettled];
  if (confirmability === 'stands') return [broken];
  return [{ kind: 'unconfirmed', caseId, message: `${message}; no confirmation trial confirms it` }];
}

/** Trials without a verdict did not fail. */
function describeFailures({ trials, confirmations }: CaseSummary, failures: number): string {
  const all = trials.length + confirmations.length;
  return failures === all ? `all ${all}` : `${failures} of ${all}, the others without a verdict`;
}

/** A failure is no verdict yet where its confirmation trials errored, or the run stopped before them. */
function findUnsettled(
  { confirmations }: CaseSummary,
  { caseId, because, message }: BrokenCase,
  confirmability: Confirmability,
): UnsettledCase | undefined {
  const errored = countStatus(confirmations, 'errored');
  if (errored > 0) {
    const said = `${message}; ${errored} of ${confirmations.length} confirmation trials errored, so nothing confirms it`;
    return { kind: 'unsettled', caseId, because, why: 'errors', message: said };
  }
  if (confirmability !== 'stopped') return undefined;
  const said = `${message}; the run stopped before confirmation trials could confirm it`;
  return { kind: 'unsettled', caseId, because, why: 'stopped', message: said };
}

function hasVerdict(found: CaseSummary | undefined): boolean {
  return found?.trials.some(({ status }) => status === 'passed' || status === 'failed') === true;
}

/** True where the case was accepted as broken under the same checks. */
function isKnownFailure(accepted: CaseSummary | undefined, { stamp }: CaseSummary): boolean {
  return accepted?.mustPass === true && accepted.stamp === stamp && wasBroken(accepted);
}

/** By the rule for must-pass cases: a failure, and no passed confirmation trials that make it flaky. */
function wasBroken({ trials, confirmations }: CaseSummary): boolean {
  if (countStatus(trials, 'failed') === 0) return false;
  return countStatus(confirmations, 'failed') > 0 || countStatus(confirmations, 'passed') < mustPassRetrials;
}

function countStatus(rows: readonly RowSummary[], status: RowSummary['status']): number {
  return rows.reduce((count, row) => count + (row.status === status ? 1 : 0), 0);
}
