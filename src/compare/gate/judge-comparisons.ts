import { defined } from '../../json/defined.ts';
import type { ComparedVariant } from '../../model/comparison.ts';
import type { Breach } from '../../model/gate.ts';
import type { VariantComparison } from '../../model/report.ts';
import type { GatePolicy } from '../../model/suite.ts';
import type { SuiteSummary, VariantSummary } from '../../model/summary.ts';
import { adjustHolm } from '../../stats/adjust-p-values.ts';
import type { TestVerdict } from '../../stats/decide-verdict.ts';
import { brokenCaseFailures } from '../../stats/exact-tests.ts';
import { formatCount } from '../../text/format-amount.ts';
import { describeComparison } from './describe-comparison.ts';
import {
  type CaseBreach,
  type CaseVerdict,
  type Confirmability,
  judgeComparedCases,
  type OpenCase,
  type UnsettledCase,
} from './judge-cases.ts';
import { decideHypothesis, findHypotheses, type Hypothesis } from './judge-metrics.ts';
import { describeWithin, describeWorse, percent } from './wording.ts';

/** A gated variant with what it is compared with. */
export interface GatedComparison {
  readonly suite: SuiteSummary;
  readonly variant: VariantSummary;
  readonly compared: ComparedVariant;
  /** The comparison with the working tree's own baseline, where `--baseline git:REF` names another one. */
  readonly own?: ComparedVariant;
  readonly confirmability: Confirmability;
  /** Nothing of the variant was accepted: beside what it is compared with, it must pass whole. */
  readonly mustPassWhole?: boolean;
  /** Cases of the suite that other shards of the run judge. */
  readonly otherCases?: number;
}

export interface JudgedComparison {
  readonly variant: VariantSummary;
  readonly mustPassWhole: boolean;
  readonly report: VariantComparison;
  readonly failures: readonly Breach[];
  /** Limits that can't be judged at all. */
  readonly errors: readonly Breach[];
  readonly warnings: readonly string[];
  readonly isInconclusive: boolean;
  /** Failures that would count if confirmation trials had confirmed them. */
  readonly unsettled: readonly UnsettledCase[];
  /** Cases that need confirmation trials. */
  readonly open: readonly OpenCase[];
}

/** With more errors than this, tests of the rest say nothing about the whole. */
const maxErrorShare = 0.05;

/** Judges every comparison of an invocation together: the more claims are tested, the stronger the evidence for each must be (Holm 1979). */
export function judgeComparisons(gated: readonly GatedComparison[]): readonly JudgedComparison[] {
  const verdicts = testAll(gated, ({ compared }) => compared);
  const ownVerdicts = testAll(
    gated.filter(({ own }) => own !== undefined),
    ({ own, compared }) => own ?? compared,
  );
  return gated.map((comparison) => {
    const judged = judgeOne(comparison, comparison.compared, verdicts.get(comparison) ?? [], gated);
    const { own } = comparison;
    if (own === undefined || !hasObjections(judged)) return judged;
    const again = judgeOne(comparison, own, ownVerdicts.get(comparison) ?? [], gated);
    return hasObjections(again) ? judged : accept(comparison, judged);
  });
}

function hasObjections({ failures, open, unsettled }: JudgedComparison): boolean {
  return failures.length + open.length + unsettled.length > 0;
}

interface TestedHypothesis {
  readonly hypothesis: Hypothesis;
  readonly verdict: TestVerdict;
  /** Worse by the unadjusted p alone. */
  readonly isWorseUnadjusted: boolean;
}

function testAll(
  gated: readonly GatedComparison[],
  pick: (comparison: GatedComparison) => ComparedVariant,
): ReadonlyMap<GatedComparison, readonly TestedHypothesis[]> {
  const all = gated.flatMap((comparison) => {
    const { gate } = comparison.suite.recorded;
    return findHypotheses(pick(comparison), gate).map((hypothesis) => ({ comparison, hypothesis, alpha: gate.alpha }));
  });
  const failing = all.filter(({ hypothesis }) => hypothesis.level === 'fail' && hypothesis.p !== null);
  const adjusted = adjustHolm(failing.map(({ hypothesis }) => hypothesis.p ?? 1));
  const adjustedBy = new Map(failing.map(({ hypothesis }, index) => [hypothesis, adjusted[index] ?? 1]));
  const tested = new Map<GatedComparison, TestedHypothesis[]>();
  for (const { comparison, hypothesis, alpha } of all) {
    const p = adjustedBy.get(hypothesis) ?? hypothesis.p;
    const verdict = decideHypothesis(hypothesis, p, alpha);
    const isWorseUnadjusted =
      verdict !== 'regressed' && decideHypothesis(hypothesis, hypothesis.p, alpha) === 'regressed';
    tested.set(comparison, [...(tested.get(comparison) ?? []), { hypothesis, verdict, isWorseUnadjusted }]);
  }
  return tested;
}

