import { canonicalJson } from '../../json/canonical-json.ts';
import { areDisjoint } from '../schema/accept-value.ts';
import {
  type Conditional,
  everyType,
  type Notes,
  openShape,
  type SchemaNode,
  type Shape,
  type TypeName,
} from '../schema/shape.ts';
import {
  type Change,
  type Comparer,
  change,
  compareLists,
  hasEffect,
  hasNarrowing,
  hasWidening,
  pairEqual,
  pairInOrder,
  show,
} from './change.ts';

/** Compares the keywords that apply to every type: not, if, and unknown ones. */
export function compareOtherKeywords(
  comparer: Comparer,
  old: Shape,
  replacement: Shape,
  path: string,
): readonly Change[] {
  return [
    ...compareNots(comparer, old, replacement, `${path}/not`),
    ...compareConditionals(comparer, old, replacement, path),
    ...compareUnknown(old, replacement, path),
  ];
}

function compareNots(comparer: Comparer, old: Shape, replacement: Shape, at: string): readonly Change[] {
  const types = new Set([...old.stated, ...replacement.stated]);
  const compare = (before: SchemaNode, after: SchemaNode): readonly Change[] =>
    compareWithin(comparer, types, before, after, at);
  const unequal = pairEqual(old.nots, replacement.nots, (before, after) => !hasEffect(compare(before, after)));
  // A `not` is redundant if the rest of the shape already refuses its values.
  const isIdle = (shape: Shape, node: SchemaNode): boolean =>
    areDisjoint(comparer.factory.fromShape({ ...shape, nots: [] }), node) === true;
  const { pairs, removed, added } = pairInOrder(
    unequal.removed.filter((node) => !isIdle(replacement, node)),
    unequal.added.filter((node) => !isIdle(old, node)),
  );
  const changes = pairs.flatMap(([before, after]): readonly Change[] => {
    const inner = compare(before, after);
    const [narrows, widens] = [hasNarrowing(inner), hasWidening(inner)];
    const sides = { old: before.source, new: after.source };
    if (narrows && widens) return [change('not-changed/both', at, '"not" refuses other values.', sides)];
    if (widens) return [change('not-changed/refuses-more', at, '"not" refuses more.', sides)];
    return narrows ? [change('not-changed/refuses-less', at, '"not" refuses less.', sides)] : [];
  });
  return [
    ...changes,
    ...removed.map((node) => change('not-removed', at, '"not" was dropped.', { old: node.source })),
    ...added.map((node) => change('not-added', at, '"not" was added.', { new: node.source })),
  ];
}

/** Compares schemas of a value whose types are already known, so their own types may add nothing. */
export function compareWithin(
  comparer: Comparer,
  types: ReadonlySet<TypeName>,
  old: SchemaNode,
  replacement: SchemaNode,
  path: string,
): readonly Change[] {
  const changes = comparer.compare(old, replacement, path);
  if (!hasEffect(changes) || types.size === everyType.size) return changes;
  const { factory } = comparer;
  const outer = factory.fromShape({ ...openShape(factory.any), types, stated: types });
  const [before, after] = [factory.conjoin([outer, old]), factory.conjoin([outer, replacement])];
  const within = comparer.compare(before, after, path);
  return hasEffect(within) ? changes : within;
}

function compareConditionals(comparer: Comparer, old: Shape, replacement: Shape, path: string): readonly Change[] {
  const types = new Set([...old.stated, ...replacement.stated]);
  const compareAt = (before: SchemaNode, after: SchemaNode, at: string): readonly Change[] =>
    compareWithin(comparer, types, before, after, at);
  const compare = (before: Conditional, after: Conditional): readonly Change[] => {
    if (hasEffect(compareAt(before.if, after.if, `${path}/if`))) {
      const message = 'The condition changed; what it refuses is not known.';
      return [change('undecided', `${path}/if`, message, { old: before.if.source, new: after.if.source })];
    }
    return [
      ...compareAt(before.whenTrue, after.whenTrue, `${path}/then`),
      ...compareAt(before.whenFalse, after.whenFalse, `${path}/else`),
    ];
  };
  const at = `${path}/if`;
  return compareLists(old.conditionals, replacement.conditionals, {
    compare,
    isEqual: (changes) => !hasEffect(changes),
    describeRemoved: (item) => change('if-then-removed', at, 'A condition was dropped.', { old: item.if.source }),
    describeAdded: (item) => change('if-then-added', at, 'A condition was added.', { new: item.if.source }),
  });
}

function compareUnknown(old: Shape, replacement: Shape, path: string): readonly Change[] {
  const keywords = new Set([...old.unknown.keys(), ...replacement.unknown.keys()]);
  return [...keywords].flatMap((keyword) => {
    const [before, after] = [old.unknown.get(keyword), replacement.unknown.get(keyword)];
    if (canonicalJson(before) === canonicalJson(after) && (before === undefined) === (after === undefined)) return [];
    const shown = [before, after].map((value) => (value === undefined ? 'none' : show(value)));
    const message = `"${keyword}" changed from ${shown[0] ?? ''} to ${shown[1] ?? ''}; what this keyword means is not known.`;
    return [
      change('unknown-keyword-changed', path, message, {
        old: { [keyword]: before ?? null },
        new: { [keyword]: after ?? null },
      }),
    ];
  });
}

/** Compares annotations. People and models read them, and the runner fills in defaults. */
export function compareNotes(old: Notes, replacement: Notes, path: string): readonly Change[] {
  if (old === replacement) return [];
  const changes: Change[] = [];
  for (const keyword of ['title', 'description'] as const) {
    const [before = null, after = null] = [old[keyword], replacement[keyword]];
    if (before === after) continue;
    const message = `The ${keyword} changed from ${show(before)} to ${show(after)}.`;
    changes.push(change('description-or-title-changed', path, message, { old: before, new: after }));
  }
  if (textOf(old.default) !== textOf(replacement.default)) {
    const [before, after] = [old.default, replacement.default].map((side) =>
      side === undefined ? 'none' : show(side.value),
    );
    changes.push(
      change('default-changed', path, `The default changed from ${before} to ${after}.`, {
        old: old.default?.value ?? null,
        new: replacement.default?.value ?? null,
      }),
    );
  }
  for (const keyword of new Set([...old.others.keys(), ...replacement.others.keys()])) {
    const [before = null, after = null] = [old.others.get(keyword), replacement.others.get(keyword)];
    if (canonicalJson(before) === canonicalJson(after)) continue;
    const message = `"${keyword}" changed from ${show(before)} to ${show(after)}.`;
    changes.push(change('annotation-changed', path, message, { old: before, new: after }));
  }
  return changes;
}

function textOf(value: Notes['default']): string {
  return value === undefined ? '' : canonicalJson(value.value);
}
