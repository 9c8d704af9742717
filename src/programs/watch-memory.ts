import { execFile } from 'node:child_process';
import { platform } from 'node:process';
import { listProcessTree, readProc } from './process-tree.ts';

const pageBytes = 4096;

/**
 * Calls back once where a process and its descendants hold more resident memory than the limit. Linux is asked twenty
 * times a second, other Unix systems twice; Windows is not asked. Returns what ends the watch.
 */
export function watchMemory(pid: number, limitBytes: number, onExceeded: () => void): () => void {
  if (platform === 'win32') return () => undefined;
  const isLinux = platform === 'linux';
  let isOver = false;
  const judge = (bytes: number) => {
    if (isOver || bytes <= limitBytes) return;
    isOver = true;
    onExceeded();
  };
  const timer = setInterval(
    () => {
      if (isLinux) judge(residentBytesOfTree(pid));
      else askPs(pid, judge);
    },
    isLinux ? 50 : 500,
  );
  timer.unref();
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}

/** 0 for a process that has ended meanwhile. */
function residentBytesOfTree(pid: number): number {
  const pages = listProcessTree(pid).map((id) => Number(readProc(`/proc/${id}/statm`).split(' ')[1] ?? 0));
  return pages.reduce((sum, count) => sum + count, 0) * pageBytes;
}

/** The child leads its group, so the group's id is its own. */
function askPs(groupId: number, judge: (bytes: number) => void): void {
  execFile('ps', ['-A', '-o', 'pgid=,rss='], (error, stdout) => {
    // A system without such a ps is left to the deadline.
    if (error !== null) return;
    const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    judge(rows.reduce((sum, [group, kilobytes = 0]) => (group === groupId ? sum + kilobytes * 1024 : sum), 0));
  });
}
