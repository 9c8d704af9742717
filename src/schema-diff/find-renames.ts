import { appendPointer } from '../json/json-pointer.ts';
import type { Comparer } from './comparer.ts';
import { findEffectiveNode } from './effective-node.ts';
import { impliedTypes } from './implied-types.ts';
import type { Shape } from './shape.ts';

/** More look-alikes than this are no sign of a rename. */
const maxLookAlikes = 8;

/** Pairs each removed property with the added one of equal schema, where there is exactly one on both sides. */
export function findRenames(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  {
    removed,
    added,
    path,
  }: { readonly removed: readonly string[]; readonly added: readonly string[]; readonly path: string },
): ReadonlyMap<string, string> {
  const lostBySketch = groupBySketch(comparer, old, removed);
  const gainedBySketch = groupBySketch(comparer, replacement, added);
  const renames = new Map<string, string>();
  for (const [sketch, lost] of lostBySketch) {
    const gained = gainedBySketch.get(sketch) ?? [];
    if (lost.length > maxLookAlikes || gained.length > maxLookAlikes) continue;
    const isSame = (from: string, to: string): boolean => {
      const before = findEffectiveNode(comparer, old, from).node;
      const after = findEffectiveNode(comparer, replacement, to).node;
      return comparer
        .compare(before, after, appendPointer(path, 'properties', from))
        .every(({ rule }) => isRemark(rule));
    };
    for (const from of lost) {
      const [to, another] = gained.filter((name) => isSame(from, name));
      if (to === undefined || another !== undefined) continue;
      if (lost.some((name) => name !== from && isSame(name, to))) continue;
      renames.set(from, to);
    }
  }
  return renames;
}

/** A renamed property usually gets another title or description too. */
function isRemark(rule: string): boolean {
  return rule === 'description-or-title-changed' || rule === 'annotation-changed';
}

function groupBySketch(
  comparer: Comparer,
  shape: Shape,
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const { node } = findEffectiveNode(comparer, shape, name);
    const sketch = node.shapes().map((part) => {
      const types = [...impliedTypes(part)].sort().join();
      return `${types}:${[...part.properties.keys()].sort().join()}`;
    });
    const key = `${shape.required.has(name) ? 'required' : 'optional'} ${sketch.join('&')}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [name]);
    else group.push(name);
  }
  return groups;
}
