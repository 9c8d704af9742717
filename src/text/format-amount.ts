/** `93.3 %`. Never rounds to an extreme: only 1 gives 100 %, and only 0 gives 0 %. */
export function formatPercent(fraction: number): string {
  return `${percentOf(fraction)} %`;
}

/** A percentage without its unit: `93.3`. */
export function percentOf(fraction: number, digits = 1): string {
  const text = (fraction * 100).toFixed(digits);
  const step = 10 ** -digits;
  if (fraction < 1 && Number(text) >= 100) return (100 - step).toFixed(digits);
  if (fraction > 0 && Number(text) === 0) return step.toFixed(digits);
  return text;
}

/** `−2.0 pts`, for a difference of two fractions. */
export function formatPoints(difference: number): string {
  return `${signed(difference * 100, 1)} pts`;
}

/** `+12.5 %`, for a ratio minus 1. */
export function formatChange(change: number): string {
  return `${signed(change * 100, 1)} %`;
}

/** Dollars: `$1.25`, `$0.0012`, and `< $0.0001` for a smaller amount above 0. */
export function formatUsd(usd: number): string {
  if (usd === 0) return '$0';
  if (usd < 0.0001) return '< $0.0001';
  return usd >= 1 ? `$${usd.toFixed(2)}` : `$${usd.toFixed(4)}`;
}

/** `420 ms`, `1.5 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `12 seconds`, `5 minutes`, `3 hours`, `2 days`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return formatCount(seconds, 'second');
  if (seconds < 3600) return formatCount(Math.floor(seconds / 60), 'minute');
  if (seconds < 86_400) return formatCount(Math.floor(seconds / 3600), 'hour');
  return formatCount(Math.floor(seconds / 86_400), 'day');
}

/** `512 B`, `1.5 KB`, `20.0 MB`, in steps of 1000. */
export function describeBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  // 999.95 would print as 1000.0, so the next unit starts there.
  const unit = byteUnits.find(({ size }) => bytes < size * 999.95) ?? { name: 'TB', size: 1e12 };
  return `${(bytes / unit.size).toFixed(1)} ${unit.name}`;
}

const byteUnits = [
  { name: 'KB', size: 1e3 },
  { name: 'MB', size: 1e6 },
  { name: 'GB', size: 1e9 },
];

/** A number with an explicit sign; the minus is U+2212, as wide as a plus. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

/** `mini, big and 3 more`, of `count` names in all. */
export function listFirst(names: readonly string[], most: number, count = names.length): string {
  const shown = names.slice(0, most);
  const more = count - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `1 case`, `2 cases`. */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
