import { canonicalJson } from '../../json/canonical-json.ts';
import { isJsonObject } from '../../json/json.ts';
import { isSilentKeyword } from '../schema/keywords.ts';
import { mergeShapes } from '../schema/merge-shapes.ts';
import { normalizeShape } from '../schema/normal-form.ts';
import {
  hasNoCrossTypeFacets,
  hasOnlyTypes,
  impliedTypes,
  intersect,
  isAny,
  isNever,
  type SchemaNode,
  type Shape,
  typeNames,
} from '../schema/shape.ts';
import {
  type Change,
  type Comparer,
  change,
  describeTypes,
  hasEffect,
  hasNarrowing,
  hasWidening,
  pairEqual,
  pairInOrder,
} from './change.ts';
import { compareArrays, compareObjects } from './compare-objects.ts';
import { compareNotes, compareOtherKeywords } from './compare-other-keywords.ts';
import { compareNumbers, compareStrings } from './compare-scalars.ts';
import { compareTypes, compareValues } from './compare-types.ts';
import { compareMovedKeywords, compareUnions, compareUnionWithPlain } from './compare-unions.ts';

/** Compares two lists of shapes. Each list applies as a whole. */
export function compareConjunctions(
  comparer: Comparer,
  old: readonly Shape[],
  replacement: readonly Shape[],
  path: string,
): readonly Change[] {
  const changes = compareConjuncts(comparer, old, replacement, path);
  return [...changes, ...compareUnevaluated(comparer, old, replacement, path, hasEffect(changes))];
}

function compareConjuncts(
  comparer: Comparer,
  old: readonly Shape[],
  replacement: readonly Shape[],
  path: string,
): readonly Change[] {
  const [oldFirst, oldSecond] = old;
  const [newFirst, newSecond] = replacement;
  if (oldFirst === undefined || newFirst === undefined) return [];
  if (oldSecond === undefined && newSecond === undefined) return compareShapes(comparer, oldFirst, newFirst, path);

  const compare = (before: Shape, after: Shape): readonly Change[] => compareShapes(comparer, before, after, path);
  const unequal = pairEqual(
    old.filter((shape) => !isAny(shape)),
    replacement.filter((shape) => !isAny(shape)),
    (before, after) => !hasEffect(compare(before, after)),
  );
  if (unequal.removed.length > 0 && unequal.added.length > 0) {
    const whole = compareMerged(comparer, old, replacement, path);
    if (whole !== undefined) return whole;
  }
  const { pairs, removed, added } = pairInOrder(unequal.removed, unequal.added);
  const remarks = [...unequal.pairs, ...pairs].flatMap(([before, after]) => compare(before, after));
  const lost = removed.filter((shape) => !replacement.some((other) => !hasWidening(compare(shape, other))));
  const gained = added.filter((shape) => !old.some((other) => !hasNarrowing(compare(other, shape))));
  return [
    ...remarks,
    ...compareNotes(oldFirst.notes, newFirst.notes, path).filter(
      (note) => !remarks.some((other) => isSame(note, other)),
    ),
    ...lost.map((shape) =>
      change('all-of-branch-removed', `${path}/allOf`, 'A branch of allOf was removed.', { old: shape.source }),
    ),
    ...gained.map((shape) =>
      change('all-of-branch-added', `${path}/allOf`, 'A branch of allOf was added.', { new: shape.source }),
    ),
  ];
}

function isSame(a: Change, b: Change): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function compareMerged(
  comparer: Comparer,
  old: readonly Shape[],
  replacement: readonly Shape[],
  path: string,
): readonly Change[] | undefined {
  const { factory } = comparer;
  const before = mergeShapes(old, factory);
  const after = mergeShapes(replacement, factory);
  if (before === undefined || after === undefined) return undefined;
  return compareShapes(comparer, normalizeShape(before, factory), normalizeShape(after, factory), path);
}

/**
 * Compares unevaluatedProperties and unevaluatedItems. They depend on all keywords around them, so any other difference
 * makes their effect unknown.
 */
function compareUnevaluated(
  comparer: Comparer,
  old: readonly Shape[],
  replacement: readonly Shape[],
  path: string,
  otherwiseChanged: boolean,
): readonly Change[] {
  const changes: Change[] = [];
  for (const keyword of ['unevaluatedProperties', 'unevaluatedItems']) {
    const [before, after] = [find(old, keyword), find(replacement, keyword)];
    if (before === undefined && after === undefined) continue;
    const at = `${path}/${keyword}`;
    const { any } = comparer.factory;
    const own = comparer.compare(before ?? any, after ?? any, at).filter((found) => hasEffect([found]));
    if (before === undefined) changes.push(change('object-closed', at, `"${keyword}" was added.`));
    else if (after === undefined) changes.push(change('object-opened', at, `"${keyword}" was dropped.`));
    else changes.push(...own);
    const sameText = sourceText(old) === sourceText(replacement);
    if (otherwiseChanged || own.length > 0 || !sameText) {
      const message = `What "${keyword}" refuses depends on the other changes here; check it against real values.`;
      changes.push(change('undecided', at, message));
    }
  }
  return changes;
}

