import { setFlagsFromString } from 'node:v8';

/** Cells of a run that is over sooner with more memory (8 % of the CPU of 10,000). */
export const shortRun = 20_000;

/** Takes back what bin/llmcheck.js sets: V8 decides again how far the heap grows between two cleanings. */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=0');
}
