import type { PageVariant } from '../model/page.ts';
import { formatPercent, formatUsd, percentOf } from '../text/format-amount.ts';
import { ChartFrame, chartHeight } from './chart-frame.tsx';
import { nameOf, plainName } from './names.ts';
import { linearScale } from './scale.ts';

/** What each variant costs beside how well it does: what is up and to the left is better. */
export function QualityChart({ variants }: { readonly variants: readonly PageVariant[] }) {
  const points = variants.map((variant) => ({
    name: nameOf(variant),
    cost: (1000 * (variant.costUsd ?? 0)) / Math.max(1, variant.planned),
    rate: variant.passRate,
  }));
  const most = Math.max(...points.map(({ cost }) => cost), 1e-9);
  const floor = Math.max(
    0,
    Math.floor(Math.min(...points.map(({ rate }) => rate.low ?? rate.value ?? 1)) * 10 - 0.01) / 10,
  );
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
        const y = linearScale([floor, 1], [chartHeight - 26, 12]);
        const x = linearScale([0, most * 1.08], [56, width - 16], 3);
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
            {x.ticks.map((tick) => (
              <text key={tick} class="tick" x={x(tick)} y={chartHeight - 6} text-anchor="middle">
                {formatUsd(tick)}
              </text>
            ))}
            {points.map(({ name, cost, rate }, place) => (
              <g key={name}>
                {rate.low === null || rate.high === null ? null : (
                  <line class="range" x1={x(cost)} x2={x(cost)} y1={y(rate.low)} y2={y(rate.high)} />
                )}
                <circle class="dot" cx={x(cost)} cy={y(rate.value ?? 0)} r={4} />
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
