import * as z from 'zod';
import { magnitude, type Stored, share, wholeNumber } from '../../json/stored.ts';
import type { Moments } from '../../stats/descriptive.ts';
import type { CaseStatus, CellCounts, CellKey, SkipReason, StopReason } from './cell.ts';
import { type Usage, usageSchema } from './completion.ts';
import type { CellRow, RecordedSuite, RecordedVariant } from './record.ts';

/** The part of a cell's row that is needed to count, compare and decide. The answer itself stays on disk. */
export interface RowSummary
  extends CellKey,
    Pick<
      CellRow,
      | 'caseHash'
      | 'status'
      | 'group'
      | 'slices'
      | 'classified'
      | 'side'
      | 'shard'
      | 'cached'
      | 'position'
      | 'judgeCostUsd'
      | 'steps'
    > {
  readonly observe: boolean;
  readonly mustPass: boolean;
  readonly confirmation: boolean;
  readonly score: number | undefined;
  readonly latencyMs: number | undefined;
  /** Absent if the answer was not streamed. */
  readonly firstTokenMs?: number;
  /** Null: answered, but no price is known; undefined: no answer. */
  readonly costUsd: number | null | undefined;
  readonly spentUsd: number | null | undefined;
  /** Undefined if the API reported none. */
  readonly usage: Usage | undefined;
  readonly skipReason?: SkipReason | undefined;
  /** The hash of text and tool calls; undefined if there was no answer. */
  readonly answerHash: string | undefined;
  /** The id of this answer; an equal answer from another call has another id. Undefined if unknown. */
  readonly answerId: string | undefined;
  /** The model snapshot that answered. */
  readonly model: string | undefined;
  /** The index of the row in its record. */
  readonly rowIndex: number;
  /** In a baseline: a summary of all accepted trials of the case. All rows of the case have the same one. */
  readonly pooled?: PooledTrials;
}

/** A case on one variant, its trials in order. */
export interface CaseSummary {
  readonly caseId: string;
  readonly status: CaseStatus;
  readonly observe: boolean;
  readonly mustPass: boolean;
  readonly group: string | undefined;
  /** The gated slices that it is in. */
  readonly slices?: readonly string[] | undefined;
  readonly caseHash: string;
  /** The planned trials. */
  readonly trials: readonly RowSummary[];
  /** Fresh trials after the planned ones. */
  readonly confirmations: readonly RowSummary[];
  /** Fresh trials of the accepted prompt, beside the candidate's. */
  readonly accepted: readonly RowSummary[];
  /** In a baseline: a summary of all accepted trials, if there are more than `trials` holds. */
  readonly pooled?: PooledTrials | undefined;
}

export interface VariantSummary extends CellCounts {
  readonly recorded: RecordedVariant;
  /** The skipped cells that the suite excludes by `skip:`. */
  readonly skippedByCase: number;
  /** The skipped cells that were not asked, because the run was decided early. */
  readonly notAsked: number;
  readonly passRate: RateEstimate;
  readonly score: { readonly mean: number | null; readonly low: number | null; readonly high: number | null };
  /** The cost of the planned cells together, as if nothing were cached; null if any answer has no known price. */
  readonly costUsd: number | null;
  /** Billed by this run, over all its calls. */
  readonly spentUsd: number | null;
  /** The part of `spentUsd` for fresh trials and observed cells, which `costUsd` excludes. */
  readonly spentApartUsd: number | null;
  readonly judgeCostUsd: number | null;
  readonly latencyMs: { readonly p50: number | null; readonly p95: number | null };
  /** Absent if no answer was streamed. */
  readonly firstTokenMs?: { readonly p50: number; readonly p95: number };
  /** The prompt version or provider of the same run that replaces this one. A replaced one is shown and not gated. */
  readonly replacedBy?: string;
  /** The cases by id, sorted. */
  readonly cases: ReadonlyMap<string, CaseSummary>;
}

export interface SuiteSummary {
  readonly recorded: RecordedSuite;
  readonly variants: readonly VariantSummary[];
}

/** The counts of a run, from its planned cells and their rows. */
export interface RunSummary {
  readonly suites: readonly SuiteSummary[];
  readonly stopReason: StopReason | undefined;
  /** False if the record has no end: the run was killed. */
  readonly ended: boolean;
}

/** A point and its interval, as fractions; null if there is nothing to estimate or a side is unbounded. */
export interface RateEstimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Cases behind it. */
  readonly n: number;
}

const momentsSchema = z.object({
  n: wholeNumber,
  mean: magnitude,
  squares: magnitude.describe('Sum of squared deviations from the mean.'),
}) satisfies z.ZodType<Moments>;

/** A summary of all accepted trials of a case, including the trials of the newest run. */
export const pooledTrialsSchema = z
  .object({
    runs: z.int().positive().describe('Accepted runs with at least one new answer.'),
    trials: z.int().positive().describe('Planned trials with a verdict.'),
    failures: wholeNumber,
    score: z.object({ ...momentsSchema.shape, mean: share }),
    latencyMs: momentsSchema.exactOptional().describe('The latency of the trials that were timed.'),
    answered: wholeNumber.describe('Trials that have an answer: a refused request has none.'),
    usage: usageSchema.exactOptional().describe('Mean tokens of an answer; absent if an answer reported none.'),
    answers: z
      .array(z.string())
      .describe(
        "Ids of the latest answers that are no longer among the case's trials. With them, no answer counts twice.",
      ),
  })
  // More failures than trials would mean a negative number of passes.
  .refine(({ trials, failures, answered, score }) => failures <= trials && answered <= trials && score.n === trials);

export type PooledTrials = Stored<typeof pooledTrialsSchema>;
