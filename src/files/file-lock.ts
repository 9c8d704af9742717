import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { kill, pid } from 'node:process';
import { drawUnfinishedEnding } from './unfinished-name.ts';
import { makeFolder, StorageError, systemErrorCode, unlessRefused, withStorageErrors } from './write-files.ts';

/**
 * Runs what reads a file, changes its content and writes it: one process at a time for each file. Throws a
 * `StorageError` where another process does not finish within the time, a minute.
 *
 * The lock is a folder beside the file that holds one file, named after its process. A process makes such a folder
 * under its own name and renames it. This fails while the lock holds a file. So a lock always has the name of its
 * owner. Removing the file of a process that died can't remove the lock of the next one.
 */
export function withFileLock<T>(path: string, work: () => T, timeoutMs = 60_000): T {
  const lock = withStorageErrors('Writing', path, () => lockOf(path));
  const owner = [pid, startOf(pid) ?? '', findComputer(), randomBytes(6).toString('hex')].join('-');
  withStorageErrors('Writing', path, () => takeLock(lock, owner, { path, timeoutMs }));
  try {
    return work();
  } finally {
    withStorageErrors('Writing', path, () => {
      rmSync(join(lock, owner), { force: true });
      removeIfEmpty(lock);
    });
  }
}

/** Names the lock of a file. For a link it is the lock of the target, which will be written. */
function lockOf(path: string): string {
  const target = existsSync(path) ? realpathSync(path) : path;
  return join(dirname(target), `.${basename(target)}.lock`);
}

const pauseMs = 10;

interface Waiting {
  readonly path: string;
  readonly timeoutMs: number;
}

function takeLock(lock: string, owner: string, { path, timeoutMs }: Waiting): void {
  const own = `${lock.slice(0, -'.lock'.length)}${drawUnfinishedEnding()}`;
  makeFolder(own);
  try {
    writeFileSync(join(own, owner), '');
    let seen: string | undefined;
    for (let waitedMs = 0; !renameUnlessTaken(own, lock); waitedMs += pauseMs) {
      const found = removeDead(lock);
      // If the process can't be checked, a minute without a change means that it died.
      if (found !== seen) [seen, waitedMs] = [found, 0];
      if (waitedMs >= timeoutMs) {
        if (found === undefined || isAlive(found) === true) throw new StorageError('Writing', path, 'EBUSY');
        rmSync(join(lock, found), { force: true });
      }
      Atomics.wait(sleeper, 0, 0, pauseMs);
    }
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    throw error;
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** A folder takes the place of an empty one, not of one that holds a file. Windows has its own words for that. */
function renameUnlessTaken(own: string, lock: string): boolean {
  try {
    renameSync(own, lock);
    return true;
  } catch (error) {
    if (isOneOf(error, ['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'])) return false;
    throw error;
  }
}

/** Gives the owner that may be alive, where there is one. */
function removeDead(lock: string): string | undefined {
  let alive: string | undefined;
  for (const owner of listOwners(lock)) {
    if (isAlive(owner) === false) rmSync(join(lock, owner), { force: true });
    else alive = owner;
  }
  if (alive === undefined) removeIfEmpty(lock);
  return alive;
}

function listOwners(lock: string): readonly string[] {
  try {
    return readdirSync(lock);
  } catch (error) {
    if (isOneOf(error, ['ENOENT'])) return [];
    throw error;
  }
}

function removeIfEmpty(lock: string): void {
  try {
    rmdirSync(lock);
  } catch (error) {
    if (!isOneOf(error, ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'])) throw error;
  }
}

/** Undefined where that is unknown: on another computer, or where another process may have the number by now. */
function isAlive(owner: string): boolean | undefined {
  const [id = '', start = '', computer = ''] = owner.split('-');
  if (computer !== findComputer()) return undefined;
  const startNow = startOf(Number(id));
  if (!isRunning(Number(id)) || startNow === 'ended') return false;
  return start === '' || startNow === undefined ? undefined : start === startNow;
}

function isRunning(id: number): boolean {
  try {
    return kill(id, 0);
  } catch (error) {
    // One of another user may not be sent a signal.
    return !isOneOf(error, ['ESRCH']);
  }
}

/** When a process began, in ticks since the start of the computer: process numbers are reused, start times are not. Only Linux provides it. */
function startOf(id: number): string | undefined {
  const stat = unlessRefused(() => readFileSync(`/proc/${id}/stat`, 'utf8'), undefined);
  // The name before the last parenthesis may hold anything. The state follows, the 3rd field; the start is the 22nd.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  // One that ended keeps its number until its parent looks, and some never do.
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
}

/** Where process numbers mean the same: containers have numbers of their own. */
function findComputer(): string {
  const boot = unlessRefused(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), undefined);
  const namespace = unlessRefused(() => readlinkSync('/proc/self/ns/pid'), undefined);
  return createHash('sha256')
    .update(JSON.stringify([hostname(), boot, namespace]))
    .digest('hex')
    .slice(0, 12);
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return codes.includes(systemErrorCode(error) ?? '');
}
