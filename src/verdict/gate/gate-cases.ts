import {
  type Breach,
  type CaseVerdictReport,
  type UnsettledReason,
  unsettledBecause,
} from '../../model/comparison/gate.ts';
import { countStatus, type StopReason } from '../../model/run/cell.ts';
import type { GatePolicy } from '../../model/suite/gate-policy.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import type { SettledCase } from '../confirm/settle.ts';
import { countVerdicts } from '../pair-cases.ts';
import { type CaseBreach, failsGate, type Suspicion } from './flag-cases.ts';

/**
 * What the gate says of a single case, beside the averages.
 *
 * `drifted`: it fails with the accepted prompt too. `not-needed`: other cases decide already. `known`: it was accepted so.
 */
export interface CaseVerdict {
  readonly kind: 'broken' | 'drifted' | 'flaky' | 'unsettled' | 'not-needed' | 'known';
  readonly caseId: string;
  readonly because: CaseBreach;
  /** For `unsettled`: why it is. */
  readonly why?: UnsettledReason;
  readonly message: string;
  readonly evidence: CaseVerdictReport;
}

export type UnsettledCase = CaseVerdict & { readonly why: UnsettledReason };

/** Says what became of a case that failed. `stopReason`: why the run ended before its plan. */
export function judgeSuspicion(
  suspicion: Suspicion,
  settled: SettledCase | undefined,
  stopReason: StopReason | undefined,
): CaseVerdict {
  const { caseId, because, rule, baseline, candidate } = suspicion;
  const verdictOf = (kind: CaseVerdict['kind'], message: string, why?: UnsettledReason): CaseVerdict => ({
    kind,
    caseId,
    because,
    ...(why === undefined ? {} : { why }),
    message,
    evidence: {
      caseId,
      verdict: kind,
      ...(why === undefined ? {} : { why }),
      planned: candidate.trials.length,
      plannedFailed: countStatus(candidate.trials, 'failed'),
      asked: settled?.asked ?? 0,
      failed: settled?.failed ?? 0,
      acceptedAsked: settled?.acceptedAsked ?? 0,
      acceptedFailed: settled?.acceptedFailed ?? 0,
      evidence: settled?.evidence ?? null,
    },
  });
  const message = describeFailures(suspicion, settled);
  if (rule === 'known' || settled === undefined) {
    return verdictOf('known', `${message}; it was broken on the baseline already`);
  }
  switch (settled.outcome) {
    case 'broken':
      return verdictOf('broken', `${message}${describeAccepted(settled)}`);
    case 'drifted':
      return verdictOf(
        'drifted',
        `${message}${describeAccepted(settled)}: the model or the data changed, not this prompt`,
      );
    case 'flaky':
      return verdictOf('flaky', describeFlaky(suspicion, settled));
    case 'not-needed':
      return verdictOf('not-needed', `${message}; it was not asked ${settled.asked === 0 ? 'again' : 'further'}`);
    case 'errored':
      return verdictOf('unsettled', `${message}; ${unsettledBecause.errors.one}`, 'errors');
    case 'unsettled':
    case 'open': {
      // The user has asked for an end at a failure, and there is nothing to compare it with.
      if (stopReason === 'bail' && baseline === undefined) return verdictOf('broken', message);
      const why = whyUnsettled(suspicion, settled, stopReason);
      return verdictOf('unsettled', `${message}; ${unsettledBecause[why].one}`, why);
    }
  }
}

function whyUnsettled(
  { askable }: Suspicion,
  { wanted }: SettledCase,
  stopReason: StopReason | undefined,
): UnsettledReason {
  if (askable === 'records') return 'records';
  if (askable === 'budget') return 'no-budget';
  if (wanted === undefined) return 'mixed';
  return stopReason === undefined ? 'budget' : 'stopped';
}

function describeFailures(
  { caseId, rule, noun, candidate, baseline, askable }: Suspicion,
  settled?: SettledCase,
): string {
  const failed = countStatus(candidate.trials, 'failed');
  const now = `failed ${failed} of ${formatCount(candidate.trials.length, 'trial')}`;
  const again =
    settled === undefined || settled.asked === 0
      ? askable === 'recordings' && rule !== 'known'
        ? '; not asked again'
        : ''
      : `, and ${settled.failed} of ${settled.asked} fresh ones`;
  if (rule !== 'suspect') return `${noun} ${caseId} ${now}${again}`;
  const before = countVerdicts(baseline ?? { trials: [] });
  return `${noun} ${caseId} passed ${before.trials - before.failures} of ${before.trials} trials on the baseline, and ${now} now${again}`;
}

