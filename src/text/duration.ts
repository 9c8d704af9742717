const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration that can't be read. The message names the found text and the valid form. */
export class DurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DurationError';
  }
}

/** Reads "500ms", "2s", "1.5s", "1m30s", "2h", "7d" as milliseconds. A bare number is refused: its unit would be a guess. */
export function parseDurationMs(value: unknown): number {
  const text = typeof value === 'string' ? value.trim() : String(value);
  if (/^[+-]?[\d.]+$/.test(text)) {
    throw new DurationError(`"${text}" has no unit: write "${text}s" or "${text}ms"`);
  }
  if (typeof value !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) {
    throw new DurationError(`${describe(value)} is not a duration: write ${findSpelled(text) ?? examples}`);
  }
  let totalMs = 0;
  let smallestMs = Number.POSITIVE_INFINITY;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    const unitMs = unitsMs[unit ?? ''] ?? Number.NaN;
    if (unitMs >= smallestMs)
      throw new DurationError(`"${text}" is not a duration: its units must go from large to small`);
    smallestMs = unitMs;
    totalMs += Number(amount) * unitMs;
  }
  if (!Number.isFinite(totalMs)) throw new DurationError(`"${text.slice(0, 40)}…" is too long a duration`);
  return totalMs;
}

const examples = 'one such as "500ms", "2s", "1m30s" or "7d"';

/** The duration that is spelled out, as in "2 days". */
function findSpelled(text: string): string | undefined {
  const [, amount, word = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text) ?? [];
  const unit = ['milliseconds', 'seconds', 'minutes', 'hours', 'days'].find(
    (long) =>
      word.length > 0 &&
      (long.startsWith(word.toLowerCase()) || (long === 'milliseconds' && word.toLowerCase() === 'ms')),
  );
  if (unit === undefined || word === 'M') return undefined;
  return `"${amount}${unit === 'milliseconds' ? 'ms' : unit.charAt(0)}"`;
}

function describe(value: unknown): string {
  return typeof value === 'string'
    ? `"${value.slice(0, 40)}"`
    : `a value of type ${value === null ? 'null' : typeof value}`;
}
