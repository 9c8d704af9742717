import { type Dirent, lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type FastGlob from 'fast-glob';
import type { FileFault } from '../../files/project-boundary.ts';
import { unlessRefused } from '../../files/write-files.ts';
import {
  checkGlob,
  type GlobFault,
  isNegative,
  isSlowForPaths,
  matchInTime,
  skippedFolders,
} from '../../text/patterns/glob.ts';

export interface FoundFiles {
  /** Absolute, sorted, each file once. */
  readonly paths: readonly string[];
  /** The files and folders that could not be read. */
  readonly faults: readonly FileFault[];
}

interface Place {
  /** Returns a fault if a path is outside the project. */
  readonly findFault: (path: string) => FileFault | undefined;
  /** Turns an error of the file system into a fault. */
  readonly describeError: (error: unknown, path: string) => FileFault;
}

/** The most folders that a pattern may search. More are most likely a mistake. */
const maxFolders = 100_000;

const limitMs = 2000;

/** Finds the files of some patterns. Links are followed inside the project; one that leads back to itself is not. */
export async function findFiles(patterns: readonly string[], folder: string, place: Place): Promise<FoundFiles> {
  const { default: fastGlob } = await import('fast-glob');
  const faults: FileFault[] = [];
  const refuse = (pattern: string, { message, hint }: GlobFault) =>
    void faults.push({ code: 'invalid-value', message: `"${pattern.slice(0, 80)}": ${message}`, hint });
  const [ignored, wanted] = [patterns.filter(isNegative), patterns.filter((pattern) => !isNegative(pattern))];
  // A name that looks like a pattern still names itself.
  const literals = new Set(wanted.filter((pattern) => isFile(resolve(folder, pattern))));
  const globs = wanted.filter((pattern) => !literals.has(pattern));
  for (const pattern of [...ignored, ...globs]) {
    const fault = checkGlob(pattern);
    if (fault !== undefined) refuse(pattern, fault);
  }
  if (faults.length > 0) return { paths: [], faults };
  const ignore = ignored.map((pattern) => pattern.slice(1));
  const options = { cwd: folder, absolute: true, onlyFiles: false, suppressErrors: true, ignore };
  const found = [...literals].map((pattern) => resolve(folder, pattern));
  for (const pattern of globs) {
    // Each task starts from a folder of its own, with loops of its own.
    const search = () =>
      fastGlob
        .generateTasks(pattern, options)
        .flatMap((task) =>
          fastGlob.sync(task.patterns, { ...options, objectMode: true, fs: watchFaults(place, faults) }),
        )
        .filter(({ dirent }) => !dirent.isDirectory());
    const outcome = [pattern, ...ignore].some(isSlowForPaths) ? matchInTime(search, limitMs) : { found: search() };
    if ('fault' in outcome) refuse(pattern, outcome.fault);
    else found.push(...outcome.found.map(({ path }) => resolve(path)));
  }
  return { paths: withoutDoubles(found), faults };
}

/** The file system for fast-glob. A path that can't be read becomes a fault, and a loop of links an empty folder. */
function watchFaults({ findFault, describeError }: Place, faults: FileFault[]): Partial<FastGlob.FileSystemAdapter> {
  const realPaths = new Map<string, string>();
  const list = (folder: string): Dirent[] => {
    try {
      const real = realpathSync(folder);
      for (let above = dirname(folder); realPaths.has(above); above = dirname(above)) {
        if (realPaths.get(above) === real) return [];
      }
      realPaths.set(folder, real);
      const fault = realPaths.size > maxFolders ? tooMany : findFault(folder);
      if (fault === undefined) {
        return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !skippedFolders.has(name));
      }
      if (!faults.includes(fault)) faults.push(fault);
    } catch (error) {
      if (!isMissing(error)) faults.push(describeError(error, folder));
    }
    return [];
  };
  /** A broken link is found like a file, so that reading it reports the problem. */
  const follow = (path: string): Stats => {
    try {
      return statSync(path);
    } catch (error) {
      if (!isMissing(error)) faults.push(describeError(error, path));
      return lstatSync(path);
    }
  };
  const look = (path: string): Stats => {
    try {
      return lstatSync(path);
    } catch (error) {
      if (!isMissing(error)) faults.push(describeError(error, path));
      throw error;
    }
  };
  // fast-glob asks for entries, never for names only.
  return {
    readdirSync: list as unknown as FastGlob.FileSystemAdapter['readdirSync'],
    statSync: follow,
    lstatSync: look,
  };
}

const tooMany: FileFault = {
  code: 'usage',
  message: `a pattern leads through more than ${maxFolders} folders`,
  hint: 'name the folder that the files are in',
};

/** True for a path that leads to nothing, by a link, too. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(String(error.code));
}

function isFile(path: string): boolean {
  return unlessRefused(() => statSync(path, { throwIfNoEntry: false })?.isFile() === true, false);
}

/** Removes duplicates. A file that is also reached by links keeps its own name. */
function withoutDoubles(paths: readonly string[]): readonly string[] {
  const byRealPath = new Map<string, string>();
  for (const path of paths.toSorted()) {
    const real = realPathOf(path);
    if (path === real || !byRealPath.has(real)) byRealPath.set(real, path);
  }
  return [...byRealPath.values()].sort();
}

function realPathOf(path: string): string {
  return unlessRefused(() => realpathSync(path), path);
}
