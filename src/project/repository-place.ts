import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
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

export interface RepositoryPlace {
  readonly cwd: string;
  /** Of the project. */
  readonly root: string;
  readonly env: Env;
  /** The address of the repository's files at the tested commit. */
  readonly blobUrl?: string;
}

/** Paths of files relative to the repository; undefined outside of one. What is no file in it keeps its name. */
export function openRepositoryPaths({ cwd, root, env, blobUrl }: RepositoryPlace) {
  const repository = findRepositoryRoot(cwd, env);
  if (repository === undefined) return undefined;
  const real = realOf(repository);
  const known = new Map<string, string | undefined>();
  /** The record of a run may have been written in another working folder. */
  const find = (file: string, folders: readonly string[]): string | undefined => {
    const path = folders.map((folder) => resolve(folder, file)).find((candidate) => existsSync(candidate));
    if (file === '' || path === undefined) return undefined;
    const inside = toSlashes(relative(real, join(realOf(dirname(path)), basename(path))));
    return inside.startsWith('../') || isAbsolute(inside) ? undefined : inside;
  };
  const findPlace = (file: string): string | undefined => {
    if (!known.has(file)) known.set(file, find(file, [cwd, root]));
    return known.get(file);
  };
  return {
    fileOf: (file: string) => findPlace(file) ?? file,
    suiteOf: (path: string) => find(path, [root, cwd]) ?? path,
    urlOf(file: string, line: number) {
      const path = findPlace(file);
      if (blobUrl === undefined || path === undefined) return undefined;
      return `${blobUrl}/${path.split('/').map(encodeSegment).join('/')}#L${line}`;
    },
  };
}

/** Brackets would end the link in Markdown. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll('(', '%28').replaceAll(')', '%29');
}

function realOf(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : resolve(folder);
}

function isIn(folder: string, root: string): boolean {
  return folder === root || folder.startsWith(`${root}${sep}`);
}
