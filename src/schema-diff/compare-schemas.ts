import { canonicalJson } from '../json/canonical-json.ts';
import { isJsonObject } from '../json/json.ts';
import type { ContractPolicy, Direction, Finding, SeverityOverride } from '../model/finding.ts';
import { type Change, change, show } from './compare/change.ts';
import { createComparer } from './compare/create-comparer.ts';
import { gradeChanges } from './grade-changes.ts';
import { versionKeywords } from './schema/keywords.ts';
import { spellPath } from './schema/normal-form.ts';
import { openSchema, type SchemaDocument, SchemaProblem } from './schema/schema-document.ts';
import { createNodeFactory, openNodes } from './schema/schema-nodes.ts';

export interface SchemaComparisonOptions {
  readonly direction: Direction;
  /** Default `practical`. */
  readonly policy?: ContractPolicy;
  /** The last one that fits wins. */
  readonly overrides?: readonly SeverityOverride[];
  /** Consumers refuse what they don't know: opening a closed object fails. */
  readonly strictConsumers?: boolean;
  /** JSON Pointers whose findings, and those below them, are left out; a `*` matches one token. */
  readonly ignore?: readonly string[];
  /** Tombstones: JSON Pointers of what was removed on purpose, or names of properties of the root. */
  readonly removed?: readonly string[];
  /** Properties of the root that the runner fills in although the schema has no default for them. */
  readonly defaulted?: readonly string[];
  /** Part of the fingerprint, so that an approval holds for one prompt. */
  readonly promptId?: string;
  /** JSON Pointer to the schema, put before the paths of findings and problems; '' by default. */
  readonly at?: string;
  /** Put before the rule ids; overrides may leave it out. */
  readonly rulePrefix?: string;
}

/**
 * Compares two JSON Schemas (2020-12 or draft-07) in one direction. `input` finds what callers may no longer send,
 * `output` what may newly arrive. Throws a `SchemaProblem` for a schema that can't be read.
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

/** A dynamic reference is followed to its nearest target, which may not be where it leads. */
function findDynamic(old: SchemaDocument, replacement: SchemaDocument): readonly Change[] {
  const at = replacement.dynamic ?? old.dynamic;
  if (at === undefined || canonicalJson(old.root) === canonicalJson(replacement.root)) return [];
  const message = 'Where this reference leads depends on the way to it; check the change against real values.';
  return [change('undecided', at, message)];
}

/** A version label that both schemas have at their root, unchanged although the contract breaks. */
function findStaleVersion(old: unknown, replacement: unknown): readonly Change[] {
  if (!isJsonObject(old) || !isJsonObject(replacement)) return [];
  return versionKeywords.flatMap((keyword) => {
    const { [keyword]: label = null } = replacement;
    if (label === null || typeof label === 'object' || label !== old[keyword]) return [];
    const message = `The contract breaks, and its version is still ${show(label)}.`;
    return [change('version-not-bumped', `/${keyword}`, message, { old: label, new: label })];
  });
}
