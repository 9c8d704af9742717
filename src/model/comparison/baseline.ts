import * as z from 'zod';
import { filledText, jsonValue, type Stored } from '../../json/stored.ts';
import type { ComparedHead, StoredChecks } from '../run/deciding-lines.ts';
import { trialShape, variantSettings } from '../run/record.ts';
import { type CaseSummary, pooledTrialsSchema } from '../run/summary.ts';

/** Format 2 adds the checks of the cases. Files of format 1 are read too. */
export const baselineFormat = 2;

/** The oldest format that is read: its baselines keep no checks. */
export const oldestBaselineFormat = 1;

/** The pin that makes a baseline file a pinned reference. */
const pinSchema = z.object({
  until: z
    .string()
    .refine((until) => !Number.isNaN(Date.parse(until)))
    .describe('ISO 8601. Runs that began later count as runs since the pin.'),
});

export type Pin = Stored<typeof pinSchema>;

/** The first line of a baseline file. */
export const baselineHeaderSchema = z.object({
  type: z.literal('baseline'),
  format: z.union([z.literal(oldestBaselineFormat), z.literal(baselineFormat)]),
  suite: filledText,
  pin: pinSchema.exactOptional().describe('Of a pinned reference.'),
});

/** The line of a variant: its settings when its answers were accepted. The order of the members is that of a line. */
export const baselineVariantSchema = z.object({
  type: z.literal('variant'),
  ...variantSettings,
  contract: z.object({ input: jsonValue.exactOptional(), output: jsonValue.exactOptional() }),
  models: z.array(z.string()).describe('Model snapshots as the API reported them, sorted.'),
});

export type BaselineVariant = Stored<typeof baselineVariantSchema>;

/** A stored trial. Comparisons compute its cost from usage. */
const baselineTrialSchema = z.object({
  ...trialShape,
  output: trialShape.output.describe('The answer; left out beyond 64 KiB or under baseline: {outputs: hash}.'),
});

export type BaselineTrial = Stored<typeof baselineTrialSchema>;

/** The line of a case on a variant. The order of the members is that of a line. */
export const baselineCaseSchema = z.object({
  type: z.literal('case'),
  caseId: filledText,
  prompt: filledText,
  provider: filledText,
  caseHash: filledText.describe(
    'What must be the same for two results to be comparable. After each @: a file that the case attaches.',
  ),
  mustPass: z.literal(true).exactOptional(),
  group: filledText.exactOptional().describe('Cases of one group are not independent evidence.'),
  otherVariant: z
    .literal(true)
    .exactOptional()
    .describe('The row was accepted under another prompt text, model or parameters than its variant has now.'),
  pooled: pooledTrialsSchema
    .exactOptional()
    .describe('All accepted trials of the same case, variant and checks together.'),
  trials: z.array(baselineTrialSchema).min(1).describe('Of the run that was accepted last.'),
  confirmations: z.array(baselineTrialSchema).exactOptional().describe('Fresh trials after the planned ones.'),
});

export type BaselineCase = Stored<typeof baselineCaseSchema>;

/** The cases of one variant of a baseline, read or built on demand. */
export interface BaselineCases {
  readonly prompt: string;
  readonly provider: string;
  caseIds(): Iterable<string>;
  has(caseId: string): boolean;
  /** Throws a RangeError for an unknown case, and a UserError if the file has changed since it was opened. */
  read(caseId: string): BaselineCase;
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
