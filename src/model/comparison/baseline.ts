import type { JsonValue } from '../../json/json.ts';
import type { ComparedHead, StoredChecks } from '../run/deciding-lines.ts';
import type { CellRow, RecordedVariant } from '../run/record.ts';
import type { CaseSummary, PooledTrials } from '../run/summary.ts';

/** Format 2 adds the checks of the cases. Files of format 1 are read too. */
export const baselineFormat = 2;

/** The line of a variant: its settings when its answers were accepted. */
export interface BaselineVariant
  extends Omit<
    RecordedVariant,
    | 'contract'
    | 'price'
    | 'priceProvider'
    | 'baselineOf'
    | 'planned'
    | 'observed'
    | 'acceptedPrompt'
    | 'isContentUnknown'
  > {
  readonly type: 'variant';
  readonly contract: { readonly input?: JsonValue; readonly output?: JsonValue };
  /** Model snapshots as the API reported them, sorted. */
  readonly models: readonly string[];
}

/**
 * A stored trial. It has no output over 64 KiB or with `baseline: {outputs: hash}`. Comparisons compute the cost from
 * usage.
 */
export type BaselineTrial = Pick<
  CellRow,
  | 'trial'
  | 'status'
  | 'score'
  | 'classified'
  | 'checks'
  | 'usage'
  | 'latencyMs'
  | 'firstTokenMs'
  | 'steps'
  | 'finishReason'
  | 'output'
  | 'toolCalls'
  | 'trajectory'
  | 'state'
  | 'reasoning'
  | 'refusal'
  | 'answerHash'
  | 'answerId'
>;

/** The line of a case on a variant. */
export interface BaselineCase {
  readonly type: 'case';
  readonly prompt: string;
  readonly provider: string;
  readonly caseId: string;
  readonly caseHash: string;
  readonly mustPass?: true;
  /** The group of the case when it was accepted. */
  readonly group?: string;
  /** The trials of the last accepted run. */
  readonly trials: readonly BaselineTrial[];
  /** Fresh trials after the planned ones, if there were any. */
  readonly confirmations?: readonly BaselineTrial[];
  /** Present if earlier accepted runs had other answers for the same case, variant and checks. */
  readonly pooled?: PooledTrials;
  /** Set if the row was kept although its variant's prompt text, parameters or model has changed. */
  readonly otherVariant?: true;
}

/** The cases of one variant of a baseline, read or built on demand. */
export interface BaselineCases {
  readonly prompt: string;
  readonly provider: string;
  caseIds(): Iterable<string>;
  has(caseId: string): boolean;
  /** Throws a RangeError for an unknown case, and a UserError if the file has changed since it was opened. */
  read(caseId: string): BaselineCase;
}

/** The pin that makes a baseline file a pinned reference. */
export interface Pin {
  /** ISO 8601. Runs that began later count as runs since the pin. */
  readonly until: string;
}

/** The content of a baseline file, for reading and writing. */
export interface BaselineContent {
  readonly suite: string;
  /** Only in a pinned reference. */
  readonly pin?: Pin;
  readonly variants: readonly BaselineVariant[];
  /** The cases, one entry for each variant. */
  readonly cases: readonly BaselineCases[];
  /** The checks with this hash; undefined if the baseline does not keep them. */
  checksOf(hash: string): StoredChecks | undefined;
}

/** A prompt version on a provider. */
export interface VariantKey {
  readonly prompt: string;
  readonly provider: string;
}

/** A variant and the one that it replaces. */
export interface StandIn extends VariantKey {
  readonly replaces?: string | undefined;
  readonly replacesProvider?: string | undefined;
}

/**
 * The keys under which a variant's accepted answers may be: its own first, then the keys of the variants it replaces.
 */
export function comparedKeys(variant: StandIn): readonly VariantKey[] {
  const { prompt, provider, replaces, replacesProvider } = variant;
  return [
    { prompt, provider },
    ...(replacesProvider === undefined ? [] : [{ prompt, provider: replacesProvider }]),
    ...(replaces === undefined ? [] : [{ prompt: replaces, provider }]),
    ...(replaces === undefined || replacesProvider === undefined ? [] : [besideKey(variant)]),
  ];
}

/** The variant of the same run that this one replaces; itself if it replaces none. */
export function besideKey({ prompt, provider, replaces, replacesProvider }: StandIn): VariantKey {
  return { prompt: replaces ?? prompt, provider: replacesProvider ?? provider };
}

/** True if `other` replaces the variant by its prompt version or by its provider. */
export function isReplacedBy({ prompt, provider }: VariantKey, other: StandIn): boolean {
  const isOfPrompt = other.replaces === prompt && other.provider === provider;
  return isOfPrompt || (other.replacesProvider === provider && other.prompt === prompt);
}

/** An open baseline file. Its answers stay on disk; the data for counting and comparing is in memory. */
export interface Baseline extends BaselineContent {
  /**
   * The cases by id, sorted; empty if the baseline has no such variant. Rows have no cost, because comparisons compute
   * it from usage.
   */
  casesOf(key: VariantKey): ReadonlyMap<string, CaseSummary>;
  /** The whole case; undefined if there is none. Throws a UserError if the file has changed since it was opened. */
  readCase(key: VariantKey, caseId: string): BaselineCase | undefined;
  /** True if a case was accepted with another prompt text, model or parameters than the variant has now. */
  hasOtherPrompt(key: VariantKey): boolean;
}

/** What a suite is compared with. `own` is the working tree's baseline if the compared one is of a commit. */
export interface SuiteBaseline extends ComparedHead {
  readonly baseline: Baseline;
  readonly own?: Baseline;
}

/** Finds the baseline of a suite; undefined if there is none yet. */
export type FindBaseline = (suite: { readonly id: string; readonly path: string }) => SuiteBaseline | undefined;

/** The pinned reference of a suite. */
export interface Reference {
  /** The source in words. */
  readonly source: string;
  readonly baseline: Baseline;
  readonly pin: Pin;
}

/** What a run is compared with. */
export interface Sides {
  readonly findBaseline: FindBaseline;
  readonly findReference: FindReference;
}

/** Finds the pinned reference of a suite; undefined if there is none. Throws a `UserError` for a damaged one. */
export type FindReference = (suite: { readonly id: string; readonly path: string }) => Reference | undefined;
