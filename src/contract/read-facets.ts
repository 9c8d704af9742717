import { canonicalJson } from '../lib/canonical-json.ts';
import { appendPointer } from '../lib/json-pointer.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { isKnownKeyword, referenceKeywords } from './keywords.ts';
import type { RawSchema } from './schema-document.ts';
import {
  type Bound,
  type NodeFactory,
  openShape,
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

const contentKeywords = ['contentEncoding', 'contentMediaType', 'contentSchema'];

/** Reads a schema's own keywords, without its references and unions. */
export function readFacets(schema: JsonObject, pointer: string, reader: ChildReader): Shape {
  const open = openShape(reader.factory.any);
  const child = (keyword: string): SchemaNode =>
    reader.node(asSchema(schema[keyword]), appendPointer(pointer, keyword));
  const nodeMap = (keyword: string): ReadonlyMap<string, SchemaNode> => readNodeMap(schema, keyword, pointer, reader);
  const dependencies = readDependencies(schema, nodeMap);
  const condition = 'if' in schema && ('then' in schema || 'else' in schema);
  return {
    ...open,
    source: schema,
    ...readTypes(schema, reader.implyTypes),
    values: readValues(schema),
    minLength: numberOr(schema['minLength'], 0),
    maxLength: numberOr(schema['maxLength'], Infinity),
    patterns: typeof schema['pattern'] === 'string' ? [schema['pattern']] : [],
    formats: typeof schema['format'] === 'string' ? [schema['format']] : [],
    contents: contentKeywords.filter((name) => name in schema).map((name) => `${name}: ${canonicalJson(schema[name])}`),
    lower: readBound(schema['minimum'], schema['exclusiveMinimum'], 1),
    upper: readBound(schema['maximum'], schema['exclusiveMaximum'], -1),
    multiples: typeof schema['multipleOf'] === 'number' ? [schema['multipleOf']] : [],
    ...readArrayFacets(schema, pointer, reader),
    properties: nodeMap('properties'),
    required: new Set(stringsOf(schema['required'])),
    patternProperties: nodeMap('patternProperties'),
    additional: 'additionalProperties' in schema ? child('additionalProperties') : readUnevaluated(schema, child, open),
    propertyNames: child('propertyNames'),
    minProperties: numberOr(schema['minProperties'], 0),
    maxProperties: numberOr(schema['maxProperties'], Infinity),
    ...dependencies,
    nots: 'not' in schema ? [child('not')] : [],
    conditionals: condition ? [{ if: child('if'), whenTrue: child('then'), whenFalse: child('else') }] : [],
    unknown: readUnknown(schema),
    unevaluated: new Map(
      ['unevaluatedItems', 'unevaluatedProperties']
        .filter((keyword) => keyword in schema && schema[keyword] !== true && seesMore(schema, keyword))
        .map((keyword) => [keyword, child(keyword)]),
    ),
  };
}

function readTypes(schema: JsonObject, implyTypes: boolean): Pick<Shape, 'types' | 'integer'> {
  const { type } = schema;
  const words = typeof type === 'string' ? [type] : stringsOf(type);
  if (words.length === 0) {
    const complete = ['enum', 'const', 'anyOf', 'oneOf', ...referenceKeywords].some((keyword) => keyword in schema);
    const implied = implyTypes && 'properties' in schema && !complete;
    return { types: new Set(implied ? ['object'] : typeNames), integer: false };
  }
  const types = new Set<TypeName>(typeNames.filter((name) => words.includes(name)));
  if (words.includes('integer')) types.add('number');
  if (schema['nullable'] === true) types.add('null');
  return { types, integer: words.includes('integer') && !words.includes('number') };
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

/** Alone in its schema, unevaluatedProperties means what additionalProperties means. */
function readUnevaluated(schema: JsonObject, child: (keyword: string) => SchemaNode, open: Shape): SchemaNode {
  const keyword = 'unevaluatedProperties';
  return keyword in schema && !seesMore(schema, keyword) ? child(keyword) : open.additional;
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
