import type { Breach } from '../../model/gate.ts';
import type { GatePolicy } from '../../model/suite.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { CaseBreach } from './find-suspicions.ts';
import type { CaseVerdict, UnsettledCase } from './judge-cases.ts';

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
  'not-asked': 'look broken too and were not asked again',
} as const;
type SummarizedKind = keyof typeof summaries;
const summarizedKinds: readonly SummarizedKind[] = ['unconfirmed', 'changed', 'not-asked'];

function summarize(kind: SummarizedKind, verdicts: readonly CaseVerdict[]): string {
  const own = verdicts.filter((verdict) => verdict.kind === kind);
  const named = own.slice(0, maxNamed).map(({ caseId }) => caseId);
  return `${formatCount(own.length, 'case')} ${summaries[kind]}: ${named.join(', ')} and ${own.length - named.length} more`;
}

/** One sentence for all failures that were left open for the same reason. */
function describeUnsettled(verdicts: readonly UnsettledCase[]): readonly string[] {
  const reasons = Object.keys(openBecause) as UnsettledCase['why'][];
  return reasons.flatMap((why) => {
    const own = verdicts.filter((verdict) => verdict.why === why);
    const [only] = own;
    if (only === undefined) return [];
    if (own.length === 1) return [only.message];
    const named = own.slice(0, maxNamed).map(({ caseId }) => caseId);
    const more = own.length > named.length ? ` and ${own.length - named.length} more` : '';
    return [`${own.length} failures were not settled: ${openBecause[why]}: ${named.join(', ')}${more}`];
  });
}

const openBecause: Readonly<Record<UnsettledCase['why'], string>> = {
  errors: 'confirmation trials errored',
  stopped: 'the run stopped before confirmation trials could confirm them',
  budget: 'the calls for confirmation trials were used up',
};

/** A first run's failed cases count in its pass rate. */
function codeOf(because: CaseBreach): Breach['code'] {
  return because === 'first-run' ? 'pass-rate-min' : because;
}

function failsGate(because: CaseBreach, { cases }: GatePolicy, failsDrifted: boolean): boolean {
  switch (because) {
    case 'case-broken':
      return cases.broken === 'fail';
    case 'case-drifted':
      return failsDrifted;
    case 'case-added-failed':
      return cases.added === 'fail';
    case 'first-run':
      // The pass rate of the variant says it (judge-variant.ts).
      return false;
    case 'must-pass':
      return true;
  }
}
