import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDistrusted, privateFile, privateFolder, refuseLink, trustReplaced } from '../files/state-folder.ts';
import { drawUnfinishedEnding } from '../files/unfinished-name.ts';
import { makeFolder, systemErrorCode } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { type CacheEntry, checksumOf, parseAnswer, renderEntry, type StoredAnswer } from './cache-entry.ts';
import type { MachineMarks } from './machine-mark.ts';

export interface FoundAnswer extends StoredAnswer {
  /** True if this machine can't tell that it wrote the entry. */
  readonly isForeign?: true;
}

/** Answers on disk. Neither call throws for a disk error, so that a run continues without its cache. */
export interface CacheStore {
  /** Undefined: not there, or not usable (reported through `onWarning`). */
  read(key: string): FoundAnswer | undefined;
  /**
   * Replaces the entry of the key. A killed process leaves the old entry or the new one. `newText` is a new answer's
   * entry as `renderEntry` writes it.
   */
  write(entry: CacheEntry, newText?: string): void;
}

export interface CacheStoreOptions {
  readonly onWarning: (message: string) => void;
  /** Marks entries as written here. Without it, every entry counts as one. */
  readonly marks?: MachineMarks;
}

/**
 * A cache folder with one file for each answer, `ab/abcd….json`. Any number of processes may share it. Each sees the
 * others' entries at once. The folder is created with the first entry.
 */
export function openCacheStore(folder: string, { onWarning, marks }: CacheStoreOptions): CacheStore {
  const warnedOf = new Set<string>();
  let isWritable = true;

  return {
    read(key) {
      const path = entryPath(folder, key);
      let text: string;
      try {
        // Most answers of a new prompt are missing, which is no error.
        if (lstatSync(path, { throwIfNoEntry: false }) === undefined || isDistrusted(path)) return undefined;
        refuseLink('Reading', path);
        refuseLink('Reading', dirname(path));
        text = readFileSync(path, 'utf8');
      } catch (error) {
        const code = codeOf(error);
        if (code !== 'ENOENT' && code !== 'ENOTDIR')
          warnOnce(`read ${code}`, `The cache can't be read (${code}: ${path}). What can't be read counts as missing.`);
        return undefined;
      }
      const parsed = parseAnswer(text);
      if (parsed.ok && parsed.answer.key === key) {
        const { checksum, mark } = parsed.signature;
        return marks?.isOwn(checksum, mark) === false ? { ...parsed.answer, isForeign: true } : parsed.answer;
      }
      const reason = parsed.ok ? 'holds the answer to another request' : parsed.reason;
      warnOnce(path, `The cache entry ${path} ${reason}. It counts as missing; the next answer replaces it.`);
      return undefined;
    },
    write(entry, newText) {
      if (!isWritable) return;
      try {
        writeEntry(folder, entry, { ...defined({ newText }), marks });
      } catch (error) {
        const code = codeOf(error);
        isWritable = !lastingCodes.has(code);
        const consequence = isWritable ? 'Some answers are not stored' : 'No further answer is stored in this run';
        warnOnce(code, `The cache can't be written (${code}: ${folder}). ${consequence}.`);
      }
    },
  };

  function warnOnce(about: string, message: string): void {
    if (warnedOf.has(about)) return;
    warnedOf.add(about);
    onWarning(message);
  }
}

/**
 * The path of a key's entry. Folders are named by two letters, which keeps them small: 200,000 answers are 800 a
 * folder.
 */
export function entryPath(folder: string, key: string): string {
  return join(folder, key.slice(0, 2), `${key}.json`);
}

// Another process that shares the folder has another name; within this one a write ends before the next begins.
const ownEnding = drawUnfinishedEnding();

interface WriteOptions {
  readonly newText?: string;
  /** Absent for an entry of another machine. */
  readonly marks?: MachineMarks | undefined;
}

/**
 * Writes an entry completely or not at all. Its file is as old as the entry, so that `prune` need not read it. Throws
 * system errors.
 */
export function writeEntry(folder: string, entry: CacheEntry, { newText, marks }: WriteOptions = {}): void {
  const path = entryPath(folder, entry.key);
  const unfinished = `${path}${ownEnding}`;
  refuseLink('Writing', dirname(path));
  try {
    const text = newText ?? renderEntry(entry);
    const mark = marks?.markOf(checksumOf(text));
    writeMakingFolder(unfinished, mark === undefined ? `${text}\n` : `${text}\n${mark}\n`);
    if (newText === undefined) {
      const createdAt = new Date(entry.createdAt);
      utimesSync(unfinished, createdAt, createdAt);
    }
    renameSync(unfinished, path);
    trustReplaced(path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** The folder is made only if it is missing: it is there for nearly every entry. */
function writeMakingFolder(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: privateFile });
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    makeFolder(dirname(path), privateFolder);
    writeFileSync(path, text, { mode: privateFile });
  }
}

/** The names in a folder, without links; none if it is missing or no folder. Throws other system errors. */
export function listNames(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isSymbolicLink())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** Codes that the next entry would meet again. */
const lastingCodes: ReadonlySet<string> = new Set(['EACCES', 'EDQUOT', 'ENOSPC', 'ENOTDIR', 'EROFS']);

/** Returns the code of a disk error; rethrows any other error. */
function codeOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code;
}
