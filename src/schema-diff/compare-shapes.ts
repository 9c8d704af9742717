import type { Change } from './change.ts';
import { compareArrays } from './compare-arrays.ts';
import { compareNotes } from './compare-notes.ts';
import { compareObjects } from './compare-objects.ts';
import { compareResidue } from './compare-residue.ts';
import { compareNumbers, compareStrings } from './compare-scalars.ts';
import { compareTypes } from './compare-types.ts';
import { compareUnions, compareUnionWithPlain } from './compare-unions.ts';
import { compareValues } from './compare-values.ts';
import { type Comparer, change, describeTypes } from './comparer.ts';
import { impliedTypes, intersect } from './implied-types.ts';
import { alterShape } from './make-shape.ts';
import { hasNoFacets, hasNoResidue, isAny, isNever, type Shape, typeNames } from './shape.ts';

/** Compares two schemas in normal form, facet by facet. */
export function compareShapes(comparer: Comparer, before: Shape, after: Shape, path: string): readonly Change[] {
  const old = after.values === undefined ? before : listNull(before);
  const replacement = before.values === undefined ? after : listNull(after);
  const notes = compareNotes(old.notes, replacement.notes, path);
  const whole = compareWhole(old, replacement, path);
  if (whole !== undefined) return [...notes, ...whole];
  // A union beside a schema without one: the latter is a union of one branch.
  if (old.unions.length + replacement.unions.length === 1) {
    return [...notes, ...compareUnionWithPlain(comparer, old, replacement, path)];
  }
  const types = compareTypes(old, replacement, path);
  if (types.disjoint) return [...notes, ...types.changes];
  const values = compareValues(old, replacement, path, types.changes);
  if (values.complete) return [...notes, ...types.changes, ...values.changes];
  const shared = intersect(impliedTypes(old), impliedTypes(replacement));
  return [
    ...notes,
    ...types.changes,
    ...values.changes,
    ...(shared.has('string') ? compareStrings(old, replacement, path) : []),
    ...(shared.has('number') ? compareNumbers(old, replacement, path) : []),
    ...(shared.has('array') ? compareArrays(comparer, old, replacement, path) : []),
    ...(shared.has('object') ? compareObjects(comparer, old, replacement, path) : []),
    ...compareUnions(comparer, old, replacement, path),
    ...compareResidue(comparer, old, replacement, path),
  ];
}

/** Beside an enumeration, the type null is one of a single value. */
function listNull(shape: Shape): Shape {
  const isNull = shape.values === undefined && shape.types.size === 1 && shape.types.has('null') && hasNoResidue(shape);
  return isNull ? alterShape(shape, { values: new Map([['null', null]]) }) : shape;
}

/** The cases in which one side takes everything or nothing. */
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

/** Restricted by type or union; where other keywords alone restrict, these say more. */
function isTyped(shape: Shape): boolean {
  if (shape.values !== undefined) return false;
  return (
    shape.types.size < typeNames.length || (shape.unions.length > 0 && hasNoFacets(alterShape(shape, { unions: [] })))
  );
}
