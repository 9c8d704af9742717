import { versions } from 'node:process';
import { setFlagsFromString } from 'node:v8';

/** Cells of a run that is over sooner with more memory (8 % of the CPU of 10,000). */
export const shortRun = 20_000;

/** Takes back what bin/llmcheck.js sets: V8 decides again how far the heap grows between two cleanings. */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=0');
}

/** For work on all rows of large records: as the heap, so the optimiser is V8's own business again (V8 11 by default: 67,584). */
export function workAtLength(): void {
  letHeapGrow();
  if (versions.v8.startsWith('11.')) setFlagsFromString('--interrupt-budget=67584');
}
