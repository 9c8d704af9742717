import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { appendPointer } from '../../json/json-pointer.ts';
import { contentKeywords, isKnownKeyword, noteKeywords, referenceKeywords } from './keywords.ts';
import type { RawSchema } from './schema-document.ts';
import {
  type Bound,
  everyType,
  type NodeFactory,
  type Notes,
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

/** Reads the schema under a keyword. A missing keyword accepts everything. */
type ReadMember = (keyword: string) => SchemaNode;

/** Reads a schema's own keywords, without its references and unions. */
export function readFacets(schema: JsonObject, pointer: string, reader: ChildReader, unions: Shape['unions']): Shape {
  const member: ReadMember = (keyword) => reader.node(asRawSchema(schema[keyword]), appendPointer(pointer, keyword));
  return {
    ...openShape(reader.factory.any),
    source: schema,
    notes: readNotes(schema),
    ...readTypes(schema, reader.implyTypes),
    values: readValues(schema),
    ...readStringFacets(schema),
    lower: readBound(schema['minimum'], schema['exclusiveMinimum'], 1),
    upper: readBound(schema['maximum'], schema['exclusiveMaximum'], -1),
    multiples: typeof schema['multipleOf'] === 'number' ? [schema['multipleOf']] : [],
    ...readArrayFacets(schema, pointer, reader, member),
    ...readObjectFacets(schema, pointer, reader, member),
    unions,
    ...readCrossTypeFacets(schema, member),
    unknown: readUnknown(schema),
  };
}

function readStringFacets(
  schema: JsonObject,
): Pick<Shape, 'contents' | 'formats' | 'maxLength' | 'minLength' | 'patterns'> {
  return {
    minLength: numberOr(schema['minLength'], 0),
    maxLength: numberOr(schema['maxLength'], Infinity),
    patterns: typeof schema['pattern'] === 'string' ? [schema['pattern']] : [],
    formats: typeof schema['format'] === 'string' ? [schema['format']] : [],
    contents: contentKeywords.filter((name) => name in schema).map((name) => `${name}: ${canonicalJson(schema[name])}`),
  };
}

function readObjectFacets(
  schema: JsonObject,
  pointer: string,
  reader: ChildReader,
  member: ReadMember,
): Partial<Shape> {
  const nodeMap = (keyword: string): ReadonlyMap<string, SchemaNode> => readNodeMap(schema, keyword, pointer, reader);
  // Alone in its schema, unevaluatedProperties works like additionalProperties.
  const isClosedByUnevaluated =
    !('additionalProperties' in schema) &&
    'unevaluatedProperties' in schema &&
    !seesMore(schema, 'unevaluatedProperties');
  return {
    properties: nodeMap('properties'),
    required: new Set(stringsOf(schema['required'])),
    patternProperties: nodeMap('patternProperties'),
    additional: member(isClosedByUnevaluated ? 'unevaluatedProperties' : 'additionalProperties'),
    propertyNames: member('propertyNames'),
    minProperties: numberOr(schema['minProperties'], 0),
    maxProperties: numberOr(schema['maxProperties'], Infinity),
    ...readDependencies(schema, nodeMap),
  };
}

/** Reads the keywords that apply to every type. */
function readCrossTypeFacets(
  schema: JsonObject,
  member: ReadMember,
): Pick<Shape, 'conditionals' | 'nots' | 'unevaluated'> {
  const isConditional = 'if' in schema && ('then' in schema || 'else' in schema);
  const unevaluated = ['unevaluatedItems', 'unevaluatedProperties'].filter(
    (keyword) => keyword in schema && schema[keyword] !== true && seesMore(schema, keyword),
  );
  return {
    nots: 'not' in schema ? [member('not')] : [],
    conditionals: isConditional ? [{ if: member('if'), whenTrue: member('then'), whenFalse: member('else') }] : [],
    unevaluated: new Map(unevaluated.map((keyword) => [keyword, member(keyword)])),
  };
}

function readTypes(schema: JsonObject, implyTypes: boolean): Pick<Shape, 'integer' | 'stated' | 'types'> {
  const { type } = schema;
  const words = typeof type === 'string' ? [type] : stringsOf(type);
  if (words.length === 0) {
    const complete = ['enum', 'const', 'anyOf', 'oneOf', ...referenceKeywords].some((keyword) => keyword in schema);
    const implied = implyTypes && 'properties' in schema && !complete;
    return { types: implied ? typeSet(['object']) : everyType, stated: everyType, integer: false };
  }
  const names: readonly string[] = schema['nullable'] === true ? [...words, 'null'] : words;
  const types = typeSet(names);
  return { types, stated: types, integer: words.includes('integer') && !words.includes('number') };
}

function typeSet(words: readonly string[]): ReadonlySet<TypeName> {
  return new Set(typeNames.filter((name) => words.includes(name) || (name === 'number' && words.includes('integer'))));
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
  member: ReadMember,
): Pick<Shape, 'contains' | 'maxItems' | 'minItems' | 'prefix' | 'rest' | 'uniqueItems'> {
  // Draft-07 writes a tuple as a list under `items`.
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
      ? prefix.map((item, index) => reader.node(asRawSchema(item), appendPointer(pointer, prefixKeyword, index)))
      : [],
    rest: member(closedByUnevaluated ? 'unevaluatedItems' : restKeyword),
    contains: idle ? [] : [{ node: member('contains'), min, max }],
    minItems: numberOr(schema['minItems'], 0),
    maxItems: numberOr(schema['maxItems'], Infinity),
    uniqueItems: schema['uniqueItems'] === true,
  };
}

/** True if an unevaluated… keyword depends on other schemas at its place. */
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
      .map(([name, item]) => [name, reader.node(asRawSchema(item), appendPointer(pointer, keyword, name))]),
  );
}

function readUnknown(schema: JsonObject): ReadonlyMap<string, JsonValue> {
  const isIdle = 'type' in schema || schema['nullable'] === false;
  const idle = (keyword: string): boolean => keyword === 'nullable' && isIdle;
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

export function asRawSchema(value: JsonValue | undefined): RawSchema {
  return typeof value === 'boolean' || isJsonObject(value) ? value : true;
}

function stringsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function numberOr(value: JsonValue | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

/** The annotations of a schema. */
export function readNotes(schema: JsonObject): Notes {
  const { title, description, removed } = schema;
  return {
    ...defined({
      title: typeof title === 'string' ? title : undefined,
      description: typeof description === 'string' ? description : undefined,
      default: 'default' in schema ? { value: schema['default'] ?? null } : undefined,
    }),
    others: new Map(
      Object.entries(schema).filter(([keyword]) => noteKeywords.indexOf(keyword) > noteKeywords.indexOf('default')),
    ),
    extensibleEnum: schema['x-extensible-enum'] === true,
    removed: Array.isArray(removed) ? removed.filter((name) => typeof name === 'string') : [],
  };
}
