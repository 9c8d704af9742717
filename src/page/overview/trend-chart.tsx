import type { TrendPoint } from '../../model/history.ts';
import type { PageVariant } from '../../model/page.ts';
import { formatDuration, formatPercent, formatUsd } from '../../text/format-amount.ts';
import { nameOf } from '../safe-text.tsx';
import { ChartFrame, RateAxis, RateMark } from './chart-frame.tsx';
import { chartHeight, rateScale } from './scales.ts';

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
        // The line is broken where a rate is unknown.
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

function describe(trend: readonly TrendPoint[]): string {
  const [first, last] = [trend[0], trend.at(-1)];
  if (first === undefined || last === undefined) return 'There is no run yet.';
  const rate = ({ passRate: { value } }: TrendPoint) => (value === null ? 'unknown' : formatPercent(value));
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

/** The day and the time, or the day alone where two of them would meet. */
function dayOf(point: TrendPoint | undefined, width: number): string {
  if (point === undefined) return '';
  const day = point.startedAt.slice(0, 10);
  return width < minWidthWithTime ? day : `${day} ${point.startedAt.slice(11, 16)}`;
}

const minWidthWithTime = 290;
