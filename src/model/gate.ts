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

/** Breaches that say that nothing can be said. */
export const undecidedCodes: ReadonlySet<BreachCode> = new Set<BreachCode>([
  'errors-exceeded',
  'nothing-evaluated',
  'stopped',
  'unpriced',
  'untimed',
  'judge-unvalidated',
  'inconclusive',
]);

/** One broken threshold. */
export interface Breach {
  readonly code: BreachCode;
  readonly suite?: string;
  readonly prompt?: string;
  readonly provider?: string;
  readonly caseId?: string;
  readonly metric?: 'passRate' | 'score' | 'cost' | 'latency' | 'steps' | 'recall' | 'precision' | 'f1';
  /** The tag whose cases the metric is of; absent if it is of all cases. */
  readonly slice?: string;
  /** The class that a recall or precision is of. */
  readonly class?: string;
  readonly baseline?: number;
  readonly candidate?: number;
  readonly message: string;
}

export type DecisionOutcome = 'passed' | 'failed' | 'inconclusive' | 'incomplete';

/** The gate's decision, from which alone the exit code follows (model/exit-code.ts). */
export interface Decision {
  readonly outcome: DecisionOutcome;
  readonly breaches: readonly Breach[];
  /** Visible remarks that do not change the outcome. */
  readonly warnings: readonly string[];
  /** What the change takes out of its own gate, one sentence each; they are among the warnings too. */
  readonly loosened?: readonly string[];
  /** What `incomplete` means: cells that could not be judged, or an evaluation that did not happen. */
  readonly incompleteBecause?: 'errors' | 'stopped' | 'nothing-evaluated' | 'unvalidated' | 'inconclusive';
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  /** How sure it is that nothing got worse; absent if nothing was compared. */
  readonly certainty?: Certainty;
}

/**
 * `unchanged`: every compared cell asks what the baseline's asked, and has its verdict. `certain`: a drop beyond the margin
 * is excluded. `unseen`: nothing got worse that these cases can show.
 */
export interface Certainty {
  readonly kind: 'unchanged' | 'certain' | 'unseen';
  /** Compared cases, over all variants. */
  readonly cases: number;
  /** For `unseen`: the largest drop of a pass rate that could go unnoticed, as a fraction; null if any drop could. */
  readonly drop?: number | null;
  /** For `unseen`: the gated slice or class in which the largest drop could go unnoticed. */
  readonly slice?: UnseenSlice;
}

export interface UnseenSlice {
  readonly name: string;
  /** True if the cases are those of a class, of which the drop is one of recall. */
  readonly isClass?: true;
  /** Its compared cases. */
  readonly cases: number;
  /** The largest drop that could go unnoticed, as for the whole. */
  readonly drop: number | null;
}
