import { setFlagsFromString } from 'node:v8';

/** Below this a run fits into 400 MB anyway, and its time counts for more. */
const manyCells = 50_000;

/**
 * Lets V8 collect garbage earlier in a large run: 344 instead of 528 MB at the peak of 200,000 cells, for a tenth more CPU.
 */
export function keepHeapSmall(cells: number): void {
  if (cells > manyCells) setFlagsFromString('--heap-growing-percent=30');
}
