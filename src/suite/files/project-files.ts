import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { openCodeFiles } from '../../files/code-files.ts';
import { type FileFault, findPlaceFault, readLink } from '../../files/project-boundary.ts';
import type { ReadBytes } from '../../files/split-lines.ts';
import { unlessRefused } from '../../files/write-files.ts';
import { defined } from '../../json/defined.ts';
import { UserError } from '../../model/problem.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../../templates/template.ts';
import type { CodeFiles } from '../../text/code/code-files.ts';
import { type CodeReads, type CodeStart, findReads } from '../../text/code/find-reads.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { type FoundFiles, findFiles } from './find-files.ts';
import { describeMissing, displayPath, kindOfPath, type ProjectPlace } from './project-place.ts';

export type FileText = { readonly text: string } | { readonly fault: FileFault };

/** A file that is read in parts, and again, because it may be larger than memory. */
export interface FileBytes {
  open(): OpenBytes;
}

interface OpenBytes {
  /** Throws a `UserError` if the file has changed since it was first opened. */
  readonly read: ReadBytes;
  readonly close: () => void;
}

/** Reads files inside the project; nothing else in this folder reads the disk. */
export interface ProjectFiles {
  read(path: string): Promise<FileText>;
  /** Reads a file of data or code, which contains no templates. */
  readText(path: string): FileText;
  /** A file of any size, read in parts. The caller checks whether it is text. */
  readBytes(path: string): Promise<{ readonly bytes: FileBytes } | { readonly fault: FileFault }>;
  /** SHA-256 of a file inside the project, text or not; undefined if there is none. */
  hash(path: string): string | undefined;
  /**
   * Finds a fault if a path leaves the project, or holds something that can't be read as a file. It may not exist yet.
   */
  findReadFault(path: string): FileFault | undefined;
  /** What a piece of the user's own code reads. */
  readsOf(start: CodeStart): CodeReads;
  /** The files as code reads them, as they are now. */
  openCode(): CodeFiles;
  /** The files of some patterns; folders of packages are left out. */
  glob(patterns: readonly string[], folder: string): Promise<FoundFiles>;
  /** The path for problems: relative to the working folder if that is shorter. */
  display(path: string): string;
  /** Relative to the project root, with forward slashes. */
  relative(path: string): string;
}

const maxBytes = 256 * 1024 * 1024;

export function openProjectFiles(place: ProjectPlace, cwd: string): ProjectFiles {
  const display = (path: string): string => displayPath(path, cwd);
  const faultOf = (path: string) => findPlaceFault(path, place.boundary, display(path));
  const readText = (path: string): FileText => {
    const outside = faultOf(path);
    return outside === undefined ? readTextFile(path, display(path)) : { fault: outside };
  };

  return {
    display,
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
    readsOf: (start) => findReads(start, openCodeFiles(place.boundary)),
    openCode: () => openCodeFiles(place.boundary),
    glob(patterns, folder) {
      const describeError = (error: unknown, path: string) => describeReadError(error, path, display(path));
      return findFiles(patterns.map(toSlashes), folder, { findFault: faultOf, describeError });
    },
  };
}

/** The text of a file, whatever folder it is in; `shown` names it in faults. */
export function readTextFile(path: string, shown: string): FileText {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return { fault: { code: 'file-unreadable', message: `${shown} is not a file` } };
    if (stats.size > maxBytes) {
      return { fault: { code: 'file-unreadable', message: `${shown} is larger than ${maxBytes / 1024 / 1024} MB` } };
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

/** Rows were checked once, so the file must still be the same. */
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

export function changedError(shown: string, cause?: unknown): UserError {
  return new UserError(
    {
      code: 'file-unreadable',
      message: `${shown} was changed while its cases were being read`,
      hint: 'run the command again; `llmcheck run --resume` keeps the answers of a run that had begun',
    },
    defined({ cause }),
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
  // The code that reads the file reports the fault.
  return unlessRefused(() => createHash('sha256').update(readFileSync(path)).digest('hex'), undefined);
}

function describeReadError(error: unknown, path: string, shown: string): FileFault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        code: 'file-unreadable',
        message: `${shown} ${describeMissing(path)}`,
        ...nearHint(path, shown),
        ...defined({ isMissing: readLink(path) === undefined ? (true as const) : undefined }),
      };
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

function nearHint(path: string, shown: string): { hint?: string } {
  const target = readLink(path);
  if (target !== undefined) return { hint: `it leads to ${target}: restore that, or remove the link` };
  const folder = dirname(path);
  const similar = suggestName(path);
  if (similar !== undefined) return { hint: similar };
  if (/[\\\p{Cc}]/u.test(shown)) return { hint: 'write / between folders, not \\' };
  const elsewhere = findElsewhere(path, shown);
  if (elsewhere !== undefined) {
    return { hint: `there is ${elsewhere}; paths start from the folder of the file that names them` };
  }
  return existsSync(folder) ? {} : { hint: `the folder ${basename(folder)} does not exist either` };
}

/** `did you mean "triage.md"?`, by the names in the folder of a path; undefined if none is near. */
export function suggestName(path: string): string | undefined {
  return didYouMean(basename(path), listNames(dirname(path)));
}

/** Finds a file that was moved up or named from another folder, by the path without one of its folders. */
function findElsewhere(path: string, shown: string): string | undefined {
  const steps = shown.split('/');
  if (!path.endsWith(`/${shown}`) || steps.includes('..')) return undefined;
  const place = path.slice(0, -shown.length);
  const others = steps.slice(0, -1).map((_, index) => steps.toSpliced(index, 1).join('/'));
  return others.find((other) => statSync(place + other, { throwIfNoEntry: false })?.isFile() === true);
}

function listNames(folder: string): readonly string[] {
  // A folder that can't be listed has no names to suggest.
  return unlessRefused(() => readdirSync(folder), []);
}
