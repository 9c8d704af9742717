import type { JsonValue } from '../json/json.ts';
import { impliedTypes } from './implied-types.ts';
import type { SchemaNode, Shape } from './shape.ts';

const maxDepth = 8;
const maxItems = 20;

/** A small value that a node probably takes; whoever asks checks it. */
export function buildSample(node: SchemaNode, depth = 0): JsonValue | undefined {
  if (depth > maxDepth || node.reading()) return undefined;
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
