import type { SchemaNode, Shape } from './shape.ts';

export interface Discriminator {
  readonly name: string;
  /** For each branch the canonical texts of its tag's values. */
  readonly tags: readonly ReadonlySet<string>[];
}

/** The property whose constant tells the branches of a tagged union apart. */
export function findDiscriminator(branches: readonly SchemaNode[]): Discriminator | undefined {
  const shapes: Shape[] = [];
  for (const branch of branches) {
    const [shape, more] = branch.shapes();
    if (shape === undefined || more !== undefined) return undefined;
    shapes.push(shape);
  }
  const [first] = shapes;
  for (const name of first?.properties.keys() ?? []) {
    const tags = shapes.map((shape) => readTags(shape, name));
    const texts = tags.flatMap((tag) => [...tag]);
    if (tags.every((tag) => tag.size > 0) && new Set(texts).size === texts.length) return { name, tags };
  }
  return undefined;
}

/** Whether every branch is an object that must have the tag: then no value is taken by two of them. */
export function isToldApart(branches: readonly SchemaNode[], discriminator: Discriminator | undefined): boolean {
  if (discriminator === undefined) return false;
  return branches.every((branch) => {
    const [shape] = branch.shapes();
    return shape?.types.size === 1 && shape.types.has('object') && shape.required.has(discriminator.name);
  });
}

function readTags(shape: Shape, name: string): ReadonlySet<string> {
  const [tag, more] = shape.properties.get(name)?.shapes() ?? [];
  return new Set(more === undefined ? tag?.values?.keys() : []);
}
