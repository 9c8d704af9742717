import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { appendPointer, splitPointer } from '../../json/json-pointer.ts';
import { acceptByShape, acceptValue, arePairwiseDisjoint, isMultiple } from './accept-value.ts';
import { isSilentKeyword } from './keywords.ts';
import {
  everyType,
  hasNoCrossTypeFacets,
  hasOnlyTypes,
  intersect,
  isAny,
  type NodeFactory,
  openShape,
  type SchemaNode,
  type Shape,
  type TypeName,
  typeOfValue,
  type Union,
} from './shape.ts';

/**
 * Rewrites a shape so that equivalent spellings become equal. Accepted values stay the same, with two exceptions that
 * generators rely on: whole numbers beyond ±(2^53 - 1), and property names with a line break.
 */
export function normalizeShape(shape: Shape, factory: NodeFactory): Shape {
  const steps = [
    settleMultiples,
    dropSafeIntegerBounds,
    dropIdlePatterns,
    spellMapAsAdditional,
    dropForbiddenProperties,
    countAnyContained,
    settleNegations,
    settleValues,
  ];
  return steps.reduce((current, step) => step(current, factory), shape);
}

/** Normalizes `multipleOf`: 1 becomes the type integer, and 0.5 is dropped from integers. */
function settleMultiples(shape: Shape): Shape {
  if (shape.multiples.length === 0) return shape;
  const integer = shape.integer || shape.multiples.some((multiple) => isMultiple(multiple, 1));
  const multiples = shape.multiples.filter((multiple) => !(integer && isMultiple(1, multiple)));
  if (integer === shape.integer && multiples.length === shape.multiples.length) return shape;
  return { ...shape, integer, multiples };
}

/** Drops the bounds of safe integers, which zod 4 writes for every integer. No reader is exact beyond them. */
function dropSafeIntegerBounds(shape: Shape): Shape {
  const { integer, lower, upper } = shape;
  if (!integer) return shape;
  const isIdle = (bound: Shape['lower'], limit: number): boolean => bound?.value === limit && !bound.exclusive;
  const lowest = isIdle(lower, Number.MIN_SAFE_INTEGER);
  const highest = isIdle(upper, Number.MAX_SAFE_INTEGER);
  if (!lowest && !highest) return shape;
  return { ...shape, lower: lowest ? undefined : lower, upper: highest ? undefined : upper };
}

const everyText: ReadonlySet<string> = new Set([
  '',
  '^',
  '.*',
  '^.*',
  '(.*)',
  '^(.*)',
  '.*$',
  '(.*)$',
  '[\\s\\S]*',
  '^[\\s\\S]*$',
]);
/** Patterns that generators write for every name. TypeBox writes `^(.*)$`. */
const everyName: ReadonlySet<string> = new Set([...everyText, '^.*$', '^(.*)$']);

/** Drops patterns that match every text. */
function dropIdlePatterns(shape: Shape): Shape {
  const patterns = shape.patterns.filter((pattern) => !everyText.has(pattern));
  return patterns.length === shape.patterns.length ? shape : { ...shape, patterns };
}

/** True if `propertyNames` refuses a name. `{type: string}` does not: every name is a string. */
export function restrictsNames(names: SchemaNode, any: SchemaNode): boolean {
  if (names.open) return false;
  return !names.shapes().every((part) => part.types.has('string') && isAny(asTextsOnly(part, any)));
}

/** The part of a shape that applies to strings. */
function asTextsOnly(shape: Shape, any: SchemaNode): Shape {
  const { values, minLength, maxLength, patterns, formats, contents } = shape;
  const { unions, nots, conditionals, unknown, unevaluated } = shape;
  const texts = { values, minLength, maxLength, patterns, formats, contents };
  return { ...openShape(any), ...texts, unions, nots, conditionals, unknown, unevaluated };
}

/** True for a pattern that generators write for every name. */
export function isEveryName(pattern: string): boolean {
  return everyName.has(pattern);
}

/** Turns `patternProperties: {".*": X}` into `additionalProperties`: it applies to all names. */
function spellMapAsAdditional(shape: Shape, factory: NodeFactory): Shape {
  const patterns = [...shape.patternProperties];
  const forAll = patterns.filter(([pattern]) => isEveryName(pattern)).map(([, node]) => node);
  if (forAll.length === 0) return shape;
  const restrict = ([name, node]: readonly [string, SchemaNode]) => [name, factory.conjoin([node, ...forAll])] as const;
  return {
    ...shape,
    properties: new Map([...shape.properties].map(restrict)),
    patternProperties: new Map(patterns.filter(([pattern]) => !isEveryName(pattern)).map(restrict)),
    additional: factory.conjoin(forAll),
  };
}

