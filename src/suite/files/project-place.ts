import { existsSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { findUp } from '../../files/project-boundary.ts';
import { unlessRefused } from '../../files/write-files.ts';
import { defined } from '../../json/defined.ts';
import type { ProblemCode } from '../../model/problem.ts';
import { toSlashes } from '../../text/to-slashes.ts';

export const CONFIG_NAME = 'llmcheck.config.yaml';

export interface ProjectPlace {
  /** Absolute. */
  readonly root: string;
  /** The folder that contains all files of the project. Nothing outside it is read. */
  readonly boundary: string;
  readonly configPath?: string;
}

/** The config of the nearest ancestor folder; the root is its folder, else the git root, else the working folder. */
export function findProject(cwd: string, configPath?: string): ProjectPlace {
  const start = configPath === undefined ? cwd : dirname(resolve(cwd, configPath));
  const gitRoot = findUp(start, '.git');
  const config = configPath === undefined ? findConfig(cwd, gitRoot) : resolve(cwd, configPath);
  const root = config === undefined ? (gitRoot ?? cwd) : dirname(config);
  return { root, boundary: gitRoot ?? root, ...defined({ configPath: config }) };
}

function findConfig(cwd: string, gitRoot: string | undefined): string | undefined {
  const folder = findUp(cwd, CONFIG_NAME, gitRoot);
  return folder === undefined ? undefined : join(folder, CONFIG_NAME);
}

/**
 * Why a path that a file names can't be used; links are followed. Git's own folder is not part of a project: its config
 * may hold keys, and its hooks are programs.
 */
export function findPlaceFault(path: string, boundary: string, shown: string): FileFault | undefined {
  const realBoundary = realPathOf(boundary);
  const real = realPathOf(path);
  const hint = 'move it into the project: nothing outside is read or written';
  if (!isInside(real, realBoundary)) {
    const message = `${shown} lies outside the project (${boundary})`;
    return { code: 'file-outside-project', message, hint };
  }
  const folders = relative(realBoundary, real).split(sep);
  if (!folders.some((folder) => folder.toLowerCase() === '.git')) return undefined;
  const message = `${shown} lies in the folder .git, which is not part of the project`;
  return { code: 'file-outside-project', message, hint };
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

const maxLinks = 40;

/**
 * Resolves links. For a missing path, it resolves the links of the nearest existing folder. A broken link counts as its
 * target.
 */
function realPathOf(path: string, linksLeft = maxLinks): string {
  const missing: string[] = [];
  for (let current = resolve(path); ; current = dirname(current)) {
    if (existsSync(current)) return join(realpathSync(current), ...missing);
    const target = linksLeft > 0 ? readLink(current) : undefined;
    if (target !== undefined) {
      const folder = realPathOf(dirname(current), linksLeft - 1);
      return realPathOf(resolve(folder, target, ...missing), linksLeft - 1);
    }
    if (dirname(current) === current) return resolve(path);
    missing.unshift(basename(current));
  }
}

/** The target of a link, whether or not it exists; undefined for anything else. */
export function readLink(path: string): string | undefined {
  return unlessRefused(() => readlinkSync(path), undefined);
}

/** The path relative to the working folder if that is shorter, else absolute. */
export function displayPath(path: string, cwd: string): string {
  const near = relative(cwd, path) || '.';
  return near.length < path.length && !isAbsolute(near) ? toSlashes(near) : path;
}

/** `evals/triage` of `evals/triage.eval.yaml`: the start of the names of files beside a suite. */
export function stemOf(suitePath: string): string {
  return suitePath.replace(/(?:\.eval)?\.(?:ya?ml|[cm]?[jt]s)$/i, '');
}

export function kindOfPath(path: string): 'file' | 'folder' | undefined {
  // Node throws for a path that goes through a file.
  const stats = existsSync(path) ? statSync(path, { throwIfNoEntry: false }) : undefined;
  if (stats === undefined) return undefined;
  return stats.isDirectory() ? 'folder' : 'file';
}

/** Describes a missing path, which may also be a broken link. */
export function describeMissing(path: string): string {
  return readLink(path) === undefined ? 'does not exist' : 'does not exist: it is a link to a file that is not there';
}

/** True if a text may be meant as a pattern. */
export function isGlob(text: string): boolean {
  return /[*?{}[\]!()]/.test(text);
}

/** Why a file can't be used. */
export interface FileFault {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
  /** True if nothing is there. */
  readonly isMissing?: true;
}
