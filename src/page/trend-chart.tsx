import type { TrendPoint } from '../model/history.ts';
import type { PageVariant } from '../model/page.ts';
import { formatDuration, formatPercent, formatUsd, percentOf } from '../text/format-amount.ts';
import { ChartFrame, chartHeight } from './chart-frame.tsx';
import { nameOf } from './names.ts';
import { linearScale } from './scale.ts';

/** The pass rate of a variant over runs, each with its interval. */
export function TrendChart({ variant }: { readonly variant: PageVariant }) {
  const { trend = [] } = variant;
  const lows = trend.map(({ passRate }) => passRate.low ?? passRate.value ?? 1);
  const floor = Math.max(0, Math.floor(Math.min(...lows) * 10 - 0.01) / 10);
  return (
    <ChartFrame title={`Pass rate over runs: ${nameOf(variant)}`} summary={describe(trend)} table={tableOf(trend)}>
      {(width) => {
        const y = linearScale([floor, 1], [chartHeight - 24, 10]);
        const x = (place: number) => 52 + ((width - 68) * (place + 0.5)) / trend.length;
        const points = trend.map(({ passRate }, place) => [x(place), y(passRate.value ?? 0)] as const);
        const path = points
          .map(([px, py], place) => `${place === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`)
          .join('');
        return (
          <>
            {y.ticks.map((tick) => (
              <g key={tick}>
                <line class="grid" x1={50} x2={width - 8} y1={y(tick)} y2={y(tick)} />
                <text class="tick" x={44} y={y(tick) + 4} text-anchor="end">
                  {percentOf(tick, 0)} %
                </text>
              </g>
            ))}
            <path class="line" d={path} />
            {trend.map((point, place) => (
              <Mark key={point.runId} point={point} x={x(place)} y={y} />
            ))}
            <text class="tick" x={50} y={chartHeight - 4}>
              {dayOf(trend[0])}
            </text>
            <text class="tick" x={width - 8} y={chartHeight - 4} text-anchor="end">
              {dayOf(trend.at(-1))}
            </text>
          </>
        );
      }}
    </ChartFrame>
  );
}

function Mark({
  point,
  x,
  y,
}: {
  readonly point: TrendPoint;
  readonly x: number;
  readonly y: (rate: number) => number;
}) {
  const { value, low, high } = point.passRate;
  return (
    <g>
      {low === null || high === null ? null : <line class="range" x1={x} x2={x} y1={y(low)} y2={y(high)} />}
      <circle class={point.isPartial ? 'dot hollow' : 'dot'} cx={x} cy={y(value ?? 0)} r={4} />
    </g>
  );
}

function describe(trend: readonly TrendPoint[]): string {
  const [first, last] = [trend[0], trend.at(-1)];
  if (first === undefined || last === undefined) return 'There is no run yet.';
  const rate = ({ passRate }: TrendPoint) => formatPercent(passRate.value ?? 0);
  const partial = trend.some(({ isPartial }) => isPartial)
    ? ' Hollow points are of runs that were filtered or not complete.'
    : '';
  return `${trend.length} runs: from ${rate(first)} to ${rate(last)}; bars are 95 % intervals.${partial}`;
}

function tableOf(trend: readonly TrendPoint[]): readonly (readonly string[])[] {
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

function dayOf(point: TrendPoint | undefined): string {
  return point === undefined ? '' : `${point.startedAt.slice(0, 10)} ${point.startedAt.slice(11, 16)}`;
}
