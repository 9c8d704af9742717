import type { Comparer } from './comparer.ts';
import { matchPattern } from './match-pattern.ts';
import { isNeverNode, type SchemaNode, type Shape } from './shape.ts';

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
