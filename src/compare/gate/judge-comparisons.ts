import type { ComparedVariant } from '../../model/comparison.ts';
import type { Breach } from '../../model/gate.ts';
import type { VariantComparison } from '../../model/report.ts';
import type { GatePolicy } from '../../model/suite.ts';
import type { SuiteSummary, VariantSummary } from '../../model/summary.ts';
import { adjustHolm } from '../../stats/adjust-p-values.ts';
import type { TestVerdict } from '../../stats/decide-verdict.ts';
import { brokenCaseFailures } from '../../stats/exact-tests.ts';
import { formatCount, formatUsd, signed } from '../../text/format-amount.ts';
import { describeComparison } from './describe-comparison.ts';
import { type CaseBreach, type CaseWord, type Confirmability, judgeComparedCases } from './judge-cases.ts';
import { decideHypothesis, findHypotheses, type Hypothesis, isFromNothing } from './judge-metrics.ts';
import { percent } from './wording.ts';

/** A gated variant with what it is compared with. */
export interface GatedComparison {
  readonly suite: SuiteSummary;
  readonly variant: VariantSummary;
  readonly compared: ComparedVariant;
  /** The comparison with the baseline that the change itself brings, where that is another one. */
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
  /** Failures that would count, had fresh trials confirmed them. */
  readonly unsettled: readonly Extract<CaseWord, { kind: 'unsettled' }>[];
  /** Cases that fresh trials would settle. */
  readonly open: readonly Extract<CaseWord, { kind: 'open' }>[];
}

/** More errors than this and no test of what is left says anything about the whole. */
const maxErrorShare = 0.05;

/** Judges every comparison of an invocation together: the more claims are tested, the stronger each must be (Holm 1979). */
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
  const { suite, variant, confirmability } = comparison;
  const { gate } = suite.recorded;
  const where = { suite: suite.recorded.suite, prompt: variant.recorded.prompt, provider: variant.recorded.provider };
  const casesJudged = gated
    .filter((other) => other.suite === suite)
    .reduce((sum, other) => sum + other.compared.passRate.n + (other.otherCases ?? 0), 0);
  const failuresToBreak = brokenCaseFailures({ n: casesJudged, alpha: gate.alpha });
  const words = judgeComparedCases(compared, { gate, confirmability, failuresToBreak });
  const failures: Breach[] = [];
  const errors: Breach[] = [];
  const notes: string[] = [];
  const unsettled: Extract<CaseWord, { kind: 'unsettled' }>[] = [];
  const unconfirmed = words.filter((word) => word.kind === 'unconfirmed');
  if (unconfirmed.length > maxUnconfirmed) notes.push(summarizeUnconfirmed(unconfirmed));
  for (const word of words) {
    if (word.kind === 'open' || (word.kind === 'unconfirmed' && unconfirmed.length > maxUnconfirmed)) continue;
    const isGated = (word.kind === 'broken' || word.kind === 'unsettled') && isFailing(word.because, gate);
    if (isGated && word.kind === 'unsettled') unsettled.push(word);
    if (!isGated || word.kind === 'unsettled') notes.push(word.message);
    else failures.push({ code: word.because, ...where, caseId: word.caseId, message: word.message });
  }
  for (const { hypothesis, verdict, isWorseUnadjusted } of tested) {
    const message = describeWorse(hypothesis);
    if (verdict === 'regressed' && hypothesis.level === 'fail') failures.push(breachOf(hypothesis, where, message));
    else if (verdict === 'regressed') notes.push(`${message} (a warning: the suite's gate sets no limit)`);
    else if (isWorseUnadjusted) notes.push(`${message} before adjusting for the comparisons of this run`);
    else if (verdict === 'not_regressed' && isWorse(hypothesis, gate.alpha)) notes.push(describeWithin(hypothesis));
    if (hypothesis.level === 'fail' && isUnknown(hypothesis, compared)) errors.push(unknownOf(hypothesis, where));
  }
  if (gate.latency.maxIncrease !== undefined && !compared.latencyComparable) {
    notes.push(
      'the latency gate was not applied: latencies are not comparable unless both sides ran in this invocation, without the cache (--rerun-baseline)',
    );
  }
  const open = tested
    .filter(({ hypothesis, verdict }) => hypothesis.level === 'fail' && verdict === 'inconclusive')
    .filter(({ hypothesis }) => !isUnknown(hypothesis, compared))
    .map(({ hypothesis }) => hypothesis);
  const hasTooManyErrors = compared.errors.share > maxErrorShare;
  if (hasTooManyErrors) notes.push(`${percent(compared.errors.share)} of the trials errored: no verdict on the rest`);
  // Suspects that nobody confirmed are listed, and the averages decide.
  const isInconclusive =
    open.length > 0 || unsettled.length > 0 || hasTooManyErrors || words.some(({ kind }) => kind === 'open');
  const outcome = failures.length > 0 ? 'failed' : isInconclusive ? 'inconclusive' : 'passed';
  return {
    variant,
    mustPassWhole: comparison.mustPassWhole === true,
    failures,
    errors,
    warnings: notes.map((note) => `${where.suite} · ${where.prompt} × ${where.provider}: ${note}`),
    isInconclusive,
    unsettled,
    open: words.filter((word) => word.kind === 'open'),
    report: describeComparison(compared, { outcome, words, notes, accepted: [], unsettled: unsettled.length, open }),
  };
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

