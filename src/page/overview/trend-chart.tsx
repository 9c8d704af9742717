import type { TrendPoint } from '../../model/history.ts';
import type { PageVariant } from '../../model/page.ts';
import { formatDuration, formatPercent, formatUsd } from '../../text/format-amount.ts';
import { nameOf } from '../safe-text.tsx';
import { ChartFrame, chartHeight, RateAxis, RateMark, rateScale } from './chart-frame.tsx';

/** The pass rate of a variant over runs, each with its interval. */
export function TrendChart({ variant }: { readonly variant: PageVariant }) {
  const { trend = [] } = variant;
  return (
    <ChartFrame title={`Pass rate over runs: ${nameOf(variant)}`} summary={describe(trend)} table={tableOf(trend)}>
      {(width) => {
        const y = rateScale(
          trend.map(({ passRate }) => passRate),
          [chartHeight - 24, 10],
        );
        const x = (place: number) => 52 + ((width - 68) * (place + 0.5)) / trend.length;
        const points = trend.map(({ passRate }, place) => [x(place), y(passRate.value ?? 0)] as const);
        const path = points
          .map(([px, py], place) => `${place === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`)
          .join('');
        return (
          <>
            <RateAxis y={y} width={width} />
            <path class="line" d={path} />
            {trend.map(({ runId, passRate, isPartial }, place) => (
              <RateMark key={runId} rate={passRate} x={x(place)} y={y} isHollow={isPartial} />
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
