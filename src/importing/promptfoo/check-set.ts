import type { Check } from './check-context.ts';

export interface SetMember {
  readonly check: Check;
  readonly weight: number;
}

/** The most members of which every group is tried. */
const MOST = 6;

/** A set of checks: all of them, or the groups of them that reach its threshold. */
export function buildSet(
  members: readonly SetMember[],
  threshold: unknown,
): { readonly check: Check } | { readonly fault: string; readonly at: 'assert' | 'threshold' } {
  const checks = members.map(({ check }) => check);
  if (checks.length === 0) return { fault: 'a set without assertions has no equivalent here', at: 'assert' };
  if (threshold === undefined || threshold === null) return { check: { allOf: checks } };
  if (typeof threshold !== 'number' || threshold <= 0 || threshold > 1)
    return { fault: 'the threshold of a set must be a number above 0 and up to 1', at: 'threshold' };
  if (!checks.every(isPlain))
    return { fault: 'a threshold of a set of scores has no equivalent here', at: 'threshold' };
  const groups = checks.length > MOST ? undefined : findGroups(members, threshold);
  if (groups === undefined)
    return { fault: `a threshold of a set of more than ${MOST} assertions has no equivalent here`, at: 'threshold' };
  const parts = groups.map((group): Check => (group.length === 1 ? (group[0] ?? {}) : { allOf: group }));
  const [only, second] = parts;
  return { check: only !== undefined && second === undefined && groups[0]?.length !== 1 ? only : { anyOf: parts } };
}

/** The groups of checks that together reach the threshold, and no smaller group of theirs does. */
function findGroups(members: readonly SetMember[], threshold: number): readonly (readonly Check[])[] {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const isEnough = (bits: number) =>
    members.reduce((sum, { weight }, at) => sum + (bits & (1 << at) ? weight : 0), 0) / total >= threshold;
  const enough = Array.from({ length: 2 ** members.length }, (_, bits) => bits).filter(isEnough);
  const least = enough.filter((bits) => !enough.some((other) => other !== bits && (other & bits) === other));
  return least.map((bits) => members.flatMap(({ check }, at) => (bits & (1 << at) ? [check] : [])));
}

/** True for a check whose score is 0 or 1. */
function isPlain(check: Check): boolean {
  const { not, allOf, anyOf } = check as { not?: Check; allOf?: readonly Check[]; anyOf?: readonly Check[] };
  return (
    ['similar', 'rubric', 'module', 'exec', 'levenshtein'].every((name) => check[name] === undefined) &&
    [not ?? [], allOf ?? [], anyOf ?? []].flat().every(isPlain)
  );
}
