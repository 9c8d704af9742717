import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { systemErrorCode } from '../files/write-files.ts';
import type { PlacedFile, WorkspaceFile } from '../model/suite/workspace.ts';
import { compareText } from '../text/compare-text.ts';
import { sha256Hex } from '../text/sha256.ts';
import { toSlashes } from '../text/to-slashes.ts';

export interface FileContent {
  readonly bytes: Buffer;
  readonly isExecutable: boolean;
}

/** A folder that each call gets a copy of. It is read into memory, so each copy has the hashed content. */
export interface WorkspaceFolder {
  /** Path from the project root, with forward slashes. */
  readonly name: string;
  readonly hash: string;
  readonly files: ReadonlyMap<string, FileContent>;
  /** Files placed besides the folder's own. */
  readonly placed?: readonly PlacedFile[];
}

/** Limits of a folder that is copied for every cell. */
const maxFiles = 2000;
const maxBytes = 32 * 1024 * 1024;

/** Reads a workspace folder. `fault` continues a sentence that starts with its name. Reads nothing outside the root. */
export function readWorkspaceFolder(folder: string, root: string): WorkspaceFolder | { readonly fault: string } {
  try {
    const realRoot = realpathSync(root);
    const real = realpathSync(folder);
    const below = relative(realRoot, real);
    if (leaves(below)) return { fault: 'is outside the project' };
    if (below === '') return { fault: 'is the whole project: name a folder in it' };
    if (isOfGit(below)) return { fault: 'is a folder of git, which is not part of the project' };
    if (!lstatSync(real).isDirectory()) return { fault: 'is no folder' };
    const files = readFiles(real);
    return 'fault' in files ? files : { name: toSlashes(below), hash: hashFolder(files), files };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return { fault: code === 'ENOENT' ? 'does not exist' : `can't be read: ${code}` };
  }
}

function readFiles(folder: string): ReadonlyMap<string, FileContent> | { readonly fault: string } {
  const listed = listEntries(folder, maxFiles);
  if ('fault' in listed) return listed;
  const files = new Map<string, FileContent>();
  let bytes = 0;
  for (const { path, kind, size, isExecutable } of listed.entries) {
    if (kind === 'link') return { fault: `holds a symbolic link, ${path}: put a copy of the file there` };
    bytes += size;
    if (bytes > maxBytes)
      return { fault: `holds more than ${maxBytes / 1024 / 1024} MiB, and is copied for every cell` };
    files.set(path, { bytes: readWithoutLinks(join(folder, path)), isExecutable });
  }
  return files;
}

/** Places project files into a folder. `fault` continues a sentence that starts with its name. */
export function placeFiles(
  folder: WorkspaceFolder,
  placed: readonly PlacedFile[],
  root: string,
): WorkspaceFolder | { readonly fault: string } {
  const files = new Map(folder.files);
  const realRoot = realpathSync(root);
  for (const { path, from, sha256 } of placed) {
    if (!isBelow(path)) return { fault: `gets the path ${JSON.stringify(path)}, which leaves it` };
    try {
      const real = realpathSync(resolve(realRoot, from));
      const below = relative(realRoot, real);
      if (leaves(below)) return { fault: `gets ${from}, which is outside the project` };
      if (isOfGit(below)) return { fault: `gets ${from}, which is a file of git and not of the project` };
      const bytes = readFileSync(real);
      if (sha256Hex(bytes) !== sha256) return { fault: `gets ${from}, which has changed since` };
      files.set(path, { bytes, isExecutable: (lstatSync(real).mode & 0o100) !== 0 });
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      return { fault: `gets ${from}, which can't be read: ${code}` };
    }
  }
  for (const path of files.keys()) {
    const names = path.split('/');
    const file = names.map((_, length) => names.slice(0, length).join('/')).find((above) => files.has(above));
    if (file !== undefined) return { fault: `gets ${path}, but ${file} is a file` };
  }
  const sorted = new Map([...files].sort(([one], [other]) => compareText(one, other)));
  return { name: folder.name, files: sorted, hash: hashFolder(sorted), placed };
}

function hashFolder(files: ReadonlyMap<string, FileContent>): string {
  const hash = createHash('sha256');
  for (const [path, { bytes, isExecutable }] of files) {
    const content = createHash('sha256').update(bytes).digest('hex');
    hash.update(`${JSON.stringify(path)} ${content}${isExecutable ? ' x' : ''}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

interface Entry {
  /** Path with forward slashes. */
  readonly path: string;
  readonly kind: 'file' | 'link';
  readonly size: number;
  readonly isExecutable: boolean;
}

/** Lists the files and links below a folder, sorted by path. Does not follow links, and omits empty folders. */
export function listEntries(
  folder: string,
  limit: number,
): { readonly entries: readonly Entry[] } | { readonly fault: string } {
  const entries: Entry[] = [];
  const folders = [''];
  for (const below of folders) {
    for (const name of readdirSync(join(folder, below))) {
      const path = below === '' ? name : `${below}/${name}`;
      const found = lstatSync(join(folder, path));
      if (found.isDirectory()) {
        folders.push(path);
        if (folders.length > limit) return { fault: `holds more than ${limit} folders` };
        continue;
      }
      if (!found.isFile() && !found.isSymbolicLink())
        return { fault: `holds ${path}, which is neither file nor folder` };
      const kind = found.isFile() ? 'file' : 'link';
      entries.push({ path, kind, size: found.size, isExecutable: (found.mode & 0o100) !== 0 });
      if (entries.length > limit) return { fault: `holds more than ${limit} files` };
    }
  }
  return { entries: entries.toSorted((one, other) => compareText(one.path, other.path)) };
}

/** Reads a file or link into the form stored with an answer. */
export function readEntry(folder: string, { path, kind, isExecutable }: Entry): WorkspaceFile {
  return kind === 'link'
    ? { link: readlinkSync(join(folder, path)) }
    : toWorkspaceFile({ bytes: readWithoutLinks(join(folder, path)), isExecutable });
}

/** The bytes of a file. Throws a system error for a link, which may have come after the folder was listed. */
export function readWithoutLinks(path: string): Buffer {
  // Windows has no such flags. Without waiting: a pipe may have no writer.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

export function toWorkspaceFile({ bytes, isExecutable }: FileContent): WorkspaceFile {
  const text = bytes.toString('utf8');
  // Store as text only if it decodes to the same bytes.
  const content = Buffer.from(text, 'utf8').equals(bytes) ? { text } : { base64: bytes.toString('base64') };
  return isExecutable ? { ...content, executable: true } : content;
}

/** True for a normalized path that stays below its folder. */
export function isBelow(path: string): boolean {
  const names = path.split('/');
  return (
    !isAbsolute(path) && !/[\\\0]/.test(path) && names.every((name) => name !== '' && name !== '.' && name !== '..')
  );
}

/** Git's config may hold keys, and its hooks are programs. */
function isOfGit(below: string): boolean {
  return below.split(sep).some((name) => name.toLowerCase() === '.git');
}

function leaves(below: string): boolean {
  return below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below);
}
