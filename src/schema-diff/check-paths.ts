import { describePath } from '../json/deep-equal.ts';
import { compileJsonPath, JsonPathError } from '../json/json-path.ts';
import { attemptOr } from '../text/attempt.ts';
import { findNearest } from '../text/words/did-you-mean.ts';
import { findEffectiveNode } from './compare/compare-properties.ts';
import { openSchema } from './schema/schema-document.ts';
import { createNodeFactory, openNodes } from './schema/schema-nodes.ts';
import { impliedTypes, isNeverNode, type NodeFactory, type SchemaNode, type Shape } from './schema/shape.ts';

/** Most combinations of union branches to check a path against. Beyond it, the path is not checked. */
const maxPlaces = 500;

/** A step of a path that no value of a schema has. */
export interface PathMiss {
  readonly message: string;
  /** Existing name most similar to the missing one. */
  readonly nearest?: string;
  /** True if the schema refuses the name; false if it only does not describe it. */
  readonly closed: boolean;
}

/**
 * Finds the step of a JSONPath that no value of a schema has; undefined if there is none, or it is unknown. A name that
 * an object neither declares nor expressly allows counts as missing, although open objects would accept it. Throws a
 * `SchemaProblem` for an unreadable schema.
 */
export function checkJsonPathAgainstSchema(path: string, schema: unknown): PathMiss | undefined {
  const steps = parsePlainPath(path);
  return steps === undefined ? undefined : checkSteps(steps, path, schema);
}

function checkSteps(steps: readonly PathStep[], path: string, schema: unknown): PathMiss | undefined {
  const factory = createNodeFactory();
  let places: readonly SchemaNode[] = [openNodes(openSchema(schema), factory, true)];
  let walked = '$';
  for (const [index, step] of steps.entries()) {
    const shapes = places.flatMap((node) => expand(node, factory)).filter((list) => list.length > 0);
    if (shapes.length === 0 || shapes.length > maxPlaces) return undefined;
    const next: SchemaNode[] = [];
    let closed = true;
    for (const alternative of shapes) {
      const found = follow(alternative, step, factory);
      if (found === 'anything') return undefined;
      if (found === 'unnamed') closed = false;
      else if (found !== 'nothing') next.push(found);
    }
    const reached = walked + describeStep(step);
    if (next.length === 0) {
      const within = index + 1 < steps.length ? ` (in ${path.trim()})` : '';
      return { ...describeMiss(shapes.flat(), step, walked, within), closed };
    }
    places = next;
    walked = reached;
  }
  return undefined;
}

/** Expands a node's unions into alternatives. Each alternative is a list of shapes that all apply. */
function expand(node: SchemaNode, factory: NodeFactory, depth = 0): readonly (readonly Shape[])[] {
  const shapes = node.shapes();
  const split = shapes.findIndex((shape) => shape.unions.length > 0);
  const shape = shapes[split];
  const [union, ...unions] = shape?.unions ?? [];
  if (shape === undefined || union === undefined || depth > 8) return [shapes];
  const others = shapes.filter((_, index) => index !== split);
  const rest = [{ ...shape, unions }, ...others].map((part) => factory.fromShape(part));
  return union.branches.flatMap((branch) => expand(factory.conjoin([...rest, branch]), factory, depth + 1));
}

/** Follows a step through shapes that all apply. The most specific result wins. */
function follow(
  shapes: readonly Shape[],
  step: PathStep,
  factory: NodeFactory,
): SchemaNode | 'anything' | 'nothing' | 'unnamed' {
  const found: SchemaNode[] = [];
  let named = false;
  for (const shape of shapes) {
    const type = typeof step === 'string' ? 'object' : 'array';
    if (!impliedTypes(shape).has(type)) return 'nothing';
    if (shape.unions.length > 0 || shape.unevaluated.size > 0 || shape.values !== undefined) return 'anything';
    const node = typeof step === 'string' ? followName(shape, step, factory) : followIndex(shape, step);
    if (node === 'nothing') return 'nothing';
    if (node === 'unnamed') named = true;
    else if (node !== 'anything') found.push(node);
  }
  if (found.length > 0) return factory.conjoin(found);
  return named ? 'unnamed' : 'anything';
}

