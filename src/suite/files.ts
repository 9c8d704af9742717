import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { ReadBytes } from '../files/split-lines.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../templates/template.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { type FileFault, type FoundFiles, findFiles } from './find-files.ts';

export type { FileFault };

export type FileText = { readonly text: string } | { readonly fault: FileFault };

/** A file that is read bit by bit, and again, since it may be larger than what should be in memory. */
export interface FileBytes {
  open(): OpenBytes;
}

export interface OpenBytes {
  /** Throws a `UserError` where the file is another than when it was read first. */
  readonly read: ReadBytes;
  readonly close: () => void;
}

/** The only way to the disk: reads text inside the project, and remembers what was read. */
export interface ProjectFiles {
  /** Absolute. */
  readonly root: string;
  read(path: string): Promise<FileText>;
  /** The same of data and code, whose texts are no templates. */
  readText(path: string): FileText;
  /** The same bit by bit, of any size; whether it is text has to be seen by who reads it. */
  readBytes(path: string): Promise<{ readonly bytes: FileBytes } | { readonly fault: FileFault }>;
  /** SHA-256 of a file inside the project, text or not; undefined where there is none. */
  hash(path: string): string | undefined;
  /** A fault where a path that may not exist yet leaves the project. */
  findFault(path: string): FileFault | undefined;
  /** Like `findFault`; and a fault where something is there that can't be read as a file. */
  findReadFault(path: string): FileFault | undefined;
  /** The files of some patterns; folders of packages are passed over. */
  glob(patterns: readonly string[], folder: string): Promise<FoundFiles>;
  /** As problems name it: relative to the working folder where that is shorter. */
  display(path: string): string;
  /** Relative to the project root, with forward slashes. */
  relative(path: string): string;
}

const CONFIG_NAME = 'llmcheck.config.yaml';
const MAX_BYTES = 256 * 1024 * 1024;

export interface ProjectPlace {
  /** Absolute. */
  readonly root: string;
  /** Nothing outside it is read. */
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

export function openProjectFiles(place: ProjectPlace, cwd: string): ProjectFiles {
  const display = (path: string): string => displayPath(path, cwd);
  const faultOf = (path: string) => findPlaceFault(path, place.boundary, display(path));
  const readText = (path: string): FileText => {
    const outside = faultOf(path);
    return outside === undefined ? readTextFile(path, display(path)) : { fault: outside };
  };

  return {
    root: place.root,
    display,
    findFault: faultOf,
    findReadFault: (path) => faultOf(path) ?? findReadFault(path, display(path)),
    relative: (path) => toSlashes(relative(place.root, path)),
    readText,
    async read(path) {
      const found = readText(path);
      if ('text' in found && needsTemplateEngine(found.text)) await loadTemplateEngine();
      return found;
    },
    readBytes(path) {
      const outside = faultOf(path);
      return Promise.resolve(outside === undefined ? findBytes(path, display(path)) : { fault: outside });
    },
    hash(path) {
      const isFile = faultOf(path) === undefined && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
      return isFile ? hashFile(path) : undefined;
    },
    glob(patterns, folder) {
      const describeError = (error: unknown, path: string) => describeReadError(error, path, display(path));
      return findFiles(patterns.map(toSlashes), folder, { findFault: faultOf, describeError });
    },
  };
}

/** Nothing outside this folder is read or written because a file says so: the git root, else the project root. */
export function boundaryOf(root: string): string {
  return findUp(root, '.git') ?? root;
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

/** Relative to the working folder where that is shorter to read. */
export function displayPath(path: string, cwd: string): string {
  const near = relative(cwd, path) || '.';
  return near.length < path.length && !isAbsolute(near) ? toSlashes(near) : path;
}

export function kindOfPath(path: string): 'file' | 'folder' | undefined {
  // Of a path through a file, too, Node says by throwing that it leads nowhere.
  const stats = existsSync(path) ? statSync(path, { throwIfNoEntry: false }) : undefined;
  if (stats === undefined) return undefined;
  return stats.isDirectory() ? 'folder' : 'file';
}

/** True where a text may be meant as a pattern. */
export function isGlob(text: string): boolean {
  return /[*?{}[\]!()]/.test(text);
}

/** The text of a file, whatever folder it is in; `shown` names it in faults. */
export function readTextFile(path: string, shown: string): FileText {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return { fault: { code: 'file-unreadable', message: `${shown} is not a file` } };
    if (stats.size > MAX_BYTES) {
      return { fault: { code: 'file-unreadable', message: `${shown} is larger than ${MAX_BYTES / 1024 / 1024} MB` } };
    }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) };
  } catch (error) {
    return { fault: describeReadError(error, path, shown) };
  }
}