function find(shapes: readonly Shape[], keyword: string): SchemaNode | undefined {
  return shapes.find((shape) => shape.unevaluated.has(keyword))?.unevaluated.get(keyword);
}

/** The schemas' text without annotations. Under `properties` these words are names, with objects as values. */
function sourceText(shapes: readonly Shape[]): string {
  return JSON.stringify(
    shapes.map((shape) => shape.source),
    (key, value: unknown) => (isSilentKeyword(key) && !isJsonObject(value) ? undefined : value),
  );
}

/** Compares two schemas in normal form, facet by facet. */
function compareShapes(comparer: Comparer, before: Shape, after: Shape, path: string): readonly Change[] {
  const old = after.values === undefined ? before : listNull(before);
  const replacement = before.values === undefined ? after : listNull(after);
  const notes = compareNotes(old.notes, replacement.notes, path);
  const whole = compareWhole(old, replacement, path);
  if (whole !== undefined) return [...notes, ...whole];
  // If only one side has a union, treat the other as a union of one branch.
  if (old.unions.length + replacement.unions.length === 1) {
    return [...notes, ...compareUnionWithPlain(comparer, old, replacement, path)];
  }
  const facets = compareFacets(comparer, old, replacement, path);
  const moved = hasEffect(facets) ? compareMovedKeywords(comparer, old, replacement, path) : undefined;
  return [...notes, ...(moved ?? facets)];
}

function compareFacets(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const types = compareTypes(old, replacement, path);
  if (types.disjoint) return types.changes;
  const values = compareValues(old, replacement, path, types.changes);
  if (values.complete) return [...types.changes, ...values.changes];
  const shared = intersect(impliedTypes(old), impliedTypes(replacement));
  return [
    ...types.changes,
    ...values.changes,
    ...(shared.has('string') ? compareStrings(old, replacement, path) : []),
    ...(shared.has('number') ? compareNumbers(old, replacement, path) : []),
    ...(shared.has('array') ? compareArrays(comparer, old, replacement, path) : []),
    ...(shared.has('object') ? compareObjects(comparer, old, replacement, path) : []),
    ...compareUnions(comparer, old, replacement, path),
    ...compareOtherKeywords(comparer, old, replacement, path),
  ];
}

/** Beside an enumeration, treats the type null as the single value null. */
function listNull(shape: Shape): Shape {
  const isNull =
    shape.values === undefined && shape.types.size === 1 && shape.types.has('null') && hasNoCrossTypeFacets(shape);
  return isNull ? { ...shape, values: new Map([['null', null]]) } : shape;
}

/** Compares shapes of which one accepts everything or nothing. */
function compareWhole(old: Shape, replacement: Shape, path: string): readonly Change[] | undefined {
  if (isNever(old) || isNever(replacement)) {
    if (isNever(old) && isNever(replacement)) return [];
    const sides = sidesOf(old, replacement);
    return isNever(old)
      ? [change('schema-allowed', path, 'Nothing was allowed here; now something is.', sides)]
      : [change('schema-forbidden', path, `Nothing is allowed here any more; it was ${sides.old}.`, sides)];
  }
  if (isAny(replacement) && isTyped(old)) {
    const sides = sidesOf(old, replacement);
    return [change('constraint-dropped-to-any', path, `Any value is allowed; it was ${sides.old}.`, sides)];
  }
  if (isAny(old) && isTyped(replacement)) {
    const sides = sidesOf(old, replacement);
    return [change('constraint-added-to-any', path, `Any value was allowed; now it is ${sides.new}.`, sides)];
  }
  return undefined;
}

function sidesOf(old: Shape, replacement: Shape): { readonly old: string; readonly new: string } {
  return { old: describeTypes(old), new: describeTypes(replacement) };
}

/** True if types or unions restrict the shape. If only other keywords do, they are more specific. */
function isTyped(shape: Shape): boolean {
  if (shape.values !== undefined) return false;
  return shape.types.size < typeNames.length || (shape.unions.length > 0 && hasOnlyTypes({ ...shape, unions: [] }));
}
