import { everyType, noNotes, type SchemaNode, type Shape } from './shape.ts';

const noMap = new Map<string, never>();
const noSet: ReadonlySet<string> = new Set();
const openShapes = new WeakMap<SchemaNode, Shape>();

/** The shape that takes every value, of which one is enough for all that share a factory. */
export function openShape(anything: SchemaNode): Shape {
  let shape = openShapes.get(anything);
  if (shape === undefined) {
    shape = makeOpenShape(anything);
    openShapes.set(anything, shape);
  }
  return shape;
}

function makeOpenShape(anything: SchemaNode): Shape {
  return {
    source: true,
    notes: noNotes,
    types: everyType,
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
    rest: anything,
    contains: [],
    minItems: 0,
    maxItems: Infinity,
    uniqueItems: false,
    properties: noMap,
    required: noSet,
    patternProperties: noMap,
    additional: anything,
    propertyNames: anything,
    minProperties: 0,
    maxProperties: Infinity,
    dependentRequired: noMap,
    dependentSchemas: noMap,
    unions: [],
    nots: [],
    conditionals: [],
    unknown: noMap,
    unevaluated: noMap,
  };
}

/**
 * The same shape but for what is given. Every member is written out: a literal that began with a spread would make
 * V8 build the object, and everything that reads it, the slow way.
 */
export function alterShape(shape: Shape, changes: Partial<Shape>): Shape {
  const altered: Shape = {
    source: shape.source,
    notes: shape.notes,
    types: shape.types,
    integer: shape.integer,
    values: shape.values,
    minLength: shape.minLength,
    maxLength: shape.maxLength,
    patterns: shape.patterns,
    formats: shape.formats,
    contents: shape.contents,
    lower: shape.lower,
    upper: shape.upper,
    multiples: shape.multiples,
    prefix: shape.prefix,
    rest: shape.rest,
    contains: shape.contains,
    minItems: shape.minItems,
    maxItems: shape.maxItems,
    uniqueItems: shape.uniqueItems,
    properties: shape.properties,
    required: shape.required,
    patternProperties: shape.patternProperties,
    additional: shape.additional,
    propertyNames: shape.propertyNames,
    minProperties: shape.minProperties,
    maxProperties: shape.maxProperties,
    dependentRequired: shape.dependentRequired,
    dependentSchemas: shape.dependentSchemas,
    unions: shape.unions,
    nots: shape.nots,
    conditionals: shape.conditionals,
    unknown: shape.unknown,
    unevaluated: shape.unevaluated,
  };
  return Object.assign(altered, changes);
}
