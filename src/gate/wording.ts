/** Floating point must not fail a gate that is met exactly. */
export const rounding = 1e-9;

/** Rounded down, so that a rate below a limit never reads like the limit. */
export function percent(fraction: number): string {
  return `${Math.floor(fraction * 1000 + 1e-6) / 10} %`;
}