function judgeOne(
  comparison: GatedComparison,
  compared: ComparedVariant,
  tested: readonly TestedHypothesis[],
  gated: readonly GatedComparison[],
): JudgedComparison {
  const { suite, variant, confirmability, mustPassWhole = false } = comparison;
  const { gate, suite: suiteId } = suite.recorded;
  const where = { suite: suiteId, prompt: variant.recorded.prompt, provider: variant.recorded.provider };
  const judgedCases = gated
    .filter((other) => other.suite === suite)
    .reduce((sum, other) => sum + other.compared.passRate.n + (other.otherCases ?? 0), 0);
  const failuresToBreak = brokenCaseFailures({ n: judgedCases, alpha: gate.alpha });
  const verdicts = judgeComparedCases(compared, { confirmability, failuresToBreak });
  const cases = gateCases(verdicts, gate, where);
  const metrics = gateMetrics(tested, compared, gate, where);
  const hasTooManyErrors = compared.errors.share > maxErrorShare;
  const failures = [...cases.failures, ...metrics.failures];
  const notes = [
    ...cases.notes,
    ...metrics.notes,
    ...(hasTooManyErrors ? [`${percent(compared.errors.share)} of the trials errored: no verdict on the rest`] : []),
  ];
  const open = verdicts.filter((verdict) => verdict.kind === 'open');
  // Unconfirmed suspects are listed, and the averages decide.
  const isInconclusive = metrics.open.length + cases.unsettled.length + open.length > 0 || hasTooManyErrors;
  const outcome = failures.length > 0 ? 'failed' : isInconclusive ? 'inconclusive' : 'passed';
  const unsettled = cases.unsettled.length;
  return {
    variant,
    mustPassWhole,
    failures,
    errors: metrics.errors,
    warnings: notes.map((note) => `${where.suite} · ${where.prompt} × ${where.provider}: ${note}`),
    isInconclusive,
    unsettled: cases.unsettled,
    open,
    report: describeComparison(compared, { outcome, notes, accepted: [], unsettled, open: metrics.open }),
  };
}

type Where = Pick<Breach, 'suite' | 'prompt' | 'provider'>;

/** What the verdicts on single cases do to the gate. */
function gateCases(verdicts: readonly CaseVerdict[], gate: GatePolicy, where: Where) {
  const failures: Breach[] = [];
  const unsettled: UnsettledCase[] = [];
  const unconfirmed = verdicts.filter(({ kind }) => kind === 'unconfirmed');
  const isSummarized = unconfirmed.length > maxUnconfirmed;
  const notes = isSummarized ? [summarizeUnconfirmed(unconfirmed)] : [];
  for (const verdict of verdicts) {
    if (verdict.kind === 'open' || (verdict.kind === 'unconfirmed' && isSummarized)) continue;
    const { kind, caseId, message } = verdict;
    if (kind === 'broken' && failsGate(verdict.because, gate)) {
      failures.push({ code: verdict.because, ...where, caseId, message });
      continue;
    }
    if (kind === 'unsettled' && failsGate(verdict.because, gate)) unsettled.push(verdict);
    notes.push(message);
  }
  return { failures, unsettled, notes };
}

