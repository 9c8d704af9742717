import type { RowSummary } from '../../model/summary.ts';

/** What a trial says of a case: a verdict, or an error that says nothing. */
export type TrialRow = Pick<RowSummary, 'status' | 'score' | 'costUsd' | 'classified'>;

export type RetrialSide = 'candidate' | 'accepted';

/** A case that retrials may decide; rows in the order of their trial numbers. */
export interface RetriedCase {
  /** Unique in the invocation. */
  readonly id: string;
  readonly caseId: string;
  /** The planned trials of the candidate. */
  readonly planned: readonly TrialRow[];
  /** Retrials of the candidate and of the accepted prompt. */
  readonly candidate: readonly TrialRow[];
  readonly accepted: readonly TrialRow[];
}

/** Retrials that are wanted of one side of a case. */
export interface WantedRetrials {
  /** Of the case. */
  readonly id: string;
  readonly side: RetrialSide;
  readonly count: number;
}

/** A side of a case with this many errored retrials can't be settled by asking again. */
export const maxErroredRetrials = 2;

export function judgedRows(rows: readonly TrialRow[]): readonly TrialRow[] {
  return rows.filter(({ status }) => status === 'passed' || status === 'failed');
}

export function countErrored(rows: readonly TrialRow[]): number {
  return rows.filter(({ status }) => status === 'errored').length;
}

export function countFailed(rows: readonly TrialRow[]): number {
  return rows.filter(({ status }) => status === 'failed').length;
}
