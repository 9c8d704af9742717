import type { TrendPoint } from '../../model/report/history.ts';
import type { PageLatencies, PageVariant } from '../../model/report/page.ts';
import { formatCount, formatDuration, formatPercent, formatUsd } from '../../text/format-amount.ts';
import { nameOf, plainName } from '../elements.tsx';
import { ChartFrame, RateAxis, RateMark } from './chart-frame.tsx';
import { chartHeight, type LabelPlace, linearScale, placeLabels, rateScale } from './scales.ts';

/** The pass rate of a variant over runs, each with its interval. */
export function TrendChart({ variant }: { readonly variant: PageVariant }) {
  const { trend = [] } = variant;
  return (
    <ChartFrame
      title={`Pass rate over runs: ${nameOf(variant)}`}
      summary={describeTrend(trend)}
      table={trendTable(trend)}
    >
      {(width) => {
        const y = rateScale(
          trend.map(({ passRate }) => passRate),
          [chartHeight - 24, 10],
        );
        const x = (place: number) => 52 + ((width - 68) * (place + 0.5)) / trend.length;
        // An unknown rate interrupts the line.
        let isDrawn = false;
        const path = trend
          .map(({ passRate: { value } }, place) => {
            const start = isDrawn ? 'L' : 'M';
            isDrawn = value !== null;
            return value === null ? '' : `${start}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
          })
          .join('');
        return (
          <>
            <RateAxis y={y} width={width} />
            <path class="line" d={path} />
            {trend.map(({ runId, passRate, isPartial }, place) => (
              <RateMark key={runId} rate={passRate} x={x(place)} y={y} isHollow={isPartial} />
            ))}
            <text class="tick" x={50} y={chartHeight - 4}>
              {dayOf(trend[0], width)}
            </text>
            <text class="tick" x={width - 8} y={chartHeight - 4} text-anchor="end">
              {dayOf(trend.at(-1), width)}
            </text>
          </>
        );
      }}
    </ChartFrame>
  );
}

function describeTrend(trend: readonly TrendPoint[]): string {
  const [first, last] = [trend[0], trend.at(-1)];
  if (first === undefined || last === undefined) return 'There is no run yet.';
  const rate = ({ passRate: { value } }: TrendPoint) => (value === null ? 'unknown' : formatPercent(value));
  const partial = trend.some(({ isPartial }) => isPartial)
    ? ' Hollow points are of runs that were filtered or not complete.'
    : '';
  return `${trend.length} runs: from ${rate(first)} to ${rate(last)}; bars are 95 % intervals.${partial}`;
}

function trendTable(trend: readonly TrendPoint[]): readonly (readonly string[])[] {
  const number = (value: number | null, format: (known: number) => string) => (value === null ? '–' : format(value));
  return [
    ['Run', 'Pass rate', 'Low', 'High', 'Cases', 'Cost', 'p50'],
    ...trend.map(({ runId, passRate, costUsd, latencyMs, isPartial }) => [
      isPartial ? `${runId} (partial)` : runId,
      number(passRate.value, formatPercent),
      number(passRate.low, formatPercent),
      number(passRate.high, formatPercent),
      String(passRate.n),
      number(costUsd, formatUsd),
      number(latencyMs.p50, formatDuration),
    ]),
  ];
}

/** The day and the time; only the day if two labels would overlap. */
function dayOf(point: TrendPoint | undefined, width: number): string {
  if (point === undefined) return '';
  const day = point.startedAt.slice(0, 10);
  return width < minWidthWithTime ? day : `${day} ${point.startedAt.slice(11, 16)}`;
}

const minWidthWithTime = 290;

/** The cost of each variant beside its pass rate: up and to the left is better. */
export function QualityChart({ variants }: { readonly variants: readonly PageVariant[] }) {
  const points = variants.slice(0, maxPoints).map((variant) => ({
    name: nameOf(variant),
    cost: (1000 * (variant.costUsd ?? 0)) / Math.max(1, variant.planned),
    rate: variant.passRate,
  }));
  const most = Math.max(...points.map(({ cost }) => cost), 1e-9);
  return (
    <ChartFrame
      title="Cost against quality"
      summary={`Cost of 1,000 cells (across) and pass rate (up): ${points
        .map(({ name, cost, rate }) => `${name} ${formatRate(rate.value)} for ${formatUsd(cost)}`)
        .join('; ')}.`}
      table={[
        ['Variant', 'Cost of 1,000 cells', 'Pass rate', 'Low', 'High'],
        ...points.map(({ name, cost, rate }) => [
          name,
          formatUsd(cost),
          formatRate(rate.value),
          rate.low === null ? '–' : formatPercent(rate.low),
          rate.high === null ? '–' : formatPercent(rate.high),
        ]),
      ]}
    >
      {(width) => {
        const y = rateScale(
          points.map(({ rate }) => rate),
          [chartHeight - 26, 12],
        );
        const x = linearScale([0, most * 1.08], [56, width - 16], 3);
        return (
          <>
            <RateAxis y={y} width={width} />
            {x.ticks.map((tick) => (
              <text key={tick} class="tick" x={x(tick)} y={chartHeight - 6} text-anchor="middle">
                {formatUsd(tick)}
              </text>
            ))}
            {points.map(({ name, cost, rate }) => (
              <RateMark key={name} rate={rate} x={x(cost)} y={y} />
            ))}
            {placeLabels(
              points.map(({ name, cost, rate }) => ({ name, x: x(cost), y: y(rate.value ?? 0) })),
              width,
            ).map((label) => (
              <Label key={label.name} {...label} width={width} />
            ))}
          </>
        );
      }}
    </ChartFrame>
  );
}

function formatRate(value: number | null): string {
  return value === null ? 'unknown' : formatPercent(value);
}

/** A label on the side that has room. */
function Label({ x, y, width, name }: LabelPlace & { readonly width: number }) {
  const isLeft = x > width / 2;
  const short = plainName(name.length > maxLabel ? `${name.slice(0, maxLabel - 1)}…` : name);
  return (
    <text class="label" x={isLeft ? x - 8 : x + 8} y={y + 4} text-anchor={isLeft ? 'end' : 'start'}>
      {short}
    </text>
  );
}

const maxLabel = 26;
const maxPoints = 12;

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
    <ChartFrame title={`Latency: ${name}`} summary={describeLatencies(latencies)} table={latencyTable(latencies)}>
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

/** The position of a latency in bins, which have equal ratios. */
function placeOf(ms: number, edges: readonly number[]): number {
  const [low = 1, high = 2] = [edges[0], edges.at(-1)];
  return (Math.log(Math.max(ms, low) / low) / Math.log(high / low)) * (edges.length - 1);
}

function describeLatencies({ candidate, baseline, candidateMs, baselineMs }: PageLatencies): string {
  const count = (counts: readonly number[]) =>
    formatCount(
      counts.reduce((sum, number) => sum + number, 0),
      'answer',
    );
  const now = `${count(candidate)}, median ${formatDuration(candidateMs)}`;
  if (baseline === undefined || baselineMs === undefined) return `${now}.`;
  return `${now}; the baseline (outline): ${count(baseline)}, median ${formatDuration(baselineMs)}.`;
}

function latencyTable({ edgesMs, candidate, baseline }: PageLatencies): readonly (readonly string[])[] {
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
