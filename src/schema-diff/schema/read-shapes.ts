import { canonicalJson } from '../../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { appendPointer } from '../../json/json-pointer.ts';
import { isSilentKeyword, referenceKeywords, unionKeywords } from './keywords.ts';
import { mergeNotes, mergeShapes } from './merge-shapes.ts';
import { findDoubleNegation, normalizeShape } from './normal-form.ts';
import { asRawSchema, readFacets } from './read-facets.ts';
import type { RawSchema } from './schema-document.ts';
import {
  hasNoCrossTypeFacets,
  isAny,
  isNeverNode,
  type NodeFactory,
  openShape,
  type SchemaNode,
  type Shape,
  type TypeName,
  typeOfValue,
  type Union,
} from './shape.ts';

export interface NodeReader {
  readonly factory: NodeFactory;
  readonly implyTypes: boolean;
  node(schema: RawSchema, pointer: string): SchemaNode;
  /** Returns the target of the schema's reference. */
  follow(schema: JsonObject, pointer: string): SchemaNode;
}

/** Reads a schema into shapes that all apply. Usually one shape suffices. */
export function readShapes(schema: JsonObject, pointer: string, reader: NodeReader): readonly Shape[] {
  const { factory } = reader;
  const denullable = findNullableList(schema);
  if (denullable !== undefined) return readNullable(schema, reader.node(denullable, pointer), factory);
  const unions: Union[] = [];
  const included: Shape[] = [];
  const branches: Shape[] = [];
  if (referenceKeywords.some((keyword) => keyword in schema)) included.push(...reader.follow(schema, pointer).shapes());
  for (const kind of ['anyOf', 'oneOf'] as const) {
    const read = readUnion(schema, kind, pointer, reader);
    if (read === undefined) continue;
    if ('branches' in read) unions.push(read);
    else included.push(...read.shapes);
  }
  const negatedTwice = findDoubleNegation(schema);
  if (negatedTwice !== undefined) {
    included.push(...reader.node(asRawSchema(negatedTwice), appendPointer(pointer, 'not', 'not')).shapes());
  }
  const allOf = readList(schema, 'allOf', pointer, reader);
  (allOf.length === 1 ? included : branches).push(...allOf.flatMap((node) => node.shapes()));

  const facets = readFacets(schema, pointer, reader, unions);
  const own = negatedTwice === undefined ? facets : { ...facets, nots: [] };
  const core = [own, ...included].filter((shape) => !isAny(shape));
  const one = mergeShapes(core, factory);
  const shapes = [...(one === undefined ? core : [one]), ...branches]
    .filter((shape) => !isAny(shape))
    .map((shape) => normalizeShape(shape, factory));
  const [first, ...others] = shapes;
  const notes = included.reduce((outer, shape) => mergeNotes(outer, shape.notes), own.notes);
  if (first === undefined) return [{ ...openShape(factory.any), source: schema, notes }];
  const source = others.length === 0 ? schema : first.source;
  const merged = mergeNotes(notes, first.notes);
  if (merged === first.notes && source === first.source) return shapes;
  return [{ ...first, notes: merged, source }, ...others];
}

/** OpenAPI 3.0: finds `nullable` beside a list of schemas, which generators write for a nullable reference. */
function findNullableList(schema: JsonObject): JsonObject | undefined {
  const { nullable, ...others } = schema;
  const isList = unionKeywords.some((keyword) => keyword in schema);
  return nullable === true && isList && !('type' in schema) ? others : undefined;
}

function readNullable(schema: JsonObject, node: SchemaNode, factory: NodeFactory): readonly Shape[] {
  const ofNull = { ...openShape(factory.any), source: { type: 'null' }, types: onlyNull, stated: onlyNull };
  const read = spellUnion('anyOf', [node, factory.fromShape(ofNull)], factory);
  if ('shapes' in read) return read.shapes;
  const union = { ...read, places: read.branches.map((branch) => branch.pointer) };
  return [{ ...openShape(factory.any), source: schema, notes: node.notes, unions: [union] }];
}

const onlyNull: ReadonlySet<TypeName> = new Set(['null']);

/** True for a reference with at most annotations beside it. */
export function isPlainReference(schema: JsonObject): boolean {
  const [keyword, more] = loudKeywords(schema);
  return keyword !== undefined && more === undefined && referenceKeywords.includes(keyword);
}

/** Finds the reference that makes up a schema: alone, as the only branch of a list, or in a union with null. */
export function findReference(
  schema: JsonObject,
): { readonly schema: JsonObject; readonly nullable: boolean } | undefined {
  if (isPlainReference(schema)) return { schema, nullable: false };
  const [keyword = '', more] = loudKeywords(schema);
  const list = schema[keyword];
  if (more !== undefined || !unionKeywords.includes(keyword) || !Array.isArray(list)) return undefined;
  const [branch, another] = list.filter((item) => !isNullSchema(item));
  const nullable = list.length === 2;
  // In a oneOf with null, a target that accepts null too would refuse it.
  if (another !== undefined || list.length > 2 || (nullable && keyword !== 'anyOf')) return undefined;
  return isJsonObject(branch) && isPlainReference(branch) ? { schema: branch, nullable } : undefined;
}

