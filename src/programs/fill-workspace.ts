import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join, sep } from 'node:path';
import { followLinks, isInside } from '../files/project-boundary.ts';
import { systemErrorCode } from '../files/write-files.ts';
import { type FileContent, isBelow } from './workspace-folder.ts';

/** The files and links of a workspace by path, with forward slashes. */
export interface WorkspaceContent {
  readonly files: ReadonlyMap<string, FileContent>;
  /** The targets of links. */
  readonly links: ReadonlyMap<string, string>;
}

/** Thrown for content that can't be made below the workspace. The message continues "the workspace". */
export class WorkspaceFault extends Error {}

/**
 * Fills an empty folder that no other program uses yet. The content may come from a stored answer, so nothing is written
 * through a link, and no link may lead out of the folder. The folder's own path must be real.
 */
export function fillWorkspace(folder: string, { files, links }: WorkspaceContent): void {
  const parents = new Set<string>();
  for (const [path, content] of files) writeNewFile(makeParents(folder, path, parents), path, content);
  // Links come last, so no file can be written through one. Each of them can change where a path leads.
  for (const [path, target] of links) makeLink(makeParents(folder, path, new Set()), path, target);
  // Whether a target is inside depends on the other links, so it is known only when all of them exist.
  for (const [path, target] of links) {
    const fault = findTargetFault(folder, path, target);
    if (fault !== undefined) {
      throw new WorkspaceFault(`holds ${path}, a link to ${JSON.stringify(target)}, which ${fault}`);
    }
  }
}

/** Makes the folders of a path one by one, and returns where the path itself belongs. `known` are folders seen before. */
function makeParents(folder: string, path: string, known: Set<string>): string {
  if (!isBelow(path)) throw new WorkspaceFault(`has the path ${JSON.stringify(path)}, which leaves it`);
  const names = path.split('/');
  let parent = folder;
  for (const [index, name] of names.slice(0, -1).entries()) {
    parent = join(parent, name);
    if (known.has(parent)) continue;
    makeRealFolder(parent, () => `has the path ${path}, but ${names.slice(0, index + 1).join('/')}`);
    known.add(parent);
  }
  return join(parent, names.at(-1) ?? '');
}

function makeRealFolder(path: string, describe: () => string): void {
  unlessExisting(() => mkdirSync(path));
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) throw new WorkspaceFault(`${describe()} is a link`);
  if (!stats.isDirectory()) throw new WorkspaceFault(`${describe()} is a file`);
  // A file system may know a name by other spellings, such as in capitals.
  if (realpathSync(path) !== path) throw new WorkspaceFault(`${describe()} has another name on this disk`);
}

function writeNewFile(target: string, path: string, { bytes, isExecutable }: FileContent): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow;
  const file = unlessExisting(() => openSync(target, flags, isExecutable ? 0o755 : 0o644));
  if (file === undefined) throw takenPath(path);
  try {
    writeFileSync(file, bytes);
  } finally {
    closeSync(file);
  }
}

function makeLink(place: string, path: string, target: string): void {
  if (unlessExisting(() => symlinkSync(target, place) ?? true) === undefined) throw takenPath(path);
}

export function takenPath(path: string): WorkspaceFault {
  return new WorkspaceFault(`has two files with the path ${path}`);
}

/** Windows has no such flag, and needs none for a file that must not exist. */
const noFollow = constants.O_NOFOLLOW ?? 0;

function unlessExisting<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    return undefined;
  }
}

function findTargetFault(folder: string, path: string, target: string): string | undefined {
  if (isRooted(target)) return 'leaves it';
  const place = followLinks(dirname(join(folder, path)), target);
  if (place === undefined) return 'leads in a circle';
  return isInside(place, folder) ? undefined : 'leaves it';
}

/** True for a target that does not begin at the link's own folder. On Windows `c:name` is one. */
function isRooted(target: string): boolean {
  return isAbsolute(target) || (sep === '\\' && target.includes(':'));
}
