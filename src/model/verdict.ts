import type { JsonValue } from '../json/json.ts';
import type { JudgeCounts } from '../stats/agreement.ts';
import type { AssertionPlugin, CodeSource, LoadedPlugin } from './own-code.ts';

/** What one check said of one completion. */
export interface Verdict {
  /** The assertion's name; `contract` for the output contract. */
  readonly assertion: string;
  /** The user's own name for the check. */
  readonly name?: string;
  readonly pass: boolean;
  /** In [0, 1]. */
  readonly score: number;
  /** Names what was found, not only what was wanted. */
  readonly reason: string;
  readonly weight: number;
  readonly required: boolean;
  /** Found and expected, where a diff helps. */
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
  /** The model snapshot that answered, where the API says so. */
  readonly model?: string;
  readonly votes: number;
  /** The share of votes on the side of the verdict, in [0, 1]. */
  readonly agreement: number;
  /** Where two answers were compared in both orders: how often the one shown first won, the second, or neither. */
  readonly positions?: { readonly first: number; readonly second: number; readonly tie: number };
  /** Hash of the check as written and rendered: while it is the same, the stored verdict is valid for the stored answer. */
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
  /** The parameters as written and rendered: what the hashes of case and cell cover. */
  readonly source: JsonValue;
}

/** What part of an answer is checked. */
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
  /** Each selects from what the one before it found. */
  | { readonly kind: 'steps'; readonly steps: readonly SelectSpec[] }
  | { readonly kind: 'toolCalls' }
  | { readonly kind: 'reasoning' }
  /** The final state of the case's tools. */
  | { readonly kind: 'state' }
  /** The skill that an agent loads. */
  | { readonly kind: 'skill' }
  /** A file of the workspace that the program left. */
  | { readonly kind: 'file'; readonly path: string }
  /** What a function of the user's own makes of the answer. */
  | { readonly kind: 'module'; readonly name: string; readonly exportName: string; readonly code: CodeSource };

/** Grows when a field changes meaning or a new one is required; new optional fields do not count. */
export const validationFormat = 1;

/** The level of the intervals of all measurements of a judge. */
export const validationAlpha = 0.05;

/** How well a judge agreed with people on one criterion; kept beside the suite, so that a run can ask for it. */
export interface JudgeValidation {
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
  /** Null if it can't be said: labels or verdicts that are all alike. */
  readonly kappa: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** What sensitivity and specificity follow from; absent in older files. */
  readonly counts?: JudgeCounts;
}
