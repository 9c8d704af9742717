import { canonicalJson } from '../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { appendPointer } from '../json/json-pointer.ts';
import { contentKeywords, families, familiesOf } from './keyword-families.ts';
import { isKnownKeyword, referenceKeywords } from './keywords.ts';
import { alterShape, openShape } from './make-shape.ts';
import { readNotes } from './read-notes.ts';
import type { RawSchema } from './schema-document.ts';
import {
  type Bound,
  everyType,
  type NodeFactory,
  type SchemaNode,
  type Shape,
  type TypeName,
  typeNames,
} from './shape.ts';

interface ChildReader {
  readonly factory: NodeFactory;
  readonly implyTypes: boolean;
  node(schema: RawSchema, pointer: string): SchemaNode;
}

type Facets = { -readonly [K in keyof Shape]?: Shape[K] };

/** Reads a schema's own keywords, without its references and unions. */
export function readFacets(schema: JsonObject, pointer: string, reader: ChildReader, unions: Shape['unions']): Shape {
  const found = familiesOf(schema);
  const { types, integer } = readTypes(schema, reader.implyTypes);
  const facets: Facets = { source: schema, notes: readNotes(schema), types, integer };
  if (unions.length > 0) facets.unions = unions;
  if ((found & families.values) !== 0) facets.values = readValues(schema);
  if ((found & families.string) !== 0) readStringFacets(schema, facets);
  if ((found & families.number) !== 0) readNumberFacets(schema, facets);
  if ((found & families.array) !== 0) Object.assign(facets, readArrayFacets(schema, pointer, reader));
  if ((found & families.object) !== 0) readObjectFacets(schema, pointer, reader, facets);
  if ((found & families.residue) !== 0) readResidue(schema, pointer, reader, facets);
  if ((found & families.unknown) !== 0) facets.unknown = readUnknown(schema);
  return alterShape(openShape(reader.factory.any), facets);
}

function readStringFacets(schema: JsonObject, facets: Facets): void {
  const { pattern, format } = schema;
  facets.minLength = numberOr(schema['minLength'], 0);
  facets.maxLength = numberOr(schema['maxLength'], Infinity);
  if (typeof pattern === 'string') facets.patterns = [pattern];
  if (typeof format === 'string') facets.formats = [format];
  facets.contents = contentKeywords
    .filter((name) => name in schema)
    .map((name) => `${name}: ${canonicalJson(schema[name])}`);
}

function readNumberFacets(schema: JsonObject, facets: Facets): void {
  const { multipleOf } = schema;
  facets.lower = readBound(schema['minimum'], schema['exclusiveMinimum'], 1);
  facets.upper = readBound(schema['maximum'], schema['exclusiveMaximum'], -1);
  if (typeof multipleOf === 'number') facets.multiples = [multipleOf];
}

function readObjectFacets(schema: JsonObject, pointer: string, reader: ChildReader, facets: Facets): void {
  const child = (keyword: string): SchemaNode =>
    reader.node(asSchema(schema[keyword]), appendPointer(pointer, keyword));
  const nodeMap = (keyword: string): ReadonlyMap<string, SchemaNode> => readNodeMap(schema, keyword, pointer, reader);
  facets.properties = nodeMap('properties');
  facets.required = new Set(stringsOf(schema['required']));
  if ('patternProperties' in schema) facets.patternProperties = nodeMap('patternProperties');
  if ('additionalProperties' in schema) facets.additional = child('additionalProperties');
  // Alone in its schema, unevaluatedProperties means what additionalProperties means.
  else if ('unevaluatedProperties' in schema && !seesMore(schema, 'unevaluatedProperties')) {
    facets.additional = child('unevaluatedProperties');
  }
  if ('propertyNames' in schema) facets.propertyNames = child('propertyNames');
  facets.minProperties = numberOr(schema['minProperties'], 0);
  facets.maxProperties = numberOr(schema['maxProperties'], Infinity);
  Object.assign(facets, readDependencies(schema, nodeMap));
}

/** What cuts across types. */
function readResidue(schema: JsonObject, pointer: string, reader: ChildReader, facets: Facets): void {
  const child = (keyword: string): SchemaNode =>
    reader.node(asSchema(schema[keyword]), appendPointer(pointer, keyword));
  if ('not' in schema) facets.nots = [child('not')];
  if ('if' in schema && ('then' in schema || 'else' in schema)) {
    facets.conditionals = [{ if: child('if'), whenTrue: child('then'), whenFalse: child('else') }];
  }
  const unevaluated = ['unevaluatedItems', 'unevaluatedProperties'].filter(
    (keyword) => keyword in schema && schema[keyword] !== true && seesMore(schema, keyword),
  );
  if (unevaluated.length > 0) facets.unevaluated = new Map(unevaluated.map((keyword) => [keyword, child(keyword)]));
}

function readTypes(schema: JsonObject, implyTypes: boolean): Pick<Shape, 'types' | 'integer'> {
  const { type } = schema;
  const words = typeof type === 'string' ? [type] : stringsOf(type);
  if (words.length === 0) {
    const complete = ['enum', 'const', 'anyOf', 'oneOf', ...referenceKeywords].some((keyword) => keyword in schema);
    const implied = implyTypes && 'properties' in schema && !complete;
    return { types: implied ? typeSet(['object']) : everyType, integer: false };
  }
  const names: readonly string[] = schema['nullable'] === true ? [...words, 'null'] : words;
  return { types: typeSet(names), integer: words.includes('integer') && !words.includes('number') };
}

