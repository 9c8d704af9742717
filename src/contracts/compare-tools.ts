import { appendPointer } from '../json/json-pointer.ts';
import type { Finding } from '../model/finding.ts';
import { change, show } from '../schema-diff/compare/change.ts';
import { compareSchemas, type SchemaComparisonOptions } from '../schema-diff/compare-schemas.ts';
import { gradeChanges } from '../schema-diff/grade-changes.ts';
import { SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import type { PromptTool } from './describe-contract.ts';

type ToolOptions = Omit<SchemaComparisonOptions, 'direction'>;

/** Compares tools by name. Their parameters follow output polarity: the model writes them, the tool's code reads them. */
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
    const alike = added.filter((other) => !taken.has(other) && isSameInAllButName(tool, other, options));
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
  const [before = null, after = null] = [old.description, replacement.description];
  const message = `The description of the tool changed from ${show(before)} to ${show(after)}.`;
  const described =
    before === after ? [] : [change('description-or-title-changed', path, message, { old: before, new: after })];
  return [
    ...gradeChanges(described, { ...options, direction: 'output' }),
    ...compareParameters(old, replacement, options),
  ];
}

function compareParameters(old: PromptTool, replacement: PromptTool, options: ToolOptions): readonly Finding[] {
  const at = appendPointer('/tools', replacement.name, 'parameters');
  const comparison = { ...options, direction: 'output', rulePrefix: 'tool-parameter-', at } as const;
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

function isSameInAllButName(old: PromptTool, replacement: PromptTool, { policy }: ToolOptions): boolean {
  const findings = compareParameters(old, replacement, policy === undefined ? {} : { policy });
  return findings.every(({ ruleId }) => remarks.has(ruleId));
}

const remarks: ReadonlySet<string> = new Set([
  'tool-parameter-description-or-title-changed',
  'tool-parameter-annotation-changed',
]);
