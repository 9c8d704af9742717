import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import { checkGlob, isNegative } from '../patterns/glob.ts';
import { matchGlobs } from '../patterns/match-glob.ts';
import type { CodeFiles } from './code-files.ts';

/** Why a pattern of `inputs` can't be used. */
export interface InputFault {
  /** The place of the pattern in the list. */
  readonly index: number;
  readonly message: string;
  readonly hint: string;
  readonly isOutside?: true;
}

export interface FoundInputs {
  /** Absolute, sorted, each once. */
  readonly paths: readonly string[];
  readonly faults: readonly InputFault[];
}

/** Finds the files of the patterns of `inputs`, from a folder. A folder that is named counts with all its files. */
export function findInputs(patterns: readonly string[], folder: string, files: CodeFiles): FoundInputs {
  const excluded = patterns.filter(isNegative);
  const faults: InputFault[] = [];
  const paths = patterns.flatMap((pattern, index) => {
    const fault = checkGlob(pattern);
    if (fault !== undefined) faults.push({ index, ...fault });
    if (fault !== undefined || isNegative(pattern)) return [];
    const found = findPaths(pattern, folder, files);
    if (found === undefined) {
      faults.push({
        index,
        message: `"${pattern}" leads out of the project`,
        hint: 'move the files into the project: nothing outside is read',
        isOutside: true,
      });
      return [];
    }
    const kept = excluded.length === 0 ? found : leaveOut(found, excluded, folder);
    if (kept.length > 0) return kept;
    faults.push({
      index,
      message: `"${pattern}" matches no file`,
      hint: 'paths start from the folder of the file that names them; leave the pattern out if nothing is read',
    });
    return [];
  });
  return { paths: [...new Set(paths)].sort(), faults };
}

/** Undefined for a pattern that leads out of the project. */
function findPaths(pattern: string, folder: string, files: CodeFiles): readonly string[] | undefined {
  const literal = resolve(folder, pattern);
  if (files.isFile(literal)) return [literal];
  const { base, glob } = picomatch.scan(pattern);
  const start = resolve(folder, base);
  const inside = relative(files.boundary, start);
  if (isAbsolute(inside) || inside.split(sep)[0] === '..') return undefined;
  // A link that leads out is no folder of the project, and no file either.
  const below = listFiles(start, files);
  return glob === '' ? below : matchGlobs([pattern], folder, below);
}

function leaveOut(paths: readonly string[], excluded: readonly string[], folder: string): readonly string[] {
  return matchGlobs(['**', ...paths, ...excluded], folder, paths);
}

/** The files below a folder, but for those of packages and caches. */
export function listFiles(folder: string, files: CodeFiles): readonly string[] {
  if (!files.isFolder(folder)) return [];
  return files.list(folder).flatMap(({ name, isFolder }) => {
    const path = join(folder, name);
    return isFolder ? listFiles(path, files) : files.isFile(path) ? [path] : [];
  });
}
