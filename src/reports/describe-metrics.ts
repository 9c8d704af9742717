import type { MetricComparison, VariantComparison } from '../model/report.ts';
import { formatChange, formatDuration, formatPercent, formatPoints, formatUsd, signed } from '../text/format-amount.ts';

export interface MetricText {
  readonly key: 'passRate' | 'score' | 'costUsd' | 'latencyMs';
  readonly label: string;
  /** `−2.0 pts [−7.6, +2.8]`; undefined where the sides can't be held against each other. */
  readonly change: string | undefined;
  /** `98.0 % → 96.0 %, −2.0 pts [−7.6, +2.8]`. */
  readonly text: string;
}

/** The metrics of a comparison of which anything can be said. */
export function describeMetrics(comparison: VariantComparison): readonly MetricText[] {
  return metrics.flatMap(({ key, label, formatValue, formatDelta }): readonly MetricText[] => {
    const metric = comparison[key];
    const { baseline, candidate, delta } = metric;
    if (delta === null) {
      if (baseline === null || candidate === null) return [];
      if (key === 'costUsd' && baseline !== candidate) return [describeFirstCost(label, baseline, candidate)];
      if (key !== 'latencyMs') return [];
      const sides = `${formatValue(baseline)} → ${formatValue(candidate)}`;
      return [
        {
          key,
          label,
          change: undefined,
          text: `p50 ${sides}; not comparable: both sides must run now, uncached (--rerun-baseline)`,
        },
      ];
    }
    const change = `${formatDelta(delta)}${formatInterval(metric)}`;
    if (baseline === null || candidate === null) return [{ key, label, change, text: change }];
    const sides = `${formatValue(baseline)} → ${formatValue(candidate)}`;
    // Medians of all answers may move against the change within cases, which is what is judged.
    const text = key === 'latencyMs' ? `p50 ${sides}; case by case ${change}` : `${sides}, ${change}`;
    return [{ key, label, change, text }];
  });
}

const metrics = [
  { key: 'passRate', label: 'pass rate', formatValue: formatPercent, formatDelta: formatPoints },
  { key: 'score', label: 'score', formatValue: (score: number) => score.toFixed(3), formatDelta: formatPoints },
  { key: 'costUsd', label: 'cost', formatValue: formatUsd, formatDelta: formatChange },
  { key: 'latencyMs', label: 'latency', formatValue: formatDuration, formatDelta: formatChange },
] as const;

/** What was free has no ratio to what it costs now. */
function describeFirstCost(label: string, baseline: number, candidate: number): MetricText {
  const change = `${candidate < baseline ? '−' : '+'}${formatUsd(Math.abs(candidate - baseline))}`;
  const text = `${formatUsd(baseline)} → ${formatUsd(candidate)}, ${change} (no ratio to nothing)`;
  return { key: 'costUsd', label, change, text };
}

/** An unbounded side is a question mark: nothing is excluded there. */
function formatInterval({ low, high }: MetricComparison): string {
  if (low === null && high === null) return '';
  const bound = (side: number | null): string => (side === null ? '?' : signed(side * 100, 1));
  return ` [${bound(low)}, ${bound(high)}]`;
}
