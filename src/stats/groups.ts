import { groupClusteredError, sampleVariance } from './means.ts';

/** The group of each value. */
export type Groups = readonly (string | number)[];

/** Makes a value without a group one of its own. Undefined where no two values share a group: they are then independent. */
export function sharedGroups(groups: readonly (string | number | undefined)[]): Groups | undefined {
  const named = groups.filter((group) => group !== undefined);
  if (new Set(named).size === named.length) return undefined;
  // No group of a suite begins with a control character.
  return groups.map((group, index) => (group === undefined ? `\u0000${index}` : group));
}

/** How much larger the variance of the mean is than that of independent values; at least 1, also where nothing differs. */
export function designEffect(values: readonly number[], groups: Groups): number {
  const { se } = groupClusteredError(values, groups);
  // One group is one observation, however many values it has.
  if (se === null) return values.length;
  const variance = sampleVariance(values);
  return variance === null || variance === 0 ? 1 : Math.max(1, (se * se * values.length) / variance);
}
