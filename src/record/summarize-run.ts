import { defined } from '../json/defined.ts';
import { isJudged } from '../model/is-judged.ts';
import type { EndRow, RecordedSuite, RecordedVariant, RunHeader } from '../model/record.ts';
import type { CaseSummary, RowSummary, RunSummary, VariantSummary } from '../model/summary.ts';
import { quantiles } from '../stats/quantiles.ts';
import { scoreMeanInterval } from '../stats/score-interval.ts';
import { wilsonInterval } from '../stats/wilson.ts';
import { SortedCases } from './sorted-cases.ts';

/**
 * Counts a run from its rows, over the cells that its header planned: a cell without a row was not reached, and of one
 * that ran again the last row counts.
 */
export function summarizeRun(header: RunHeader, rows: Iterable<RowSummary>, end: EndRow | undefined): RunSummary {
  const byVariant = groupByVariant(rows);
  return {
    suites: header.suites.map((recorded) => ({
      recorded,
      variants: recorded.variants.map((variant) => {
        const { prompt, provider } = variant;
        const own = byVariant.get(variantKey({ suite: recorded.suite, prompt, provider })) ?? [];
        return summarizeVariant(recorded, variant, new SortedCases(own));
      }),
    })),
    ...endSummary(end),
  };
}

function groupByVariant(rows: Iterable<RowSummary>): ReadonlyMap<string, readonly RowSummary[]> {
  const byVariant = new Map<string, RowSummary[]>();
  for (const row of rows) {
    const key = variantKey(row);
    const known = byVariant.get(key);
    if (known === undefined) byVariant.set(key, [row]);
    else known.push(row);
  }
  return byVariant;
}

function variantKey({ suite, prompt, provider }: Pick<RowSummary, 'suite' | 'prompt' | 'provider'>): string {
  return JSON.stringify([suite, prompt, provider]);
}

function summarizeVariant(
  suite: RecordedSuite,
  recorded: RecordedVariant,
  cases: ReadonlyMap<string, CaseSummary>,
): VariantSummary {
  const { passed, failed, errored, gated, latencies, ...counted } = countRows(cases);
  const [p50, p95] = quantiles(latencies, [0.5, 0.95]);
  // A record that was written by hand or by two runs may hold more rows than its header planned.
  const planned = Math.max(recorded.planned, gated);
  const replacement = suite.variants.find(
    (other) => other.replaces === recorded.prompt && other.provider === recorded.provider && other.planned > 0,
  );
  return {
    recorded,
    planned,
    passed,
    failed,
    errored,
    skipped: planned - passed - failed - errored,
    observed: recorded.observed,
    ...counted,
    ...estimate(collectMeans(cases), suite.gate.alpha),
    latencyMs: { p50, p95 },
    ...defined({ replacedBy: replacement?.prompt ?? recorded.baselineOf }),
    cases,
  };
}

/** What a summary says of how a run ended. */
export function endSummary(end: EndRow | undefined): Pick<RunSummary, 'stopReason' | 'ended'> {
  return { stopReason: end === undefined ? 'interrupted' : end.stopReason, ended: end !== undefined };
}

/** In the order of the cases, so that sums come out alike whichever cell finished first. */
function countRows(cases: ReadonlyMap<string, CaseSummary>) {
  const latencies: number[] = [];
  let [gated, passed, failed, errored, skippedByCase, confirmed, cached] = [0, 0, 0, 0, 0, 0, 0];
  let [costUsd, spentUsd, spentApartUsd, judgeCostUsd]: Amounts = [0, 0, 0, 0];
  for (const { trials, confirmations } of cases.values()) {
    for (const row of inOrder(trials, confirmations)) {
      // Confirmations and observed cells are outside the counts, but not outside the bill.
      spentUsd = addKnown(spentUsd, row.spentUsd);
      judgeCostUsd = addKnown(judgeCostUsd, row.judgeCostUsd);
      if (row.confirmation) confirmed += 1;
      if (row.confirmation || row.observe) {
        spentApartUsd = addKnown(spentApartUsd, row.spentUsd);
        continue;
      }
      gated += 1;
      costUsd = addKnown(costUsd, row.costUsd);
      if (row.cached) cached += 1;
      if (row.skipReason === 'case') skippedByCase += 1;
      if (row.status === 'errored') errored += 1;
      if (row.status === 'passed') passed += 1;
      if (row.status === 'failed') failed += 1;
      if (isJudged(row) && row.latencyMs !== undefined) latencies.push(row.latencyMs);
    }
  }
  const amounts = { costUsd, spentUsd, spentApartUsd, judgeCostUsd };
  const counts = { gated, passed, failed, errored, skippedByCase, confirmations: confirmed, cached };
  return { ...counts, ...amounts, latencies: Float64Array.from(latencies) };
}

/** By trial: a sum of amounts depends on their order. */
function inOrder(trials: readonly RowSummary[], confirmations: readonly RowSummary[]): readonly RowSummary[] {
  return confirmations.length === 0 ? trials : [...trials, ...confirmations].sort((a, b) => a.trial - b.trial);
}

type Amounts = [number | null, number | null, number | null, number | null];

/** Null as soon as one answered cell has no known price: a partial sum would read as the whole. */
function addKnown(sum: number | null, value: number | null | undefined): number | null {
  return sum === null || value === null ? null : sum + (value ?? 0);
}

/** The case is the unit of evidence: its valid trials are averaged first, and cases weigh alike. */
function collectMeans(cases: ReadonlyMap<string, CaseSummary>): CaseMeans {
  const passMeans: number[] = [];
  const scoreMeans: number[] = [];
  let isSingleTrial = true;
  for (const { observe, trials } of cases.values()) {
    const valid = observe ? [] : trials.filter(isJudged);
    if (valid.length === 0) continue;
    if (valid.length > 1) isSingleTrial = false;
    passMeans.push(valid.filter(({ status }) => status === 'passed').length / valid.length);
    scoreMeans.push(valid.reduce((sum, { score }) => sum + (score ?? 0), 0) / valid.length);
  }
  return { passMeans: Float64Array.from(passMeans), scoreMeans: Float64Array.from(scoreMeans), isSingleTrial };
}

interface CaseMeans {
  readonly passMeans: Float64Array;
  readonly scoreMeans: Float64Array;
  /** True where no case has more than one trial with a verdict. */
  readonly isSingleTrial: boolean;
}

function estimate(
  { passMeans, scoreMeans, isSingleTrial }: CaseMeans,
  alpha: number,
): Pick<VariantSummary, 'passRate' | 'score'> {
  const n = passMeans.length;
  if (n === 0) {
    return { passRate: { value: null, low: null, high: null, n }, score: { mean: null, low: null, high: null } };
  }
  const total = passMeans.reduce((sum, mean) => sum + mean, 0);
  const interval = isSingleTrial ? wilsonInterval(Math.round(total), n, alpha) : scoreMeanInterval(passMeans, alpha);
  const scoreInterval = scoreMeanInterval(scoreMeans, alpha);
  return {
    passRate: { value: total / n, low: interval.low, high: interval.high, n },
    score: {
      mean: scoreMeans.reduce((sum, mean) => sum + mean, 0) / n,
      low: scoreInterval.low,
      high: scoreInterval.high,
    },
  };
}
