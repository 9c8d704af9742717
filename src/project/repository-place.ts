import { existsSync, realpathSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { boundaryOf, toSlashes } from '../suite/files/project-place.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Git's root around a folder, else the runner's GITHUB_WORKSPACE where the folder is in it. */
export function findRepositoryRoot(folder: string, env: Env): string | undefined {
  const root = boundaryOf(folder);
  if (existsSync(join(root, '.git'))) return root;
  const workspace = env['GITHUB_WORKSPACE'] ?? '';
  return workspace !== '' && existsSync(workspace) && isIn(realOf(folder), realOf(workspace)) ? workspace : undefined;
}

/** A folder relative to its repository, with slashes; empty for the root, and where there is no repository. */
export function folderInRepository(folder: string, env: Env): string {
  const root = findRepositoryRoot(folder, env);
  return root === undefined ? '' : toSlashes(relative(realOf(root), realOf(folder)));
}

function realOf(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : resolve(folder);
}

function isIn(folder: string, root: string): boolean {
  return folder === root || folder.startsWith(`${root}${sep}`);
}