function followName(shape: Shape, name: string, factory: NodeFactory): SchemaNode | 'anything' | 'nothing' | 'unnamed' {
  if (shape.properties.has(name) || shape.required.has(name)) {
    const node = shape.properties.get(name) ?? shape.additional;
    return node.open ? 'anything' : isNeverNode(node) ? 'nothing' : node;
  }
  const { node, kind, unclear } = findEffectiveNode({ factory }, shape, name);
  if (unclear) return 'anything';
  if (kind === 'closed') return 'nothing';
  if (kind === 'restricted') return node;
  const isSilent = shape.additional === factory.any && !declaresOpenness(shape);
  return isSilent && shape.properties.size > 0 && shape.patternProperties.size === 0 ? 'unnamed' : 'anything';
}

/** True if the schema writes `additionalProperties`: its author expects more names. */
function declaresOpenness(shape: Shape): boolean {
  const { source } = shape;
  return typeof source === 'object' && source !== null && 'additionalProperties' in source;
}

function followIndex(shape: Shape, index: number): SchemaNode | 'anything' | 'nothing' {
  const position = index < 0 ? 0 : index;
  const length = index < 0 ? -index : index + 1;
  if (length > shape.maxItems) return 'nothing';
  const node = index < 0 && shape.prefix.length > 0 ? undefined : (shape.prefix[position] ?? shape.rest);
  if (node === undefined || node.open) return 'anything';
  return isNeverNode(node) ? 'nothing' : node;
}

function describeMiss(
  shapes: readonly Shape[],
  step: PathStep,
  walked: string,
  within: string,
): Omit<PathMiss, 'closed'> {
  const start = `${walked}${describeStep(step)} is not in the output schema${within}`;
  if (typeof step === 'number') return { message: `${start}; ${walked} is not a list that long.` };
  const names = [...new Set(shapes.flatMap((shape) => [...shape.properties.keys()]))];
  const nearest = findNearest(step, names);
  if (nearest !== undefined) {
    const message = `${start}; did you mean ${walked}${describeStep(nearest)}?`;
    return { message, nearest };
  }
  const shown = names.slice(0, 8).join(', ');
  if (names.length === 0) return { message: `${start}; ${walked} has no properties.` };
  return { message: `${start}; ${walked} has ${shown}${names.length > 8 ? ', …' : ''}.` };
}

function describeStep(step: PathStep): string {
  return describePath([step]).slice(1);
}

/** Checks that values of an input schema have the path that a template reads, such as `order.items[0].id`. */
export function checkVariable(variable: string, schema: unknown): PathMiss | undefined {
  const steps = parseVariable(variable);
  if (steps.length === 0) return undefined;
  const miss = checkSteps(steps, variable, schema);
  if (miss === undefined) return undefined;
  const message = `the input schema ${miss.closed ? 'does not allow' : 'does not describe'} "${variable}"`;
  return { ...miss, message };
}

/** Members that templates compute for lists, maps and texts. Only the path before them is checked. */
const computed = new Set(['size', 'first', 'last']);

/** Parses a variable's path, up to the first step that is computed or depends on another variable. */
function parseVariable(variable: string): readonly PathStep[] {
  const steps: PathStep[] = [];
  for (const [, name, index, quoted] of variable.matchAll(/(?:^|\.)([^.[\]]+)|\[(-?\d+)\]|\["([^"\\]*)"\]|\[/g)) {
    if (index !== undefined) steps.push(Number(index));
    else if (name === undefined && quoted === undefined) break;
    else if (steps.length > 0 && name !== undefined && computed.has(name)) break;
    else steps.push(name ?? quoted ?? '');
  }
  return steps;
}

type PathStep = string | number;

/** Parses a JSONPath of names and indexes; undefined for wildcards, slices, filters and invalid paths. */
function parsePlainPath(path: string): readonly PathStep[] | undefined {
  return attemptOr(() => compileJsonPath(path.trim()).steps, JsonPathError, undefined);
}