function loudKeywords(schema: JsonObject): readonly string[] {
  return Object.keys(schema).filter((keyword) => !isSilentKeyword(keyword));
}

/** True if no keyword restricts values. */
export function isOpenSchema(schema: JsonObject): boolean {
  return loudKeywords(schema).length === 0;
}

function readList(schema: JsonObject, keyword: string, pointer: string, reader: NodeReader): readonly SchemaNode[] {
  const list = schema[keyword];
  if (!Array.isArray(list)) return [];
  return list.map((item, index) => reader.node(asRawSchema(item), appendPointer(pointer, keyword, index)));
}

/** Reads a union, or equivalent shapes without one. */
function readUnion(
  schema: JsonObject,
  kind: Union['kind'],
  pointer: string,
  reader: NodeReader,
): Union | { readonly shapes: readonly Shape[] } | undefined {
  const written = readList(schema, kind, pointer, reader);
  if (written.length === 0) return undefined;
  // Drops branches that accept nothing.
  const nodes = written.filter((node) => !isNeverNode(node));
  const read = spellUnion(kind, nodes, reader.factory);
  if ('shapes' in read || nodes.length === written.length) return read;
  return { ...read, places: read.branches.map((node) => node.pointer) };
}

/** Simplifies a union. Null beside one branch, a list of constants and a single branch need none. */
function spellUnion(
  kind: Union['kind'],
  nodes: readonly SchemaNode[],
  { any, never }: NodeFactory,
): Union | { readonly shapes: readonly Shape[] } {
  const [only, second] = nodes;
  if (only === undefined) return { shapes: never.shapes() };
  if (second === undefined) return { shapes: only.shapes() };
  // An open branch accepts everything, so the others don't matter.
  if (kind === 'anyOf' && nodes.some((node) => node.open)) return { shapes: [] };
  const lists = nodes.map((node) => readConstants(node.source));
  if (lists.every((list) => list !== undefined)) {
    const constants = lists.flat();
    const values = new Map(constants.map((value) => [canonicalJson(value), value]));
    if (kind === 'anyOf' || values.size === constants.length) return { shapes: [{ ...openShape(any), values }] };
  }
  const nulls = nodes.filter((node) => isNullSchema(node.source));
  const others = nodes.filter((node) => !nulls.includes(node));
  const separable = kind === 'anyOf' ? nulls.length > 0 : nulls.length === 1 && !others.some((node) => mayBeNull(node));
  if (!separable) return { kind, branches: nodes, nullable: false };
  const [branch, another] = others;
  if (branch === undefined) return { shapes: nulls[0]?.shapes() ?? [] };
  if (another !== undefined) return { kind, branches: others, nullable: true };
  const [shape, more] = branch.shapes();
  if (shape !== undefined && more === undefined) {
    if (hasNoCrossTypeFacets(shape)) return { shapes: [admitNull(shape)] };
    const [inner] = shape.unions;
    if (inner !== undefined && isAny({ ...shape, unions: shape.unions.slice(1) })) return { ...inner, nullable: true };
  }
  return { kind, branches: others, nullable: true };
}

function admitNull(shape: Shape): Shape {
  const values = shape.values === undefined ? undefined : new Map([...shape.values, ['null', null]]);
  return { ...shape, types: new Set([...shape.types, 'null']), stated: new Set([...shape.stated, 'null']), values };
}

function mayBeNull(node: SchemaNode): boolean {
  return node.reading() || node.shapes().every((shape) => shape.types.has('null'));
}

function isNullSchema(source: JsonValue): boolean {
  const constants = readConstants(source, true);
  if (constants?.length === 1 && constants[0] === null) return true;
  if (!isJsonObject(source)) return false;
  const { type } = source;
  const isNull = type === 'null' || (Array.isArray(type) && type.length === 1 && type[0] === 'null');
  return isNull && Object.keys(source).every((keyword) => keyword === 'type' || isSilentKeyword(keyword));
}

/** Values of a branch that only lists values. A branch with its own description stays a branch. */
function readConstants(source: JsonValue, described = false): readonly JsonValue[] | undefined {
  if (!isJsonObject(source)) return undefined;
  const { type, const: constant = null, enum: list } = source;
  const keywords = Object.keys(source).filter((keyword) => !(described && isSilentKeyword(keyword)));
  if (keywords.length === 1 && type === 'null') return [null];
  const main = keywords.filter((keyword) => keyword !== 'type');
  const values = main[0] === 'const' ? [constant] : main[0] === 'enum' && Array.isArray(list) ? list : undefined;
  if (main.length !== 1 || values === undefined) return undefined;
  return type === undefined || values.every((value) => typeOfValue(value) === type) ? values : undefined;
}