/** Drops properties without a valid value from a closed object, which refuses them anyway. */
function dropForbiddenProperties(shape: Shape): Shape {
  if (shape.properties.size === 0 || shape.patternProperties.size > 0 || !isForbidden(shape.additional)) return shape;
  const kept = [...shape.properties].filter(([name, node]) => shape.required.has(name) || !isForbidden(node));
  return kept.length === shape.properties.size ? shape : { ...shape, properties: new Map(kept) };
}

/** True for `false` and `{not: {}}`. Does not read shapes, which could recurse. */
function isForbidden({ source }: SchemaNode): boolean {
  if (source === false) return true;
  if (!isJsonObject(source) || !hasOnlyNot(source)) return false;
  const { not } = source;
  return not === true || (isJsonObject(not) && Object.keys(not).every((keyword) => isSilentKeyword(keyword)));
}

/** Turns `contains: {}` into `minItems`: both count items. */
function countAnyContained(shape: Shape): Shape {
  const counts = shape.contains.filter(({ node }) => node.open);
  if (counts.length === 0) return shape;
  return {
    ...shape,
    contains: shape.contains.filter(({ node }) => !node.open),
    minItems: Math.max(shape.minItems, ...counts.map(({ min }) => min)),
    maxItems: Math.min(shape.maxItems, ...counts.map(({ max }) => max)),
  };
}

/**
 * Normalizes negations. `not: false` refuses nothing, `not: {}` everything. Refused types are removed from the shape.
 */
function settleNegations(shape: Shape): Shape {
  if (shape.nots.some((node) => node.open)) return { ...shape, types: new Set(), stated: new Set(), nots: [] };
  const written = shape.nots.filter((node) => !isForbidden(node));
  const refused = new Set(written.flatMap(refusedTypes));
  const [types, stated] = [without(shape.types, refused), without(shape.stated, refused)];
  // A negation of texts does not matter to numbers.
  const nots = written.filter((node) => mayTakeOneOf(node, stated));
  const isSettled = stated.size === shape.stated.size && nots.length === shape.nots.length;
  return isSettled ? shape : { ...shape, types, stated, nots };
}

/** Types whose values a negated schema refuses completely. */
function refusedTypes(node: SchemaNode): readonly TypeName[] {
  if (node.reading()) return [];
  const [only, more] = node.shapes();
  const types = only !== undefined && more === undefined && hasOnlyTypes(only) ? [...only.types] : [];
  return acceptValue(node, null) === true ? [...types, 'null'] : types;
}

function without(types: ReadonlySet<TypeName>, refused: ReadonlySet<TypeName>): ReadonlySet<TypeName> {
  return new Set([...types].filter((type) => !refused.has(type)));
}

function mayTakeOneOf(node: SchemaNode, types: ReadonlySet<TypeName>): boolean {
  if (types.size === everyType.size || node.reading()) return true;
  return node.shapes().every((part) => intersect(part.stated, types).size > 0);
}

/** Drops constants that other keywords refuse, and keywords made redundant by constants. */
function settleValues(shape: Shape, { any }: NodeFactory): Shape {
  if (shape.values === undefined) return shape;
  const rest = { ...shape, values: undefined };
  const answers = [...shape.values].map(([text, value]) => ({ text, value, answer: acceptByShape(rest, value) }));
  const kept = answers.filter(({ answer }) => answer !== false);
  const values = new Map(kept.map(({ text, value }) => [text, value]));
  const types = new Set(kept.map(({ value }) => typeOfValue(value)));
  if (kept.some(({ answer }) => answer === undefined)) return { ...shape, values, types, stated: types };
  const plain = { ...openShape(any), source: shape.source, notes: shape.notes, types, stated: types };
  const finite = values.size === (types.has('null') ? 1 : 0) + (types.has('boolean') ? 2 : 0);
  const onlyFiniteTypes = [...types].every((type) => type === 'null' || type === 'boolean');
  return types.size > 0 && finite && onlyFiniteTypes ? plain : { ...plain, values };
}

/** Finds a doubly negated schema: `not: {not: X}` is X. */
export function findDoubleNegation(schema: JsonObject): JsonValue | undefined {
  const { not } = schema;
  return isJsonObject(not) && hasOnlyNot(not) ? not['not'] : undefined;
}

/** Writes a path with the double negations as in the source. */
export function spellPath(root: unknown, path: string): string {
  const tokens: string[] = [];
  let at: unknown = root;
  for (const token of splitPointer(path) ?? []) {
    const twice = isJsonObject(at) && !Object.hasOwn(at, token) ? findDoubleNegation(at) : undefined;
    if (isJsonObject(twice) && Object.hasOwn(twice, token)) {
      tokens.push('not', 'not');
      at = twice;
    }
    tokens.push(token);
    at = Array.isArray(at) ? at[Number(token)] : isJsonObject(at) ? at[token] : undefined;
  }
  return appendPointer('', ...tokens);
}

