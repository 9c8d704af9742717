import type { Change } from './change.ts';
import { type RuleKey, ruleFor } from './rules.ts';

const typeRules: ReadonlySet<RuleKey> = new Set<RuleKey>([
  'type-generalized',
  'type-specialized',
  'type-union-widened',
  'type-union-narrowed',
  'constraint-dropped-to-any',
  'constraint-added-to-any',
  'schema-forbidden',
  'schema-allowed',
]);

/** A type change of an item or a map's value, at that very place, is named for its role; all deeper ones keep their names. */
export function renameTypeChanges(
  changes: readonly Change[],
  at: string,
  role: 'items' | 'map-value' | 'prefix-items',
): readonly Change[] {
  return changes.map((found) => {
    if (found.path !== at) return found;
    if (role === 'prefix-items')
      return found.rule === 'type-changed' ? { ...found, rule: 'prefix-items-changed' } : found;
    if (!typeRules.has(found.rule)) return found;
    const narrows = ruleFor(found.rule).narrows;
    if (role === 'items') return { ...found, rule: narrows ? 'items-narrowed' : 'items-widened' };
    return { ...found, rule: narrows ? 'map-value-narrowed' : 'map-value-widened' };
  });
}
