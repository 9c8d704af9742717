import { isJsonObject } from '../../json/json.ts';
import { appendPointer } from '../../json/json-pointer.ts';
import { isEveryName, restrictsNames } from '../schema/normal-form.ts';
import { type Contains, isNeverNode, openShape, type Shape } from '../schema/shape.ts';
import {
  type Change,
  type Comparer,
  change,
  compareLists,
  hasEffect,
  hasNarrowing,
  hasWidening,
  renameTypeChanges,
} from './change.ts';
import { compareWithin } from './compare-other-keywords.ts';
import { compareProperties, mayOverlap } from './compare-properties.ts';
import { compareLimit } from './compare-scalars.ts';

export function compareObjects(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  return [
    ...compareProperties(comparer, old, replacement, path),
    ...compareAdditional(comparer, old, replacement, path),
    ...comparePatternProperties(comparer, old, replacement, path),
    ...compareNames(comparer, old, replacement, path),
    ...compareFewest(old, replacement, path),
    ...compareLimit('maxProperties', old.maxProperties, replacement.maxProperties, path),
    ...compareDependents(comparer, old, replacement, path),
  ];
}

function compareAdditional(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const at = mapPath(replacement, path) ?? mapPath(old, path) ?? `${path}/additionalProperties`;
  const [closedBefore, closedAfter] = [isNeverNode(old.additional), isNeverNode(replacement.additional)];
  if (closedBefore && closedAfter) return [];
  if (closedAfter)
    return [change('object-closed', at, 'Undeclared properties are refused.', { old: true, new: false })];
  if (closedBefore)
    return [change('object-opened', at, 'Undeclared properties are allowed.', { old: false, new: true })];
  return renameTypeChanges(comparer.compare(old.additional, replacement.additional, at), at, 'map-value');
}

/** Finds the path of a map's values, if a pattern for all names describes them. */
function mapPath({ source }: Shape, path: string): string | undefined {
  const patterns = isJsonObject(source) ? source['patternProperties'] : undefined;
  const pattern = isJsonObject(patterns) ? Object.keys(patterns).find(isEveryName) : undefined;
  return pattern === undefined ? undefined : appendPointer(path, 'patternProperties', pattern);
}

/** Compares `minProperties`, unless the required properties already reach it. */
function compareFewest(old: Shape, replacement: Shape, path: string): readonly Change[] {
  const [before, after] = [old.minProperties, replacement.minProperties];
  if (before < after ? old.required.size >= after : replacement.required.size >= before) return [];
  return compareLimit('minProperties', before, after, path);
}

function compareNames(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const at = `${path}/propertyNames`;
  const [before, after] = [old.propertyNames, replacement.propertyNames];
  const { factory } = comparer;
  const { any } = factory;
  const [restrictedBefore, restrictedAfter] = [restrictsNames(before, any), restrictsNames(after, any)];
  if (!restrictedBefore && !restrictedAfter) return [];
  if (!restrictedBefore) {
    return [change('property-names-added', at, 'Property names are restricted.', { new: after.source })];
  }
  if (!restrictedAfter) {
    return [
      change('property-names-removed', at, 'Property names are not restricted any more.', { old: before.source }),
    ];
  }
  // Names are always strings.
  const types = new Set(['string'] as const);
  const string = factory.fromShape({ ...openShape(any), source: { type: 'string' }, types, stated: types });
  return comparer.compare(factory.conjoin([before, string]), factory.conjoin([after, string]), at);
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
    if (before !== undefined && after !== undefined) {
      changes.push(...compareWithin(comparer, new Set(['object']), before, after, at));
    } else if (before !== undefined) {
      changes.push(
        change('dependent-schema-removed', at, `"${trigger}" does not restrict the object any more.`, {
          old: before.source,
        }),
      );
    } else if (after !== undefined) {
      changes.push(change('dependent-schema-added', at, `"${trigger}" restricts the object.`, { new: after.source }));
    }
  }
  return changes;
}

