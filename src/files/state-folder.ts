import { chmodSync, lstatSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../model/problem.ts';
import { boundaryOf, findPlaceFault } from './project-boundary.ts';
import { StorageError, unlessRefused } from './write-files.ts';

/** The folder of a project that holds answers: records of runs, the cache, pending batches, held comments. */
const stateFolder = '.llmcheck';

/** Answers may be confidential, so only their owner can read them. */
export const privateFile = 0o600;
export const privateFolder = 0o700;

/**
 * The path of what llmcheck keeps for a project, such as `statePath(root, 'answers')`. Throws a `UserError` if links lead
 * it out of the project: a repository may bring the folder along. What is there becomes private.
 */
export function statePath(root: string, ...names: readonly string[]): string {
  const path = join(root, stateFolder, ...names);
  const shown = [stateFolder, ...names].join('/');
  const fault = findPlaceFault(path, boundaryOf(root), shown);
  if (fault === undefined) {
    makePrivate(join(root, stateFolder));
    return path;
  }
  throw new UserError({
    ...fault,
    hint: `remove the link that ${shown} is or goes through; a run makes the folder again`,
  });
}

/** Does nothing where there is no folder, or the system refuses: a folder on a read-only disk is read all the same. */
function makePrivate(folder: string): void {
  const stats = unlessRefused(() => lstatSync(folder, { throwIfNoEntry: false }), undefined);
  if (stats?.isDirectory() !== true || (stats.mode & 0o077) === 0) return;
  unlessRefused(() => chmodSync(folder, stats.mode & privateFolder), undefined);
}

/** Throws a `StorageError` for a link: what llmcheck writes below `.llmcheck` is never one. */
export function refuseLink(action: string, path: string): void {
  if (isLink(path)) throw new StorageError(action, path, 'LINK');
}

export function isLink(path: string): boolean {
  return unlessRefused(() => lstatSync(path, { throwIfNoEntry: false }), undefined)?.isSymbolicLink() === true;
}

/** Under CI, a change decides about itself if it brings answers along. */
export function isUnderCi(env: Readonly<Record<string, string | undefined>>): boolean {
  return !['', '0', 'false'].includes(env['CI'] ?? '');
}

/** Committed files that must not be read. In lower case: some disks do not tell names apart by it. */
const committed = new Set<string>();

/**
 * Says which files of a project's state are committed and not trusted: who changes a prompt could commit forged
 * answers with it. They count as missing. `paths` begin at the project's root; a folder stands for all that it holds.
 */
export function distrustCommitted(root: string, paths: readonly string[]): void {
  const folder = resolve(root, stateFolder).toLowerCase();
  for (const path of committed) if (path.startsWith(folder)) committed.delete(path);
  for (const path of paths) committed.add(resolve(root, path).toLowerCase());
}

/** True for a file that counts as missing, because it is committed and not trusted. */
export function isDistrusted(path: string): boolean {
  if (committed.size === 0) return false;
  for (let place = resolve(path).toLowerCase(); ; place = dirname(place)) {
    if (committed.has(place)) return true;
    if (dirname(place) === place) return false;
  }
}

/** For a file that this process has replaced. */
export function trustReplaced(path: string): void {
  if (committed.size > 0) committed.delete(resolve(path).toLowerCase());
}