const typeSets = new Map<string, ReadonlySet<TypeName>>();

/** One set for the same types, so that equal ones are told by identity; there are only so many. */
function typeSet(words: readonly string[]): ReadonlySet<TypeName> {
  const types = typeNames.filter((name) => words.includes(name) || (name === 'number' && words.includes('integer')));
  const key = types.join();
  let known = typeSets.get(key);
  if (known === undefined) {
    known = types.length === typeNames.length ? everyType : new Set(types);
    typeSets.set(key, known);
  }
  return known;
}

function readValues(schema: JsonObject): Shape['values'] {
  const lists: (readonly JsonValue[])[] = [];
  if (Array.isArray(schema['enum'])) lists.push(schema['enum']);
  if ('const' in schema) lists.push([schema['const'] ?? null]);
  const [first, second] = lists.map((list) => new Map(list.map((value) => [canonicalJson(value), value])));
  if (first === undefined || second === undefined) return first;
  return new Map([...first].filter(([text]) => second.has(text)));
}

function readArrayFacets(
  schema: JsonObject,
  pointer: string,
  reader: ChildReader,
): Pick<Shape, 'contains' | 'maxItems' | 'minItems' | 'prefix' | 'rest' | 'uniqueItems'> {
  const child = (keyword: string): SchemaNode =>
    reader.node(asSchema(schema[keyword]), appendPointer(pointer, keyword));
  // Draft-07 spells a tuple as a list under `items`.
  const prefixKeyword = Array.isArray(schema['items']) ? 'items' : 'prefixItems';
  const restKeyword = Array.isArray(schema['items']) ? 'additionalItems' : 'items';
  const prefix = schema[prefixKeyword];
  const min = numberOr(schema['minContains'], 1);
  const max = numberOr(schema['maxContains'], Infinity);
  const idle = !('contains' in schema) || (min === 0 && max === Infinity);
  const closedByUnevaluated =
    !(restKeyword in schema) && 'unevaluatedItems' in schema && !seesMore(schema, 'unevaluatedItems');
  return {
    prefix: Array.isArray(prefix)
      ? prefix.map((item, index) => reader.node(asSchema(item), appendPointer(pointer, prefixKeyword, index)))
      : [],
    rest: child(closedByUnevaluated ? 'unevaluatedItems' : restKeyword),
    contains: idle ? [] : [{ node: child('contains'), min, max }],
    minItems: numberOr(schema['minItems'], 0),
    maxItems: numberOr(schema['maxItems'], Infinity),
    uniqueItems: schema['uniqueItems'] === true,
  };
}

/** Whether an unevaluated… keyword depends on what other schemas at its place evaluate. */
function seesMore(schema: JsonObject, keyword: string): boolean {
  const applicators = [...referenceKeywords, 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas', 'dependencies'];
  if (keyword === 'unevaluatedItems') applicators.push('contains');
  return applicators.some((name) => name in schema);
}

function readDependencies(
  schema: JsonObject,
  nodeMap: (keyword: string) => ReadonlyMap<string, SchemaNode>,
): Pick<Shape, 'dependentRequired' | 'dependentSchemas'> {
  const lists = [schema['dependentRequired'], schema['dependencies']].flatMap((value) =>
    isJsonObject(value) ? Object.entries(value).filter(([, item]) => Array.isArray(item)) : [],
  );
  return {
    dependentRequired: new Map(lists.map(([name, item]) => [name, new Set(stringsOf(item))])),
    dependentSchemas: new Map([...nodeMap('dependencies'), ...nodeMap('dependentSchemas')]),
  };
}

function readNodeMap(
  schema: JsonObject,
  keyword: string,
  pointer: string,
  reader: ChildReader,
): ReadonlyMap<string, SchemaNode> {
  const value = schema[keyword];
  if (!isJsonObject(value)) return new Map();
  return new Map(
    Object.entries(value)
      .filter(([, item]) => !Array.isArray(item))
      .map(([name, item]) => [name, reader.node(asSchema(item), appendPointer(pointer, keyword, name))]),
  );
}

function readUnknown(schema: JsonObject): ReadonlyMap<string, JsonValue> {
  const idle = (keyword: string): boolean => keyword === 'nullable' && 'type' in schema;
  return new Map(Object.entries(schema).filter(([keyword]) => !isKnownKeyword(keyword) && !idle(keyword)));
}

/** `sign` is 1 for lower bounds and -1 for upper ones. */
function readBound(
  inclusive: JsonValue | undefined,
  exclusive: JsonValue | undefined,
  sign: 1 | -1,
): Bound | undefined {
  const open = typeof exclusive === 'number' ? { value: exclusive, exclusive: true } : undefined;
  const closed = typeof inclusive === 'number' ? { value: inclusive, exclusive: false } : undefined;
  if (open === undefined || closed === undefined) return open ?? closed;
  return (closed.value - open.value) * sign > 0 ? closed : open;
}

function asSchema(value: JsonValue | undefined): RawSchema {
  return typeof value === 'boolean' || isJsonObject(value) ? value : true;
}

function stringsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function numberOr(value: JsonValue | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
