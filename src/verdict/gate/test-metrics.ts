import { defined } from '../../json/defined.ts';
import type { ComparedVariant } from '../../model/comparison/comparison.ts';
import type { Breach } from '../../model/comparison/gate.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { VariantSummary } from '../../model/run/summary.ts';
import type { GatePolicy } from '../../model/suite/suite.ts';
import type { TestVerdict } from '../../stats/compare-cases.ts';
import { adjustHolm } from '../../stats/multiplicity.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { AverageVerdict } from '../confirm/judge-average.ts';
import { findStoredMetrics, isFlagged } from './find-averages.ts';
import type { Suspicions } from './find-suspicions.ts';
import type { GatedComparison } from './gated-comparison.ts';
import { decideHypothesis, type Hypothesis } from './judge-metrics.ts';
import { describeOrder, describeWithin, describeWorse, percent } from './wording.ts';

/** What the data says of one metric. */
export interface JudgedMetric {
  readonly hypothesis: Hypothesis;
  readonly verdict: TestVerdict;
  /** The metric looks worse, and nothing has settled it. */
  readonly isOpen: boolean;
  /** Why a metric that looks worse does not fail, or does, where confirmation trials decided. */
  readonly why?: string;
  /** The change's own baseline has it as it is now. */
  readonly isAccepted?: true;
}

/** A metric that confirmation trials of both sides decide about. */
export function judgeLook(
  hypothesis: Hypothesis,
  look: AverageVerdict | undefined,
  { alpha, isCertain }: { readonly alpha: number; readonly isCertain: boolean },
): JudgedMetric {
  const quiet = { hypothesis, verdict: 'inconclusive' as const, isOpen: false };
  switch (look?.kind) {
    case undefined:
      return isCertain || isExcluded(hypothesis, alpha) ? { ...quiet, verdict: 'not_regressed' } : quiet;
    case 'not-needed':
    case 'unavailable':
      return quiet;
    case 'confirmed':
      return {
        hypothesis,
        verdict: 'regressed',
        isOpen: false,
        why: `seen again in the confirmation trials of ${formatCount(look.cases, 'case')}`,
      };
    case 'cleared':
      return { ...quiet, why: `but not in the confirmation trials of ${formatCount(look.cases, 'case')}` };
    case 'unsettled':
    case 'open':
      return { ...quiet, isOpen: true, why: 'and confirmation trials have not settled it' };
  }
}

/** True where a drop beyond the margin is excluded. */
function isExcluded(hypothesis: Hypothesis, alpha: number): boolean {
  return decideHypothesis(hypothesis, 0, alpha) === 'not_regressed';
}

/**
 * Tests the metrics whose accepted prompt is not asked, on the stored trials (Holm 1979). Metrics that confirmation trials decide
 * about have their part of the level, by number.
 */
export function testAtOnce(
  gated: readonly GatedComparison[],
  {
    looks,
    partial,
  }: Pick<Suspicions, 'looks'> & { readonly partial: ReadonlyMap<VariantSummary, { readonly isCertain: boolean }> },
  settings: Pick<RunSettings, 'drift'>,
): ReadonlyMap<GatedComparison, readonly JudgedMetric[]> {
  const all = gated.flatMap((comparison) => {
    const { alpha } = comparison.suite.recorded.gate;
    const looked = looks.get(comparison.variant) ?? [];
    return findStoredMetrics(comparison, looked, settings).map((stored) => ({ ...stored, comparison, alpha }));
  });
  // These tests are made once, of all cases.
  const partialOf = ({ variant }: GatedComparison, { level }: Hypothesis) =>
    level === 'fail' ? partial.get(variant) : undefined;
  const looked = [...looks.values()]
    .flat()
    .filter(({ hypothesis, isAccepted }) => hypothesis.p !== null && !isAccepted);
  const failing = all.filter(({ canFail }) => canFail).map(({ hypothesis }) => hypothesis);
  const adjusted = adjustHolm(failing.map(({ p }) => p ?? 1));
  const factor = (failing.length + looked.length) / failing.length;
  const adjustedBy = new Map(failing.map((one, index) => [one, Math.min(1, (adjusted[index] ?? 1) * factor)]));
  const tested = new Map<GatedComparison, JudgedMetric[]>();
  for (const { comparison, hypothesis, alpha, isAccepted, isUnchanged } of all) {
    const p = adjustedBy.get(hypothesis) ?? hypothesis.p;
    const early = partialOf(comparison, hypothesis);
    const judged: JudgedMetric = isAccepted
      ? { hypothesis, verdict: 'inconclusive', isOpen: false, isAccepted: true }
      : early === undefined
        ? testMetric(hypothesis, { p, alpha, isUnchanged })
        : { hypothesis, verdict: early.isCertain ? 'not_regressed' : 'inconclusive', isOpen: false };
    tested.set(comparison, [...(tested.get(comparison) ?? []), judged]);
  }
  return tested;
}

function testMetric(
  hypothesis: Hypothesis,
  { p, alpha, isUnchanged }: { readonly p: number | null; readonly alpha: number; readonly isUnchanged: boolean },
): JudgedMetric {
  const verdict = decideHypothesis(hypothesis, p, alpha);
  const isFailing = hypothesis.level === 'fail';
  const isOpen = isFailing && verdict !== 'regressed' && isFlagged(hypothesis, alpha);
  if (isUnchanged && isFailing && (verdict === 'regressed' || isOpen)) {
    return { hypothesis, verdict: 'inconclusive', isOpen: true, why: 'although nothing that is sent has changed' };
  }
  const isWorseUnadjusted =
    verdict !== 'regressed' && decideHypothesis(hypothesis, hypothesis.p, alpha) === 'regressed';
  const why = isWorseUnadjusted ? 'before adjusting for the comparisons of this run' : undefined;
  return { hypothesis, verdict, isOpen, ...defined({ why }) };
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
  for (const { hypothesis, verdict, why } of metrics) {
    const message = why === undefined ? describeWorse(hypothesis) : `${describeWorse(hypothesis)}, ${why}`;
    const isGated = hypothesis.level === 'fail';
    if (verdict === 'regressed' && isGated) failures.push(breachOf(hypothesis, where, message));
    else if (verdict === 'regressed') notes.push(`${message} (a warning: the suite's gate sets no limit)`);
    else if (why !== undefined) notes.push(message);
    else if (verdict === 'not_regressed' && isWorse(hypothesis, gate.alpha)) notes.push(describeWithin(hypothesis));
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
  return { failures, errors, notes, uncertain, isOpen: metrics.some(({ isOpen }) => isOpen) };
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
