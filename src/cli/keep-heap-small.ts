import { setFlagsFromString } from 'node:v8';

/**
 * By default the heap may grow to a multiple of what is alive before it is cleaned, and most of what a long run took was
 * that. A short one is over sooner without it (8 % of the CPU of 10,000 cells).
 */
export function keepHeapSmall(cells: number): void {
  if (cells > 20_000) setFlagsFromString('--heap-growing-percent=30');
}
