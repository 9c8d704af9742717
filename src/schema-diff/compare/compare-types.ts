import type { JsonValue } from '../../json/json.ts';
import { acceptByShape } from '../schema/accept-value.ts';
import {
  hasOnlyTypesAndValues,
  impliedTypes,
  type Shape,
  type TypeName,
  typeNames,
  typeOfValue,
} from '../schema/shape.ts';
import { type Change, change, describeTypes, show } from './change.ts';

interface TypeComparison {
  readonly changes: readonly Change[];
  /** True if no value is accepted by both sides: further comparison would only repeat that. */
  readonly disjoint: boolean;
}

/** Compares the types of two shapes. Null alone is reported as nullability. */
export function compareTypes(old: Shape, replacement: Shape, path: string): TypeComparison {
  const [before, after] = restrictedTypes(old, replacement);
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
  // Compared with an open schema, an enumeration is more specific than its types.
  const listedFromAny = replacement.values !== undefined && before.size === typeNames.length;
  const listedToAny = old.values !== undefined && after.size === typeNames.length;
  if (lost.length > 0 && !listedFromAny) {
    changes.push(say('type-union-narrowed', `${lost.join(' and ')} is not allowed any more; now it is ${sides.new}.`));
  }
  if (gained.length > 0 && !listedToAny) {
    changes.push(say('type-union-widened', `${gained.join(' and ')} is allowed as well; it was ${sides.old}.`));
  }
  changes.push(...compareUnstated(old, replacement, path));
  if (shared.includes('number')) changes.push(...compareWholeness(old, replacement, say));
  return { changes, disjoint: false };
}

/** Compares stated types. `properties` without a type accepts every value that is not an object. */
function compareUnstated(old: Shape, replacement: Shape, path: string): readonly Change[] {
  const isLetIn = (side: Shape, other: Shape): boolean =>
    [...side.stated].some((type) => !side.types.has(type) && !other.stated.has(type));
  const [before, after] = [describeTypes(old), describeTypes(replacement)];
  if (isLetIn(replacement, old)) {
    const message = 'The type beside "properties" was dropped: any value that is not an object is allowed as well.';
    return [change('type-union-widened', path, message, { old: before, new: 'any value' })];
  }
  if (isLetIn(old, replacement)) {
    const message = `There was no type beside "properties": any value that is not an object was allowed; now it is ${after}.`;
    return [change('type-union-narrowed', path, message, { old: 'any value', new: after })];
  }
  return [];
}

function compareWholeness(
  old: Shape,
  replacement: Shape,
  say: (rule: 'type-generalized' | 'type-specialized', message: string) => Change,
): readonly Change[] {
  if (old.values !== undefined || replacement.values !== undefined || old.integer === replacement.integer) return [];
  if (old.integer) {
    // The removed multipleOf already reports this.
    if (old.multiples.some((multiple) => Number.isInteger(multiple))) return [];
    return [say('type-generalized', 'Numbers with a fraction are allowed; they had to be whole.')];
  }
  if (replacement.multiples.some((multiple) => Number.isInteger(multiple))) return [];
  return [say('type-specialized', 'Numbers have to be whole; they could have a fraction.')];
}

/** Types to compare. If only one side states types, those of the other are read from its unions. */
function restrictedTypes(old: Shape, replacement: Shape): readonly [ReadonlySet<TypeName>, ReadonlySet<TypeName>] {
  const oldNamed = old.types.size < typeNames.length;
  const newNamed = replacement.types.size < typeNames.length;
  if (oldNamed === newNamed) return [old.types, replacement.types];
  return oldNamed ? [old.types, impliedTypes(replacement)] : [impliedTypes(old), replacement.types];
}

function withoutNull(types: ReadonlySet<TypeName>): readonly TypeName[] {
  return [...types].filter((type) => type !== 'null');
}

interface ValueComparison {
  readonly changes: readonly Change[];
  /** True if the values describe the change completely. */
  readonly complete: boolean;
}

