import { sep } from 'node:path';

/** A path of this system with forward slashes, as files and reports have it. A backslash is part of a name elsewhere. */
export function toSlashes(path: string): string {
  return path.split(sep).join('/');
}
