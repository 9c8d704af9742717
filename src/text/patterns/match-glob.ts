import { relative, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import { UserError } from '../../model/problem.ts';
import {
  checkGlob,
  compilePaths,
  type GlobFault,
  isNegative,
  isSlowForPaths,
  matchInTime,
  skippedFolders,
} from './glob.ts';

const limitMs = 1000;

/** The absolute paths that match a pattern, which starts from a folder. */
export function matchGlob(pattern: string, folder: string, paths: Iterable<string>): readonly string[] {
  return matchGlobs([pattern], folder, paths);
}

/** The paths that match a pattern, and no `!pattern`; sorted. */
export function matchGlobs(patterns: readonly string[], folder: string, paths: Iterable<string>): readonly string[] {
  const compileAll = (some: readonly string[]) => some.map((pattern) => compile(pattern, folder));
  const wanted = compileAll(patterns.filter((pattern) => !isNegative(pattern)));
  const excluded = compileAll(
    patterns.filter(isNegative).flatMap((pattern) => {
      const name = pattern.slice(1);
      // A folder that is named takes away all that it holds.
      return /(?:^|\/)[^/*?{}[\]!()]+$/.test(name) ? [name, `${name}/**`] : [name];
    }),
  );
  const match = () =>
    [...paths].filter((path) => wanted.some((matches) => matches(path)) && !excluded.some((matches) => matches(path)));
  const slow = patterns.find(isSlowForPaths);
  if (slow === undefined) return match().sort();
  const outcome = matchInTime(match, limitMs);
  if ('fault' in outcome) throw refusal(slow, outcome.fault);
  return outcome.found.toSorted();
}

/** Compiles a pattern like the search on disk: the folder of its fixed names, and the match below it. */
function compile(pattern: string, folder: string): (path: string) => boolean {
  const fault = checkGlob(pattern);
  if (fault !== undefined) throw refusal(pattern, fault);
  const literal = resolve(folder, pattern);
  const { base, glob } = picomatch.scan(pattern);
  const start = resolve(folder, base);
  const matches = glob === '' ? (rest: string) => rest === '' : compilePaths(glob);
  return (path) => {
    if (path === literal) return true;
    const names = relative(start, path).split(sep);
    return names[0] !== '..' && !names.some((name) => skippedFolders.has(name)) && matches(names.join('/'));
  };
}

function refusal(pattern: string, { message, hint }: GlobFault): UserError {
  return new UserError({ code: 'usage', message: `"${pattern.slice(0, 80)}": ${message}`, hint });
}
