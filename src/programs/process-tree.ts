import { readFileSync } from 'node:fs';

/** A process and all that it started, so far as Linux tells; other systems tell nothing, and get the process alone. */
export function listProcessTree(pid: number): readonly number[] {
  const tree = [pid];
  for (const next of tree) {
    const children = readProc(`/proc/${next}/task/${next}/children`).trim();
    if (children !== '') tree.push(...children.split(' ').map(Number));
  }
  return tree;
}

/** The text of a file that describes a process; empty once the process has ended. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
