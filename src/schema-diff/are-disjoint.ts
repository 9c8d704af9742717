import { type Answer, acceptByShape, acceptValue } from './accept-value.ts';
import { buildSample } from './build-sample.ts';
import { impliedTypes, intersect } from './implied-types.ts';
import type { SchemaNode, Shape, TypeName } from './shape.ts';

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
