import { defined } from '../../json/defined.ts';
import type { BreachCode } from '../../model/comparison/breach.ts';
import type {
  ComparedClasses,
  ComparedVariant,
  JudgedMargin,
  MetricEvidence,
} from '../../model/comparison/comparison.ts';
import type { GatePolicy } from '../../model/suite/gate-policy.ts';
import { decideRatioVerdict, decideVerdict, type TestVerdict } from '../../stats/compare-cases.ts';
import {
  defaultMaxCostIncrease,
  defaultMaxDrop,
  defaultMaxLatencyIncrease,
  defaultMaxStepsIncrease,
} from '../default-margins.ts';

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
  /** `fail` for limits that the user wrote; the defaults for cost, steps and latency only warn. */
  readonly level: 'fail' | 'warn';
  /** Null where there was nothing to test. */
  readonly p: number | null;
}

/** The metrics of a compared variant that have a margin, with their evidence. */
export function findHypotheses(compared: ComparedVariant, gate: GatePolicy): readonly Hypothesis[] {
  const { passRate, score, steps, classes, judgedMargin } = compared;
  const slices = [...(compared.slices ?? [])].map(([slice, one]) => {
    const { passRate: evidence, maxDrop, judgedMargin: ofSlice } = one;
    return dropOf('passRate', 'slice-regressed', evidence, {
      margin: maxDrop,
      slice,
      ...defined({ judgedMargin: ofSlice }),
    });
  });
  const margin = gate.passRate.maxDrop ?? defaultMaxDrop;
  const scoreMargin = gate.score.maxDrop ?? defaultMaxDrop;
  return [
    dropOf('passRate', 'pass-rate-regressed', passRate, { margin, ...defined({ judgedMargin }) }),
    ...slices,
    ...(score === undefined ? [] : [dropOf('score', 'score-regressed', score, { margin: scoreMargin })]),
    ...(classes === undefined ? [] : findClassHypotheses(classes)),
    increaseOf('cost', compared.costUsd, gate.cost.maxIncrease, defaultMaxCostIncrease),
    ...(steps === undefined ? [] : [increaseOf('steps', steps, gate.steps?.maxIncrease, defaultMaxStepsIncrease)]),
    // The latency of another day is not comparable.
    ...(compared.latencyComparable
      ? [increaseOf('latency', compared.latencyMs, gate.latency.maxIncrease, defaultMaxLatencyIncrease)]
      : []),
  ];
}

interface DropLimit extends Pick<Hypothesis, 'slice' | 'class' | 'margin'> {
  readonly judgedMargin?: JudgedMargin;
  /** False where no limit is set, so that a drop only warns. */
  readonly isLimited?: boolean;
}

/** A metric that must not fall by more than the margin. */
function dropOf(
  metric: 'passRate' | 'score' | 'recall' | 'f1',
  code: BreachCode,
  evidence: MetricEvidence,
  { margin, judgedMargin, isLimited = true, slice, class: ofClass }: DropLimit,
): Hypothesis {
  return {
    metric,
    ...defined({ slice, class: ofClass }),
    code,
    evidence,
    margin: judgedMargin?.margin ?? margin,
    ...defined({ isOfVerdicts: judgedMargin === undefined ? undefined : (true as const) }),
    isRatio: false,
    level: isLimited ? 'fail' : 'warn',
    p: evidence.p,
  };
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
  return [
    dropOf('f1', 'f1-regressed', f1.evidence, { margin: f1.maxDrop }),
    ...[...recall].map(([name, { evidence, maxDrop, isLimited }]) =>
      dropOf('recall', 'recall-regressed', evidence, { margin: maxDrop, class: name, isLimited }),
    ),
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
    {
      low,
      high,
      pWorse: p,
      ...defined({ worstLow: worstLow ?? undefined }),
    },
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