/** More of them, and a sentence each would hide what else there is to say. */
const maxUnconfirmed = 5;

function summarizeUnconfirmed(words: readonly { readonly caseId: string }[]): string {
  const named = words.slice(0, maxUnconfirmed).map(({ caseId }) => caseId);
  const more = words.length - named.length;
  return `${formatCount(words.length, 'case')} passed on the baseline and failed in every trial with a verdict now; no fresh trial confirms them: ${named.join(', ')} and ${more} more`;
}

function isFailing(because: CaseBreach, { cases }: GatePolicy): boolean {
  if (because === 'case-broken') return cases.broken === 'fail';
  return because === 'must-pass' || cases.added === 'fail';
}

/** A change that brings the baseline it leads to has had its differences looked at: they are listed, and pass. */
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
    ...(baseline === null ? {} : { baseline }),
    ...(candidate === null ? {} : { candidate }),
    message,
  };
}

/** Worse beyond doubt, whatever the margin lets through. */
function isWorse({ evidence: { low, high }, isRatio, p }: Hypothesis, alpha: number): boolean {
  const isBeyondZero = isRatio ? low !== null && low > 0 : high !== null && high < 0;
  return isBeyondZero && p !== null && p <= alpha / 2;
}

function describeWorse(hypothesis: Hypothesis): string {
  if (isFromNothing(hypothesis)) return `cost rose from nothing to ${formatUsd(hypothesis.evidence.candidate ?? 0)}`;
  if (isBeyondMargin(hypothesis)) {
    return `${describeChange(hypothesis)}, which is more than the ${describeMargin(hypothesis)} that are tolerated`;
  }
  const noun = hypothesis.isRatio ? 'an increase' : 'a drop';
  return `${describeChange(hypothesis)}, and ${noun} beyond ${describeMargin(hypothesis)} is not excluded`;
}

/** The whole interval lies beyond what is tolerated. */
function isBeyondMargin({ evidence: { low, high }, isRatio, margin }: Hypothesis): boolean {
  return isRatio ? low !== null && low > margin : high !== null && high < -margin;
}

function describeWithin(hypothesis: Hypothesis): string {
  return `${describeChange(hypothesis)}, which is within the ${describeMargin(hypothesis)} that are tolerated`;
}

function describeChange({ metric, evidence, isRatio }: Hypothesis): string {
  const { delta, low, high } = evidence;
  const side = (value: number | null) => (value === null ? '?' : signed(value * 100, 1));
  const name = { passRate: 'pass rate', score: 'score', cost: 'cost', latency: 'latency' }[metric];
  const [word, unit] = isRatio ? ['rose', '%'] : ['fell', 'pts'];
  return `${name} ${word}: ${side(delta)} ${unit} [${side(low)}, ${side(high)}]`;
}

function describeMargin({ margin, isRatio }: Hypothesis): string {
  return `${Math.round(margin * 1000) / 10} ${isRatio ? '%' : 'pts'}`;
}
