import type { ChildProcess } from 'node:child_process';
import { kill } from 'node:process';
import { listProcessTree } from './process-tree.ts';

/** Kills a child that leads a process group, and all that it started, groups of their own included. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const [, ...started] = listProcessTree(child.pid);
  try {
    // A negative id names the whole group; ChildProcess.kill would leave grandchildren alive.
    kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // No such group: it has ended already, or the system (Windows) knows no groups.
    if (!(error instanceof Error && 'code' in error)) throw error;
    child.kill('SIGKILL');
  }
  for (const pid of started) killIfThere(pid);
}

function killIfThere(pid: number): void {
  try {
    kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
