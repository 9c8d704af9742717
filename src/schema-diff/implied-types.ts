import type { SchemaNode, Shape, TypeName } from './shape.ts';

/** The types a shape can take, with what its unions leave. */
export function impliedTypes(shape: Shape): ReadonlySet<TypeName> {
  let types: ReadonlySet<TypeName> = shape.types;
  for (const union of shape.unions) {
    const taken = new Set<TypeName>(union.nullable ? ['null'] : []);
    for (const branch of union.branches) for (const type of nodeTypes(branch)) taken.add(type);
    types = intersect(types, taken);
  }
  return types;
}

/** The types a node can take by its own keywords. */
export function nodeTypes(node: SchemaNode): ReadonlySet<TypeName> {
  const [first, ...others] = node.shapes();
  return others.reduce((types, shape) => intersect(types, shape.types), first?.types ?? new Set<TypeName>());
}

/** Node 20 has no Set.prototype.intersection. */
export function intersect<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  if (a === b) return a;
  return new Set([...a].filter((item) => b.has(item)));
}
