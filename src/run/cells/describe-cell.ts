import { defined } from '../../json/defined.ts';
import type { Cell } from '../../model/cell.ts';
import type { RowClass } from '../../model/classes.ts';

/** What every result says of its cell. `cellHash` is the hash of all that it ran, `found` the class that its answer names. */
export function describeCell(cell: Cell, cellHash: string, found?: string | null) {
  const { key, caseHash, observe, mustPass, group, slices, at, confirmation, side } = cell;
  const classified = describeClass(cell, found);
  return {
    key,
    cellHash,
    caseHash,
    observe,
    mustPass,
    at,
    ...defined({ group, slices, classified, confirmation, side }),
  };
}

function describeClass({ classes }: Cell, found: string | null | undefined): RowClass | undefined {
  return classes && { truth: classes.truth, ...defined({ found }), by: classes.by };
}

/** Members that every result of a cell has. */
export type Described = keyof ReturnType<typeof describeCell>;
