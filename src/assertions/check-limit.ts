import { isHarmlessRegex } from '../text/regex.ts';
import type { AssertionPorts } from './define.ts';

/** How long one check may compute. */
export const checkLimitMs = 500;

/** Runs what applies a regex to a text: under the deadline unless it is cheap, since a deadline costs more than most regexes. */
export function runRegex<T>(regex: RegExp, textLength: number, ports: AssertionPorts, run: () => T): T {
  return runBounded(isHarmlessRegex(regex.source, regex.flags, textLength), ports, run);
}

export function runBounded<T>(cheap: boolean, ports: AssertionPorts, run: () => T): T {
  return cheap ? run() : ports.deadline(run, checkLimitMs);
}
