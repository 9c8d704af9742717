import type { Problem } from '../model/problem.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { wantsColor } from './style.ts';

/** Prints which paths and patterns lead to no suite, for commands that have no other word on the files. */
export function warnOfNothing(warnings: readonly Problem[], io: Io): void {
  const empty = warnings.filter(({ code }) => code === 'selects-nothing');
  if (empty.length > 0) io.stderr.write(describeProblems(empty, { color: wantsColor(io.stderr, io.env, true) }));
}
