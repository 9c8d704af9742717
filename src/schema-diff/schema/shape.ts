import type { JsonValue } from '../../json/json.ts';

export const typeNames = ['null', 'boolean', 'number', 'string', 'array', 'object'] as const;

/** JSON's own types; `integer` is a number with `Shape.integer` set. */
export type TypeName = (typeof typeNames)[number];

export const everyType: ReadonlySet<TypeName> = new Set(typeNames);

/** A subschema, read on first use, so that recursive schemas stay finite. */
export interface SchemaNode {
  readonly id: number;
  /** JSON Pointer into the document; undefined for nodes created by the comparison. */
  readonly pointer: string | undefined;
  /** The schema as written, for reports. */
  readonly source: JsonValue;
  /** Set if the node is only a reference, perhaps with annotations. */
  readonly target: SchemaNode | undefined;
  /** True if the reference is in a union with null. */
  readonly nullable: boolean;
  /** Annotations at this place, without those of a target. */
  readonly notes: Notes;
  /** True if no keyword restricts values. */
  readonly open: boolean;
  /** True while the node is being read: reading it again would not end. */
  reading(): boolean;
  /** Shapes that a value must all satisfy; never empty. */
  shapes(): readonly Shape[];
}

/** Annotations of a schema. */
export interface Notes {
  readonly title?: string;
  readonly description?: string;
  /** Wrapped, since null can be a default. */
  readonly default?: { readonly value: JsonValue };
  readonly others: ReadonlyMap<string, JsonValue>;
  readonly extensibleEnum: boolean;
  /** Names declared as removed on purpose. */
  readonly removed: readonly string[];
}

export interface Bound {
  readonly value: number;
  readonly exclusive: boolean;
}

export interface Contains {
  readonly node: SchemaNode;
  readonly min: number;
  /** Infinity for no limit. */
  readonly max: number;
}

export interface Union {
  readonly kind: 'anyOf' | 'oneOf';
  readonly branches: readonly SchemaNode[];
  /** True if null is a branch. Stored separately, since it has many spellings. */
  readonly nullable: boolean;
  /** JSON Pointers of the branches, if they differ from the written list. */
  readonly places?: readonly (string | undefined)[];
}

export interface Conditional {
  readonly if: SchemaNode;
  readonly whenTrue: SchemaNode;
  readonly whenFalse: SchemaNode;
}

/** A schema in normal form. Each facet applies only to values of its type, and all facets apply. */
export interface Shape {
  readonly source: JsonValue;
  readonly notes: Notes;
  readonly types: ReadonlySet<TypeName>;
  /** Types that the schema itself allows. `types` may be narrower, since `properties` implies an object. */
  readonly stated: ReadonlySet<TypeName>;
  /** Numbers must be whole. */
  readonly integer: boolean;
  /** Accepted values by canonical text; undefined if not enumerated. */
  readonly values: ReadonlyMap<string, JsonValue> | undefined;
  readonly minLength: number;
  readonly maxLength: number;
  readonly patterns: readonly string[];
  readonly formats: readonly string[];
  /** contentEncoding, contentMediaType and contentSchema in canonical text. */
  readonly contents: readonly string[];
  readonly lower: Bound | undefined;
  readonly upper: Bound | undefined;
  readonly multiples: readonly number[];
  readonly prefix: readonly SchemaNode[];
  readonly rest: SchemaNode;
  readonly contains: readonly Contains[];
  readonly minItems: number;
  readonly maxItems: number;
  readonly uniqueItems: boolean;
  readonly properties: ReadonlyMap<string, SchemaNode>;
  readonly required: ReadonlySet<string>;
  readonly patternProperties: ReadonlyMap<string, SchemaNode>;
  readonly additional: SchemaNode;
  readonly propertyNames: SchemaNode;
  readonly minProperties: number;
  readonly maxProperties: number;
  readonly dependentRequired: ReadonlyMap<string, ReadonlySet<string>>;
  readonly dependentSchemas: ReadonlyMap<string, SchemaNode>;
  readonly unions: readonly Union[];
  readonly nots: readonly SchemaNode[];
  readonly conditionals: readonly Conditional[];
  readonly unknown: ReadonlyMap<string, JsonValue>;
  /** unevaluatedProperties and unevaluatedItems, if they depend on more than this shape. */
  readonly unevaluated: ReadonlyMap<string, SchemaNode>;
}

