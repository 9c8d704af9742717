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
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-6; tick += step) ticks.push(tick);
  return ticks;
}
