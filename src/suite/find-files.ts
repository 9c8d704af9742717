import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compileFileGlob, type FileGlob, matchesFile, passedOver } from '../lib/file-glob.ts';
import { GlobError } from '../lib/parse-glob.ts';
import type { ProblemCode } from '../model/problem.ts';

/** Why a file can't be used. */
export interface FileFault {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
}

export interface FoundFiles {
  /** Absolute, sorted, each file once. */
  readonly paths: readonly string[];
  /** What could not be looked into. */
  readonly faults: readonly FileFault[];
}

interface Place {
  /** A fault where a path leads out of the project. */
  readonly findFault: (path: string) => FileFault | undefined;
  /** What the system's refusal to list a folder means. */
  readonly describeError: (error: unknown, path: string) => FileFault;
}

/** A project that has more is not meant to be searched whole. */
const maxFolders = 100_000;

/** Finds the files of some patterns. Links are followed inside the project; one that leads back to itself is not. */
export function findFiles(patterns: readonly string[], folder: string, place: Place): FoundFiles {
  const faults: FileFault[] = [];
  const globs = patterns.flatMap((pattern) => {
    try {
      return [compileFileGlob(pattern, folder)];
    } catch (error) {
      if (!(error instanceof GlobError)) throw error;
      faults.push({ code: 'invalid-value', message: `"${pattern.slice(0, 80)}": ${error.message}`, hint: error.hint });
      return [];
    }
  });
  const excluded = globs.filter(({ isNegative }) => isNegative);
  const byRealPath = new Map<string, string>();
  for (const glob of globs) {
    if (glob.isNegative) continue;
    for (const { path, realPath } of walk(glob, place, faults)) {
      if (excluded.some((other) => matchesFile(other, path))) continue;
      // A file that links lead to as well is taken by its own name.
      if (path === realPath || !byRealPath.has(realPath)) byRealPath.set(realPath, path);
    }
  }
  return { paths: [...byRealPath.values()].sort(), faults };
}

interface Found {
  readonly path: string;
  readonly realPath: string;
}

function* walk({ base, glob }: FileGlob, place: Place, faults: FileFault[]): Generator<Found> {
  let folders = 0;
  function* visit(folder: string, names: string, above: ReadonlySet<string>): Generator<Found> {
    const real = realPathOf(folder);
    // A link that leads back: all that is below it was found above.
    if (above.has(real)) return;
    const outside = place.findFault(folder);
    if (outside !== undefined) {
      faults.push(outside);
      return;
    }
    folders += 1;
    if (folders > maxFolders) {
      if (folders === maxFolders + 1) faults.push(tooMany);
      return;
    }
    const within = new Set(above).add(real);
    for (const entry of list(folder, place, faults)) {
      const path = join(folder, entry.name);
      const name = names + entry.name;
      if (isFolder(entry, path)) {
        if (!passedOver.has(entry.name) && glob.mayMatchBelow(`${name}/`)) yield* visit(path, `${name}/`, within);
      } else if (glob.matches(name))
        yield { path, realPath: entry.isSymbolicLink() ? realPathOf(path) : join(real, entry.name) };
    }
  }
  if (isFolderAt(base, place, faults)) yield* visit(base, '', new Set());
}

const tooMany: FileFault = {
  code: 'usage',
  message: `a pattern leads through more than ${maxFolders} folders`,
  hint: 'name the folder that the files are in',
};

function list(folder: string, { describeError }: Place, faults: FileFault[]): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    faults.push(describeError(error, folder));
    return [];
  }
}

/** A link counts as what it leads to; one that leads nowhere counts as a file, which then can't be read. */
function isFolder(entry: Dirent, path: string): boolean {
  return entry.isSymbolicLink() ? (statOf(path)?.isDirectory() ?? false) : entry.isDirectory();
}

/** A pattern may begin with a folder that is not there, but not with one that can't be looked at. */
function isFolderAt(base: string, { describeError }: Place, faults: FileFault[]): boolean {
  try {
    return statSync(base).isDirectory();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') faults.push(describeError(error, base));
    return false;
  }
}

function statOf(path: string): ReturnType<typeof statSync> {
  try {
    return statSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return path;
    throw error;
  }
}
