import { canonicalJson } from '../json/canonical-json.ts';
import { isJsonObject } from '../json/json.ts';
import type { Finding } from '../model/comparison/finding.ts';
import { isStackOverflow } from '../text/deadline.ts';
import { type Change, type Comparer, change, show } from './compare/change.ts';
import { compareNotes } from './compare/compare-other-keywords.ts';
import { compareConjunctions } from './compare/compare-shapes.ts';
import { type GradeOptions, gradeChanges } from './grade-changes.ts';
import { acceptValue } from './schema/accept-value.ts';
import { versionKeywords } from './schema/keywords.ts';
import { spellPath } from './schema/normal-form.ts';
import { openSchema, type SchemaDocument, SchemaProblem } from './schema/schema-document.ts';
import { createNodeFactory, openNodes } from './schema/schema-nodes.ts';
import type { NodeFactory, SchemaNode } from './schema/shape.ts';

export interface SchemaComparisonOptions extends Omit<GradeOptions, 'pathPrefix'> {
  /** Root properties that the runner fills in although the schema has no default for them. */
  readonly defaulted?: readonly string[];
  /** JSON Pointer to the schema, prefixed to the paths of findings and problems. Default: ''. */
  readonly at?: string;
}

/**
 * Compares two JSON Schemas (2020-12 or draft-07) in one direction. `input` finds values that callers can no longer
 * send, `output` finds new values that can arrive. Throws a `SchemaProblem` for an unreadable schema.
 */
export function compareSchemas(
  oldSchema: unknown,
  newSchema: unknown,
  options: SchemaComparisonOptions,
): readonly Finding[] {
  const { at = '' } = options;
  const implyTypes = options.policy !== 'formal';
  const factory = createNodeFactory();
  const comparer = createComparer(factory, {
    fillDefaults: options.direction === 'input',
    defaulted: new Set(options.defaulted),
  });
  try {
    const documents = [openSchema(oldSchema, 'old'), openSchema(newSchema, 'new')] as const;
    const old = openNodes(documents[0], factory, implyTypes);
    const replacement = openNodes(documents[1], factory, implyTypes);
    const grading = { ...options, pathPrefix: at };
    const changes = comparer
      .compare(old, replacement, '')
      .map((found) => ({ ...found, path: spellPath(newSchema, spellPath(oldSchema, found.path)) }));
    const findings = gradeChanges([...changes, ...findDynamic(...documents)], grading);
    if (!findings.some(({ severity }) => severity === 'error')) return findings;
    return [...findings, ...gradeChanges(findStaleVersion(oldSchema, newSchema), grading)];
  } catch (error) {
    if (at === '' || !(error instanceof SchemaProblem)) throw error;
    throw new SchemaProblem(at + error.pointer, error.message, error);
  }
}

/** Reports a dynamic reference. Only its nearest target is compared, which may not be the real one. */
function findDynamic(old: SchemaDocument, replacement: SchemaDocument): readonly Change[] {
  const at = replacement.dynamic ?? old.dynamic;
  if (at === undefined || canonicalJson(old.root) === canonicalJson(replacement.root)) return [];
  const message = 'Where this reference leads depends on the way to it; check the change against real values.';
  return [change('undecided', at, message)];
}

/** Finds a root version label that did not change although the contract breaks. */
function findStaleVersion(old: unknown, replacement: unknown): readonly Change[] {
  if (!isJsonObject(old) || !isJsonObject(replacement)) return [];
  return versionKeywords.flatMap((keyword) => {
    const { [keyword]: label = null } = replacement;
    if (label === null || label !== old[keyword]) return [];
    const message = `The contract breaks, and its version is still ${show(label)}.`;
    return [change('version-not-bumped', `/${keyword}`, message, { old: label, new: label })];
  });
}

/** Limits the time for hostile schemas; real ones stay far below. */
const maxComparisons = 10_000;
const maxDepth = 450;
/** After a stack overflow, the comparison unwinds this many frames and continues. */
const framesToUnwind = 64;

interface Frame {
  readonly key: string;
  readonly index: number;
  /** Outermost unfinished pair that the result depends on. */
  lowest: number;
}

/**
 * Compares nodes and caches the result of each pair. A pair nested in itself is assumed to be compatible: that is right
 * if the rest is. A result that depends on such an assumption is not cached.
 */
function createComparer(
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
      // A shared definition is reported once, at its own place.
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
      // Removes duplicates. A definition used twice repeats its changes, and this multiplies at each level.
      const changes = [...new Set(run())];
      if (frame.lowest === frame.index) known.set(placedKey, changes);
      return changes;
    } catch (error) {
      // Catches the overflow itself: the number of frames does not show how much stack is used.
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
