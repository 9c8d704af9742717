import type { MetricEvidence } from './comparison.ts';

/** A metric of a candidate beside the provider's: rates as a difference, cost and latency as a ratio minus 1. */
export type SwapMetric = Pick<MetricEvidence, 'baseline' | 'candidate' | 'delta' | 'low' | 'high' | 'p'>;

/**
 * What a run says of a candidate. `holds`: nothing got worse that these cases can show. `better`: and more cases pass than
 * chance explains. `partial`: cases were not compared. `undecided`: something looks worse, and is neither confirmed nor cleared.
 */
export type SwapVerdict = 'better' | 'holds' | 'undecided' | 'partial' | 'worse';

/** One candidate in one suite, on one prompt version. */
export interface SwapRow {
  readonly candidate: string;
  readonly suite: string;
  readonly prompt: string;
  readonly verdict: SwapVerdict;
  /** Why it does not hold, one sentence each. */
  readonly reasons: readonly string[];
  /** Compared ones. */
  readonly cases: number;
  /** Cases that a confirmed failure is about. */
  readonly broken: readonly string[];
  readonly passRate: SwapMetric;
  /** Of `holds` and `better`: the drop that could go unnoticed, as a fraction; null where any could; absent where none could. */
  readonly unseen?: number | null;
  readonly costUsd: SwapMetric;
  readonly latencyMs: SwapMetric;
}

/** One candidate over all suites. */
export interface SwapCandidate {
  readonly candidate: string;
  readonly model: string;
  /** The worst of its rows. */
  readonly verdict: SwapVerdict;
  /** USD of a judged cell, on average over all suites; null where an answer has no known price. */
  readonly cellCostUsd: number | null;
  /** Over the compared cases of all suites. */
  readonly costUsd: SwapMetric;
  readonly latencyMs: SwapMetric;
}

/** A provider, and what could take its place. */
export interface SwapReport {
  readonly provider: string;
  readonly rows: readonly SwapRow[];
  /** In the order in which they were named. */
  readonly candidates: readonly SwapCandidate[];
  /** The cheapest candidates that hold everywhere; more than one where they cost the same. */
  readonly cheapest: readonly string[];
  /** What the run says, in a sentence. */
  readonly conclusion: string;
}
