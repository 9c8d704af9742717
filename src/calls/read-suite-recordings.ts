import { type Recordings, readRecordings } from '../cache/recordings.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { Suite } from '../model/suite.ts';
import { displayPath } from '../suite/files/project-place.ts';

/** The recordings of suites that have some, by suite id; throws what is wrong with any of them at once. */
export function readSuiteRecordings(suites: readonly Suite[], cwd: string): ReadonlyMap<string, Recordings> {
  const found = new Map<string, Recordings>();
  const problems: Problem[] = [];
  for (const { id, recordings } of suites) {
    if (recordings === undefined) continue;
    try {
      found.set(id, readRecordings(recordings, displayPath(recordings, cwd)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UserError(problems);
  return found;
}
