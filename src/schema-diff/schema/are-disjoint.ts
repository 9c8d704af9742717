import type { JsonValue } from '../../json/json.ts';
import { type Answer, acceptByShape, acceptValue } from './accept-value.ts';
import { impliedTypes, intersect, type SchemaNode, type Shape, type TypeName } from './shape.ts';

const maxDepth = 6;

/** Whether no value is taken by both nodes: true and false are proven, undefined is neither. */
export function areDisjoint(a: SchemaNode, b: SchemaNode, depth = 0): Answer {
  if (depth > maxDepth || a.reading() || b.reading()) return undefined;
  for (const left of a.shapes()) {
    for (const right of b.shapes()) if (areShapesDisjoint(left, right, depth + 1)) return true;
  }
  if (depth > 0) return undefined;
  const samples = [buildSample(a), buildSample(b)].filter((sample) => sample !== undefined);
  const isShared = samples.some((value) => acceptValue(a, value) === true && acceptValue(b, value) === true);
  return isShared ? false : undefined;
}

/** Whether no value is taken by two of the nodes, as far as can be proven. */
export function arePairwiseDisjoint(nodes: readonly SchemaNode[]): boolean {
  return nodes.every((node, index) => nodes.slice(index + 1).every((other) => areDisjoint(node, other) === true));
}

function areShapesDisjoint(a: Shape, b: Shape, depth: number): boolean {
  const shared = intersect(impliedTypes(a), impliedTypes(b));
  if (shared.size === 0) return true;
  if (a.values !== undefined) return [...a.values.values()].every((value) => acceptByShape(b, value) === false);
  if (b.values !== undefined) return [...b.values.values()].every((value) => acceptByShape(a, value) === false);
  return [...shared].every((type) => areDisjointIn(type, a, b, depth));
}

function areDisjointIn(type: TypeName, a: Shape, b: Shape, depth: number): boolean {
  switch (type) {
    case 'string':
      return a.minLength > b.maxLength || b.minLength > a.maxLength;
    case 'number':
      return isBelow(a, b) || isBelow(b, a);
    case 'array':
      return a.minItems > b.maxItems || b.minItems > a.maxItems;
    case 'object':
      return areObjectsDisjoint(a, b, depth);
    case 'boolean':
    case 'null':
      return false;
  }
}

function isBelow(a: Shape, b: Shape): boolean {
  if (a.upper === undefined || b.lower === undefined) return false;
  if (a.upper.value === b.lower.value) return a.upper.exclusive || b.lower.exclusive;
  return a.upper.value < b.lower.value;
}

/** A property that one side requires must be taken by both. */
function areObjectsDisjoint(a: Shape, b: Shape, depth: number): boolean {
  if (a.minProperties > b.maxProperties || b.minProperties > a.maxProperties) return true;
  for (const name of new Set([...a.required, ...b.required])) {
    const [left, right] = [valueNode(a, name), valueNode(b, name)];
    if (left !== undefined && right !== undefined && areDisjoint(left, right, depth) === true) return true;
  }
  return false;
}

/** Undefined where patterns may have a say too. */
function valueNode(shape: Shape, name: string): SchemaNode | undefined {
  return shape.properties.get(name) ?? (shape.patternProperties.size === 0 ? shape.additional : undefined);
}

const maxSampleDepth = 8;
const maxItems = 20;

/** A small value that a node probably accepts; the caller checks it. */
export function buildSample(node: SchemaNode, depth = 0): JsonValue | undefined {
  if (depth > maxSampleDepth || node.reading()) return undefined;
  const [shape] = node.shapes();
  if (shape === undefined) return undefined;
  const [constant] = shape.values?.values() ?? [];
  if (constant !== undefined) return constant;
  const [union] = shape.unions;
  const [branch] = union?.branches ?? [];
  if (branch !== undefined && shape.properties.size === 0) return buildSample(branch, depth + 1);
  const types = impliedTypes(shape);
  if (types.has('object')) return sampleObject(shape, depth);
  if (types.has('string')) return 'a'.repeat(Math.min(shape.minLength, 1_000));
  if (types.has('number')) return sampleNumber(shape);
  if (types.has('array')) return sampleArray(shape, depth);
  return types.has('boolean') ? true : null;
}

function sampleObject(shape: Shape, depth: number): JsonValue {
  const members: [string, JsonValue][] = [];
  for (const name of shape.required) {
    const value = buildSample(shape.properties.get(name) ?? shape.additional, depth + 1);
    if (value !== undefined) members.push([name, value]);
  }
  return Object.fromEntries(members);
}

function sampleNumber(shape: Shape): number {
  const { lower, upper } = shape;
  const [step = 1] = shape.multiples;
  if (lower !== undefined) return Math.ceil(lower.value / step) * step + (lower.exclusive ? step : 0);
  if (upper !== undefined) return Math.floor(upper.value / step) * step - (upper.exclusive ? step : 0);
  return 0;
}

function sampleArray(shape: Shape, depth: number): JsonValue {
  const length = Math.min(shape.minItems, maxItems);
  return Array.from({ length }, (_, index) => buildSample(shape.prefix[index] ?? shape.rest, depth + 1) ?? null);
}
