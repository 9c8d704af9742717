import { setFlagsFromString } from 'node:v8';
import { optimiseAsUsual } from '../pipeline/optimise-as-usual.ts';

/** Cells of a run that is over sooner with more memory (8 % of the CPU of 10,000). */
const shortRun = 20_000;

/** Sets V8 up for a run of so many cells, once that is known. */
export function settleFor(cells: number): void {
  if (cells <= shortRun) letHeapGrow();
  // Long enough for what is optimised to pay, even where nothing is sent.
  else optimiseAsUsual();
}

/** For work on all rows of large records: the heap and the optimiser are V8's own business again. */
export function workAtLength(): void {
  letHeapGrow();
  optimiseAsUsual();
}

/** Takes back what bin/llmcheck.js sets: V8 decides again how far the heap grows between two cleanings. */
function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=0');
}
