export const breachCodes = [
  'pass-rate-min',
  'score-min',
  'cost-max',
  'latency-p95-max',
  'must-pass',
  'case-broken',
  'case-added-failed',
  'pass-rate-regressed',
  'score-regressed',
  'cost-regressed',
  'latency-regressed',
  'contract-broken',
  'erosion',
  'errors-exceeded',
  'nothing-evaluated',
  'stopped',
  'unpriced',
  'untimed',
  'judge-uncalibrated',
  'inconclusive',
] as const;

export type BreachCode = (typeof breachCodes)[number];

/** One broken threshold. */
export interface Breach {
  readonly code: BreachCode;
  readonly suite?: string;
  readonly prompt?: string;
  readonly provider?: string;
  readonly caseId?: string;
  readonly metric?: 'passRate' | 'score' | 'cost' | 'latency';
  readonly baseline?: number;
  readonly candidate?: number;
  readonly message: string;
}

export type DecisionOutcome = 'passed' | 'failed' | 'inconclusive' | 'incomplete';

/** The gate's word. The exit code follows from it alone (model/exit-code.ts). */
export interface Decision {
  readonly outcome: DecisionOutcome;
  readonly breaches: readonly Breach[];
  /** Visible remarks that do not change the outcome. */
  readonly warnings: readonly string[];
  /** What `incomplete` means: cells that could not be judged, or an evaluation that did not happen. */
  readonly incompleteBecause?: 'errors' | 'stopped' | 'nothing-evaluated' | 'uncalibrated' | 'inconclusive';
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}
