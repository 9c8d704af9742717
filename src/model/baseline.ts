import type { JsonValue } from '../json/json.ts';
import type { CellRow, RecordedVariant } from './record.ts';
import type { CaseSummary, PooledTrials } from './summary.ts';

export const baselineFormat = 1;

/** One line a variant: what was accepted with its answers. */
export interface BaselineVariant
  extends Omit<
    RecordedVariant,
    'contract' | 'price' | 'priceProvider' | 'baselineOf' | 'planned' | 'observed' | 'acceptedPrompt'
  > {
  readonly type: 'variant';
  readonly contract: { readonly input?: JsonValue; readonly output?: JsonValue };
  /** Model snapshots as the API answered them, sorted. */
  readonly models: readonly string[];
}

/** The output is left out beyond 64 KiB or under `baseline: {outputs: hash}`. Costs are computed from usage when compared. */
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

/** One line a case × variant. */
export interface BaselineCase {
  readonly type: 'case';
  readonly prompt: string;
  readonly provider: string;
  readonly caseId: string;
  readonly caseHash: string;
  readonly mustPass?: true;
  /** What the case came from when it was accepted. */
  readonly group?: string;
  /** The trials of the run that was accepted last. */
  readonly trials: readonly BaselineTrial[];
  /** Confirmation trials after the planned ones, where some were made. */
  readonly confirmations?: readonly BaselineTrial[];
  /** Present if earlier accepted runs had other answers of the same case, variant and checks. */
  readonly pooled?: PooledTrials;
  /** Set if the row was kept although prompt text, parameters or model of its variant changed since. */
  readonly otherVariant?: true;
}

/** The cases of one variant of a baseline, each read or made on demand. */
export interface BaselineCases {
  readonly prompt: string;
  readonly provider: string;
  caseIds(): Iterable<string>;
  has(caseId: string): boolean;
  /** Throws a RangeError for a case that is not there, and a UserError if its file was changed meanwhile. */
  read(caseId: string): BaselineCase;
}

/** What makes a baseline file a pinned reference. */
export interface Pin {
  /** ISO 8601: runs that began later are those since the pin. */
  readonly until: string;
}

/** The content of a baseline file, read or to be written. */
export interface BaselineContent {
  readonly suite: string;
  /** Only in a pinned reference. */
  readonly pin?: Pin;
  readonly variants: readonly BaselineVariant[];
  /** The cases of each variant, once. */
  readonly cases: readonly BaselineCases[];
}

/** A prompt version on a provider. */
export interface VariantKey {
  readonly prompt: string;
  readonly provider: string;
}

/** A variant, and what it stands in for. */
export interface StandIn extends VariantKey {
  readonly replaces?: string | undefined;
  readonly replacesProvider?: string | undefined;
}

/** Where the accepted answers of a variant may be, the likeliest first: its own, else those of what it stands in for. */
export function comparedKeys(variant: StandIn): readonly VariantKey[] {
  const { prompt, provider, replaces, replacesProvider } = variant;
  return [
    { prompt, provider },
    ...(replacesProvider === undefined ? [] : [{ prompt, provider: replacesProvider }]),
    ...(replaces === undefined ? [] : [{ prompt: replaces, provider }]),
    ...(replaces === undefined || replacesProvider === undefined ? [] : [besideKey(variant)]),
  ];
}

/** The variant of the same run that one stands in for; it itself where it replaces nothing. */
export function besideKey({ prompt, provider, replaces, replacesProvider }: StandIn): VariantKey {
  return { prompt: replaces ?? prompt, provider: replacesProvider ?? provider };
}

/** True if `other` stands in for the variant: by its prompt version, or by its provider. */
export function isReplacedBy({ prompt, provider }: VariantKey, other: StandIn): boolean {
  const isOfPrompt = other.replaces === prompt && other.provider === provider;
  return isOfPrompt || (other.replacesProvider === provider && other.prompt === prompt);
}

/** A baseline file whose answers stay on disk: what counting and comparing need of its rows is in memory. */
export interface Baseline extends BaselineContent {
  /**
   * The cases by id, sorted; empty if the baseline has no such variant. Rows have no cost, which is computed from
   * usage.
   */
  casesOf(key: VariantKey): ReadonlyMap<string, CaseSummary>;
  /** A case whole; undefined if there is none. Throws a UserError if the file was changed meanwhile. */
  readCase(key: VariantKey, caseId: string): BaselineCase | undefined;
  /** True if a case was accepted under another prompt text, model or parameters than the variant has now. */
  hasOtherPrompt(key: VariantKey): boolean;
}
