import { defined } from '../../json/defined.ts';
import type { VariantTrend } from '../../model/history.ts';
import type { PageComparison, PageLatencies, PageVariant } from '../../model/page.ts';
import type { VariantComparison, VariantReport } from '../../model/report.ts';
import { quantile } from '../../stats/quantiles.ts';
import { describeClasses } from '../classes.ts';
import { describeComparison, describeMetrics } from '../comparison.ts';

/** A variant with its numbers, its comparison, and what charts draw. */
export function buildPageVariant(variant: VariantReport, trend: VariantTrend | undefined): PageVariant {
  const {
    comparison,
    latencies,
    classes: _classes,
    slices: _slices,
    spentUsd: _spentUsd,
    spentApartUsd: _spentApartUsd,
    // The page has the cases themselves.
    failedCases: _failedCases,
    erroredCases: _erroredCases,
    ...counts
  } = variant;
  return {
    ...counts,
    ...defined({
      byClass: describeClasses(variant),
      comparison: comparison && buildComparison(comparison),
      latencies: latencies && binLatencies(latencies()),
      trend: trend?.points.length === 0 ? undefined : trend?.points,
    }),
  };
}

function buildComparison(comparison: VariantComparison): PageComparison {
  const { outcome, against, cases } = comparison;
  return {
    outcome,
    against,
    text: describeComparison(comparison),
    metrics: describeMetrics(comparison).map(({ key, label, text }) => ({ key, label, text, ...comparison[key] })),
    counts: {
      regressed: cases.regressed.length,
      drifted: cases.drifted.length,
      fixed: cases.fixed.length,
      stillFailing: cases.stillFailing.length,
      flaky: cases.flaky.length,
      added: cases.added.length,
      removed: cases.removed.length,
      redefined: cases.redefined.length,
    },
  };
}

/** Counts over bins of equal ratio, since latencies spread over orders of magnitude; undefined where nothing was timed. */
function binLatencies(samples: {
  readonly candidate: readonly number[];
  readonly baseline: readonly number[];
}): PageLatencies | undefined {
  const { candidate, baseline } = samples;
  if (candidate.length === 0) return undefined;
  const low = Math.max(1, minOf(candidate, baseline));
  const high = Math.max(low * 1.2, maxOf(candidate, baseline));
  const ratio = Math.log(high / low);
  const bins = Math.min(maxBins, Math.max(minBins, 2 * Math.round(Math.sqrt(candidate.length))));
  const edgesMs = Array.from({ length: bins + 1 }, (_, index) => Math.round(low * Math.exp((ratio * index) / bins)));
  const count = (values: readonly number[]): number[] => {
    const counts = Array.from({ length: bins }, () => 0);
    for (const value of values) {
      const place = Math.floor((Math.log(Math.max(value, low) / low) / ratio) * bins);
      const bin = Math.min(bins - 1, Math.max(0, place));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  };
  return {
    edgesMs,
    candidate: count(candidate),
    candidateMs: median(candidate),
    ...(baseline.length > 0 && { baseline: count(baseline), baselineMs: median(baseline) }),
  };
}

/** An even number: a chart names the edge in the middle. */
const minBins = 8;
const maxBins = 24;

/** Without spreading: there may be 100,000 of them. */
function minOf(...lists: readonly (readonly number[])[]): number {
  return lists.reduce((least, list) => list.reduce((a, b) => Math.min(a, b), least), Number.POSITIVE_INFINITY);
}

function maxOf(...lists: readonly (readonly number[])[]): number {
  return lists.reduce((most, list) => list.reduce((a, b) => Math.max(a, b), most), 0);
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5) ?? 0;
}
