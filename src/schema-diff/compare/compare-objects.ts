import { appendPointer } from '../../json/json-pointer.ts';
import { isNeverNode, type SchemaNode, type Shape } from '../schema/shape.ts';
import {
  type Change,
  type Comparer,
  change,
  describeNode,
  hasNarrowing,
  hasWidening,
  renameTypeChanges,
} from './change.ts';
import { compareMaximum, compareMinimum } from './compare-scalars.ts';
import { findEffectiveNode, findRenames, mayOverlap } from './property-renames.ts';

export function compareObjects(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  return [
    ...compareProperties(comparer, old, replacement, path),
    ...compareAdditional(comparer, old, replacement, path),
    ...comparePatternProperties(comparer, old, replacement, path),
    ...compareNames(comparer, old, replacement, path),
    ...compareFewest(old, replacement, path),
    ...compareMaximum([old.maxProperties, replacement.maxProperties], 'maxProperties', path, [
      'max-properties-lowered',
      'max-properties-raised',
    ]),
    ...compareDependents(comparer, old, replacement, path),
  ];
}

function compareProperties(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const before = declaredNames(old);
  const after = declaredNames(replacement);
  const removed = before.filter((name) => !isDeclared(replacement, name));
  const added = after.filter((name) => !isDeclared(old, name));
  const renames = findRenames(comparer, old, replacement, { removed, added, path });
  const newNames = new Set(renames.values());
  return [
    ...before
      .filter((name) => isDeclared(replacement, name))
      .flatMap((name) => compareProperty(comparer, old, replacement, name, path)),
    ...[...renames].map(([from, to]) =>
      change('property-renamed', propertyPath(path, from), `"${from}" seems to be renamed to "${to}".`, {
        old: from,
        new: to,
      }),
    ),
    ...removed
      .filter((name) => !renames.has(name))
      .flatMap((name) => describeRemoved(comparer, old, replacement, name, path)),
    ...added
      .filter((name) => !newNames.has(name))
      .flatMap((name) => describeAdded(comparer, old, replacement, name, path)),
    ...compareOrder(old, replacement, path),
  ];
}

function compareProperty(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  name: string,
  path: string,
): readonly Change[] {
  const at = propertyPath(path, name);
  const before = old.properties.get(name) ?? findEffectiveNode(comparer, old, name).node;
  const after = replacement.properties.get(name) ?? findEffectiveNode(comparer, replacement, name).node;
  const changes = comparer.compare(before, after, at);
  if (old.required.has(name) === replacement.required.has(name)) return changes;
  const sides = { old: requiredness(old, name), new: requiredness(replacement, name) };
  if (old.required.has(name)) {
    // Picoschema's `name?` makes a property optional and nullable in one stroke.
    const others = changes.filter((found) => found.path !== at || found.rule !== 'became-nullable');
    return [...others, change('property-became-optional', at, `"${name}" may be left out.`, sides)];
  }
  const filled = isFilled(comparer, after, name, path);
  const rule = filled ? 'property-became-required/default' : 'property-became-required';
  const message = filled
    ? `"${name}" is required; its default fills it in.`
    : `"${name}" is required; it could be left out.`;
  return [...changes, change(rule, at, message, sides)];
}

function describeAdded(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  name: string,
  path: string,
): readonly Change[] {
  const at = propertyPath(path, name);
  const before = findEffectiveNode(comparer, old, name);
  const after = findEffectiveNode(comparer, replacement, name);
  const sides = { new: describeNode(after.node) };
  const changes: Change[] = before.unclear || after.unclear ? [describeUnclear(name, at)] : [];
  // What could already be sent under this name was less than what can be now.
  if (before.kind === 'restricted') {
    changes.push(...comparer.compare(before.node, after.node, at).filter((found) => hasWidening([found])));
  }
  const closed = before.kind === 'closed';
  if (!replacement.required.has(name)) {
    const rule = closed ? 'property-added-optional/closed' : 'property-added-optional/open';
    return [change(rule, at, `"${name}" is new and optional.`, sides), ...changes];
  }
  const message = `"${name}" is new and required.`;
  if (isFilled(comparer, after.node, name, path)) {
    const rule = closed ? 'property-added-required/closed-default' : 'property-added-required/default';
    return [change(rule, at, `"${name}" is new and required; its default fills it in.`, sides), ...changes];
  }
  return [
    change(closed ? 'property-added-required/closed' : 'property-added-required/open', at, message, sides),
    ...changes,
  ];
}

