export const breachCodes = [
  'pass-rate-min',
  'score-min',
  'cost-max',
  'steps-max',
  'latency-p95-max',
  'first-token-p95-max',
  'must-pass',
  'case-broken',
  'case-drifted',
  'case-added-failed',
  'pass-rate-regressed',
  'score-regressed',
  'cost-regressed',
  'steps-regressed',
  'latency-regressed',
  'recall-min',
  'precision-min',
  'f1-min',
  'recall-regressed',
  'f1-regressed',
  'slice-min',
  'slice-regressed',
  'contract-broken',
  'erosion',
  'errors-exceeded',
  'nothing-evaluated',
  'stopped',
  'unpriced',
  'untimed',
  'judge-unvalidated',
  'inconclusive',
] as const;

export type BreachCode = (typeof breachCodes)[number];

/** Breaches that leave the run undecided. */
export const undecidedCodes: ReadonlySet<BreachCode> = new Set<BreachCode>([
  'errors-exceeded',
  'nothing-evaluated',
  'stopped',
  'unpriced',
  'untimed',
  'judge-unvalidated',
  'inconclusive',
]);

/** A broken limit. */
export interface Breach {
  readonly code: BreachCode;
  readonly suite?: string;
  readonly prompt?: string;
  readonly provider?: string;
  readonly caseId?: string;
  readonly metric?: 'passRate' | 'score' | 'cost' | 'latency' | 'steps' | 'recall' | 'precision' | 'f1';
  /** The tag of the cases that the metric covers; absent if it covers all cases. */
  readonly slice?: string;
  /** The class of a recall or precision. */
  readonly class?: string;
  readonly baseline?: number;
  readonly candidate?: number;
  readonly message: string;
}

export type DecisionOutcome = 'passed' | 'failed' | 'inconclusive' | 'incomplete';

/** The gate's decision. The exit code depends on nothing else (model/comparison/exit-code.ts). */
export interface Decision {
  readonly outcome: DecisionOutcome;
  readonly breaches: readonly Breach[];
  /** Remarks for the user that do not change the outcome. */
  readonly warnings: readonly string[];
  /** Settings that the change loosens in its own gate, one sentence each. `warnings` contains them too. */
  readonly loosened?: readonly string[];
  /** The reason for `incomplete`: cells could not be judged, or an evaluation did not happen. */
  readonly incompleteBecause?: 'errors' | 'stopped' | 'nothing-evaluated' | 'unvalidated' | 'inconclusive';
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  /** How sure it is that nothing got worse; absent if nothing was compared. */
  readonly certainty?: Certainty;
}

/**
 * `unchanged`: every compared cell sends the baseline's request and has the baseline's verdict. `certain`: a drop
 * beyond the margin is excluded. `unseen`: no drop was found, but these cases cannot exclude one.
 */
export interface Certainty {
  readonly kind: 'unchanged' | 'certain' | 'unseen';
  /** Number of compared cases, over all variants. */
  readonly cases: number;
  /** For `unseen`: the largest drop of a pass rate that could go unnoticed, as a fraction. Null if any drop could. */
  readonly drop?: number | null;
  /** For `unseen`: the gated slice or class in which the largest drop could go unnoticed. */
  readonly slice?: UnseenSlice;
}

export interface UnseenSlice {
  readonly name: string;
  /** True if the cases are the cases of a class. The drop is then a drop of its recall. */
  readonly isClass?: true;
  /** Number of its compared cases. */
  readonly cases: number;
  /** The largest drop that could go unnoticed, as a fraction; null if any drop could. */
  readonly drop: number | null;
}
