import { defined } from '../../json/defined.ts';
import type { Cell } from '../../model/run/cell.ts';
import type { RowClass } from '../../model/suite/classes.ts';

/**
 * The members that every result has about its cell. `cellHash` covers everything that ran; `found` is the class that
 * the answer names.
 */
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

/** The type of the members that every result has. */
export type Described = keyof ReturnType<typeof describeCell>;
