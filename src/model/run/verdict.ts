import * as z from 'zod';
import type { JsonValue } from '../../json/json.ts';
import { magnitude, type Stored, share, wholeNumber } from '../../json/stored.ts';
import type { JudgeCounts } from '../../stats/agreement.ts';
import type { AssertionPlugin, CodeSource, LoadedPlugin } from '../suite/own-code.ts';

/** How a judging model reached its verdict, without the cost of its calls or whether they were cached. */
const judgementSchema = z.object({
  /** The judge's id in the suite. */
  judge: z.string(),
  /** The model snapshot that answered, if the API reports it. */
  model: z.string().exactOptional(),
  votes: wholeNumber,
  /** The share of votes that agree with the verdict. */
  agreement: share,
  /** Results by position, if two answers were compared in both orders: wins of the first, wins of the second, ties. */
  positions: z.object({ first: wholeNumber, second: wholeNumber, tie: wholeNumber }).exactOptional(),
  /** Hash of the check, written and rendered. A stored verdict is valid while this hash is the same. */
  check: z.string(),
});

export type Judgement = Stored<typeof judgementSchema>;

/** The result of one check on one answer. */
const verdictSchema = z.object({
  /** The assertion's name; `contract` for the output contract. */
  assertion: z.string(),
  /** The user's own name for the check. */
  name: z.string().exactOptional(),
  pass: z.boolean(),
  score: share,
  /** States the found value, not only the expected one. */
  reason: z.string(),
  weight: magnitude,
  required: z.boolean(),
  /** The found and expected text, if a diff of them helps. */
  diff: z.object({ expected: z.string(), found: z.string() }).exactOptional(),
  /** The turn of a conversation that was checked; undefined for the last answer. */
  turn: wholeNumber.exactOptional(),
  /** The check itself could not be made: neither pass nor fail. */
  error: z.string().exactOptional(),
  /** How a judging model reached its verdict. */
  judgement: judgementSchema.exactOptional(),
});

export type Verdict = Stored<typeof verdictSchema>;

/** A verdict as it is stored. */
export const recordedCheckSchema = z.object({
  ...verdictSchema.shape,
  /** Left out if 1. */
  weight: magnitude.exactOptional(),
  required: z.boolean().exactOptional(),
});

export type RecordedCheck = Stored<typeof recordedCheckSchema>;

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
