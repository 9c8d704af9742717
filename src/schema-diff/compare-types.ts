import type { Change } from './change.ts';
import { change, describeTypes } from './comparer.ts';
import { impliedTypes } from './implied-types.ts';
import { type Shape, type TypeName, typeNames } from './shape.ts';

interface TypeComparison {
  readonly changes: readonly Change[];
  /** Nothing is taken by both sides: comparing further would only repeat it. */
  readonly disjoint: boolean;
}

const unchanged: TypeComparison = { changes: [], disjoint: false };

/** Compares the types two shapes take; null, on its own, is nullability. */
export function compareTypes(old: Shape, replacement: Shape, path: string): TypeComparison {
  const [before, after] = restrictedTypes(old, replacement);
  if (before === after && old.integer === replacement.integer) return unchanged;
  const sides = { old: describeTypes(old), new: describeTypes(replacement) };
  const say = (rule: Parameters<typeof change>[0], message: string): Change => change(rule, path, message, sides);
  const plainBefore = withoutNull(before);
  const plainAfter = withoutNull(after);
  const bothPlain = plainBefore.length > 0 && plainAfter.length > 0;
  const shared = [...before].filter((type) => after.has(type));
  const sharedPlain = withoutNull(new Set(shared));
  const bothListed = old.values !== undefined && replacement.values !== undefined;

  if (!bothListed && (shared.length === 0 || (bothPlain && sharedPlain.length === 0))) {
    const message = `The type changed from ${sides.old} to ${sides.new}.`;
    return { changes: [say('type-changed', message)], disjoint: true };
  }
  const changes: Change[] = [];
  const isAnything = before.size === typeNames.length || after.size === typeNames.length;
  if (!isAnything && bothPlain && before.has('null') !== after.has('null')) {
    if (after.has('null')) changes.push(say('became-nullable', `null is allowed; it was ${sides.old}.`));
    else changes.push(say('became-not-nullable', `null is not allowed any more; now it is ${sides.new}.`));
  }
  if (bothListed) return { changes, disjoint: false };
  const lost = [...before].filter((type) => !after.has(type) && (type !== 'null' || isAnything || !bothPlain));
  const gained = [...after].filter((type) => !before.has(type) && (type !== 'null' || isAnything || !bothPlain));
  // Against a schema for anything, an enumeration says more than the types of its values.
  const listedFromAny = replacement.values !== undefined && before.size === typeNames.length;
  const listedToAny = old.values !== undefined && after.size === typeNames.length;
  if (lost.length > 0 && !listedFromAny) {
    changes.push(say('type-union-narrowed', `${lost.join(' and ')} is not allowed any more; now it is ${sides.new}.`));
  }
  if (gained.length > 0 && !listedToAny) {
    changes.push(say('type-union-widened', `${gained.join(' and ')} is allowed as well; it was ${sides.old}.`));
  }
  if (shared.includes('number')) changes.push(...compareWholeness(old, replacement, say));
  return { changes, disjoint: false };
}

function compareWholeness(
  old: Shape,
  replacement: Shape,
  say: (rule: 'type-generalized' | 'type-specialized', message: string) => Change,
): readonly Change[] {
  if (old.values !== undefined || replacement.values !== undefined || old.integer === replacement.integer) return [];
  if (old.integer) {
    // A multipleOf that went says it already.
    if (old.multiples.some((multiple) => Number.isInteger(multiple))) return [];
    return [say('type-generalized', 'Numbers with a fraction are allowed; they had to be whole.')];
  }
  if (replacement.multiples.some((multiple) => Number.isInteger(multiple))) return [];
  return [say('type-specialized', 'Numbers have to be whole; they could have a fraction.')];
}

/** A side that names no type is read by its unions where the other side names types. */
function restrictedTypes(old: Shape, replacement: Shape): readonly [ReadonlySet<TypeName>, ReadonlySet<TypeName>] {
  const oldNamed = old.types.size < typeNames.length;
  const newNamed = replacement.types.size < typeNames.length;
  if (oldNamed === newNamed) return [old.types, replacement.types];
  return oldNamed ? [old.types, impliedTypes(replacement)] : [impliedTypes(old), replacement.types];
}

function withoutNull(types: ReadonlySet<TypeName>): readonly TypeName[] {
  return [...types].filter((type) => type !== 'null');
}
