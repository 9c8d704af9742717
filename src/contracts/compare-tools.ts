import { canonicalJson } from '../json/canonical-json.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { appendPointer } from '../json/json-pointer.ts';
import type { Direction, Finding } from '../model/comparison/finding.ts';
import { type Change, change, show } from '../schema-diff/compare/change.ts';
import { compareSchemas, type SchemaComparisonOptions } from '../schema-diff/compare-schemas.ts';
import { gradeChanges } from '../schema-diff/grade-changes.ts';
import { SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import { compareText } from '../text/compare-text.ts';
import type { PromptTool } from './describe-contract.ts';

type ToolOptions = Omit<SchemaComparisonOptions, 'direction'>;

/**
 * Compares tools by name. Their parameters follow output polarity: the model writes them, the tool's code reads them. Tools of
 * an MCP server are compared in both directions.
 */
export function compareTools(
  old: readonly PromptTool[],
  replacement: readonly PromptTool[],
  options: ToolOptions,
): readonly Finding[] {
  const before = new Map(old.map((tool) => [tool.name, tool]));
  const after = new Map(replacement.map((tool) => [tool.name, tool]));
  const findings: Finding[] = [];
  const say = (...changes: Parameters<typeof gradeChanges>[0]): void => {
    findings.push(...gradeChanges(changes, { ...options, direction: 'output' }));
  };
  for (const [name, tool] of after) {
    const known = before.get(name);
    if (known !== undefined) findings.push(...compareTool(known, tool, options));
  }
  const removed = [...before.values()].filter(({ name }) => !after.has(name));
  const added = [...after.values()].filter(({ name }) => !before.has(name));
  const taken = new Set<PromptTool>();
  for (const tool of removed) {
    const alike = added.filter((other) => !taken.has(other) && isSameInAllButName(tool, other));
    const [twin, another] = alike;
    const path = appendPointer('/tools', tool.name);
    if (twin !== undefined && another === undefined) {
      taken.add(twin);
      const message = `The tool "${tool.name}" seems to be renamed to "${twin.name}".`;
      say(change('tool-renamed', path, message, { old: tool.name, new: twin.name }));
    } else {
      say(change('tool-removed', path, `The tool "${tool.name}" was removed.`, { old: tool.name }));
    }
  }
  for (const tool of added) {
    if (taken.has(tool)) continue;
    const message = `The tool "${tool.name}" was added; the code that runs tools must know it.`;
    say(change('tool-added', appendPointer('/tools', tool.name), message, { new: tool.name }));
  }
  return findings;
}

function compareTool(old: PromptTool, replacement: PromptTool, options: ToolOptions): readonly Finding[] {
  const path = appendPointer('/tools', replacement.name);
  const changes = [
    ...describeChange('description', path, old.description, replacement.description),
    ...compareStrict('The arguments of the tool', `${path}/strict`, old.isStrict, replacement.isStrict),
  ];
  const own = gradeChanges(changes, { ...options, direction: 'output' });
  if (old.mcp === undefined && replacement.mcp === undefined) {
    return [...own, ...compareParameters(old, replacement, 'output', options)];
  }
  return [
    ...own,
    ...inBothDirections((direction) => compareParameters(old, replacement, direction, options)),
    ...compareListed(old.mcp, replacement.mcp, path, options),
  ];
}

/** An API that does not enforce a schema may give answers outside of it. */
export function compareStrict(what: string, path: string, before = false, after = false): readonly Change[] {
  if (before === after) return [];
  const sides = { old: before, new: after };
  return after
    ? [change('schema-enforcement-added', path, `${what} must follow their schema now: strict is true.`, sides)]
    : [
        change(
          'schema-enforcement-removed',
          path,
          `${what} need not follow their schema any more: strict was true.`,
          sides,
        ),
      ];
}

function describeChange(what: string, path: string, before: string | null = null, after: string | null = null) {
  if (before === after) return [];
  const message = `The ${what} of the tool changed from ${show(before)} to ${show(after)}.`;
  return [change('description-or-title-changed', path, message, { old: before, new: after })];
}

/**
 * The tools of a server change without the prompt. Calls that were valid must stay valid for clients with an older
 * list. The code that runs the tools must know what the model may now write or read. The worse side of each change
 * counts.
 */
function inBothDirections(compare: (direction: Direction) => readonly Finding[]): readonly Finding[] {
  const found = new Map(compare('output').map((finding) => [keyOf(finding), finding]));
  for (const finding of compare('input')) {
    const known = found.get(keyOf(finding));
    if (known === undefined || ranks[finding.severity] > ranks[known.severity]) found.set(keyOf(finding), finding);
  }
  return [...found.values()];
}

const ranks = { info: 0, warn: 1, error: 2 } as const;

/** Equal for findings of the same change. Two values that an enum loses are two changes. */
function keyOf(finding: Finding): string {
  return canonicalJson([finding.ruleId, finding.path, finding.old, finding.new]);
}

/** Compares the parts of a snapshot that are not sent: title, hints on effects, and the schema of results. */
function compareListed(
  before: PromptTool['mcp'] = {},
  after: PromptTool['mcp'] = {},
  path: string,
  options: ToolOptions,
): readonly Finding[] {
  const grade = { ...options, direction: 'output' } as const;
  const at = `${path}/outputSchema`;
  const [old, replacement] = [before.outputSchema, after.outputSchema];
  const notes = [
    ...describeChange('title', `${path}/title`, before.title, after.title),
    ...compareAnnotations(before.annotations, after.annotations, path),
  ];
  if (old === undefined && replacement !== undefined) {
    notes.push(change('output-schema-added', at, 'A schema of the results of the tool was added.'));
  } else if (old !== undefined && replacement === undefined) {
    notes.push(change('output-schema-removed', at, 'The schema of the results was removed; they may be anything.'));
  }
  if (old === undefined || replacement === undefined) return gradeChanges(notes, grade);
  const comparison = { ...options, rulePrefix: 'tool-result-', at };
  return [
    ...gradeChanges(notes, grade),
    ...inBothDirections((direction) => compareSchemas(old, replacement, { ...comparison, direction })),
  ];
}

function compareAnnotations(before: JsonValue = {}, after: JsonValue = {}, path: string): readonly Change[] {
  const [old, replacement] = [before, after].map((value) => (isJsonObject(value) ? value : {}));
  if (old === undefined || replacement === undefined) return [];
  return [...new Set([...Object.keys(old), ...Object.keys(replacement)])].sort(compareText).flatMap((name) => {
    const sides = { old: old[name] ?? null, new: replacement[name] ?? null };
    if (canonicalJson(sides.old) === canonicalJson(sides.new)) return [];
    const message = `The annotation "${name}" of the tool changed from ${show(sides.old)} to ${show(sides.new)}.`;
    return [change('annotation-changed', appendPointer(path, 'annotations', name), message, sides)];
  });
}

function compareParameters(
  old: PromptTool,
  replacement: PromptTool,
  direction: Direction,
  options: ToolOptions,
): readonly Finding[] {
  const at = appendPointer('/tools', replacement.name, 'parameters');
  const comparison = { ...options, direction, rulePrefix: 'tool-parameter-', at };
  try {
    return compareSchemas(parametersOf(old), parametersOf(replacement), comparison);
  } catch (error) {
    // An accepted schema can't be corrected any more; the caller reports a new schema that can't be read.
    if (!(error instanceof SchemaProblem) || error.side !== 'old') throw error;
    const message = `The tool's old parameters could not be read, so nothing is known of what changed: ${error.message}`;
    return gradeChanges([change('undecided', '', message)], { ...comparison, pathPrefix: at });
  }
}

/** A tool without parameters takes an empty object. */
function parametersOf(tool: PromptTool): unknown {
  return tool.parameters ?? { type: 'object', properties: {}, additionalProperties: false };
}

function isSameInAllButName(old: PromptTool, replacement: PromptTool): boolean {
  const findings = compareParameters(old, replacement, 'output', {});
  return findings.every(({ ruleId }) => remarks.has(ruleId));
}

const remarks: ReadonlySet<string> = new Set([
  'tool-parameter-description-or-title-changed',
  'tool-parameter-annotation-changed',
]);
