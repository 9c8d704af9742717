import type { BreachCode } from './breach.ts';

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

/**
 * What a decision rests on. Of a run that passed: how sure it is, or what a reader should look at. Of one that failed: the breach
 * that decides. `unsettled`: something looks worse and is neither confirmed nor cleared. `drift`: the accepted prompt fails as
 * well, beyond the margin.
 */
export const decisionKinds = [
  'unchanged',
  'certain',
  'unseen',
  'uncompared',
  'accepted',
  'drifted',
  'loosened',
  'must-pass',
  'broken',
  'regressed',
  'added',
  'limit',
  'contract',
  'erosion',
  'drift',
  'unsettled',
  'uncertain',
  'errors',
  'stopped',
  'nothing-evaluated',
  'unvalidated',
  'record',
  'interrupted',
] as const;

export type DecisionKind = (typeof decisionKinds)[number];

/**
 * Why one failure, or several, are not settled. `mixed`: both prompts fail the case at times. `records`: two stored records
 * are compared, which can't be asked.
 */
export const unsettledBecause = {
  errors: {
    one: 'its fresh trials errored, so nothing confirms it',
    many: 'their fresh trials errored, so nothing confirms them',
  },
  stopped: { one: 'the run stopped before it was settled', many: 'the run stopped before they were settled' },
  budget: {
    one: 'the calls for fresh trials were used up before it was settled',
    many: 'the calls for fresh trials were used up before they were settled',
  },
  'no-budget': {
    one: 'gate.confirm.budget is 0, so it was not asked again',
    many: 'gate.confirm.budget is 0, so they were not asked again',
  },
  records: {
    one: 'two records are compared, so it was not asked again',
    many: 'two records are compared, so they were not asked again',
  },
  mixed: {
    one: 'both prompts fail it at times, and their trials do not tell them apart',
    many: 'both prompts fail them at times, and their trials do not tell them apart',
  },
} as const;

export type UnsettledReason = keyof typeof unsettledBecause;

export const unsettledReasons = Object.keys(unsettledBecause) as readonly UnsettledReason[];

/** What was found of a case that failed, with the trials that it rests on. */
export interface CaseVerdictReport {
  readonly caseId: string;
  readonly verdict: 'broken' | 'drifted' | 'flaky' | 'unsettled' | 'not-needed' | 'known';
  /** For `unsettled`: why it is. */
  readonly why?: UnsettledReason;
  /** Planned trials of the candidate, and those of them that failed. */
  readonly planned: number;
  readonly plannedFailed: number;
  /** Fresh trials with a verdict, and those of them that failed. */
  readonly asked: number;
  readonly failed: number;
  readonly acceptedAsked: number;
  readonly acceptedFailed: number;
  /** The evidence that this change broke the case; null if another rule decided. */
  readonly evidence: number | null;
}

export interface CaseEvidenceReport extends CaseVerdictReport {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
}

/** A case that passes under edited checks alone. */
export interface LoosenedCase {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly caseId: string;
  readonly mustPass: boolean;
  /** True for a case that is judged no more: removed, skipped, or only observed. */
  readonly isLost?: true;
  /** The checks that differ, as written: accepted ones, then the ones of this change. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Why the answer fails the accepted checks; absent if they could not be made again. */
  readonly reason?: string;
}

/** Cases that fail with the accepted prompt too. */
export interface DriftSummary {
  readonly cases: number;
  /** Compared cases of the suites that have drifted ones. */
  readonly of: number;
  readonly isBeyondMargin: boolean;
}

/** The gate's decision. The exit code depends on nothing else (model/comparison/exit-code.ts). */
export interface Decision {
  readonly outcome: DecisionOutcome;
  readonly kind: DecisionKind;
  /** What was found of each case that failed, in the order of suites, variants and cases. */
  readonly evidence: readonly CaseEvidenceReport[];
  /** Cases that pass under edited checks alone; absent if there is none. */
  readonly loosenedCases?: readonly LoosenedCase[];
  /** Absent if no case drifted. */
  readonly drift?: DriftSummary;
  readonly breaches: readonly Breach[];
  /** Remarks for the user that do not change the outcome. */
  readonly warnings: readonly string[];
  /** Settings that the change loosens in its own gate, one sentence each. `warnings` contains them too. */
  readonly loosened?: readonly string[];
  /** The reason for `incomplete`: cells could not be judged, or an evaluation did not happen. */
  readonly incompleteBecause?:
    | 'errors'
    | 'drift'
    | 'stopped'
    | 'nothing-evaluated'
    | 'unvalidated'
    | 'inconclusive'
    | 'record';
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
  /** Variants of the run that are compared with nothing; absent if there is none. */
  readonly uncompared?: number;
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
