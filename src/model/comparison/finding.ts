import type { JsonValue } from '../../json/json.ts';
import type { SourceLocation } from '../problem.ts';

/** The side that a change affects: `input` affects callers, `output` affects consumers. */
export type Direction = 'input' | 'output';

export type FindingSeverity = 'error' | 'warn' | 'info';

/** One difference between two contracts, with its severity. */
export interface Finding {
  /** Stable and documented. */
  readonly ruleId: string;
  readonly direction: Direction;
  readonly severity: FindingSeverity;
  /** JSON Pointer into the schema or the prompt's description; '' is the root. */
  readonly path: string;
  /** Null if the old contract said nothing. */
  readonly old: JsonValue;
  /** Null if the new contract has no such part. */
  readonly new: JsonValue;
  readonly message: string;
  /** 12 hex digits that identify this difference. Other changes do not affect it. */
  readonly fingerprint: string;
  /** Set if the suite approves this finding. */
  readonly approved?: true;
}

/** True for a finding that breaks the contract: an error that is not approved. */
export function isBreak({ severity, approved }: Pick<Finding, 'severity' | 'approved'>): boolean {
  return severity === 'error' && approved !== true;
}

/** A finding with its place in the current files. */
export interface LocatedFinding extends Finding {
  readonly at?: SourceLocation;
}

/** The check of a change against stored answers, which shows if a possible break really occurs. */
export interface ObservedAnswers {
  /** Whose answers were checked against which side's output schema. */
  readonly answers: 'baseline' | 'new';
  readonly schema: 'new' | 'old';
  readonly total: number;
  /** Number of answers that only this schema rejects. */
  readonly rejected: number;
  /** Number of answers that both schemas reject, so that the change did not break them. Absent if there is none. */
  readonly alreadyRejected?: number;
  /** Number of answers that could not be checked, or not in time. Absent if there is none. */
  readonly unjudged?: number;
  /** The first rejected answers. */
  readonly offenders: readonly { readonly caseId: string; readonly reason: string }[];
  /** `12 of 40 recorded answers would now be rejected`. */
  readonly message: string;
}

/** The contract findings of one prompt. */
export interface PromptFindings {
  readonly suite: string;
  readonly prompt: string;
  /** The other side of the comparison, in words. */
  readonly against: string;
  readonly findings: readonly LocatedFinding[];
  readonly observed?: readonly ObservedAnswers[];
}

/** The report of `contract check` and `contract diff`. */
export interface ContractReport {
  /** One entry for each prompt. A comparison of two files is one entry without names. */
  readonly entries: readonly (Omit<PromptFindings, 'suite' | 'prompt'> & {
    readonly suite?: string;
    readonly prompt?: string;
  })[];
  /** Remarks without effect on the result, such as a suite without a baseline. */
  readonly notes: readonly string[];
  readonly exitCode: number;
}

const maxNamed = 20;

/** A run's warnings for one prompt's contract: doubtful changes, and results on stored answers. */
export function describeContractWarnings({
  suite,
  prompt,
  findings,
  observed = [],
}: PromptFindings): readonly string[] {
  const place = `${suite}: contract of ${prompt}`;
  const doubtful = findings.filter(({ severity, approved }) => severity === 'warn' && approved !== true);
  const named = doubtful
    .slice(0, maxNamed)
    .map(({ ruleId, path, message }) => `${place}, ${ruleId} at ${path}: ${message}`);
  const more = doubtful.length - named.length;
  return [
    ...named,
    ...(more > 0 ? [`${place}: and ${more} more warnings`] : []),
    ...observed
      .filter(({ rejected, unjudged = 0 }) => rejected > 0 || unjudged > 0)
      .map(({ message }) => `${place}: ${message}`),
  ];
}
