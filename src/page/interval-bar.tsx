import type { RateEstimate } from '../model/summary.ts';

/** A rate as a dot on its interval, from 0 to 1; the numbers stand beside it. */
export function IntervalBar({ rate }: { readonly rate: RateEstimate }) {
  const { value, low, high } = rate;
  return (
    <svg class="interval-bar" width="96" height="14" viewBox="0 0 96 14" aria-hidden="true">
      <line x1="3" x2="93" y1="7" y2="7" class="track" />
      {low === null || high === null ? null : <line x1={at(low)} x2={at(high)} y1="7" y2="7" class="range" />}
      {value === null ? null : <circle cx={at(value)} cy="7" r="3.5" class="dot" />}
    </svg>
  );
}

function at(rate: number): number {
  return 3 + 90 * Math.min(1, Math.max(0, rate));
}
