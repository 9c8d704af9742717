import type { RateEstimate } from '../../model/run/summary.ts';

export const chartHeight = 200;

/** A scale from just below the lowest rate to 1; `range` is in pixels. */
export function rateScale(rates: readonly RateEstimate[], range: readonly [number, number]): Scale {
  const lowest = Math.min(...rates.map(({ low, value }) => Math.min(low ?? 1, value ?? 1)));
  return linearScale([Math.max(0, Math.floor(lowest * 10 - 0.01) / 10), 1], range);
}

export interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

/** Maps values onto a stretch of pixels, with round ticks. */
export function linearScale(domain: readonly [number, number], range: readonly [number, number], count = 4): Scale {
  const [low, high] = domain;
  const [from, to] = range;
  const span = high - low || 1;
  const scale = (value: number) => from + ((value - low) / span) * (to - from);
  return Object.assign(scale, { ticks: roundTicks(low, high, count) });
}

function roundTicks(low: number, high: number, count: number): readonly number[] {
  const rough = (high - low) / count;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999) ?? power;
  const ticks: number[] = [];
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-6)];
  // Products of fractions are not exact. A tick beside 0 or 1 would be labelled 1 % or 99 %.
  for (let at = first; at <= last; at += 1) ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}

export interface LabelPlace {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** Moves labels of one side apart, so that none overlaps another and all stay within the chart. */
export function placeLabels(points: readonly LabelPlace[], width: number): readonly LabelPlace[] {
  return [true, false].flatMap((isLeft) => {
    const side = points.filter(({ x }) => x > width / 2 === isLeft).toSorted((a, b) => a.y - b.y);
    const placed: LabelPlace[] = [];
    for (const point of side) {
      const above = placed.at(-1);
      placed.push({ ...point, y: above === undefined ? point.y : Math.max(point.y, above.y + labelHeight) });
    }
    const over = Math.max(0, (placed.at(-1)?.y ?? 0) - (chartHeight - 34));
    return placed.map((label) => ({ ...label, y: label.y - over }));
  });
}

const labelHeight = 14;
