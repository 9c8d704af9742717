import { isAbsolute, join } from 'node:path';
import { findOutsideFault } from '../project/project-paths.ts';
import { readRunHeader } from '../record/read-run-record.ts';
import { kindOfPath } from '../suite/files/project-place.ts';

/** Absolute paths of the files that a record names as its suites, without those that are not there or not of the project. */
export function findRecordedSuiteFiles(recordPath: string, root: string): readonly string[] {
  return readRunHeader(recordPath).suites.flatMap(({ path }) => {
    const file = join(root, path);
    if (isAbsolute(path) || kindOfPath(file) !== 'file') return [];
    return findOutsideFault(file, { root, cwd: root }) === undefined ? [file] : [];
  });
}
