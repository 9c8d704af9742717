const levels = '▁▂▃▄▅▆▇█';

export interface SparkPoint {
  /** In [0, 1]; null where there is nothing to show. */
  readonly value: number | null;
  /** True where it does not go on from the point before. */
  readonly isBroken: boolean;
}

/** What is less than this apart looks nearly alike: noise must not look like mountains. */
const leastSpan = 0.1;

/**
 * A character a value, from the lowest to the highest; the latest ones where there is no room for all. Values that lie close
 * together are drawn at their height around the middle of a span within 0 and 1, so that 0 is the lowest mark and 1 the
 * highest. A bar stands where the line breaks.
 */
export function sparkline(points: readonly SparkPoint[], width: number): string {
  const values = points.flatMap(({ value }) => value ?? []);
  const [low, high] = widen(Math.min(...values), Math.max(...values));
  const markOf = (value: number | null): string => {
    if (value === null) return '·';
    const level = Math.floor(((value - low) / (high - low)) * levels.length);
    return levels[Math.min(levels.length - 1, level)] ?? '·';
  };
  const parts: string[] = [];
  let used = 0;
  for (const { value, isBroken } of points.toReversed()) {
    const part = isBroken ? `│${markOf(value)}` : markOf(value);
    if (used + part.length > width) break;
    used += part.length;
    parts.push(part);
  }
  return parts.reverse().join('').replace(/^│/, '');
}

function widen(low: number, high: number): readonly [low: number, high: number] {
  if (high - low >= leastSpan) return [low, high];
  const start = Math.min(1 - leastSpan, Math.max(0, (low + high - leastSpan) / 2));
  return [start, start + leastSpan];
}
