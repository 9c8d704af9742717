import { appendPointer } from '../../json/json-pointer.ts';
import { matchPattern } from '../schema/accept-value.ts';
import { impliedTypes, isNeverNode, type SchemaNode, type Shape } from '../schema/shape.ts';
import type { Comparer } from './change.ts';

/** More look-alikes than this are no sign of a rename. */
const maxLookAlikes = 8;

/** Pairs each removed property with the added one of equal schema, where there is exactly one on both sides. */
export function findRenames(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  {
    removed,
    added,
    path,
  }: { readonly removed: readonly string[]; readonly added: readonly string[]; readonly path: string },
): ReadonlyMap<string, string> {
  const lostBySketch = groupBySketch(comparer, old, removed);
  const gainedBySketch = groupBySketch(comparer, replacement, added);
  const renames = new Map<string, string>();
  for (const [sketch, lost] of lostBySketch) {
    const gained = gainedBySketch.get(sketch) ?? [];
    if (lost.length > maxLookAlikes || gained.length > maxLookAlikes) continue;
    const isSame = (from: string, to: string): boolean => {
      const before = findEffectiveNode(comparer, old, from).node;
      const after = findEffectiveNode(comparer, replacement, to).node;
      return comparer
        .compare(before, after, appendPointer(path, 'properties', from))
        .every(({ rule }) => isRemark(rule));
    };
    for (const from of lost) {
      const [to, another] = gained.filter((name) => isSame(from, name));
      if (to === undefined || another !== undefined) continue;
      if (lost.some((name) => name !== from && isSame(name, to))) continue;
      renames.set(from, to);
    }
  }
  return renames;
}

/** A renamed property usually gets another title or description too. */
function isRemark(rule: string): boolean {
  return rule === 'description-or-title-changed' || rule === 'annotation-changed';
}

function groupBySketch(
  comparer: Comparer,
  shape: Shape,
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const { node } = findEffectiveNode(comparer, shape, name);
    const sketch = node.shapes().map((part) => {
      const types = [...impliedTypes(part)].sort().join();
      return `${types}:${[...part.properties.keys()].sort().join()}`;
    });
    const key = `${shape.required.has(name) ? 'required' : 'optional'} ${sketch.join('&')}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [name]);
    else group.push(name);
  }
  return groups;
}

export interface EffectiveNode {
  readonly node: SchemaNode;
  /** `closed`: refused whatever its value; `open`: anything goes. */
  readonly kind: 'open' | 'closed' | 'restricted';
  /** A pattern could not be matched against the name in reasonable time. */
  readonly unclear: boolean;
}

/** What a shape asks of a property's value, be the name declared, matched by patterns, or left to additionalProperties. */
export function findEffectiveNode({ factory }: Pick<Comparer, 'factory'>, shape: Shape, name: string): EffectiveNode {
  const nodes: SchemaNode[] = [];
  let unclear = false;
  const declared = shape.properties.get(name);
  if (declared !== undefined) nodes.push(declared);
  for (const [pattern, node] of shape.patternProperties) {
    const matches = matchPattern(pattern, name);
    if (matches === undefined) unclear = true;
    if (matches === true) nodes.push(node);
  }
  const node = nodes.length === 0 ? shape.additional : factory.conjoin(nodes);
  const kind = isNeverNode(node) ? 'closed' : node.open ? 'open' : 'restricted';
  return { node, kind, unclear };
}

/** Whether a pattern may match a name that the shape knows of otherwise. */
export function mayOverlap(shape: Shape, pattern: string): boolean {
  const others = [...shape.patternProperties.keys()].filter((other) => other !== pattern);
  return others.length > 0 || [...shape.properties.keys()].some((name) => matchPattern(pattern, name) !== false);
}