/** True if `not` is the only restricting keyword. */
function hasOnlyNot(schema: JsonObject): boolean {
  return Object.keys(schema).every((name) => name === 'not' || isSilentKeyword(name)) && 'not' in schema;
}

/** A union without unions as branches, if an equivalent one exists. */
export interface FlatUnion extends Union {
  /** The flattened inner unions. */
  readonly inner: readonly SchemaNode[];
}

/** Flattens a union: branches of an inner union become its own. */
export function flattenUnion(union: Union): FlatUnion {
  const branches: SchemaNode[] = [];
  const places: (string | undefined)[] = [];
  const inner: SchemaNode[] = [];
  let { nullable } = union;
  for (const [index, node] of union.branches.entries()) {
    const within = findInnerUnion(union, node);
    if (within === undefined) {
      branches.push(node);
      places.push(union.places?.[index] ?? node.pointer);
      continue;
    }
    branches.push(...within.branches);
    places.push(...within.branches.map((branch, position) => within.places?.[position] ?? branch.pointer));
    inner.push(node, ...within.inner);
    nullable ||= within.nullable;
  }
  return inner.length === 0 ? { ...union, inner } : { kind: union.kind, branches, nullable, places, inner };
}

/** Finds the union that makes up a whole branch, if its branches can be moved up. */
function findInnerUnion({ kind }: Union, node: SchemaNode): FlatUnion | undefined {
  const [shape, more] = node.shapes();
  const [written, another] = shape?.unions ?? [];
  if (shape === undefined || written === undefined || more !== undefined || another !== undefined) return undefined;
  if (!isAny({ ...shape, types: everyType, unions: [] })) return undefined;
  const union = flattenUnion(written);
  // A type beside the union is redundant if each branch implies it.
  const isWithin = (part: Shape): boolean => [...part.stated].every((type) => shape.stated.has(type));
  if (!union.branches.every((branch) => branch.shapes().some(isWithin))) return undefined;
  if (union.nullable && !shape.stated.has('null')) return undefined;
  if (kind === 'anyOf' && union.kind === 'anyOf') return union;
  // A oneOf refuses a value that two branches accept. In a longer list, these could be any two.
  const isNullApart = !union.nullable || (kind === 'anyOf' && !union.branches.some(mayTakeNull));
  return isNullApart && arePairwiseDisjoint(union.branches) ? union : undefined;
}

function mayTakeNull(node: SchemaNode): boolean {
  return node.shapes().every((shape) => shape.stated.has('null'));
}

/** Splits a branch of several types into one per type. Null becomes a flag of the union. */
export function splitBranches(union: Union, factory: NodeFactory): Union {
  // In a oneOf, two branches that accept null refuse it.
  const takers = union.branches.filter(mayTakeNull).length + (union.nullable ? 1 : 0);
  if (union.kind === 'oneOf' && takers > 1) return union;
  const branches: SchemaNode[] = [];
  const places: (string | undefined)[] = [];
  let { nullable } = union;
  for (const [index, node] of union.branches.entries()) {
    const [shape, more] = node.shapes();
    const isPlain = shape !== undefined && more === undefined && isOneOfTypes(shape);
    const types = isPlain && shape.types.size < everyType.size ? [...shape.types] : [];
    const others = types.filter((type) => type !== 'null');
    const parts = shape && types.length > 1 ? others.map((type) => settleNegations(restrictToType(shape, type))) : [];
    branches.push(...(parts.length > 0 ? parts.map((part) => factory.fromShape(part)) : [node]));
    places.push(...(parts.length > 0 ? parts : [node]).map(() => union.places?.[index] ?? node.pointer));
    nullable ||= parts.length < types.length && parts.length > 0;
  }
  return { kind: union.kind, branches, nullable, places };
}

/** True if a shape can be split by type. For null, acceptance must be known: it becomes a flag. */
function isOneOfTypes(shape: Shape): boolean {
  if (!hasNoCrossTypeFacets({ ...shape, nots: [] })) return false;
  return !shape.types.has('null') || acceptByShape(shape, null) === true;
}

/** Restricts a shape to one of its types. */
export function restrictToType(shape: Shape, type: TypeName): Shape {
  const listed = shape.values && [...shape.values].filter(([, value]) => typeOfValue(value) === type);
  const letIn = [...shape.stated].filter((other) => !shape.types.has(other));
  return {
    ...shape,
    types: new Set([type]),
    stated: new Set([type, ...letIn]),
    values: listed && new Map(listed),
    source: { type },
  };
}
