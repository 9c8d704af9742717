import { isJsonObject } from '../../json/json.ts';
import { type Contains, isNeverNode, type Shape } from '../schema/shape.ts';
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
import { compareMaximum, compareMinimum } from './compare-scalars.ts';

export function compareArrays(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const changes: Change[] = [
    ...compareMinimum([old.minItems, replacement.minItems], 'minItems', path, [
      'min-items-raised',
      'min-items-lowered',
    ]),
  ];
  const longest = longestOf(old);
  const sameLength = longest === longestOf(replacement);
  if (!sameLength) {
    changes.push(
      ...compareMaximum([old.maxItems, replacement.maxItems], 'maxItems', path, [
        'max-items-lowered',
        'max-items-raised',
      ]),
    );
  }
  if (old.uniqueItems !== replacement.uniqueItems) {
    changes.push(
      replacement.uniqueItems
        ? change('unique-items-added', path, 'Items have to be unique.', { old: false, new: true })
        : change('unique-items-removed', path, 'Items need not be unique any more.', { old: true, new: false }),
    );
  }
  // Draft-07 spells a tuple as a list under `items`.
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

/** `items: false` after a tuple sets its length, as `maxItems` does. */
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
    ...compareMinimum([old.min, replacement.min], 'minContains', at, ['contains-narrowed', 'contains-widened']),
    ...compareMaximum([old.max, replacement.max], 'maxContains', at, ['contains-narrowed', 'contains-widened']),
  ];
  if (!limited) return [...inner, ...counts];
  // With a largest count, items that match more easily make arrays match harder.
  const effects = [hasNarrowing(inner), hasWidening(inner)];
  if (!effects.includes(true)) return [...inner, ...counts];
  const message = 'With "maxContains", what a change of "contains" refuses is not known.';
  return [...inner.filter((found) => !hasEffect([found])), ...counts, change('undecided', at, message)];
}
