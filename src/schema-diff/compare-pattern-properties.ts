import { appendPointer } from '../json/json-pointer.ts';
import { type Change, hasNarrowing, hasWidening } from './change.ts';
import { type Comparer, change } from './comparer.ts';
import { mayOverlap } from './effective-node.ts';
import { isNeverNode, type Shape } from './shape.ts';

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