/** Compares enumerations and constants, with each other and with schemas without them. */
export function compareValues(
  old: Shape,
  replacement: Shape,
  path: string,
  typeChanges: readonly Change[],
): ValueComparison {
  if (old.values === undefined && replacement.values === undefined) return { changes: [], complete: false };
  const nullReported = typeChanges.some(({ rule }) => rule === 'became-nullable' || rule === 'became-not-nullable');
  const skip = (value: JsonValue): boolean => value === null && nullReported;
  if (old.values !== undefined && replacement.values !== undefined) {
    return {
      changes: compareListed(old, replacement, path, skip),
      complete: hasOnlyTypesAndValues(old) && hasOnlyTypesAndValues(replacement),
    };
  }
  if (old.values !== undefined) {
    const values = [...old.values.values()];
    const [only = null] = values;
    const dropped =
      values.length === 1
        ? change('const-removed', path, `Values other than ${show(only)} are allowed.`, { old: only })
        : change('enum-dropped', path, 'Values outside the enumeration are allowed.', { old: values });
    const refused = tellValues(values, replacement, skip, path, 'enum-value-removed');
    return { changes: [dropped, ...refused], complete: true };
  }
  const values = [...(replacement.values?.values() ?? [])];
  const [only = null] = values;
  const added =
    values.length === 1
      ? change('const-added', path, `Only ${show(only)} is allowed.`, { new: only })
      : change('became-enum', path, `Only ${values.length} listed values are allowed.`, { new: values });
  const admitted = tellValues(values, old, skip, path, 'enum-value-added');
  return { changes: [added, ...admitted], complete: true };
}

function compareListed(
  old: Shape,
  replacement: Shape,
  path: string,
  skip: (value: JsonValue) => boolean,
): readonly Change[] {
  const removed = [...(old.values ?? [])].filter(([text, value]) => !replacement.values?.has(text) && !skip(value));
  const added = [...(replacement.values ?? [])].filter(([text, value]) => !old.values?.has(text) && !skip(value));
  const [before, after] = [removed[0], added[0]];
  if (before !== undefined && after !== undefined && isConstant(old) && isConstant(replacement)) {
    const message = `The constant changed from ${show(before[1])} to ${show(after[1])}.`;
    return [change('const-changed', path, message, { old: before[1], new: after[1] })];
  }
  const addedRule = old.notes.extensibleEnum
    ? 'enum-value-added/extensible'
    : replacement.notes.extensibleEnum
      ? 'enum-value-added/newly-extensible'
      : 'enum-value-added';
  return [
    ...removed.map(([, value]) => changeOfValue('enum-value-removed', value, path)),
    ...added.map(([, value]) => changeOfValue(addedRule, value, path)),
  ];
}

/** True for a single value. Null beside it is nullability, not a second constant. */
function isConstant(shape: Shape): boolean {
  const values = [...(shape.values?.values() ?? [])];
  return values.length === 1 || (values.length === 2 && values.includes(null));
}

/** Reports the listed values that the other side, which lists none, refuses. */
function tellValues(
  values: readonly JsonValue[],
  other: Shape,
  skip: (value: JsonValue) => boolean,
  path: string,
  rule: 'enum-value-added' | 'enum-value-removed',
): readonly Change[] {
  const asked = values.filter((value) => other.types.has(typeOfValue(value)) && !skip(value));
  const answers = asked.map((value) => ({ value, answer: acceptByShape(other, value) }));
  const refused = answers.filter(({ answer }) => answer === false);
  const unclear = answers.filter(({ answer }) => answer === undefined).map(({ value }) => value);
  const changes = refused.map(({ value }) => changeOfValue(rule, value, path));
  if (unclear.length === 0) return changes;
  const message = `Whether the other side takes ${show(unclear)} is not known.`;
  return [...changes, change('undecided', path, message, { old: unclear })];
}

function changeOfValue(
  rule: 'enum-value-added' | 'enum-value-added/extensible' | 'enum-value-added/newly-extensible' | 'enum-value-removed',
  value: JsonValue,
  path: string,
): Change {
  return rule === 'enum-value-removed'
    ? change(rule, path, `The value ${show(value)} is not allowed any more.`, { old: value })
    : change(rule, path, `The value ${show(value)} is allowed as well.`, { new: value });
}
