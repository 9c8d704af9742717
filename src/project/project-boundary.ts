import { sep } from 'node:path';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { boundaryOf, displayPath, type FileFault, findPlaceFault } from '../suite/files.ts';

export interface Place {
  /** Of the project. */
  readonly root: string;
  readonly cwd: string;
}

/** Why a path that came out of a file can't be used: it leads, perhaps by links, out of the project. */
export function findOutsideFault(path: string, { root, cwd }: Place): FileFault | undefined {
  return findPlaceFault(path, boundaryOf(root), displayPath(path, cwd));
}

/** Throws a `UserError` before anything of such a path is read or written. */
export function refuseOutside(path: string, place: Place, hint?: string): void {
  const fault = findOutsideFault(path, place);
  if (fault === undefined) return;
  throw new UserError([{ ...fault, severity: 'error', ...defined({ hint }) }]);
}

/**
 * The same of a path that a flag names: it may lie anywhere, but what lies in the project and is a link out of it was
 * not named by the user.
 */
export function refuseLinkOutside(path: string, place: Place): void {
  if (path.startsWith(`${boundaryOf(place.root)}${sep}`)) refuseOutside(path, place);
}
