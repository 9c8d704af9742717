import type { JsonObject } from '../../json/json.ts';
import type { PromptFindings } from '../comparison/finding.ts';
import type { Breach } from '../comparison/gate.ts';
import type { RowClass } from '../suite/classes.ts';
import type { CellStatus } from './cell.ts';
import type { CellRow, EndRow, ResumeRow, RunHeader } from './record.ts';

/** What a run is compared with: the accepted baseline, the one that the change itself brings, or the pinned reference. */
export type ComparedRole = 'baseline' | 'own' | 'reference';

/** What reports say of the baseline that a run was compared with. */
export interface ComparedHead {
  readonly source: string;
  /** When it was accepted, as an ISO date; undefined if that is not known. */
  readonly acceptedAt?: string;
  /** Set if the commit never had a baseline of the suite, and this is the one that the change adds. */
  readonly isFirst?: true;
}

/** A line of a baseline, as it was when the run was compared with it. The first one of a role and suite has the `head`. */
export interface ComparedLine {
  readonly type: 'compared';
  readonly role: ComparedRole;
  readonly suite: string;
  readonly head?: ComparedHead;
  readonly line: JsonObject;
}

/** Checks as they were accepted, so that new answers can be judged by them. Cases name them by a part of their hash. */
export interface StoredChecks {
  readonly type: 'checks';
  readonly hash: string;
  /** Each check as a suite would write it, rendered. */
  readonly checks: readonly JsonObject[];
  readonly threshold?: number;
}

/** A verdict on an answer by other checks than those that it was first judged by. */
export type JudgedLine = {
  readonly type: 'judged';
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly caseId: string;
} & (
  | {
      /** Accepted answers, judged by the checks of this run. */
      readonly by: 'new-checks';
      readonly role: ComparedRole;
      /** The hash of the case in this run. */
      readonly caseHash: string;
      readonly trials: readonly JudgedTrial[];
    }
  | {
      /** Accepted answers, classified as this run classifies. */
      readonly by: 'classes';
      readonly role: ComparedRole;
      readonly trials: readonly (Pick<CellRow, 'trial'> & { readonly classified: RowClass })[];
    }
  | {
      /** Answers of this run, judged by the accepted checks. */
      readonly by: 'accepted-checks';
      /** `unknown`: a check could not be made again. `not-kept`: the baseline keeps no checks. */
      readonly verdict: 'passes' | 'fails' | 'unknown' | 'not-kept';
      /** The checks that differ, as written. */
      readonly before: readonly string[];
      readonly after: readonly string[];
      /** Why the answers fail. */
      readonly reason?: string;
    }
);

export interface JudgedTrial extends Pick<CellRow, 'trial'> {
  readonly status: CellStatus;
  readonly score?: number;
}

/** What the output contracts of the run's prompts broke. */
export interface ContractsLine {
  readonly type: 'contracts';
  readonly contracts: readonly PromptFindings[];
  readonly failures: readonly Breach[];
  readonly warnings: readonly string[];
}

/** A line beside the rows of cells that a decision needs. */
export type DecidingLine = ComparedLine | StoredChecks | JudgedLine | ContractsLine;

export type RecordRow = RunHeader | CellRow | DecidingLine | ResumeRow | EndRow;
