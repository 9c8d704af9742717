import { type ChildProcess, execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { kill, platform } from 'node:process';

/** Kills a child that leads a process group, and every process that it started, in other groups too. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const [, ...descendants] = listProcessTree(child.pid);
  // A negative id names the whole group; ChildProcess.kill would leave grandchildren alive.
  // There is no such group where it has ended already, or on Windows.
  if (!killIfAlive(-child.pid)) child.kill('SIGKILL');
  for (const pid of descendants) killIfAlive(pid);
}

function killIfAlive(pid: number): boolean {
  try {
    kill(pid, 'SIGKILL');
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return false;
  }
}

/**
 * Calls back once when a process and its descendants hold more resident memory than the limit. Measures twenty times a
 * second on Linux, twice a second on other Unix systems, and never on Windows. Returns a function that ends the watch.
 */
export function watchMemory(pid: number, limitBytes: number, onExceeded: () => void): () => void {
  if (platform === 'win32') return () => undefined;
  const isLinux = platform === 'linux';
  let isOver = false;
  const check = (bytes: number) => {
    if (isOver || bytes <= limitBytes) return;
    isOver = true;
    onExceeded();
  };
  const timer = setInterval(
    () => {
      if (isLinux) check(residentBytesOfTree(pid));
      else askPs(pid, check);
    },
    isLinux ? 50 : 500,
  );
  timer.unref();
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}

/** A process and its descendants on Linux; only the process on other systems. */
function listProcessTree(pid: number): readonly number[] {
  const tree = [pid];
  for (const next of tree) {
    const children = readProc(`/proc/${next}/task/${next}/children`).trim();
    if (children !== '') tree.push(...children.split(' ').map(Number));
  }
  return tree;
}

const pageBytes = 4096;

/** A process that has ended meanwhile counts as 0. */
function residentBytesOfTree(pid: number): number {
  const pages = listProcessTree(pid).map((id) => Number(readProc(`/proc/${id}/statm`).split(' ')[1] ?? 0));
  return pages.reduce((sum, count) => sum + count, 0) * pageBytes;
}

/** The text of a file that describes a process; empty once the process has ended. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}

/** The child leads its group, so the group's id is the child's. */
function askPs(groupId: number, check: (bytes: number) => void): void {
  execFile('ps', ['-A', '-o', 'pgid=,rss='], (error, stdout) => {
    // Without such a ps only the deadline bounds the program.
    if (error !== null) return;
    const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    check(rows.reduce((sum, [group, kilobytes = 0]) => (group === groupId ? sum + kilobytes * 1024 : sum), 0));
  });
}
