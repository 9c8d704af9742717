import type { PageVariant } from '../../model/page.ts';
import { formatPercent, formatUsd } from '../../text/format-amount.ts';
import { nameOf, plainName } from '../safe-text.tsx';
import { ChartFrame, RateAxis, RateMark } from './chart-frame.tsx';
import { chartHeight, type LabelPlace, linearScale, placeLabels, rateScale } from './scales.ts';

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

/** On the side where there is room. */
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
