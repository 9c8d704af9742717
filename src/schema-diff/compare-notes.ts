import { canonicalJson } from '../json/canonical-json.ts';
import type { Change } from './change.ts';
import { change, show } from './comparer.ts';
import type { Notes } from './shape.ts';

/** Compares what restricts no value but is read: by people, by the model and by the runner, which fills in defaults. */
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
