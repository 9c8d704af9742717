import { relative, resolve, sep } from 'node:path';
import { compileGlob, type Glob } from './glob.ts';

/** A pattern of files: the folder that its fixed names lead to, and what is below it. */
export interface FileGlob {
  /** Absolute. */
  readonly base: string;
  /** Of paths from `base`, with forward slashes. */
  readonly glob: Glob;
  /** True for `!pattern`, which takes files away from those of other patterns. */
  readonly isNegative: boolean;
}

/** Folders that no wildcard leads into. */
export const passedOver: ReadonlySet<string> = new Set(['node_modules', '.git', '.llmcheck']);

/** Compiles a pattern as it is meant in a folder; throws a `GlobError`. */
export function compileFileGlob(pattern: string, folder: string): FileGlob {
  const isTaken = isNegative(pattern);
  const names = (isTaken ? pattern.slice(1) : pattern).split('/');
  const fixed = names.findIndex((name) => /[*?{}[\]!()\\]/.test(name));
  const count = fixed === -1 ? names.length - 1 : fixed;
  const start = names.slice(0, count).join('/');
  return {
    base: resolve(folder, start === '' && names[0] === '' && count > 0 ? '/' : start),
    glob: compileGlob(names.slice(count).join('/'), { isPath: true }),
    isNegative: isTaken,
  };
}

/** True for a pattern of files that are left out. */
export function isNegative(pattern: string): boolean {
  return pattern.startsWith('!') && pattern[1] !== '(';
}

/** Whether an absolute path is one of the pattern's. */
export function matchesFile({ base, glob }: FileGlob, file: string): boolean {
  const names = relative(base, file).split(sep);
  return names[0] !== '..' && !names.some((name) => passedOver.has(name)) && glob.matches(names.join('/'));
}