/** Creates and interns nodes. Both sides of a comparison share it, so ids are unique. */
export interface NodeFactory {
  readonly any: SchemaNode;
  readonly never: SchemaNode;
  /** A node that requires all of the nodes. */
  conjoin(nodes: readonly SchemaNode[]): SchemaNode;
  fromShape(shape: Shape): SchemaNode;
}

export const noNotes: Notes = { others: new Map(), extensibleEnum: false, removed: [] };

export function isNever(shape: Shape): boolean {
  return shape.types.size === 0 || shape.values?.size === 0;
}

export function isAny(shape: Shape): boolean {
  return shape.types.size === typeNames.length && hasOnlyTypes(shape);
}

/** True if the shape restricts at most the type. */
export function hasOnlyTypes(shape: Shape): boolean {
  return shape.values === undefined && hasOnlyTypesAndValues(shape);
}

/** True if the shape restricts at most types and values. */
export function hasOnlyTypesAndValues(shape: Shape): boolean {
  return (
    !shape.integer &&
    shape.minLength === 0 &&
    shape.maxLength === Infinity &&
    shape.patterns.length === 0 &&
    shape.formats.length === 0 &&
    shape.contents.length === 0 &&
    shape.lower === undefined &&
    shape.upper === undefined &&
    shape.multiples.length === 0 &&
    shape.prefix.length === 0 &&
    shape.rest.open &&
    shape.contains.length === 0 &&
    shape.minItems === 0 &&
    shape.maxItems === Infinity &&
    !shape.uniqueItems &&
    hasNoObjectFacets(shape) &&
    hasNoCrossTypeFacets(shape)
  );
}

export function hasNoObjectFacets(shape: Shape): boolean {
  return (
    shape.properties.size === 0 &&
    shape.required.size === 0 &&
    shape.patternProperties.size === 0 &&
    shape.additional.open &&
    shape.propertyNames.open &&
    shape.minProperties === 0 &&
    shape.maxProperties === Infinity &&
    shape.dependentRequired.size === 0 &&
    shape.dependentSchemas.size === 0
  );
}

/** True if no facet of the shape applies to several types. */
export function hasNoCrossTypeFacets(shape: Shape): boolean {
  return (
    shape.unions.length === 0 &&
    shape.nots.length === 0 &&
    shape.conditionals.length === 0 &&
    shape.unknown.size === 0 &&
    shape.unevaluated.size === 0
  );
}

/** True for a node that is known to accept nothing. */
export function isNeverNode(node: SchemaNode): boolean {
  if (node.source === false) return true;
  return !node.reading() && node.shapes().some((shape) => isNever(shape));
}

export function typeOfValue(value: JsonValue): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'object' ? 'object' : (type as 'boolean' | 'number' | 'string');
}

/** A shape that accepts every value; `any` is a node that does. */
export function openShape(any: SchemaNode): Shape {
  return {
    source: true,
    notes: noNotes,
    types: everyType,
    stated: everyType,
    integer: false,
    values: undefined,
    minLength: 0,
    maxLength: Infinity,
    patterns: [],
    formats: [],
    contents: [],
    lower: undefined,
    upper: undefined,
    multiples: [],
    prefix: [],
    rest: any,
    contains: [],
    minItems: 0,
    maxItems: Infinity,
    uniqueItems: false,
    properties: new Map(),
    required: new Set(),
    patternProperties: new Map(),
    additional: any,
    propertyNames: any,
    minProperties: 0,
    maxProperties: Infinity,
    dependentRequired: new Map(),
    dependentSchemas: new Map(),
    unions: [],
    nots: [],
    conditionals: [],
    unknown: new Map(),
    unevaluated: new Map(),
  };
}

/** Types that a shape and its unions accept. */
export function impliedTypes(shape: Shape): ReadonlySet<TypeName> {
  let types: ReadonlySet<TypeName> = shape.types;
  for (const union of shape.unions) {
    const taken = new Set<TypeName>(union.nullable ? ['null'] : []);
    for (const branch of union.branches) for (const type of nodeTypes(branch)) taken.add(type);
    types = intersect(types, taken);
  }
  return types;
}

/** Types that a node's own keywords accept. */
export function nodeTypes(node: SchemaNode): ReadonlySet<TypeName> {
  const [first, ...others] = node.shapes();
  return others.reduce((types, shape) => intersect(types, shape.types), first?.types ?? new Set<TypeName>());
}

/** Node 20 has no Set.prototype.intersection. */
export function intersect<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  if (a === b) return a;
  return new Set([...a].filter((item) => b.has(item)));
}
