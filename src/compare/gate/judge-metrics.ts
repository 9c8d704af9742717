import type { ComparedClasses, ComparedVariant, MetricEvidence } from '../../model/comparison.ts';
import type { BreachCode } from '../../model/gate.ts';
import type { GatePolicy } from '../../model/suite.ts';
import { decideRatioVerdict, decideVerdict, type TestVerdict } from '../../stats/compare-cases.ts';

/** With fewer cases a signed rank test can't be significant at 2.5 %: then each case counts, without a test. */
export const minRankedCases = 6;

export type GatedMetric = 'passRate' | 'score' | 'cost' | 'latency' | 'steps' | 'recall' | 'f1';

/** One claim of an invocation: "this metric of this variant got worse". */
export interface Hypothesis {
  readonly metric: GatedMetric;
  /** The slice whose cases it is about; absent where it is about all. */
  readonly slice?: string;
  /** The class that a recall is of. */
  readonly class?: string;
  readonly code: BreachCode;
  readonly evidence: MetricEvidence;
  /** A drop of points, or an increase as a ratio minus 1. */
  readonly margin: number;
  readonly isRatio: boolean;
  /** True where the margin is a drop of judges' verdicts, which show only a part of a true drop. */
  readonly isOfVerdicts?: true;
  /** What the user wrote fails; the defaults for cost, steps and latency only warn. */
  readonly level: 'fail' | 'warn';
  /** Null where there was nothing to test. */
  readonly p: number | null;
}

/** The metrics of a compared variant that have a margin, with their evidence. */
export function findHypotheses(compared: ComparedVariant, gate: GatePolicy): readonly Hypothesis[] {
  const hypotheses: Hypothesis[] = [
    {
      metric: 'passRate',
      code: 'pass-rate-regressed',
      evidence: compared.passRate,
      margin: compared.judgedMargin?.margin ?? gate.passRate.maxDrop ?? defaultMaxDrop,
      ...(compared.judgedMargin === undefined ? {} : { isOfVerdicts: true as const }),
      isRatio: false,
      level: 'fail',
      p: compared.passRate.p,
    },
  ];
  for (const [slice, { passRate, maxDrop, judgedMargin }] of compared.slices ?? []) {
    hypotheses.push({
      metric: 'passRate',
      slice,
      code: 'slice-regressed',
      evidence: passRate,
      margin: judgedMargin?.margin ?? maxDrop,
      ...(judgedMargin === undefined ? {} : { isOfVerdicts: true as const }),
      isRatio: false,
      level: 'fail',
      p: passRate.p,
    });
  }
  if (compared.score !== undefined) {
    hypotheses.push({
      metric: 'score',
      code: 'score-regressed',
      evidence: compared.score,
      margin: gate.score.maxDrop ?? defaultMaxDrop,
      isRatio: false,
      level: 'fail',
      p: compared.score.p,
    });
  }
  if (compared.classes !== undefined) hypotheses.push(...findClassHypotheses(compared.classes));
  const { cost, steps, latency } = gate;
  hypotheses.push(increaseOf('cost', compared.costUsd, cost.maxIncrease, defaultMaxCostIncrease));
  if (compared.steps !== undefined) {
    hypotheses.push(increaseOf('steps', compared.steps, steps?.maxIncrease, defaultMaxStepsIncrease));
  }
  // The latency of another day is not comparable.
  if (compared.latencyComparable) {
    hypotheses.push(increaseOf('latency', compared.latencyMs, latency.maxIncrease, defaultMaxLatencyIncrease));
  }
  return hypotheses;
}

/** A metric that must not rise by more than a share: a limit that the user wrote fails. */
function increaseOf(
  metric: 'cost' | 'steps' | 'latency',
  evidence: Hypothesis['evidence'],
  maxIncrease: number | undefined,
  usual: number,
): Hypothesis {
  return {
    metric,
    code: `${metric}-regressed`,
    evidence,
    margin: maxIncrease ?? usual,
    isRatio: true,
    level: maxIncrease === undefined ? 'warn' : 'fail',
    p: evidence.p,
  };
}

function findClassHypotheses({ f1, recall }: ComparedClasses): readonly Hypothesis[] {
  const ofClasses = [...recall].map(
    ([name, { evidence, maxDrop, isLimited }]): Hypothesis => ({
      metric: 'recall',
      class: name,
      code: 'recall-regressed',
      evidence,
      margin: maxDrop,
      isRatio: false,
      level: isLimited ? 'fail' : 'warn',
      p: evidence.p,
    }),
  );
  const { evidence, maxDrop } = f1;
  const code = 'f1-regressed';
  return [
    { metric: 'f1', code, evidence, margin: maxDrop, isRatio: false, level: 'fail', p: evidence.p },
    ...ofClasses,
  ];
}

/** True where both say it of the same metric of the same cases. */
export function isSameClaim(one: Hypothesis, other: Hypothesis): boolean {
  return one.metric === other.metric && one.slice === other.slice && one.class === other.class;
}

/** A cost that rose from 0 has no ratio, but has certainly risen. */
export function isFromNothing({ metric, evidence: { baseline, candidate } }: Hypothesis): boolean {
  return metric === 'cost' && baseline === 0 && candidate !== null && candidate > 0;
}

/** Decides one hypothesis by its (adjusted) p. */
export function decideHypothesis(hypothesis: Hypothesis, p: number | null, alpha: number): TestVerdict {
  const { evidence, margin, isRatio } = hypothesis;
  if (isFromNothing(hypothesis)) return 'regressed';
  if (isRatio) {
    const ratio = (change: number | null) => (change === null ? null : change + 1);
    if (isOfTotals(hypothesis)) return decideTotals(evidence, p, { alpha, margin });
    return decideRatioVerdict(
      { low: ratio(evidence.low), high: ratio(evidence.high), pIncrease: p },
      { alpha, margin },
    );
  }
  const { low, high, worstLow, isUnpaired } = evidence;
  // Other cases may be easier, so two separate samples can't show that nothing got worse.
  if (isUnpaired === true) return decideVerdict({ low: null, high, pWorse: p }, { alpha, margin });
  return decideVerdict(
    { low, high, pWorse: p, ...(worstLow === undefined || worstLow === null ? {} : { worstLow }) },
    { alpha, margin },
  );
}

/** True for costs and steps, whose totals are compared. */
export function isOfTotals({ metric }: Pick<Hypothesis, 'metric'>): boolean {
  return metric === 'cost' || metric === 'steps';
}

/** Totals have risen, or stayed within the margin, where both the totals and the test over cases show it. */
function decideTotals(
  { delta, high, pWithin, everyCaseRose }: MetricEvidence,
  p: number | null,
  { alpha, margin }: { readonly alpha: number; readonly margin: number },
): TestVerdict {
  if (high !== null && high <= margin && (pWithin ?? 1) <= alpha / 2) return 'not_regressed';
  const isShown = everyCaseRose ?? (p !== null && p <= alpha / 2);
  return delta !== null && delta > margin && isShown ? 'regressed' : 'inconclusive';
}

/** What is tolerated where the gate does not say. */
export const defaultMaxDrop = 0.05;
export const defaultMaxCostIncrease = 0.1;
export const defaultMaxStepsIncrease = 0.2;
const defaultMaxLatencyIncrease = 0.2;
