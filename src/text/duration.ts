const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration that can't be read; the message names what was found and what to write. */
export class DurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DurationError';
  }
}

/** Reads "500ms", "2s", "1.5s", "1m30s", "2h" as milliseconds. A bare number is refused: its unit would be a guess. */
export function parseDurationMs(value: unknown): number {
  const text = typeof value === 'string' ? value.trim() : String(value);
  if (/^[+-]?[\d.]+$/.test(text)) {
    throw new DurationError(`"${text}" has no unit: write "${text}s" or "${text}ms"`);
  }
  if (typeof value !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    throw new DurationError(`${describe(value)} is not a duration: write one such as "500ms", "2s" or "1m30s"`);
  }
  let totalMs = 0;
  let smallestMs = Number.POSITIVE_INFINITY;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    const unitMs = unitsMs[unit ?? ''] ?? Number.NaN;
    if (unitMs >= smallestMs)
      throw new DurationError(`"${text}" is not a duration: its units must go from large to small`);
    smallestMs = unitMs;
    totalMs += Number(amount) * unitMs;
  }
  if (!Number.isFinite(totalMs)) throw new DurationError(`"${text.slice(0, 40)}…" is too long a duration`);
  return totalMs;
}

function describe(value: unknown): string {
  return typeof value === 'string'
    ? `"${value.slice(0, 40)}"`
    : `a value of type ${value === null ? 'null' : typeof value}`;
}
