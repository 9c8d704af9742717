import type { Reporter } from './define.ts';
import { json } from './json.ts';
import { jsonl } from './jsonl.ts';
import { junit } from './junit.ts';
import { terminal } from './terminal.ts';

export type { Reporter } from './define.ts';
export { contractReporters } from './render-contract.ts';

/** Every reporter by the name that `--reporter` takes. */
export const reporters: Readonly<Record<string, Reporter>> = { json, jsonl, junit, terminal };