/** What the tested metrics do to the gate. */
function gateMetrics(tested: readonly TestedHypothesis[], compared: ComparedVariant, gate: GatePolicy, where: Where) {
  const failures: Breach[] = [];
  const errors: Breach[] = [];
  const notes: string[] = [];
  const open: Hypothesis[] = [];
  for (const { hypothesis, verdict, isWorseUnadjusted } of tested) {
    const message = describeWorse(hypothesis);
    const isGated = hypothesis.level === 'fail';
    if (verdict === 'regressed' && isGated) failures.push(breachOf(hypothesis, where, message));
    else if (verdict === 'regressed') notes.push(`${message} (a warning: the suite's gate sets no limit)`);
    else if (isWorseUnadjusted) notes.push(`${message} before adjusting for the comparisons of this run`);
    else if (verdict === 'not_regressed' && isWorse(hypothesis, gate.alpha)) notes.push(describeWithin(hypothesis));
    if (isGated && isUnknown(hypothesis, compared)) errors.push(unknownOf(hypothesis, where));
    else if (isGated && verdict === 'inconclusive') open.push(hypothesis);
  }
  if (gate.latency.maxIncrease !== undefined && !compared.latencyComparable) {
    notes.push(
      'the latency gate was not applied: latencies are not comparable unless both sides ran in this invocation, without the cache (--rerun-baseline)',
    );
  }
  return { failures, errors, notes, open };
}

/** True where an answer has no known cost or latency, so that a limit on it can't be judged. */
function isUnknown({ metric }: Hypothesis, { isCostUnknown, isLatencyUnknown }: ComparedVariant): boolean {
  return (metric === 'cost' && isCostUnknown === true) || (metric === 'latency' && isLatencyUnknown === true);
}

function unknownOf({ metric, margin }: Hypothesis, where: Partial<Breach>): Breach {
  const isCost = metric === 'cost';
  const why = isCost ? 'no price, or an answer without usage' : 'an answer whose latency nobody measured';
  const message = `the ${metric} can't be compared (${why}), so the limit of +${percent(margin)} can't be judged`;
  return { code: isCost ? 'unpriced' : 'untimed', ...where, metric, message };
}

/** More unconfirmed cases than this get one sentence together, so that other notes are seen. */
const maxUnconfirmed = 5;

function summarizeUnconfirmed(unconfirmed: readonly { readonly caseId: string }[]): string {
  const named = unconfirmed.slice(0, maxUnconfirmed).map(({ caseId }) => caseId);
  const more = unconfirmed.length - named.length;
  return `${formatCount(unconfirmed.length, 'case')} passed on the baseline and failed in every trial with a verdict now; no confirmation trial confirms them: ${named.join(', ')} and ${more} more`;
}

function failsGate(because: CaseBreach, { cases }: GatePolicy): boolean {
  if (because === 'case-broken') return cases.broken === 'fail';
  return because === 'must-pass' || cases.added === 'fail';
}

/** A change that also brings the baseline for its results was reviewed: its differences are listed, and pass. */
function accept(comparison: GatedComparison, judged: JudgedComparison): JudgedComparison {
  const { compared, own } = comparison;
  const isInconclusive = compared.errors.share > maxErrorShare;
  const accepted: string[] = [];
  for (const { caseId, change } of compared.cases.values()) {
    if (change !== 'regressed' && change !== 'flaky' && change !== 'added' && change !== 'redefined') continue;
    const ownChange = own?.cases.get(caseId)?.change;
    if (ownChange !== undefined && ownChange !== 'regressed') accepted.push(`${caseId} (${change})`);
  }
  const metrics = judged.failures.filter(({ caseId }) => caseId === undefined).map(({ message }) => message);
  return {
    ...judged,
    failures: [],
    isInconclusive,
    unsettled: [],
    open: [],
    report: {
      ...judged.report,
      outcome: isInconclusive ? 'inconclusive' : 'passed',
      advice: [],
      accepted: [...accepted, ...metrics],
    },
  };
}

function breachOf(hypothesis: Hypothesis, where: Partial<Breach>, message: string): Breach {
  const { baseline, candidate } = hypothesis.evidence;
  return {
    code: hypothesis.code,
    ...where,
    metric: hypothesis.metric,
    ...defined({ baseline: baseline ?? undefined, candidate: candidate ?? undefined }),
    message,
  };
}

/** Worse beyond doubt, whatever the margin lets through. */
function isWorse({ evidence: { low, high }, isRatio, p }: Hypothesis, alpha: number): boolean {
  const isBeyondZero = isRatio ? low !== null && low > 0 : high !== null && high < 0;
  return isBeyondZero && p !== null && p <= alpha / 2;
}
