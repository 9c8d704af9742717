import { versions } from 'node:process';
import { setFlagsFromString } from 'node:v8';

/** V8 11's own value of the flag that bin/llmcheck.js raises; a run that sends requests is long enough for its optimiser. */
const usualBudget = 67_584;

export function optimiseAsUsual(): void {
  if (versions.v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${usualBudget}`);
}
