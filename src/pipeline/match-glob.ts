import { UserError } from '../errors.ts';
import { compileFileGlob, type FileGlob, matchesFile } from '../lib/file-glob.ts';
import { GlobError } from '../lib/parse-glob.ts';

/** Those of some absolute paths that a pattern means as seen from a folder. */
export function matchGlob(pattern: string, folder: string, paths: Iterable<string>): readonly string[] {
  return matchGlobs([pattern], folder, paths);
}

/** Those that one of several patterns means, and none of `!pattern` takes away; sorted. */
export function matchGlobs(patterns: readonly string[], folder: string, paths: Iterable<string>): readonly string[] {
  const globs = patterns.map((pattern) => compile(pattern, folder));
  const [wanted, excluded] = [
    globs.filter(({ isNegative }) => !isNegative),
    globs.filter(({ isNegative }) => isNegative),
  ];
  const isOf = (file: string) => (glob: FileGlob) => matchesFile(glob, file);
  return [...paths].filter((file) => wanted.some(isOf(file)) && !excluded.some(isOf(file))).sort();
}

function compile(pattern: string, folder: string): FileGlob {
  try {
    return compileFileGlob(pattern, folder);
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    const message = `"${pattern.slice(0, 80)}": ${error.message}`;
    throw new UserError([{ code: 'usage', severity: 'error', message, hint: error.hint }], { cause: error });
  }
}
