import type { AcceptedAnswer } from '../assertions/define.ts';
import { lookupAssertion } from '../assertions/index.ts';
import { cacheKey } from '../cache/cache-key.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import type { Cell, CellKey } from '../model/cell.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { sha256Hex } from '../text/sha256.ts';

/**
 * Finds the accepted answer of a cell; undefined where there is none, or where only its hash was kept. A trial that the
 * baseline does not have, such as a fresh one, is held to the case's first answer: it asks the same question again.
 */
export type FindAccepted = (key: CellKey) => AcceptedAnswer | undefined;

/** The identity of what a cell would run: its first request, and what is asked and judged after it. */
export function identify(cell: Cell, findAccepted: FindAccepted): string {
  return `${withAcceptedIdentity(cell, findAccepted).identity}:${cacheKey(cell.request)}`;
}

/** A cell that is held against an accepted answer is another one once another answer is accepted. */
export function withAcceptedIdentity(cell: Cell, findAccepted: FindAccepted): Cell {
  if (!cell.checks.some(comparesAccepted) && !cell.checks.some(comparesOther)) return cell;
  const accepted = sha256Hex(canonicalJson(findAccepted(cell.key) ?? null)).slice(0, 12);
  return { ...cell, identity: `${cell.identity}.${accepted}` };
}

/** True for a check that looks at the accepted answer, itself or by a child. */
export function comparesAccepted({ assertion, children = [] }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return (
    (declared !== undefined && 'comparesAccepted' in declared && declared.comparesAccepted) ||
    children.some(comparesAccepted)
  );
}

/** True for a check that looks at the answer of the side that its cell is compared with, itself or by a child. */
export function comparesOther({ assertion, children = [] }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return (
    (declared !== undefined && 'comparesOther' in declared && declared.comparesOther) || children.some(comparesOther)
  );
}