function findReadFault(path: string, shown: string): FileFault | undefined {
  if (!existsSync(path) && kindOfPath(dirname(path)) !== 'file') return undefined;
  const found = findBytes(path, shown);
  return 'fault' in found ? found.fault : undefined;
}

function findBytes(path: string, shown: string): { readonly bytes: FileBytes } | { readonly fault: FileFault } {
  try {
    const first = openSync(path, 'r');
    try {
      const stats = fstatSync(first, { bigint: true });
      if (!stats.isFile()) return { fault: { code: 'file-unreadable', message: `${shown} is not a file` } };
      return { bytes: { open: () => openUnchanged(path, shown, stats) } };
    } finally {
      closeSync(first);
    }
  } catch (error) {
    return { fault: describeReadError(error, path, shown) };
  }
}

type FileState = Pick<BigIntStats, 'ino' | 'size' | 'mtimeNs'>;

/** Another content under the same name would be taken for rows that were checked. */
function openUnchanged(path: string, shown: string, known: FileState): OpenBytes {
  const fd = openAgain(path, shown);
  const check = () => {
    const { ino, size, mtimeNs } = fstatSync(fd, { bigint: true });
    if (ino !== known.ino || size !== known.size || mtimeNs !== known.mtimeNs) throw changedError(shown);
  };
  return {
    read(buffer, start, length, position) {
      const count = readSync(fd, buffer, start, length, position);
      check();
      return count;
    },
    close: () => closeSync(fd),
  };
}

function openAgain(path: string, shown: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw changedError(shown, error);
    throw error;
  }
}

/** What a file that was read once is no more. */
export function changedError(shown: string, cause?: unknown): UserError {
  return new UserError(
    [
      {
        code: 'file-unreadable',
        severity: 'error',
        message: `${shown} was changed while its cases were being read`,
        hint: 'run the command again; `llmcheck run --resume` keeps the answers of a run that had begun',
      },
    ],
    cause === undefined ? {} : { cause },
  );
}

/** A text that is in memory, as bytes. */
export function bytesOfText(text: string): FileBytes {
  const bytes = Buffer.from(text);
  return {
    open: () => ({
      read: (buffer, start, length, position) => bytes.copy(buffer, start, position, position + length),
      close: () => undefined,
    }),
  };
}

function hashFile(path: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (error) {
    // What can't be read is told by whoever must read it.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

function describeReadError(error: unknown, path: string, shown: string): FileFault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { code: 'file-unreadable', message: `${shown} ${describeMissing(path)}`, ...nearHint(path) };
    case 'EACCES':
    case 'EPERM':
      return { code: 'file-unreadable', message: `${shown} can't be read: permission denied` };
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return { code: 'file-unreadable', message: `${shown} is not UTF-8 text`, hint: 'save it as UTF-8' };
    case undefined:
      throw error;
    default:
      return { code: 'file-unreadable', message: `${shown} can't be read (${code})` };
  }
}

/** Why nothing is at a path: a link may be there that leads nowhere. */
export function describeMissing(path: string): string {
  return readLink(path) === undefined ? 'does not exist' : 'does not exist: it is a link to a file that is not there';
}

function nearHint(path: string): { hint?: string } {
  const target = readLink(path);
  if (target !== undefined) return { hint: `it leads to ${target}: bring that back, or remove the link` };
  const folder = dirname(path);
  if (!existsSync(folder)) return { hint: `the folder ${basename(folder)} does not exist either` };
  const hint = didYouMean(basename(path), listNames(folder));
  return hint === undefined ? {} : { hint };
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // A folder that can't be listed has no names to suggest.
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}

function findConfig(cwd: string, gitRoot: string | undefined): string | undefined {
  const folder = findUp(cwd, CONFIG_NAME, gitRoot);
  return folder === undefined ? undefined : join(folder, CONFIG_NAME);
}

/** The nearest folder, upwards to and with `last`, that holds a name. */
function findUp(start: string, name: string, last?: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (folder === last || dirname(folder) === folder) return undefined;
  }
}

const maxLinks = 40;

/**
 * With links resolved; of a path that does not exist, those of the nearest folder that does. A link that leads nowhere
 * counts as the place it leads to.
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

/** What a link names, whether or not it is there; undefined for all else. */
function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function toSlashes(path: string): string {
  return sep === '\\' ? path.replaceAll('\\', '/') : path;
}
