import { closeSync, fstatSync, lstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDistrusted, privateFile, privateFolder, trustReplaced } from '../files/state-folder.ts';
import { drawUnfinishedEnding } from '../files/unfinished-name.ts';
import { makeFolder, unlessRefused } from '../files/write-files.ts';
import { sha256Hex } from '../text/sha256.ts';

/**
 * Marks the cache entries that this machine writes, so that it can tell them from others. A disk that refuses the key
 * leaves entries without a mark; the cache itself warns of the disk.
 */
export interface MachineMarks {
  /** The mark of an entry, by its checksum; undefined if the disk refuses the key. */
  markOf(checksum: string): string | undefined;
  isOwn(checksum: string, mark: string | undefined): boolean;
}

export interface MarkOptions {
  /** The file of the key. It is made with the first mark. */
  readonly path: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * A mark needs the key of this project on this machine. The key counts only in the file that it was made in, which its
 * number (inode) tells: a key that came with a repository or an archive, or was copied, has another file.
 */
export function openMachineMarks({ path, random }: MarkOptions): MachineMarks {
  let key: string | undefined;
  let isRead = false;
  const find = () => {
    if (!isRead) key = unlessRefused(() => readKey(path), undefined);
    isRead = true;
    return key;
  };
  return {
    markOf(checksum) {
      if (find() === undefined) key = unlessRefused(() => makeKey(path, random), undefined);
      return key === undefined ? undefined : sign(key, checksum);
    },
    isOwn(checksum, mark) {
      const known = find();
      return known !== undefined && mark === sign(known, checksum);
    },
  };
}

function sign(key: string, checksum: string): string {
  return sha256Hex(`${key}:${checksum}`);
}

function readKey(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (stats?.isFile() !== true || isDistrusted(path)) return undefined;
  const [, key, file] = /^([\da-f]{64}) (\d+)\n$/.exec(readFileSync(path, 'utf8')) ?? [];
  return file === String(stats.ino) ? key : undefined;
}

/** Another process may make one at the same time. The marks of the one that is replaced count for nothing. */
function makeKey(path: string, random: () => number): string {
  const draws = Array.from({ length: 8 }, () => random());
  const key = sha256Hex(draws.join(' '));
  const unfinished = `${path}${drawUnfinishedEnding()}`;
  makeFolder(dirname(path), privateFolder);
  const file = openSync(unfinished, 'wx', privateFile);
  try {
    writeFileSync(file, `${key} ${fstatSync(file, { bigint: true }).ino}\n`);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
  trustReplaced(path);
  return key;
}