function describeRemoved(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  name: string,
  path: string,
): readonly Change[] {
  const at = propertyPath(path, name);
  const before = findEffectiveNode(comparer, old, name);
  const after = findEffectiveNode(comparer, replacement, name);
  const sides = { old: describeNode(before.node) };
  const changes: Change[] = before.unclear || after.unclear ? [describeUnclear(name, at)] : [];
  if (after.kind === 'restricted') {
    changes.push(...comparer.compare(before.node, after.node, at).filter((found) => hasNarrowing([found])));
  }
  const [kind, word] = old.required.has(name)
    ? (['required', 'required'] as const)
    : (['optional', 'optional'] as const);
  const openness = after.kind === 'closed' ? 'closed' : 'open';
  const message =
    openness === 'closed'
      ? `"${name}" (${word}) was removed and is refused.`
      : `"${name}" (${word}) was removed; nothing is said of it any more.`;
  const found = change(`property-removed-${kind}/${openness}`, at, message, sides);
  const announced = replacement.notes.removed.includes(name);
  return [announced ? { ...found, announced } : found, ...changes];
}

function describeUnclear(name: string, at: string): Change {
  return change('undecided', at, `Whether a pattern of patternProperties matches "${name}" could not be told in time.`);
}

function compareOrder(old: Shape, replacement: Shape, path: string): readonly Change[] {
  const before = [...old.properties.keys()].filter((name) => replacement.properties.has(name));
  const after = [...replacement.properties.keys()].filter((name) => old.properties.has(name));
  if (before.every((name, index) => name === after[index])) return [];
  const message = 'The order of the properties changed; a model writes them in this order.';
  return [change('property-order-changed', path, message, { old: before, new: after })];
}

function compareAdditional(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const at = `${path}/additionalProperties`;
  const [closedBefore, closedAfter] = [isNeverNode(old.additional), isNeverNode(replacement.additional)];
  if (closedBefore && closedAfter) return [];
  if (closedAfter)
    return [change('object-closed', at, 'Undeclared properties are refused.', { old: true, new: false })];
  if (closedBefore)
    return [change('object-opened', at, 'Undeclared properties are allowed.', { old: false, new: true })];
  return renameTypeChanges(comparer.compare(old.additional, replacement.additional, at), at, 'map-value');
}

/** A smallest count that required properties reach anyway says nothing. */
function compareFewest(old: Shape, replacement: Shape, path: string): readonly Change[] {
  const [before, after] = [old.minProperties, replacement.minProperties];
  if (before < after ? old.required.size >= after : replacement.required.size >= before) return [];
  return compareMinimum([before, after], 'minProperties', path, ['min-properties-raised', 'min-properties-lowered']);
}

function compareNames(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const at = `${path}/propertyNames`;
  const [before, after] = [old.propertyNames, replacement.propertyNames];
  if (before.open && after.open) return [];
  if (before.open) return [change('property-names-added', at, 'Property names are restricted.', { new: after.source })];
  if (after.open) {
    return [
      change('property-names-removed', at, 'Property names are not restricted any more.', { old: before.source }),
    ];
  }
  return comparer.compare(before, after, at);
}

