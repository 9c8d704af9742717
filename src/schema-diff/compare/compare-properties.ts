import { appendPointer } from '../../json/json-pointer.ts';
import { groupBy } from '../../text/group-by.ts';
import { matchPattern } from '../schema/accept-value.ts';
import { impliedTypes, isNeverNode, type SchemaNode, type Shape } from '../schema/shape.ts';
import { type Change, type Comparer, change, describeNode, hasNarrowing, hasWidening } from './change.ts';

export function compareProperties(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
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
    // Picoschema's `name?` makes a property both optional and nullable.
    const others = changes.filter((found) => found.path !== at || found.rule !== 'became-nullable');
    const [message, now] =
      others.length === changes.length
        ? [`"${name}" may be left out.`, sides.new]
        : [`"${name}" may be left out, and may be null.`, `${sides.new} or null`];
    return [...others, change('property-became-optional', at, message, { ...sides, new: now })];
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
  const { at, before, after, changes } = findSides(comparer, old, replacement, name, path);
  const sides = { new: describeNode(after.node) };
  // The old schema allowed fewer values for this name than the new one.
  if (before.kind === 'restricted') {
    changes.push(...comparer.compare(before.node, after.node, at).filter((found) => hasWidening([found])));
  }
  const closed = before.kind === 'closed';
  if (!replacement.required.has(name)) {
    const isRedundant = !closed && !hasNarrowing(comparer.compare(before.node, after.node, at));
    const openRule = isRedundant ? 'property-added-optional/redundant' : 'property-added-optional/open';
    const rule = closed ? 'property-added-optional/closed' : openRule;
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
  const { at, before, after, changes } = findSides(comparer, old, replacement, name, path);
  const sides = { old: describeNode(before.node) };
  if (after.kind === 'restricted') {
    changes.push(...comparer.compare(before.node, after.node, at).filter((found) => hasNarrowing([found])));
  }
  const kind = old.required.has(name) ? 'required' : 'optional';
  const openness = after.kind === 'closed' ? 'closed' : 'open';
  const message =
    openness === 'closed'
      ? `"${name}" (${kind}) was removed and is refused.`
      : `"${name}" (${kind}) was removed; nothing is said of it any more.`;
  const isRedundant =
    kind === 'optional' && openness === 'open' && !hasWidening(comparer.compare(before.node, after.node, at));
  const rule = isRedundant ? 'property-removed-optional/redundant' : (`property-removed-${kind}/${openness}` as const);
  const found = change(rule, at, message, sides);
  const announced = replacement.notes.removed.includes(name);
  return [announced ? { ...found, announced } : found, ...changes];
}

/** Finds the effective schema of a property on both sides. Only one side declares it. */
function findSides(comparer: Comparer, old: Shape, replacement: Shape, name: string, path: string) {
  const at = propertyPath(path, name);
  const before = findEffectiveNode(comparer, old, name);
  const after = findEffectiveNode(comparer, replacement, name);
  const message = `Whether a pattern of patternProperties matches "${name}" could not be decided in time.`;
  const changes: Change[] = before.unclear || after.unclear ? [change('undecided', at, message)] : [];
  return { at, before, after, changes };
}

function compareOrder(old: Shape, replacement: Shape, path: string): readonly Change[] {
  const before = [...old.properties.keys()].filter((name) => replacement.properties.has(name));
  const after = [...replacement.properties.keys()].filter((name) => old.properties.has(name));
  if (before.every((name, index) => name === after[index])) return [];
  const message = 'The order of the properties changed; a model writes them in this order.';
  return [change('property-order-changed', path, message, { old: before, new: after })];
}

function isFilled(comparer: Comparer, node: SchemaNode, name: string, path: string): boolean {
  if (!comparer.fillDefaults) return false;
  if (path === '' && comparer.defaulted.has(name)) return true;
  return node.shapes().some((shape) => shape.notes.default !== undefined);
}

/** Lists declared names. A name that is only required counts too, with any value. */
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

/** With more look-alikes than this, no rename is reported. */
const maxLookAlikes = 8;

/** Pairs a removed with an added property of equal schema, if each side has exactly one. */
function findRenames(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  {
    removed,
    added,
    path,
  }: { readonly removed: readonly string[]; readonly added: readonly string[]; readonly path: string },
): ReadonlyMap<string, string> {
  const lostBySketch = groupBy(removed, (name) => sketchOf(comparer, old, name));
  const gainedBySketch = groupBy(added, (name) => sketchOf(comparer, replacement, name));
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

/** True for changes of annotations: a renamed property usually gets a new title or description. */
function isRemark(rule: string): boolean {
  return rule === 'description-or-title-changed' || rule === 'annotation-changed';
}

function sketchOf(comparer: Comparer, shape: Shape, name: string): string {
  const { node } = findEffectiveNode(comparer, shape, name);
  const sketch = node.shapes().map((part) => {
    const types = [...impliedTypes(part)].sort().join();
    return `${types}:${[...part.properties.keys()].sort().join()}`;
  });
  return `${shape.required.has(name) ? 'required' : 'optional'} ${sketch.join('&')}`;
}

export interface EffectiveNode {
  readonly node: SchemaNode;
  /** `closed`: every value is refused; `open`: every value is accepted. */
  readonly kind: 'open' | 'closed' | 'restricted';
  /** True if a pattern could not be matched against the name in time. */
  readonly unclear: boolean;
}

/**
 * Combines everything that a shape demands of a property: its declaration, matching patterns or additionalProperties.
 */
export function findEffectiveNode({ factory }: Pick<Comparer, 'factory'>, shape: Shape, name: string): EffectiveNode {
  const nodes: SchemaNode[] = [];
  let unclear = false;
  const declared = shape.properties.get(name);
  if (declared !== undefined) nodes.push(declared);
  for (const [pattern, node] of shape.patternProperties) {
    const matches = matchPattern(pattern, name);
    if (matches === undefined) unclear = true;
    if (matches === true) nodes.push(node);
  }
  const node = nodes.length === 0 ? shape.additional : factory.conjoin(nodes);
  const kind = isNeverNode(node) ? 'closed' : node.open ? 'open' : 'restricted';
  return { node, kind, unclear };
}

/** True if a pattern may match a name that the shape describes otherwise. */
export function mayOverlap(shape: Shape, pattern: string): boolean {
  const others = [...shape.patternProperties.keys()].filter((other) => other !== pattern);
  return others.length > 0 || [...shape.properties.keys()].some((name) => matchPattern(pattern, name) !== false);
}