/** Compares patternProperties by the pattern's text: whether two patterns share a name is undecidable. */
function comparePatternProperties(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
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

/** Context of a pattern. In a closed object it admits names; for names known otherwise it restricts values. */
function contextOf(other: Shape, pattern: string): 'open' | 'closed' | 'mixed' {
  if (!isNeverNode(other.additional)) return 'open';
  return mayOverlap(other, pattern) ? 'mixed' : 'closed';
}

function isRestricted(shape: Shape): boolean {
  return !shape.additional.open && !isNeverNode(shape.additional);
}

export function compareArrays(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const changes: Change[] = [...compareLimit('minItems', old.minItems, replacement.minItems, path)];
  const longest = longestOf(old);
  const sameLength = longest === longestOf(replacement);
  if (!sameLength) changes.push(...compareLimit('maxItems', old.maxItems, replacement.maxItems, path));
  if (old.uniqueItems !== replacement.uniqueItems) {
    changes.push(
      replacement.uniqueItems
        ? change('unique-items-added', path, 'Items have to be unique.', { old: false, new: true })
        : change('unique-items-removed', path, 'Items need not be unique any more.', { old: true, new: false }),
    );
  }
  // Draft-07 writes a tuple as a list under `items`.
  const isListed = isJsonObject(replacement.source) && Array.isArray(replacement.source['items']);
  const positions = Math.max(old.prefix.length, replacement.prefix.length);
  for (let index = 0; index < (sameLength ? Math.min(positions, longest) : positions); index += 1) {
    const at = `${path}/${isListed ? 'items' : 'prefixItems'}/${index}`;
    const [before, after] = [old.prefix[index] ?? old.rest, replacement.prefix[index] ?? replacement.rest];
    changes.push(...renameTypeChanges(comparer.compare(before, after, at), at, 'prefix-items'));
  }
  const at = `${path}/${isListed ? 'additionalItems' : 'items'}`;
  if (!sameLength || longest > positions) {
    changes.push(...renameTypeChanges(comparer.compare(old.rest, replacement.rest, at), at, 'items'));
  }
  return [...changes, ...compareContains(comparer, old.contains, replacement.contains, path)];
}

/** Longest accepted array: `items: false` after a tuple limits it like `maxItems`. */
function longestOf({ maxItems, prefix, rest }: Shape): number {
  return isNeverNode(rest) ? Math.min(maxItems, prefix.length) : maxItems;
}

function compareContains(
  comparer: Comparer,
  old: readonly Contains[],
  replacement: readonly Contains[],
  path: string,
): readonly Change[] {
  const at = `${path}/contains`;
  return compareLists(old, replacement, {
    compare: (before, after) => comparePair(comparer, before, after, at),
    isEqual: (changes) => changes.length === 0,
    describeRemoved: ({ node }) => change('contains-removed', at, '"contains" was dropped.', { old: node.source }),
    describeAdded: ({ node }) => change('contains-added', at, '"contains" was added.', { new: node.source }),
  });
}

function comparePair(comparer: Comparer, old: Contains, replacement: Contains, at: string): readonly Change[] {
  const inner = comparer.compare(old.node, replacement.node, at);
  const limited = old.max !== Infinity || replacement.max !== Infinity;
  const counts: Change[] = [
    ...compareLimit('minContains', old.min, replacement.min, at),
    ...compareLimit('maxContains', old.max, replacement.max, at),
  ];
  if (!limited) return [...inner, ...counts];
  // With `maxContains`, an array becomes harder to match if items match more easily.
  const effects = [hasNarrowing(inner), hasWidening(inner)];
  if (!effects.includes(true)) return [...inner, ...counts];
  const message = 'With "maxContains", what a change of "contains" refuses is not known.';
  return [...inner.filter((found) => !hasEffect([found])), ...counts, change('undecided', at, message)];
}