function describeAccepted({ acceptedFailed, acceptedAsked }: SettledCase): string {
  return acceptedAsked === 0 ? '' : `; the accepted prompt failed ${acceptedFailed} of ${acceptedAsked}`;
}

function describeFlaky({ caseId, rule, noun, candidate }: Suspicion, { asked, failed }: SettledCase): string {
  const failures = countStatus(candidate.trials, 'failed') + failed;
  const passed = asked - failed;
  const times = `failed ${formatCount(failures, 'time')} and then passed ${passed === 1 ? 'a fresh trial' : `${passed} fresh trials`}`;
  return rule === 'must-pass' ? `${noun} ${caseId} ${times}: it is flaky` : `${noun} ${caseId} ${times}`;
}

/** What the verdicts on single cases do to the gate. */
export interface GatedCases {
  readonly failures: readonly Breach[];
  readonly unsettled: readonly UnsettledCase[];
  /** Cases that fail with the accepted prompt too. */
  readonly drifted: readonly CaseVerdict[];
  readonly notes: readonly string[];
}

export function gateCases(
  verdicts: readonly CaseVerdict[],
  gate: GatePolicy,
  { where, isDrift }: { readonly where: Pick<Breach, 'suite' | 'prompt' | 'provider'>; readonly isDrift: boolean },
): GatedCases {
  const failures: Breach[] = [];
  const unsettled: UnsettledCase[] = [];
  const drifted: CaseVerdict[] = [];
  const notes: string[] = [];
  for (const verdict of verdicts) {
    const { kind, caseId, because, message } = verdict;
    const isGated = failsGate(because, gate);
    if (isUnsettled(verdict) && isGated) unsettled.push(verdict);
    else if (kind === 'broken' && isGated && because !== 'first-run') {
      failures.push({ code: codeOf(because), ...where, caseId, message });
    } else if (kind === 'drifted') {
      drifted.push(verdict);
      if (isDrift) failures.push({ code: 'case-drifted', ...where, caseId, message });
    } else if (kind !== 'not-needed' && kind !== 'broken') notes.push(message);
    else if (kind === 'broken' && because !== 'first-run') notes.push(message);
  }
  notes.push(...describeUnsettled(unsettled), ...describeDrifted(isDrift ? [] : drifted));
  notes.push(...describeNotNeeded(verdicts.filter(({ kind }) => kind === 'not-needed')));
  return { failures, unsettled, drifted, notes };
}

function isUnsettled(verdict: CaseVerdict): verdict is UnsettledCase {
  return verdict.why !== undefined;
}

/** More cases of a kind than this get one sentence together, so that other notes are seen. */
const maxNamed = 5;

/** One sentence for all failures that were left open for the same reason. */
function describeUnsettled(verdicts: readonly UnsettledCase[]): readonly string[] {
  const reasons = Object.keys(unsettledBecause) as UnsettledReason[];
  return reasons.flatMap((why) => {
    const same = verdicts.filter((verdict) => verdict.why === why);
    const [first] = same;
    if (first === undefined) return [];
    if (same.length === 1) return [first.message];
    return [`${same.length} failures are not settled: ${nameCases(same)}; ${unsettledBecause[why].many}`];
  });
}

function describeDrifted(verdicts: readonly CaseVerdict[]): readonly string[] {
  if (verdicts.length <= maxNamed) return verdicts.map(({ message }) => message);
  return [
    `${formatCount(verdicts.length, 'case')} fail with the accepted prompt too: ${nameCases(verdicts)}; the model or the data changed, not this prompt`,
  ];
}

function describeNotNeeded(verdicts: readonly CaseVerdict[]): readonly string[] {
  if (verdicts.length === 0) return [];
  if (verdicts.length === 1) return verdicts.map(({ message }) => message);
  return [`${formatCount(verdicts.length, 'more suspect')}, not asked: ${nameCases(verdicts)}`];
}

function nameCases(verdicts: readonly CaseVerdict[]): string {
  return listFirst(
    verdicts.map(({ caseId }) => caseId),
    maxNamed,
  );
}

function codeOf(because: Exclude<CaseBreach, 'first-run'>): Breach['code'] {
  return because === 'contract-changed' ? 'case-added-failed' : because;
}
