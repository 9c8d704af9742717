import type { SourceLocation } from '../model/problem.ts';
import { childOf, type Located, locate, placeOf } from './locate.ts';
import type { Problems } from './problems.ts';
import type { PlacedRow } from './row-source.ts';

/** Told of the id of every case, with its row; `isOwn` where it was written there. */
export type RegisterId = (id: string, isOwn: boolean, placed: PlacedRow) => void;

/** Reports the ids that come twice. */
export function createRegister(problems: Problems): RegisterId {
  /** Of each id the row that had it first; of a row of a file its place alone, since a file may be larger than memory. */
  const firsts = new Map<string, Located | SourceLocation>();
  return (id, isOwn, { row, start }) => {
    const first = firsts.get(id);
    if (first === undefined) {
      firsts.set(id, start === undefined ? row : placeOf(row));
      return;
    }
    const { file, line } = 'path' in first ? locate(first) : first;
    const where = ` (the first at ${file}:${line})`;
    problems.report({
      code: 'duplicate-id',
      message: isOwn
        ? `two cases have the id "${id}"${where}`
        : `two cases have the same vars and turns, and so the id "${id}"${where}`,
      hint: isOwn ? 'every case of a suite needs an id of its own' : 'remove one, or give each an id',
      at: locate(isOwn ? childOf(row, 'id') : row),
    });
  };
}
