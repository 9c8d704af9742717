/**
 * The flags of V8 that a run sets, for two targets of docs/performance.md. A cached run takes at most twice the CPU of a
 * bare loop, and 1,000,000 cells stay below 1 GB. Each function has its own figures.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Gives V8 a small budget for inlining: most runs are over before long optimized functions pay. On Node 20, 10,000 cold
 * cells took 3.1 instead of 3.4 s of CPU. 10,000 cached ones took 1.25 instead of 1.55 s, 60,000 took 5 % more.
 */
export function inlineLess(): void {
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=100');
}

/** A smaller run fits into 400 MB without this, and its time counts for more. */
const manyCells = 50_000;

/**
 * Makes V8 collect garbage earlier in a large run: before its heap has grown by a tenth since it last did. With this a run of
 * 1,000,000 cells peaks at 888 MB on Node 20; without it, one of 200,000 took 528 MB.
 */
export function keepHeapSmall(cells: number): void {
  if (cells > manyCells) setFlagsFromString('--heap-growing-percent=10');
}
