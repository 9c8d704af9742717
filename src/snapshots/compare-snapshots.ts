import { compareTools } from '../contracts/compare-tools.ts';
import type { PromptTool } from '../contracts/describe-contract.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { splitPointer } from '../json/json-pointer.ts';
import type { Finding } from '../model/finding.ts';
import type { McpSnapshot, McpTool } from '../model/mcp.ts';
import type { SchemaProblem } from '../schema-diff/schema/schema-document.ts';

/** The differences between two lists of tools, by the rules of contracts. Throws a `SchemaProblem` for a schema that can't be read. */
export function compareSnapshots(
  old: Pick<McpSnapshot, 'tools'>,
  replacement: Pick<McpSnapshot, 'tools'>,
): readonly Finding[] {
  return compareTools(old.tools.map(toPromptTool), replacement.tools.map(toPromptTool), {});
}

export function isSameList(old: Pick<McpSnapshot, 'tools'>, replacement: Pick<McpSnapshot, 'tools'>): boolean {
  return canonicalJson(old.tools) === canonicalJson(replacement.tools);
}

function toPromptTool({ name, title, description, inputSchema, outputSchema, annotations }: McpTool): PromptTool {
  return {
    name,
    ...defined({ description }),
    parameters: inputSchema,
    mcp: defined({ title, outputSchema, annotations }),
  };
}

/** A finding in words, on one line. */
export function describeFinding({ severity, ruleId, path, message }: Finding): string {
  return `${severity} ${ruleId} at ${path}: ${message}`;
}

/** Why two lists can't be compared. */
export function describeSchemaProblem({ side, pointer, message }: SchemaProblem): string {
  const [, tool = ''] = splitPointer(pointer) ?? [];
  return `${side === 'old' ? 'the snapshot' : 'the server'} has a schema that can't be read, of the tool ${JSON.stringify(tool)}: ${message}`;
}
