import type { RateEstimate } from './rate.ts';

/** One variant of a suite over stored runs, the oldest first. */
export interface VariantTrend {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly points: readonly TrendPoint[];
}

/** What a variant came to in one run. */
export interface TrendPoint {
  readonly runId: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** True where a filter, a stop or errors left cells out: its rate is of other cases than that of a whole run. */
  readonly isPartial: boolean;
  readonly passRate: RateEstimate;
  readonly costUsd: number | null;
  readonly latencyMs: { readonly p50: number | null; readonly p95: number | null };
}
