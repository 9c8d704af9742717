import type { JsonValue } from '../json/json.ts';
import type { SourceLocation } from './problem.ts';

/** Who must keep up: callers with what is accepted, consumers with what arrives. */
export type Direction = 'input' | 'output';

export type FindingSeverity = 'error' | 'warn' | 'info';

/** `practical`: the documented severities; `formal`: only the subset rule; `lenient`: only removing, renaming and retyping fail. */
export type ContractPolicy = 'practical' | 'formal' | 'lenient';

/** Sets the severity of findings by rule, by place, or by both; `off` leaves them out. */
export interface SeverityOverride {
  readonly rule?: string;
  /** A JSON Pointer, its subtree included; a `*` stands for one token. */
  readonly path?: string;
  readonly severity: FindingSeverity | 'off';
}

/** One difference between two contracts and what it means for the other side. */
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
  /** 12 hex digits; the same as long as this very difference is, whatever else changes. */
  readonly fingerprint: string;
  /** Set if the suite lets this finding through. */
  readonly approved?: true;
}

/** True for what breaks the contract: an error that is not approved. */
export function isBreak({ severity, approved }: Pick<Finding, 'severity' | 'approved'>): boolean {
  return severity === 'error' && approved !== true;
}

/** A finding with its place in the files of today. */
export interface LocatedFinding extends Finding {
  readonly at?: SourceLocation;
}

/** What stored answers say of a change: whether a possible break was observed. */
export interface ObservedAnswers {
  /** Whose answers were checked against which side's output schema. */
  readonly answers: 'baseline' | 'new';
  readonly schema: 'new' | 'old';
  readonly total: number;
  /** Refused by this schema and not by the other. */
  readonly rejected: number;
  /** Refused by both schemas: broken before, too; left out if there is none. */
  readonly alreadyRejected?: number;
  /** Answers that could not be judged, in time or at all; left out if every one could. */
  readonly unjudged?: number;
  /** The first of them. */
  readonly offenders: readonly { readonly caseId: string; readonly reason: string }[];
  /** `12 of 40 recorded answers would now be rejected`. */
  readonly message: string;
}

/** What became of the contract of one prompt. */
export interface PromptFindings {
  readonly suite: string;
  readonly prompt: string;
  /** What it was compared with, in words. */
  readonly against: string;
  readonly findings: readonly LocatedFinding[];
  readonly observed?: readonly ObservedAnswers[];
}

/** What `contract check` and `contract diff` have to say. */
export interface ContractReport {
  /** A prompt each; a comparison of two files is one entry without names. */
  readonly entries: readonly (Omit<PromptFindings, 'suite' | 'prompt'> & {
    readonly suite?: string;
    readonly prompt?: string;
  })[];
  /** Remarks that change nothing, such as a suite without a baseline. */
  readonly notes: readonly string[];
  readonly exitCode: number;
}

const maxNamed = 20;

/** A run's warnings for one prompt's contract: doubtful changes, and what stored answers say. */
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
