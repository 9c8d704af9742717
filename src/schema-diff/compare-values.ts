import type { JsonValue } from '../json/json.ts';
import { acceptByShape } from './accept-value.ts';
import type { Change } from './change.ts';
import { change, show } from './comparer.ts';
import { hasNoFacetsBesideValues, type Shape, typeOfValue } from './shape.ts';

interface ValueComparison {
  readonly changes: readonly Change[];
  /** The values say all; other keywords are idle beside them. */
  readonly complete: boolean;
}

/** Compares enumerations and constants, with each other and with schemas that have none. */
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
      complete: hasNoFacetsBesideValues(old) && hasNoFacetsBesideValues(replacement),
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
  const [gone, come] = [removed[0], added[0]];
  if (gone !== undefined && come !== undefined && isConstant(old) && isConstant(replacement)) {
    const message = `The constant changed from ${show(gone[1])} to ${show(come[1])}.`;
    return [change('const-changed', path, message, { old: gone[1], new: come[1] })];
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

/** Null beside one value is nullability, not a second constant. */
function isConstant(shape: Shape): boolean {
  const values = [...(shape.values?.values() ?? [])];
  return values.length === 1 || (values.length === 2 && values.includes(null));
}

/** Which listed values the other side, which lists none, refuses. */
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
  const message = `Whether the other side takes ${show(unclear)} could not be told.`;
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
