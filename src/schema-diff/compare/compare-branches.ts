import { areDisjoint, arePairwiseDisjoint } from '../schema/accept-value.ts';
import { type FlatUnion, splitBranches } from '../schema/normal-form.ts';
import { noNotes, type SchemaNode } from '../schema/shape.ts';
import { type Change, type Comparer, change, describeNode, hasEffect, hasNarrowing, hasWidening } from './change.ts';
import { compareNotes } from './compare-other-keywords.ts';
import {
  type BranchPair,
  type Discriminator,
  findDiscriminator,
  isToldApart,
  matchBranches,
} from './match-branches.ts';

export interface BranchList extends FlatUnion {
  /** False if the schema has no union and was only read as one. */
  readonly spelled: boolean;
}

/** Compares two unions branch by branch. `path` is the union's path. */
export function compareBranches(
  comparer: Comparer,
  old: BranchList,
  replacement: BranchList,
  path: string,
): readonly Change[] {
  const changes = compareAsGrouped(comparer, old, replacement, path);
  if (!hasEffect(changes)) return changes;
  // Compare again by single types: they may be grouped into branches differently.
  const [before, after] = [old, replacement].map((list) => ({ ...list, ...splitBranches(list, comparer.factory) }));
  const split = before && after ? compareAsGrouped(comparer, before, after, path) : changes;
  return hasLess(split, changes) ? split : changes;
}

/** True if one comparison rules out a break that the other reports, and adds none. */
function hasLess(changes: readonly Change[], others: readonly Change[]): boolean {
  const narrows = [hasNarrowing(changes), hasNarrowing(others)] as const;
  const widens = [hasWidening(changes), hasWidening(others)] as const;
  const isWithin = [narrows, widens].every(([own, other]) => other || !own);
  return isWithin && [narrows, widens].some(([own, other]) => own !== other);
}

function compareAsGrouped(
  comparer: Comparer,
  old: BranchList,
  replacement: BranchList,
  path: string,
): readonly Change[] {
  const changes: Change[] = compareInnerNotes(old, replacement, path);
  if (old.nullable !== replacement.nullable) {
    const at = path.slice(0, path.lastIndexOf('/'));
    changes.push(
      replacement.nullable
        ? change('became-nullable', at, 'null is allowed as well.')
        : change('became-not-nullable', at, 'null is not allowed any more.'),
    );
  }
  const tags = { old: findDiscriminator(old.branches), new: findDiscriminator(replacement.branches) };
  const rename = findTagRename(tags.old, tags.new);
  if (rename !== undefined) {
    const message = `The property that tells the branches apart was renamed from "${rename.old}" to "${rename.new}".`;
    changes.push(change('discriminator-property-renamed', path, message, rename));
  }
  const oldNodes =
    rename === undefined ? old.branches : old.branches.map((node) => omitTag(comparer, node, rename.old));
  const newNodes =
    rename === undefined
      ? replacement.branches
      : replacement.branches.map((node) => omitTag(comparer, node, rename.new));
  const pathOf = (index: number): string => {
    if (old.spelled) return old.places?.[index] ?? `${path}/${index}`;
    return path.slice(0, path.lastIndexOf('/'));
  };
  const matching = matchBranches(comparer, { old: oldNodes, new: newNodes, tags, pathOf });
  const paired = matching.pairs.map((pair) => ({
    ...pair,
    changes: comparer.compare(at(oldNodes, pair.old), at(newNodes, pair.new), pathOf(pair.old)),
  }));
  changes.push(...paired.flatMap((pair) => pair.changes));
  const isMixed = old.kind !== replacement.kind && old.branches.length > 1 && replacement.branches.length > 1;
  if (isMixed && !arePairwiseDisjoint((old.kind === 'oneOf' ? old : replacement).branches)) {
    const message = `"${old.kind}" became "${replacement.kind}" and its branches may overlap; the effect is not known.`;
    changes.push(change('undecided', path, message, { old: old.kind, new: replacement.kind }));
  }
  const context: Context = { comparer, old, replacement, path, tags, matching, paired };
  const exclusive = replacement.kind === 'oneOf' || old.kind === 'oneOf';
  changes.push(...(exclusive ? describeExclusive(context) : describeInclusive(context)));
  return changes;
}

/** Compares the annotations of inner unions, if both sides have equally many. */
function compareInnerNotes(old: BranchList, replacement: BranchList, path: string): Change[] {
  if (old.inner.length !== replacement.inner.length) return [];
  return old.inner.flatMap((node, index) => {
    const other = replacement.inner[index] ?? node;
    return compareNotes(node.notes, other.notes, node.pointer ?? path);
  });
}

interface Context {
  readonly comparer: Comparer;
  readonly old: BranchList;
  readonly replacement: BranchList;
  readonly path: string;
  readonly tags: { readonly old: Discriminator | undefined; readonly new: Discriminator | undefined };
  readonly matching: { readonly removed: readonly number[]; readonly added: readonly number[] };
  readonly paired: readonly (BranchPair & { readonly changes: readonly Change[] })[];
}

