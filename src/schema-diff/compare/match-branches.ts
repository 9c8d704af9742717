import { canonicalJson } from '../../json/canonical-json.ts';
import { isJsonObject } from '../../json/json.ts';
import { intersect, nodeTypes, type SchemaNode, type Shape } from '../schema/shape.ts';
import { type Comparer, hasEffect } from './change.ts';

export interface BranchPair {
  readonly old: number;
  readonly new: number;
}

export interface BranchMatching {
  readonly pairs: readonly BranchPair[];
  readonly removed: readonly number[];
  readonly added: readonly number[];
}

/** With more remaining pairs, branches are matched by likeness without comparing. */
const maxTrials = 2_500;
const maxLikenesses = 40_000;

/** Matches branches of two unions: by tag, then by name or text, by meaning, and by likeness. */
export function matchBranches(
  comparer: Comparer,
  sides: {
    readonly old: readonly SchemaNode[];
    readonly new: readonly SchemaNode[];
    readonly tags: { readonly old: Discriminator | undefined; readonly new: Discriminator | undefined };
    readonly pathOf: (index: number) => string;
  },
): BranchMatching {
  const removed = new Set(sides.old.keys());
  const added = new Set(sides.new.keys());
  const pairs: BranchPair[] = [];
  const take = (pair: BranchPair | undefined): void => {
    if (pair === undefined) return;
    pairs.push(pair);
    removed.delete(pair.old);
    added.delete(pair.new);
  };
  const oldTags = sides.tags.old?.tags;
  const newTags = sides.tags.new?.tags;
  const isTagged = oldTags !== undefined && newTags !== undefined;
  if (isTagged) {
    for (const index of removed) {
      const tag = oldTags[index];
      const match = [...added].find((other) => tag !== undefined && !areApart(tag, newTags[other] ?? new Set()));
      if (match !== undefined) take({ old: index, new: match });
    }
  }
  const byText = new Map([...added].map((index) => [textOf(sides.new[index]), index]));
  for (const index of removed) {
    const match = byText.get(textOf(sides.old[index]));
    if (match !== undefined && added.has(match)) take({ old: index, new: match });
  }
  if (removed.size * added.size <= maxTrials) {
    for (const index of removed) {
      const match = [...added].find((other) =>
        isSame(comparer, sides.old[index], sides.new[other], sides.pathOf(index)),
      );
      if (match !== undefined) take({ old: index, new: match });
    }
  }
  // Different tags state that two branches are not the same.
  if (!isTagged && removed.size * added.size <= maxLikenesses) {
    for (const pair of rankByLikeness(sides.old, sides.new, removed, added)) {
      if (removed.has(pair.old) && added.has(pair.new)) take(pair);
    }
  }
  pairs.sort((a, b) => a.old - b.old);
  return { pairs, removed: [...removed], added: [...added] };
}

function isSame(
  comparer: Comparer,
  old: SchemaNode | undefined,
  replacement: SchemaNode | undefined,
  path: string,
): boolean {
  if (old === undefined || replacement === undefined) return false;
  if (intersect(nodeTypes(old), nodeTypes(replacement)).size === 0) return false;
  return !hasEffect(comparer.compare(old, replacement, path));
}

function rankByLikeness(
  old: readonly SchemaNode[],
  replacement: readonly SchemaNode[],
  removed: ReadonlySet<number>,
  added: ReadonlySet<number>,
): readonly BranchPair[] {
  const ranked: (BranchPair & { readonly likeness: number })[] = [];
  for (const index of removed) {
    for (const other of added) {
      const likeness = measureLikeness(old[index]?.shapes()[0], replacement[other]?.shapes()[0]);
      if (likeness > 0) ranked.push({ old: index, new: other, likeness });
    }
  }
  return ranked.sort((a, b) => b.likeness - a.likeness || a.old - b.old || a.new - b.new);
}

/** Likeness of two shapes, from 0 to 1. */
function measureLikeness(a: Shape | undefined, b: Shape | undefined): number {
  if (a === undefined || b === undefined) return 0;
  const shared = intersect(a.types, b.types).size;
  const all = new Set([...a.types, ...b.types]).size;
  if (shared === 0) return 0;
  if (
    a.values !== undefined &&
    b.values !== undefined &&
    areApart(new Set(a.values.keys()), new Set(b.values.keys()))
  ) {
    return 0;
  }
  const names = new Set([...a.properties.keys(), ...b.properties.keys()]);
  if (names.size === 0) return shared / all;
  const common = [...names].filter((name) => a.properties.has(name) && b.properties.has(name)).length;
  return (shared / all) * (common / names.size);
}

function areApart(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return intersect(a, b).size === 0;
}

/** Text of a node. For a reference, its name. */
function textOf(node: SchemaNode | undefined): string {
  if (node === undefined) return '';
  const { source } = node;
  return isJsonObject(source) && typeof source['$ref'] === 'string' ? source['$ref'] : canonicalJson(source);
}

export interface Discriminator {
  readonly name: string;
  /** Canonical texts of the tag's values, for each branch. */
  readonly tags: readonly ReadonlySet<string>[];
}

/** Finds the property whose constant distinguishes the branches of a tagged union. */
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

/** True if every branch is an object that requires the tag: no value is then accepted by two branches. */
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
