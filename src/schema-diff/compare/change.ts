import type { JsonValue } from '../../json/json.ts';
import { type RuleKey, ruleFor } from '../rules.ts';
import type { NodeFactory, SchemaNode, Shape } from '../schema/shape.ts';

/** A difference, not yet graded for a direction and policy. */
export interface Change {
  readonly rule: RuleKey;
  readonly path: string;
  readonly old: JsonValue;
  readonly new: JsonValue;
  readonly message: string;
  /** True if a tombstone names the removed part. */
  readonly announced?: true;
}

/** True if a value accepted before may be refused. */
export function hasNarrowing(changes: readonly Change[]): boolean {
  return changes.some((change) => ruleFor(change.rule).narrows);
}

/** True if a value refused before may be accepted. */
export function hasWidening(changes: readonly Change[]): boolean {
  return changes.some((change) => ruleFor(change.rule).widens);
}

/** False if both sides accept the same values. */
export function hasEffect(changes: readonly Change[]): boolean {
  return hasNarrowing(changes) || hasWidening(changes);
}

/** Shared functions of the comparison's parts. */
export interface Comparer {
  readonly factory: NodeFactory;
  /** True if the runner fills in defaults, so callers may omit these properties. */
  readonly fillDefaults: boolean;
  /** Root properties with a default outside the schema. */
  readonly defaulted: ReadonlySet<string>;
  compare(old: SchemaNode, replacement: SchemaNode, path: string): readonly Change[];
}

/** Builds a change. A side without a value becomes null. */
export function change(
  rule: RuleKey,
  path: string,
  message: string,
  sides: { readonly old?: JsonValue; readonly new?: JsonValue } = {},
): Change {
  return { rule, path, message, old: sides.old ?? null, new: sides.new ?? null };
}

/** Describes a shape's types: `integer`, `string or null`, `any value`. */
export function describeTypes(shape: Shape): string {
  if (shape.types.size === 0 || shape.values?.size === 0) return 'nothing';
  if (shape.types.size === 6) return shape.unions.length > 0 ? 'a union' : 'any value';
  const words = [...shape.types].map((type) => (type === 'number' && shape.integer ? 'integer' : type));
  return words.sort((a, b) => Number(a === 'null') - Number(b === 'null')).join(' or ');
}

/** Describes a node's types, for messages and for `old` and `new` of a whole schema. */
export function describeNode(node: SchemaNode): string {
  const [first] = node.shapes();
  return first === undefined ? 'any value' : describeTypes(first);
}

/** Shows a value in a message: JSON, shortened if long. */
export function show(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

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

/** Gives type changes of items or map values the role's rule. Deeper changes keep theirs. */
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

interface Pairing<T> {
  readonly pairs: readonly (readonly [T, T])[];
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

/** Pairs equal members of two lists, in any order. */
export function pairEqual<T>(
  old: readonly T[],
  replacement: readonly T[],
  isEqual: (before: T, after: T) => boolean,
): Pairing<T> {
  const removed = [...old];
  const added: T[] = [];
  const pairs: (readonly [T, T])[] = [];
  for (const after of replacement) {
    const index = removed.findIndex((before) => isEqual(before, after));
    const [before] = index === -1 ? [] : removed.splice(index, 1);
    if (before === undefined) added.push(after);
    else pairs.push([before, after]);
  }
  return { pairs, removed, added };
}

/** Pairs removed and added members in order. The rest stays unpaired. */
export function pairInOrder<T>(removed: readonly T[], added: readonly T[]): Pairing<T> {
  const pairs = removed.flatMap((before, index): readonly (readonly [T, T])[] => {
    const after = added[index];
    return after === undefined ? [] : [[before, after]];
  });
  return { pairs, removed: removed.slice(pairs.length), added: added.slice(pairs.length) };
}

/** Compares two lists without meaningful order. Members without an equal one are paired in order. */
export function compareLists<T>(
  old: readonly T[],
  replacement: readonly T[],
  by: {
    readonly compare: (before: T, after: T) => readonly Change[];
    readonly isEqual: (changes: readonly Change[]) => boolean;
    readonly describeRemoved: (item: T) => Change;
    readonly describeAdded: (item: T) => Change;
  },
): readonly Change[] {
  const unequal = pairEqual(old, replacement, (before, after) => by.isEqual(by.compare(before, after)));
  const { pairs, removed, added } = pairInOrder(unequal.removed, unequal.added);
  return [
    ...pairs.flatMap(([before, after]) => by.compare(before, after)),
    ...removed.map(by.describeRemoved),
    ...added.map(by.describeAdded),
  ];
}
