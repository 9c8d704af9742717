import { isStackOverflow } from '../../text/thrown.ts';
import { acceptValue } from '../schema/accept-value.ts';
import type { NodeFactory, SchemaNode } from '../schema/shape.ts';
import { type Change, type Comparer, change } from './change.ts';
import { compareNotes } from './compare-other-keywords.ts';
import { compareConjunctions } from './compare-shapes.ts';

/** Bounds the time for schemas made to take long; real ones stay far below. */
const maxComparisons = 10_000;
const maxDepth = 450;
/** Where the stack runs out, comparing gives up this many frames and continues with the rest. */
const framesToUnwind = 64;

interface Frame {
  readonly key: string;
  readonly index: number;
  /** The outermost unfinished pair that the result depends on. */
  lowest: number;
}

/**
 * Compares nodes and remembers the result of each pair. A pair that recurs inside itself is assumed to be compatible,
 * which is right once everything around it is. A result that depends on such an assumption is not kept.
 */
export function createComparer(
  factory: NodeFactory,
  options: { readonly fillDefaults: boolean; readonly defaulted: ReadonlySet<string> },
): Comparer {
  const stack: Frame[] = [];
  const open = new Map<string, Frame>();
  const known = new Map<string, readonly Change[]>();
  let count = 0;
  const comparer: Comparer = { ...options, factory, compare };
  return comparer;

  function compare(old: SchemaNode, replacement: SchemaNode, path: string): readonly Change[] {
    if (old === replacement && old.pointer === undefined) return [];
    if (old.target !== undefined && replacement.target !== undefined) {
      // A shared definition is reported once, at its own place, however often it is used.
      return [
        ...compareNotes(old.notes, replacement.notes, path),
        ...compareNullability(old, replacement, path),
        ...compare(old.target, replacement.target, old.target.pointer ?? path),
      ];
    }
    const key = `${old.id},${replacement.id}`;
    const met = open.get(key);
    if (met !== undefined) {
      for (const frame of stack) if (frame.index > met.index) frame.lowest = Math.min(frame.lowest, met.index);
      return [];
    }
    const placedKey = `${key} ${path}`;
    const kept = known.get(placedKey);
    if (kept !== undefined) return kept;
    count += 1;
    if (count > maxComparisons || stack.length >= maxDepth) {
      return [tooDeep()];
    }
    return enter(key, placedKey, () => compareConjunctions(comparer, old.shapes(), replacement.shapes(), path));
  }

  function enter(key: string, placedKey: string, run: () => readonly Change[]): readonly Change[] {
    const frame: Frame = { key, index: stack.length, lowest: stack.length };
    stack.push(frame);
    open.set(key, frame);
    try {
      // A definition used twice within another brings the same changes twice, and so on at each level.
      const changes = [...new Set(run())];
      if (frame.lowest === frame.index) known.set(placedKey, changes);
      return changes;
    } catch (error) {
      // The number of frames alone does not say how much of the stack is used, so the overflow itself is caught.
      if (!isStackOverflow(error) || frame.index % framesToUnwind !== 0) throw error;
      return [tooDeep()];
    } finally {
      stack.pop();
      open.delete(key);
    }
  }
}

function tooDeep(): Change {
  return change('undecided', '', 'The schemas are too large or too deep to be compared in full.');
}

function compareNullability(old: SchemaNode, replacement: SchemaNode, path: string): readonly Change[] {
  const [before, after] = [old, replacement].map(
    ({ target, nullable }) => nullable || (target !== undefined && acceptValue(target, null) === true),
  );
  if (before === after) return [];
  return [
    after === true
      ? change('became-nullable', path, 'null is allowed as well.')
      : change('became-not-nullable', path, 'null is not allowed any more.'),
  ];
}
