import type { PageLatencies } from '../../model/page.ts';
import { formatCount, formatDuration } from '../../text/format-amount.ts';
import { ChartFrame } from './chart-frame.tsx';
import { chartHeight } from './scales.ts';

interface LatencyChartProps {
  readonly name: string;
  readonly latencies: PageLatencies;
}

/** The distribution of latencies as shares of each side; the baseline is an outline. */
export function LatencyChart({ name, latencies }: LatencyChartProps) {
  const { edgesMs, candidate, baseline, candidateMs, baselineMs } = latencies;
  const [now, before] = [sharesOf(candidate), baseline === undefined ? [] : sharesOf(baseline)];
  const most = Math.max(...now, ...before, 0.01);
  return (
    <ChartFrame title={`Latency: ${name}`} summary={describe(latencies)} table={tableOf(latencies)}>
      {(width) => {
        const step = (width - 24) / now.length;
        const height = (share: number) => (share / most) * (chartHeight - 44);
        const bottom = chartHeight - 24;
        const x = (ms: number) => 12 + step * placeOf(ms, edgesMs);
        return (
          <>
            <line class="grid" x1={12} x2={width - 12} y1={bottom} y2={bottom} />
            {now.map((share, bin) => (
              <rect
                key={bin}
                class="bar"
                x={12 + bin * step + 0.5}
                y={bottom - height(share)}
                width={Math.max(1, step - 1)}
                height={height(share)}
              />
            ))}
            {before.length === 0 ? null : <path class="outline" d={outline(before, step, bottom, height)} />}
            <line class="median" x1={x(candidateMs)} x2={x(candidateMs)} y1={8} y2={bottom} />
            {baselineMs === undefined ? null : (
              <line class="median before" x1={x(baselineMs)} x2={x(baselineMs)} y1={8} y2={bottom} />
            )}
            {[0, now.length / 2, now.length].map((bin) => (
              <text
                key={bin}
                class="tick"
                x={12 + bin * step}
                y={chartHeight - 6}
                text-anchor={bin === 0 ? 'start' : bin === now.length ? 'end' : 'middle'}
              >
                {formatDuration(edgesMs[bin] ?? 0)}
              </text>
            ))}
          </>
        );
      }}
    </ChartFrame>
  );
}

function sharesOf(counts: readonly number[]): readonly number[] {
  const all = counts.reduce((sum, count) => sum + count, 0) || 1;
  return counts.map((count) => count / all);
}

function outline(shares: readonly number[], step: number, bottom: number, height: (share: number) => number): string {
  const tops = shares.map((share, bin) => {
    const y = (bottom - height(share)).toFixed(1);
    return `V${y}H${(12 + (bin + 1) * step).toFixed(1)}`;
  });
  return `M12 ${bottom}${tops.join('')}V${bottom}`;
}

/** Bins are of equal ratio. */
function placeOf(ms: number, edges: readonly number[]): number {
  const [low = 1, high = 2] = [edges[0], edges.at(-1)];
  return (Math.log(Math.max(ms, low) / low) / Math.log(high / low)) * (edges.length - 1);
}

function describe({ candidate, baseline, candidateMs, baselineMs }: PageLatencies): string {
  const count = (counts: readonly number[]) =>
    formatCount(
      counts.reduce((sum, number) => sum + number, 0),
      'answer',
    );
  const now = `${count(candidate)}, median ${formatDuration(candidateMs)}`;
  if (baseline === undefined || baselineMs === undefined) return `${now}.`;
  return `${now}; the baseline (outline): ${count(baseline)}, median ${formatDuration(baselineMs)}.`;
}

function tableOf({ edgesMs, candidate, baseline }: PageLatencies): readonly (readonly string[])[] {
  return [
    ['Latency', 'Answers', ...(baseline === undefined ? [] : ['Baseline'])],
    ...candidate.flatMap((count, bin) => {
      const before = baseline?.[bin];
      if (count === 0 && (before ?? 0) === 0) return [];
      const range = `${formatDuration(edgesMs[bin] ?? 0)} – ${formatDuration(edgesMs[bin + 1] ?? 0)}`;
      return [[range, String(count), ...(before === undefined ? [] : [String(before)])]];
    }),
  ];
}
