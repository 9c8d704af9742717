import type { JsonValue } from '../json/json.ts';
import type { Change } from './change.ts';
import type { RuleKey } from './rules.ts';
import type { NodeFactory, SchemaNode, Shape } from './shape.ts';

/** What the parts of the comparison need of each other. */
export interface Comparer {
  readonly factory: NodeFactory;
  /** The runner fills in a property's default, so that callers may leave it out. */
  readonly fillDefaults: boolean;
  /** Properties of the root that have a default outside the schema. */
  readonly defaulted: ReadonlySet<string>;
  compare(old: SchemaNode, replacement: SchemaNode, path: string): readonly Change[];
}

/** Builds a change; what stands on neither side is null. */
export function change(
  rule: RuleKey,
  path: string,
  message: string,
  sides: { readonly old?: JsonValue; readonly new?: JsonValue } = {},
): Change {
  return { rule, path, message, old: sides.old ?? null, new: sides.new ?? null };
}

/** The types a shape takes as a schema would say them: `integer`, `string or null`, `any value`. */
export function describeTypes(shape: Shape): string {
  if (shape.types.size === 0 || shape.values?.size === 0) return 'nothing';
  if (shape.types.size === 6) return shape.unions.length > 0 ? 'a union' : 'any value';
  const words = [...shape.types].map((type) => (type === 'number' && shape.integer ? 'integer' : type));
  return words.sort((a, b) => Number(a === 'null') - Number(b === 'null')).join(' or ');
}

/** The types of a node, for messages and for `old` and `new` of a whole schema. */
export function describeNode(node: SchemaNode): string {
  const [first] = node.shapes();
  return first === undefined ? 'any value' : describeTypes(first);
}

/** A value for a message: JSON, cut where it is long. */
export function show(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
