import type { JsonValue } from '../../json/json.ts';
import { flattenUnion, restrictToType } from '../schema/normal-form.ts';
import {
  hasOnlyTypesAndValues,
  isAny,
  noNotes,
  openShape,
  type Shape,
  typeNames,
  type Union,
} from '../schema/shape.ts';
import { type Change, type Comparer, change, compareLists, hasEffect } from './change.ts';
import { type BranchList, compareBranches } from './compare-branches.ts';
import { compareValues } from './compare-types.ts';

/** Compares the unions of two shapes that both have one. */
export function compareUnions(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  if (old.unions.length === 0 && replacement.unions.length === 0) return [];
  const [oldFirst, oldSecond] = old.unions;
  const [newFirst, newSecond] = replacement.unions;
  const compare = (before: Union, after: Union): readonly Change[] =>
    compareBranches(comparer, asList(before), asList(after), `${path}/${after.kind}`);
  if (oldFirst !== undefined && newFirst !== undefined && oldSecond === undefined && newSecond === undefined) {
    return compare(oldFirst, newFirst);
  }
  return compareLists(old.unions, replacement.unions, {
    compare,
    isEqual: (changes) => !hasEffect(changes),
    describeRemoved: (union) => describeLost(union, path),
    describeAdded: (union) => describeGained(union, path),
  });
}

/** Compares a union with a schema without one. The latter is split into one branch per type. */
export function compareUnionWithPlain(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  path: string,
): readonly Change[] {
  const [oldUnion, newUnion] = [old.unions[0], replacement.unions[0]];
  const kind = newUnion?.kind ?? oldUnion?.kind ?? 'anyOf';
  const before = oldUnion === undefined ? splitByType(comparer, old, kind) : distribute(comparer, old, oldUnion);
  const after =
    newUnion === undefined ? splitByType(comparer, replacement, kind) : distribute(comparer, replacement, newUnion);
  const listed = compareAsValues(comparer, before, after, path);
  if (listed !== undefined) return listed;
  const changes = compareBranches(comparer, before, after, `${path}/${kind}`);
  const union = newUnion ?? oldUnion;
  if (union === undefined || !hasEffect(changes)) return changes;
  const [base, plain] = newUnion === undefined ? [old, replacement] : [replacement, old];
  const own = { ...base, unions: [] };
  // If everything else is equal, the union itself was added or removed.
  if (isAny(own) || hasEffect(compareNodes(comparer, plain, own, path))) return changes;
  return [newUnion === undefined ? describeLost(union, path) : describeGained(union, path)];
}

/** Compares keywords moved between a union and its branches; undefined if more changed. */
export function compareMovedKeywords(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  path: string,
): readonly Change[] | undefined {
  const [before, moreBefore] = old.unions;
  const [after, moreAfter] = replacement.unions;
  if (before === undefined || after === undefined || moreBefore !== undefined || moreAfter !== undefined)
    return undefined;
  if (isAny({ ...old, unions: [] }) && isAny({ ...replacement, unions: [] })) return undefined;
  const branches = [distribute(comparer, old, before), distribute(comparer, replacement, after)] as const;
  const changes = compareBranches(comparer, ...branches, `${path}/${after.kind}`);
  return hasEffect(changes) ? undefined : changes;
}

function compareNodes(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  return comparer.compare(comparer.factory.fromShape(old), comparer.factory.fromShape(replacement), path);
}

function describeLost(union: Union, path: string): Change {
  return change('union-removed', `${path}/${union.kind}`, `"${union.kind}" was dropped.`, { old: sourceOf(union) });
}

function describeGained(union: Union, path: string): Change {
  return change('union-added', `${path}/${union.kind}`, `"${union.kind}" was added.`, { new: sourceOf(union) });
}

function sourceOf(union: Union): JsonValue {
  return union.branches.map((branch) => branch.source);
}

/** Compares unions of constants as enumerations. Constants may have their own descriptions. */
function compareAsValues(
  comparer: Comparer,
  old: BranchList,
  replacement: BranchList,
  path: string,
): readonly Change[] | undefined {
  const [before, after] = [listValues(comparer, old), listValues(comparer, replacement)];
  if (before === undefined || after === undefined) return undefined;
  const { changes } = compareValues(before, after, path, []);
  const notes = [...old.branches, ...replacement.branches].map((branch) => branch.shapes()[0]?.notes);
  const isDescribed = notes.some((note) => note?.description !== undefined || note?.title !== undefined);
  const message = 'The descriptions of the single values changed.';
  return isDescribed ? [...changes, change('description-or-title-changed', path, message)] : changes;
}

function listValues(comparer: Comparer, { kind, branches, nullable }: BranchList): Shape | undefined {
  const values = new Map<string, JsonValue>(nullable ? [['null', null]] : []);
  for (const branch of branches) {
    const [shape, more] = branch.shapes();
    if (shape?.values === undefined || more !== undefined) return undefined;
    for (const [text, value] of shape.values) {
      if (kind === 'oneOf' && values.has(text)) return undefined;
      values.set(text, value);
    }
    // Other keywords may refuse these values, so they are no plain list.
    if (!hasOnlyTypesAndValues(shape)) return undefined;
  }
  return { ...openShape(comparer.factory.any), values };
}

function asList(union: Union): BranchList {
  return { ...flattenUnion(union), spelled: true };
}

/** Moves the keywords beside a union into each branch. */
function distribute(comparer: Comparer, shape: Shape, written: Union): BranchList {
  const base = { ...shape, unions: [], notes: noNotes };
  const union = asList(written);
  if (isAny(base)) return union;
  const node = comparer.factory.fromShape(base);
  return {
    ...union,
    branches: union.branches.map((branch) => comparer.factory.conjoin([node, branch])),
    nullable: union.nullable && base.types.has('null'),
  };
}

function splitByType(comparer: Comparer, shape: Shape, kind: Union['kind']): BranchList {
  const plain = { ...shape, notes: noNotes };
  const types = [...shape.types].filter((type) => type !== 'null');
  const whole = shape.types.size === typeNames.length || types.length === 0;
  const parts = whole ? [plain] : types.map((type) => restrictToType(plain, type));
  return {
    kind,
    branches: parts.map((part) => comparer.factory.fromShape(part)),
    nullable: !whole && shape.types.has('null'),
    inner: [],
    spelled: false,
  };
}
