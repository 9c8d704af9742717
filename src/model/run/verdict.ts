import type { JsonValue } from '../../json/json.ts';
import type { JudgeCounts } from '../../stats/agreement.ts';
import type { AssertionPlugin, CodeSource, LoadedPlugin } from '../suite/own-code.ts';

/** The result of one check on one answer. */
export interface Verdict {
  /** The assertion's name; `contract` for the output contract. */
  readonly assertion: string;
  /** The user's own name for the check. */
  readonly name?: string;
  readonly pass: boolean;
  /** In [0, 1]. */
  readonly score: number;
  /** States the found value, not only the expected one. */
  readonly reason: string;
  readonly weight: number;
  readonly required: boolean;
  /** The found and expected text, if a diff of them helps. */
  readonly diff?: { readonly expected: string; readonly found: string };
  /** The turn of a conversation that was checked; undefined for the last answer. */
  readonly turn?: number;
  /** The check itself could not be made: neither pass nor fail. */
  readonly error?: string;
  /** How a judging model reached its verdict. */
  readonly judgement?: Judgement;
}

/** How a judging model reached its verdict, without the cost of its calls or whether they were cached. */
export interface Judgement {
  /** The judge's id in the suite. */
  readonly judge: string;
  /** The model snapshot that answered, if the API reports it. */
  readonly model?: string;
  readonly votes: number;
  /** The share of votes that agree with the verdict, in [0, 1]. */
  readonly agreement: number;
  /** Results by position, if two answers were compared in both orders: wins of the first, wins of the second, ties. */
  readonly positions?: { readonly first: number; readonly second: number; readonly tie: number };
  /** Hash of the check, written and rendered. A stored verdict is valid while this hash is the same. */
  readonly check: string;
}

/** A check ready to be made: templates rendered, parameters parsed by the assertion's own schema. */
export interface CheckSpec {
  readonly assertion: string;
  /** The parameters that the assertion's schema returned. */
  readonly params: unknown;
  readonly select?: SelectSpec;
  readonly name?: string;
  readonly weight: number;
  readonly required: boolean;
  /** The children of `not` (one), `anyOf` and `allOf`. */
  readonly children?: readonly CheckSpec[];
  /** The user's own code that the check runs. */
  readonly code?: CodeSource;
  /** The plug-in that makes the check. */
  readonly plugin?: LoadedPlugin<AssertionPlugin>;
  /** The id of the judge or embeddings model that the check calls. */
  readonly asks?: string;
  /** The parameters as written and rendered. The hashes of case and cell are computed from them. */
  readonly source: JsonValue;
}

/** The part of an answer that is checked. */
export type SelectSpec =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | { readonly kind: 'jsonPath'; readonly path: string }
  | {
      readonly kind: 'regex';
      readonly pattern: string;
      readonly flags: string;
      readonly group: number;
      readonly match: 'first' | 'last';
    }
  | { readonly kind: 'codeBlock'; readonly language: string }
  | { readonly kind: 'xmlTag'; readonly tag: string }
  | { readonly kind: 'trim' }
  /** The text with every match, or the first, replaced. */
  | {
      readonly kind: 'replace';
      readonly pattern: string;
      readonly flags: string;
      readonly with: string;
      readonly match: 'first' | 'all';
    }
  /** Each step selects from the result of the step before it. */
  | { readonly kind: 'steps'; readonly steps: readonly SelectSpec[] }
  | { readonly kind: 'toolCalls' }
  | { readonly kind: 'reasoning' }
  /** The final state of the case's tools. */
  | { readonly kind: 'state' }
  /** The skill that an agent loads. */
  | { readonly kind: 'skill' }
  /** A file of the workspace that the program left. */
  | { readonly kind: 'file'; readonly path: string }
  /** The return value of the user's own function. */
  | { readonly kind: 'module'; readonly name: string; readonly exportName: string; readonly code: CodeSource };

/** Grows when a field changes meaning or a new one is required; new optional fields do not count. */
export const validationFormat = 1;

/** The level of the intervals of all measurements of a judge. */
export const validationAlpha = 0.05;

/** A judge's agreement with people on one criterion. It is stored beside the suite, where each run reads it. */
export interface JudgeValidation {
  /** The judge's id in the suite. */
  readonly judge: string;
  readonly assertion: string;
  /** The user's own name for the check. */
  readonly name?: string;
  /** The `criterionHash` of model/suite/suite.ts. The measurement holds for this judge model and question only. */
  readonly criterionHash: string;
  /** Hash of the labelled answers that it was measured on; absent in older files. */
  readonly labels?: string;
  /** Labelled answers with a verdict of the judge. */
  readonly cases: number;
  /** The share of these answers on which judge and label agree. */
  readonly agreement: number | null;
  /** Null if it is undefined, as when all labels or all verdicts are equal. */
  readonly kappa: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Counts from which sensitivity and specificity are computed; absent in older files. */
  readonly counts?: JudgeCounts;
}