function compareDependents(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const changes: Change[] = [];
  for (const trigger of new Set([...old.dependentRequired.keys(), ...replacement.dependentRequired.keys()])) {
    const [before, after] = [old.dependentRequired.get(trigger), replacement.dependentRequired.get(trigger)];
    const at = appendPointer(path, 'dependentRequired', trigger);
    for (const name of before ?? []) {
      if (after?.has(name) === true) continue;
      changes.push(
        change('dependent-required-removed', at, `"${trigger}" does not ask for "${name}" any more.`, { old: name }),
      );
    }
    for (const name of after ?? []) {
      if (before?.has(name) === true) continue;
      changes.push(change('dependent-required-added', at, `"${trigger}" asks for "${name}" as well.`, { new: name }));
    }
  }
  for (const trigger of new Set([...old.dependentSchemas.keys(), ...replacement.dependentSchemas.keys()])) {
    const [before, after] = [old.dependentSchemas.get(trigger), replacement.dependentSchemas.get(trigger)];
    const at = appendPointer(path, 'dependentSchemas', trigger);
    if (before !== undefined && after !== undefined) changes.push(...comparer.compare(before, after, at));
    else if (before !== undefined) {
      changes.push(
        change('dependent-schema-removed', at, `"${trigger}" restricts the object no more.`, { old: before.source }),
      );
    } else if (after !== undefined) {
      changes.push(change('dependent-schema-added', at, `"${trigger}" restricts the object.`, { new: after.source }));
    }
  }
  return changes;
}

function isFilled(comparer: Comparer, node: SchemaNode, name: string, path: string): boolean {
  if (!comparer.fillDefaults) return false;
  if (path === '' && comparer.defaulted.has(name)) return true;
  return node.shapes().some((shape) => shape.notes.default !== undefined);
}

/** A name that is only required is declared too, with whatever its value may be. */
function declaredNames(shape: Shape): readonly string[] {
  return [...new Set([...shape.properties.keys(), ...shape.required])];
}

function isDeclared(shape: Shape, name: string): boolean {
  return shape.properties.has(name) || shape.required.has(name);
}

function requiredness(shape: Shape, name: string): string {
  return shape.required.has(name) ? 'required' : 'optional';
}

function propertyPath(path: string, name: string): string {
  return appendPointer(path, 'properties', name);
}

/** Compares patternProperties by the text of the pattern: which names two patterns share can't be told. */
export function comparePatternProperties(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  path: string,
): readonly Change[] {
  const changes: Change[] = [];
  for (const pattern of new Set([...old.patternProperties.keys(), ...replacement.patternProperties.keys()])) {
    const [before, after] = [old.patternProperties.get(pattern), replacement.patternProperties.get(pattern)];
    const at = appendPointer(path, 'patternProperties', pattern);
    if (before !== undefined && after !== undefined) {
      changes.push(...comparer.compare(before, after, at));
    } else if (before !== undefined) {
      const context = contextOf(replacement, pattern);
      const message = `The pattern ${JSON.stringify(pattern)} for property names was removed.`;
      changes.push(change(`pattern-property-removed/${context}`, at, message, { old: before.source }));
      if (isRestricted(replacement)) {
        changes.push(...comparer.compare(before, replacement.additional, at).filter((found) => hasNarrowing([found])));
      }
    } else if (after !== undefined) {
      const context = contextOf(old, pattern);
      const message = `The pattern ${JSON.stringify(pattern)} for property names was added.`;
      changes.push(change(`pattern-property-added/${context}`, at, message, { new: after.source }));
      if (isRestricted(old)) {
        changes.push(...comparer.compare(old.additional, after, at).filter((found) => hasWidening([found])));
      }
    }
  }
  return changes;
}

/** In a closed object a pattern admits names; for names that are known otherwise it restricts values. */
function contextOf(other: Shape, pattern: string): 'open' | 'closed' | 'mixed' {
  if (!isNeverNode(other.additional)) return 'open';
  return mayOverlap(other, pattern) ? 'mixed' : 'closed';
}

function isRestricted(shape: Shape): boolean {
  return !shape.additional.open && !isNeverNode(shape.additional);
}
