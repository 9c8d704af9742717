import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { findUp, readLink } from '../../files/project-boundary.ts';
import { defined } from '../../json/defined.ts';
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
