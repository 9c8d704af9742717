import type { PageVariant } from '../../model/page.ts';
import { formatPercent, formatUsd } from '../../text/format-amount.ts';
import { nameOf, plainName } from '../safe-text.tsx';
import { ChartFrame, chartHeight, linearScale, RateAxis, RateMark, rateScale } from './chart-frame.tsx';

/** The cost of each variant beside its pass rate: up and to the left is better. */
export function QualityChart({ variants }: { readonly variants: readonly PageVariant[] }) {
  const points = variants.map((variant) => ({
    name: nameOf(variant),
    cost: (1000 * (variant.costUsd ?? 0)) / Math.max(1, variant.planned),
    rate: variant.passRate,
  }));
  const most = Math.max(...points.map(({ cost }) => cost), 1e-9);
  return (
    <ChartFrame
      title="Cost against quality"
      summary={`Cost of 1,000 cells (across) and pass rate (up): ${points
        .map(({ name, cost, rate }) => `${name} ${formatPercent(rate.value ?? 0)} for ${formatUsd(cost)}`)
        .join('; ')}.`}
      table={[
        ['Variant', 'Cost of 1,000 cells', 'Pass rate', 'Low', 'High'],
        ...points.map(({ name, cost, rate }) => [
          name,
          formatUsd(cost),
          formatPercent(rate.value ?? 0),
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
            {points.map(({ name, cost, rate }, place) => (
              <g key={name}>
                <RateMark rate={rate} x={x(cost)} y={y} />
                <Label x={x(cost)} y={y(rate.value ?? 0)} width={width} text={name} place={place} />
              </g>
            ))}
          </>
        );
      }}
    </ChartFrame>
  );
}

interface LabelProps {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly text: string;
  readonly place: number;
}

/** On the side where there is room. */
function Label({ x, y, width, text, place }: LabelProps) {
  const isLeft = x > width / 2;
  const short = plainName(text.length > maxLabel ? `${text.slice(0, maxLabel - 1)}…` : text);
  return (
    <text class="label" x={isLeft ? x - 8 : x + 8} y={y + 4 + (place % 2) * 14} text-anchor={isLeft ? 'end' : 'start'}>
      {short}
    </text>
  );
}

const maxLabel = 26;
