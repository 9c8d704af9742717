import { defined } from '../../json/defined.ts';
import type { ComparedVariant } from '../../model/comparison/comparison.ts';
import type { Breach } from '../../model/comparison/gate.ts';
import type { VariantSummary } from '../../model/run/summary.ts';
import type { GatePolicy } from '../../model/suite/gate-policy.ts';
import type { TestVerdict } from '../../stats/compare-cases.ts';
import { adjustHolm } from '../../stats/multiplicity.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { SettledAverage } from '../confirm/settle.ts';
import { type AskedClaim, findStoredClaims, isFlagged } from './flag-averages.ts';
import type { Suspicions } from './flag-cases.ts';
import { askableOf, type GatedComparison } from './gated-comparison.ts';
import { decideHypothesis, type Hypothesis } from './judge-metrics.ts';
import { describeOrder, describeWithin, describeWorse, percent } from './wording.ts';

/** What the data says of one metric. */
export interface JudgedMetric {
  readonly hypothesis: Hypothesis;
  readonly verdict: TestVerdict;
  /** The metric looks worse, and nothing has settled it. */
  readonly isOpen: boolean;
  /** Why a metric that looks worse does not fail, or does, where fresh trials decided. */
  readonly why?: string;
  /** The change's own baseline has it as it is now. */
  readonly isAccepted?: true;
}

/** A metric that fresh trials decide about. */
export function judgeAsked(
  { hypothesis, isAccepted }: AskedClaim,
  settled: SettledAverage | undefined,
  { alpha, isCertain }: { readonly alpha: number; readonly isCertain: boolean },
): JudgedMetric {
  const quiet = {
    hypothesis,
    verdict: 'inconclusive' as const,
    isOpen: false,
    ...defined({ isAccepted: isAccepted || undefined }),
  };
  switch (settled?.kind) {
    case undefined:
      return isCertain || isExcluded(hypothesis, alpha) ? { ...quiet, verdict: 'not_regressed' } : quiet;
    case 'not-needed':
      return quiet;
    case 'confirmed':
      return { ...quiet, verdict: 'regressed', why: `seen again in ${describePairs(settled)}` };
    case 'cleared':
      return { ...quiet, why: `but not in ${describePairs(settled)}` };
    case 'errored':
      return { ...quiet, isOpen: true, why: 'and the fresh trials that should settle it errored' };
    case 'unsettled':
    case 'open':
      return {
        ...quiet,
        isOpen: true,
        why: settled.pairs === 0 ? 'and it was not asked again' : `and ${describePairs(settled)} do not settle it`,
      };
  }
}

function describePairs({ pairs, cases }: Pick<SettledAverage, 'pairs' | 'cases'>): string {
  return pairs === cases
    ? `fresh trials of ${formatCount(cases, 'case')}`
    : `${formatCount(pairs, 'fresh trial')} of ${formatCount(cases, 'case')}`;
}

/** True where a drop beyond the margin is excluded. */
function isExcluded(hypothesis: Hypothesis, alpha: number): boolean {
  return decideHypothesis(hypothesis, 0, alpha) === 'not_regressed';
}

/**
 * Tests the metrics of which nothing is asked again on the stored trials (Holm 1979). Metrics that fresh trials decide about
 * have their part of the level, by number.
 */
export function testStored(
  gated: readonly GatedComparison[],
  {
    claims,
    partial,
  }: Pick<Suspicions, 'claims'> & { readonly partial: ReadonlyMap<VariantSummary, { readonly isCertain: boolean }> },
): ReadonlyMap<GatedComparison, readonly JudgedMetric[]> {
  const all = gated.flatMap((comparison) => {
    const { alpha } = comparison.suite.recorded.gate;
    const asked = claims.get(comparison.variant) ?? [];
    return findStoredClaims(comparison, asked).map((stored) => ({ ...stored, comparison, alpha }));
  });
  // These tests are made once, of all cases.
  const partialOf = ({ variant }: GatedComparison, { level }: Hypothesis) =>
    level === 'fail' ? partial.get(variant) : undefined;
  const asked = [...claims.values()].flat().filter(({ average }) => average !== undefined).length;
  const failing = all.filter(({ canFail }) => canFail).map(({ hypothesis }) => hypothesis);
  const adjusted = adjustHolm(failing.map(({ p }) => p ?? 1));
  const factor = (failing.length + asked) / failing.length;
  const adjustedBy = new Map(failing.map((one, index) => [one, Math.min(1, (adjusted[index] ?? 1) * factor)]));
  const tested = new Map<GatedComparison, JudgedMetric[]>();
  for (const { comparison, hypothesis, alpha, isAccepted } of all) {
    const p = adjustedBy.get(hypothesis) ?? hypothesis.p;
    const early = partialOf(comparison, hypothesis);
    const judged: JudgedMetric = isAccepted
      ? { hypothesis, verdict: 'inconclusive', isOpen: false, isAccepted: true }
      : early === undefined
        ? withoutBudget(testMetric(hypothesis, p, alpha), comparison)
        : { hypothesis, verdict: early.isCertain ? 'not_regressed' : 'inconclusive', isOpen: false };
    tested.set(comparison, [...(tested.get(comparison) ?? []), judged]);
  }
  return tested;
}

