import type { JudgeCounts } from '../stats/agreement.ts';

/** Grows when a field gains or changes meaning. */
export const calibrationFormat = 1;

/** Of the intervals of everything that is measured of a judge. */
export const calibrationAlpha = 0.05;

/** How well a judge agreed with people on one criterion; kept beside the suite, so that a run can ask for it. */
export interface JudgeCalibration {
  /** The judge's id in the suite. */
  readonly judge: string;
  readonly assertion: string;
  /** The user's own name for the check. */
  readonly name?: string;
  /** The criterion's (model/suite.ts): another judge model or another question was not measured. */
  readonly criterionHash: string;
  /** Hash of the labelled answers that it was measured on; absent in older files. */
  readonly labels?: string;
  /** Labelled answers that the judge gave a verdict on. */
  readonly cases: number;
  /** The share of them where judge and label agree. */
  readonly agreement: number | null;
  /** Null where it can't be said: labels or verdicts that are all alike. */
  readonly kappa: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** What sensitivity and specificity follow from; absent in older files. */
  readonly counts?: JudgeCounts;
}
