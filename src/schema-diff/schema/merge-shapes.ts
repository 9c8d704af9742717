import { canonicalJson } from '../../json/canonical-json.ts';
import type { JsonValue } from '../../json/json.ts';
import {
  type Bound,
  everyType,
  hasNoObjectFacets,
  intersect,
  type NodeFactory,
  type Notes,
  noNotes,
  type SchemaNode,
  type Shape,
} from './shape.ts';

/**
 * Merges shapes into one that accepts exactly the values that all accept. Undefined if no single shape can: closed
 * objects see only their own properties.
 */
export function mergeShapes(shapes: readonly Shape[], factory: NodeFactory): Shape | undefined {
  const [first, ...others] = shapes;
  let merged = first;
  for (const shape of others) {
    if (merged === undefined) return undefined;
    merged = mergeTwo(merged, shape, factory);
  }
  return merged;
}

/** Merges notes. Those of the outer place win. */
export function mergeNotes(outer: Notes, inner: Notes): Notes {
  if (inner === noNotes || inner === outer) return outer;
  if (outer === noNotes) return inner;
  return {
    ...inner,
    ...outer,
    others: new Map([...inner.others, ...outer.others]),
    extensibleEnum: inner.extensibleEnum || outer.extensibleEnum,
    removed: [...inner.removed, ...outer.removed],
  };
}

function mergeTwo(a: Shape, b: Shape, factory: NodeFactory): Shape | undefined {
  if (a.unevaluated.size > 0 || b.unevaluated.size > 0) return undefined;
  const objects = mergeObjects(a, b, factory);
  const unknown = mergeUnknown(a.unknown, b.unknown);
  if (objects === undefined || unknown === undefined) return undefined;
  const integer = a.integer || b.integer;
  // If one side states types, nothing is implied.
  const stated = intersect(a.stated, b.stated);
  const positions = Math.max(a.prefix.length, b.prefix.length);
  return {
    ...objects,
    source: a.source === b.source ? a.source : { allOf: [a.source, b.source] },
    notes: mergeNotes(a.notes, b.notes),
    types: stated.size === everyType.size ? intersect(a.types, b.types) : stated,
    stated,
    integer,
    values: mergeValues(a.values, b.values),
    minLength: Math.max(a.minLength, b.minLength),
    maxLength: Math.min(a.maxLength, b.maxLength),
    patterns: mergeLists(a.patterns, b.patterns),
    formats: mergeLists(a.formats, b.formats),
    contents: mergeLists(a.contents, b.contents),
    lower: tighterBound(a.lower, b.lower, 1),
    upper: tighterBound(a.upper, b.upper, -1),
    multiples: mergeLists(a.multiples, b.multiples),
    prefix: Array.from({ length: positions }, (_, index) =>
      factory.conjoin([a.prefix[index] ?? a.rest, b.prefix[index] ?? b.rest]),
    ),
    rest: factory.conjoin([a.rest, b.rest]),
    contains: [...a.contains, ...b.contains],
    minItems: Math.max(a.minItems, b.minItems),
    maxItems: Math.min(a.maxItems, b.maxItems),
    uniqueItems: a.uniqueItems || b.uniqueItems,
    unions: [...a.unions, ...b.unions],
    nots: [...a.nots, ...b.nots],
    conditionals: [...a.conditionals, ...b.conditionals],
    unknown,
    unevaluated: new Map(),
  };
}

type ObjectFacets = Pick<
  Shape,
  | 'additional'
  | 'dependentRequired'
  | 'dependentSchemas'
  | 'maxProperties'
  | 'minProperties'
  | 'patternProperties'
  | 'properties'
  | 'propertyNames'
  | 'required'
>;

function mergeObjects(a: Shape, b: Shape, factory: NodeFactory): ObjectFacets | undefined {
  if (hasNoObjectFacets(a)) return b;
  if (hasNoObjectFacets(b)) return a;
  const bothOpen = a.additional.open && b.additional.open;
  if (!bothOpen && (a.patternProperties.size > 0 || b.patternProperties.size > 0)) return undefined;
  const names = new Set([...a.properties.keys(), ...b.properties.keys()]);
  return {
    properties: new Map(
      [...names].map((name) => [
        name,
        factory.conjoin([a.properties.get(name) ?? a.additional, b.properties.get(name) ?? b.additional]),
      ]),
    ),
    required: new Set([...a.required, ...b.required]),
    patternProperties: mergeNodeMaps(a.patternProperties, b.patternProperties, factory),
    additional: factory.conjoin([a.additional, b.additional]),
    propertyNames: factory.conjoin([a.propertyNames, b.propertyNames]),
    minProperties: Math.max(a.minProperties, b.minProperties),
    maxProperties: Math.min(a.maxProperties, b.maxProperties),
    dependentRequired: new Map(
      [...new Set([...a.dependentRequired.keys(), ...b.dependentRequired.keys()])].map((name) => [
        name,
        new Set([...(a.dependentRequired.get(name) ?? []), ...(b.dependentRequired.get(name) ?? [])]),
      ]),
    ),
    dependentSchemas: mergeNodeMaps(a.dependentSchemas, b.dependentSchemas, factory),
  };
}

function mergeNodeMaps(
  a: ReadonlyMap<string, SchemaNode>,
  b: ReadonlyMap<string, SchemaNode>,
  factory: NodeFactory,
): ReadonlyMap<string, SchemaNode> {
  const merged = new Map(a);
  for (const [name, node] of b) {
    const other = merged.get(name);
    merged.set(name, other === undefined ? node : factory.conjoin([other, node]));
  }
  return merged;
}

function mergeUnknown(
  a: ReadonlyMap<string, JsonValue>,
  b: ReadonlyMap<string, JsonValue>,
): ReadonlyMap<string, JsonValue> | undefined {
  for (const [keyword, value] of b) {
    const other = a.get(keyword);
    if (other !== undefined && canonicalJson(other) !== canonicalJson(value)) return undefined;
  }
  return new Map([...a, ...b]);
}

function mergeValues(a: Shape['values'], b: Shape['values']): Shape['values'] {
  if (a === undefined || b === undefined) return a ?? b;
  return new Map([...a].filter(([text]) => b.has(text)));
}

function mergeLists<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return [...new Set([...a, ...b])];
}

/** `sign` is 1 for lower bounds and -1 for upper ones. */
function tighterBound(a: Bound | undefined, b: Bound | undefined, sign: 1 | -1): Bound | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.value === b.value) return { value: a.value, exclusive: a.exclusive || b.exclusive };
  return (a.value - b.value) * sign > 0 ? a : b;
}
