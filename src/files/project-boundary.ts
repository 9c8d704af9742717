import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The nearest folder, upwards to and with `last`, that holds a name. */
export function findUp(start: string, name: string, last?: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (folder === last || dirname(folder) === folder) return undefined;
  }
}

/** The git root, else the project root: a path in a file may not lead out of it. */
export function boundaryOf(root: string): string {
  return findUp(root, '.git') ?? root;
}