/** Without a budget nothing is asked again, and nothing that looks worse fails. */
function withoutBudget(judged: JudgedMetric, comparison: GatedComparison): JudgedMetric {
  const { hypothesis, verdict } = judged;
  if (verdict !== 'regressed' || hypothesis.level !== 'fail' || askableOf(comparison) !== 'budget') return judged;
  return { hypothesis, verdict: 'inconclusive', isOpen: true, why: 'and gate.confirm.budget is 0' };
}

function testMetric(hypothesis: Hypothesis, p: number | null, alpha: number): JudgedMetric {
  const verdict = decideHypothesis(hypothesis, p, alpha);
  const isOpen = hypothesis.level === 'fail' && verdict !== 'regressed' && isFlagged(hypothesis, alpha);
  const isWorseUnadjusted =
    verdict !== 'regressed' && decideHypothesis(hypothesis, hypothesis.p, alpha) === 'regressed';
  if (isWorseUnadjusted) {
    return { hypothesis, verdict, isOpen, why: 'before adjusting for the comparisons of this run' };
  }
  return { hypothesis, verdict, isOpen, ...defined({ why: isOpen ? 'and it was not asked again' : undefined }) };
}

/** What the judged metrics do to the gate. */
export function gateMetrics(
  metrics: readonly JudgedMetric[],
  compared: ComparedVariant,
  gate: GatePolicy,
  where: Pick<Breach, 'suite' | 'prompt' | 'provider'>,
) {
  const failures: Breach[] = [];
  const errors: Breach[] = [];
  const notes: string[] = [];
  const uncertain: Hypothesis[] = [];
  const unsettled: Breach[] = [];
  for (const { hypothesis, verdict, why, isOpen } of metrics) {
    const message = why === undefined ? describeWorse(hypothesis) : `${describeWorse(hypothesis)}, ${why}`;
    const isGated = hypothesis.level === 'fail';
    if (verdict === 'regressed' && isGated) failures.push(breachOf(hypothesis, where, message));
    else if (verdict === 'regressed') notes.push(`${message} (a warning: the suite's gate sets no limit)`);
    else if (why !== undefined) notes.push(message);
    else if (verdict === 'not_regressed' && isWorse(hypothesis, gate.alpha)) notes.push(describeWithin(hypothesis));
    if (isGated && isOpen) unsettled.push({ ...breachOf(hypothesis, where, message), code: 'unsettled' });
    if (isGated && isUnknown(hypothesis, compared)) errors.push(unknownOf(hypothesis, where));
    else if (isGated && !isExcluded(hypothesis, gate.alpha) && verdict === 'inconclusive') {
      uncertain.push(hypothesis);
    }
  }
  if (gate.latency.maxIncrease !== undefined && !compared.latencyComparable) {
    notes.push(
      'the latency gate was not applied: latencies are not comparable unless both sides ran in this invocation, without the cache (--rerun-baseline)',
    );
  }
  if (gate.steps?.maxIncrease !== undefined && compared.steps === undefined && compared.passRate.n > 0) {
    notes.push('the gate of the steps was not applied: no case says on both sides how many steps it took');
  }
  const isLatencySaid = metrics.some(({ hypothesis, verdict }) => {
    return hypothesis.metric === 'latency' && (hypothesis.level === 'fail' || verdict === 'regressed');
  });
  if (isLatencySaid && compared.laterLatency !== undefined) {
    notes.push(describeOrder(compared.laterLatency, compared.latencyMs));
  }
  return { failures, errors, notes, uncertain, unsettled };
}

/** True where an answer has no known cost or latency, so that a limit on it can't be judged. */
function isUnknown({ metric }: Hypothesis, { isCostUnknown, isLatencyUnknown }: ComparedVariant): boolean {
  return (metric === 'cost' && isCostUnknown === true) || (metric === 'latency' && isLatencyUnknown === true);
}

function unknownOf({ metric, margin }: Hypothesis, where: Partial<Breach>): Breach {
  const isCost = metric === 'cost';
  const why = isCost ? 'no price, or an answer without usage' : 'an answer without a measured latency';
  const message = `the ${metric} can't be compared (${why}), so the limit of +${percent(margin)} can't be judged`;
  return { code: isCost ? 'unpriced' : 'untimed', ...where, metric, message };
}

function breachOf(hypothesis: Hypothesis, where: Partial<Breach>, message: string): Breach {
  const { code, metric, slice, class: ofClass, evidence } = hypothesis;
  const { baseline, candidate } = evidence;
  return {
    code,
    ...where,
    metric,
    ...defined({ slice, class: ofClass, baseline: baseline ?? undefined, candidate: candidate ?? undefined }),
    message,
  };
}

/** Worse beyond doubt, whatever the margin lets through. */
function isWorse({ evidence: { low, high }, isRatio, p }: Hypothesis, alpha: number): boolean {
  const isBeyondZero = isRatio ? low !== null && low > 0 : high !== null && high < 0;
  return isBeyondZero && p !== null && p <= alpha / 2;
}