/** Describes changed branches of an anyOf. A branch covered by another has no effect. */
function describeInclusive(context: Context): readonly Change[] {
  const { old, replacement, path } = context;
  const removed = context.matching.removed
    .map((index) => at(old.branches, index))
    .filter((node) => !isCoveredByNew(context, node));
  const added = context.matching.added
    .map((index) => at(replacement.branches, index))
    .filter((node) => !isCoveredByOld(context, node));
  return [
    ...removed.map((node) =>
      change('any-of-branch-removed', path, describeBranch(node, 'was removed'), { old: node.source }),
    ),
    ...added.map((node) =>
      change('any-of-branch-added', path, describeBranch(node, 'was added'), { new: node.source }),
    ),
  ];
}

/** Describes changed branches of a oneOf. It refuses a value that two branches accept, so overlaps matter too. */
function describeExclusive(context: Context): readonly Change[] {
  const { old, replacement, path, tags, matching, paired } = context;
  const changes: Change[] = [];
  for (const index of matching.removed) {
    const node = at(old.branches, index);
    const apart = old.branches.every((other) => other === node || areDisjoint(node, other) === true);
    if (apart && arePairwiseDisjoint(replacement.branches) && isCoveredByNew(context, node)) continue;
    const rule = apart ? 'one-of-branch-removed/disjoint' : 'one-of-branch-removed/overlapping';
    changes.push(change(rule, path, describeBranch(node, 'was removed'), { old: node.source }));
  }
  for (const index of matching.added) {
    const node = at(replacement.branches, index);
    const answers = replacement.branches.filter((other) => other !== node).map((other) => areDisjoint(node, other));
    const within = isCoveredByOld(context, node);
    if (answers.every((answer) => answer === true)) {
      if (within && arePairwiseDisjoint(old.branches)) continue;
      changes.push(
        change('one-of-branch-added/disjoint', path, describeBranch(node, 'was added'), { new: node.source }),
      );
      continue;
    }
    const rule = within
      ? 'one-of-branch-added/within'
      : answers.includes(false)
        ? 'one-of-branch-added/overlapping'
        : 'one-of-branch-added/unclear';
    const message = describeBranch(
      node,
      answers.includes(false) ? 'was added and overlaps another' : 'was added and may overlap another',
    );
    changes.push(change(rule, path, message, { new: node.source }));
  }
  if (isToldApart(old.branches, tags.old) && isToldApart(replacement.branches, tags.new)) return changes;
  const altered = paired.filter((pair) => hasEffect(pair.changes));
  const isApart = (nodes: readonly SchemaNode[], index: number): boolean =>
    nodes.every((other, position) => position === index || areDisjoint(at(nodes, index), other) === true);
  if (!altered.every((pair) => isApart(old.branches, pair.old) && isApart(replacement.branches, pair.new))) {
    const message = 'A branch changed that may overlap another; what "oneOf" refuses for that is not known.';
    changes.push(change('undecided', path, message));
  }
  return changes;
}

function isCoveredByNew({ comparer, replacement, path }: Context, node: SchemaNode): boolean {
  return replacement.branches.some((other) => !hasNarrowing(comparer.compare(node, other, path)));
}

function isCoveredByOld({ comparer, old, path }: Context, node: SchemaNode): boolean {
  return old.branches.some((other) => !hasWidening(comparer.compare(other, node, path)));
}

function findTagRename(
  old: Discriminator | undefined,
  replacement: Discriminator | undefined,
): { readonly old: string; readonly new: string } | undefined {
  if (old === undefined || replacement === undefined || old.name === replacement.name) return undefined;
  if (old.tags.length < 2 || replacement.tags.length < 2) return undefined;
  const known = new Set(old.tags.flatMap((tag) => [...tag]));
  const isShared = replacement.tags.some((tag) => [...tag].some((text) => known.has(text)));
  return isShared ? { old: old.name, new: replacement.name } : undefined;
}

function omitTag(comparer: Comparer, node: SchemaNode, name: string): SchemaNode {
  const [shape] = node.shapes();
  if (shape === undefined) return node;
  const properties = new Map([...shape.properties].filter(([key]) => key !== name));
  const required = new Set([...shape.required].filter((key) => key !== name));
  return comparer.factory.fromShape({ ...shape, notes: noNotes, properties, required });
}

function describeBranch(node: SchemaNode, verb: string): string {
  const { title } = node.notes;
  return `A branch (${title === undefined ? describeNode(node) : JSON.stringify(title)}) ${verb}.`;
}

function at(nodes: readonly SchemaNode[], index: number): SchemaNode {
  const node = nodes[index];
  if (node === undefined) throw new RangeError(`There is no branch ${index}.`);
  return node;
}
