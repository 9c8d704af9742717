import type { Breach } from '../../model/comparison/gate.ts';
import { countStatus, isJudged, type StopReason } from '../../model/run/cell.ts';
import type { GatePolicy } from '../../model/suite/suite.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import type { RetriedVerdict } from '../confirm/judge-case.ts';
import { countVerdicts } from '../pair-cases.ts';
import { type CaseBreach, failsAsNew, type Suspicion } from './find-suspicions.ts';

/** What the gate says of a single case, beside the averages. */
export type CaseVerdict = BrokenCase | UnsettledCase | RemarkedCase;

interface BrokenCase {
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
 * `unconfirmed`: of two records, which can't be asked. `not-needed`: other cases decide already. `known`: accepted so.
 */
interface RemarkedCase {
  readonly kind: 'drifted' | 'flaky' | 'changed' | 'unconfirmed' | 'not-needed' | 'known';
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
    case 'not-needed':
      return { kind: 'not-needed', caseId, message: `${message}; it was not asked again` };
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
    const explanation = `${errored} of ${confirmations.length} confirmation trials errored, so nothing confirms it`;
    return { ...shared, why: 'errors', message: `${message}; ${explanation}` };
  }
  if (isStopped) {
    return {
      ...shared,
      why: 'stopped',
      message: `${message}; the run stopped before confirmation trials could confirm it`,
    };
  }
  const ofAccepted = countStatus(accepted, 'errored');
  const explanation =
    ofAccepted > 0
      ? `${ofAccepted} of ${formatCount(accepted.length, 'trial')} of the accepted prompt errored, so nothing confirms it`
      : 'the calls for confirmation trials were used up before it was settled';
  return { ...shared, why: 'budget', message: `${message}; ${explanation}` };
}

function describeFailures({ caseId, rule, noun, candidate, baseline }: Suspicion): string {
  const failed = countStatus(candidate.trials, 'failed');
  const retried = candidate.confirmations.filter(isJudged).length;
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
  return rule === 'must-pass' ? `${noun} ${caseId} ${times}: it is flaky` : `${noun} ${caseId} ${times}`;
}

/** What the verdicts on single cases do to the gate. */
export function gateCases(
  verdicts: readonly CaseVerdict[],
  gate: GatePolicy,
  { where, isDrift }: { readonly where: Pick<Breach, 'suite' | 'prompt' | 'provider'>; readonly isDrift: boolean },
) {
  const failures: Breach[] = [];
  const unsettled: UnsettledCase[] = [];
  const notes: string[] = [];
  const failsDrifted = isDrift || gate.cases.drifted === 'fail';
  const isSummarized = (kind: CaseVerdict['kind']): kind is SummarizedKind =>
    kind in summaries && verdicts.filter((other) => other.kind === kind).length > maxNamed;
  for (const verdict of verdicts) {
    const { kind, caseId, message } = verdict;
    if (isSummarized(kind)) continue;
    if (kind === 'unsettled') {
      if (verdict.because === 'first-run' || failsGate(verdict.because, gate, failsDrifted)) unsettled.push(verdict);
    } else if (kind === 'broken' && failsGate(verdict.because, gate, failsDrifted)) {
      failures.push({ code: codeOf(verdict.because), ...where, caseId, message });
    } else if (kind === 'drifted' && failsDrifted) {
      failures.push({ code: 'case-drifted', ...where, caseId, message });
    } else {
      notes.push(message);
    }
  }
  notes.push(...describeUnsettled(verdicts.filter((verdict) => verdict.kind === 'unsettled')));
  for (const kind of summarizedKinds) if (isSummarized(kind)) notes.push(summarize(kind, verdicts));
  const isHinted = verdicts.some(({ kind }) => kind === 'changed' || kind === 'unconfirmed');
  return { failures, unsettled, notes, isOpen: unsettled.length > 0 || (isHinted && gate.cases.broken === 'fail') };
}

/** More cases of a kind than this get one sentence together, so that other notes are seen. */
const maxNamed = 5;

const summaries = {
  unconfirmed:
    'passed on the baseline and failed in every trial with a verdict now; no confirmation trial confirms them',
  changed: 'passed on the baseline and failed in every trial now, although nothing that is sent has changed',
  'not-needed': 'look broken too and were not asked again',
} as const;
type SummarizedKind = keyof typeof summaries;
const summarizedKinds: readonly SummarizedKind[] = ['unconfirmed', 'changed', 'not-needed'];

function summarize(kind: SummarizedKind, verdicts: readonly CaseVerdict[]): string {
  const own = verdicts.filter((verdict) => verdict.kind === kind);
  return `${formatCount(own.length, 'case')} ${summaries[kind]}: ${nameCases(own)}`;
}

/** One sentence for all failures that were left open for the same reason. */
function describeUnsettled(verdicts: readonly UnsettledCase[]): readonly string[] {
  const reasons = Object.keys(openBecause) as UnsettledCase['why'][];
  return reasons.flatMap((why) => {
    const own = verdicts.filter((verdict) => verdict.why === why);
    const [only] = own;
    if (only === undefined) return [];
    if (own.length === 1) return [only.message];
    return [`${own.length} failures were not settled: ${openBecause[why]}: ${nameCases(own)}`];
  });
}

function nameCases(verdicts: readonly CaseVerdict[]): string {
  return listFirst(
    verdicts.map(({ caseId }) => caseId),
    maxNamed,
  );
}

const openBecause: Readonly<Record<UnsettledCase['why'], string>> = {
  errors: 'confirmation trials errored',
  stopped: 'the run stopped before confirmation trials could confirm them',
  budget: 'the calls for confirmation trials were used up',
};

/** A first run's failed cases count in its pass rate. */
function codeOf(because: CaseBreach): Breach['code'] {
  if (because === 'contract-changed') return 'case-added-failed';
  return because === 'first-run' ? 'pass-rate-min' : because;
}

function failsGate(because: CaseBreach, gate: GatePolicy, failsDrifted: boolean): boolean {
  switch (because) {
    case 'case-broken':
      return gate.cases.broken === 'fail';
    case 'case-drifted':
      return failsDrifted;
    case 'case-added-failed':
    case 'contract-changed':
      return failsAsNew(because, gate);
    case 'first-run':
      // The pass rate of the variant says it (judge-limits.ts).
      return false;
    case 'must-pass':
      return true;
  }
}
