import { dirname } from 'node:path';
import { compareTools } from '../contracts/compare-tools.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { splitPointer } from '../json/json-pointer.ts';
import type { McpPorts } from '../mcp/connect-server.ts';
import type { Finding } from '../model/comparison/finding.ts';
import type { Problem, SourceLocation } from '../model/problem.ts';
import type { McpSnapshot, UsedSnapshot } from '../model/suite/agent.ts';
import type { Project } from '../model/suite/suite.ts';
import { SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import { locateInSnapshot } from '../suite/contracts/contract-places.ts';
import { createProblems } from '../suite/documents/locate.ts';
import { parseText } from '../suite/documents/read-document.ts';
import { readTextFile } from '../suite/files/project-files.ts';
import { displayPath } from '../suite/files/project-place.ts';
import { toFunctionTool } from '../suite/providers/expand-tools.ts';
import { attempt } from '../text/attempt.ts';
import { describeServer, readServer } from './read-server.ts';

export const defaultTimeoutMs = 30_000;

/** The snapshots that a project uses, each file once. */
export function findSnapshots({ suites }: Pick<Project, 'suites'>): readonly UsedSnapshot[] {
  const byFile = new Map(suites.flatMap(({ snapshots = [] }) => snapshots).map((used) => [used.file, used]));
  return [...byFile.values()];
}

/** Asks the server of every snapshot for its tools, and reports what is no longer as the snapshot has it. */
export async function findDrift(snapshots: readonly UsedSnapshot[], cwd: string, ports: McpPorts): Promise<Problem[]> {
  const problems: Problem[] = [];
  // One after the other: servers may share a machine.
  for (const used of snapshots) problems.push(...(await findDriftOf(used, cwd, ports)));
  return problems;
}

async function findDriftOf(
  { file, snapshot }: UsedSnapshot,
  cwd: string,
  ports: McpPorts,
): Promise<readonly Problem[]> {
  const locate = openPlaces(file, cwd);
  const { server } = snapshot;
  const read = await readServer({ server, timeoutMs: defaultTimeoutMs, ...defined({ at: locate('') }) }, ports);
  if ('problem' in read) return [read.problem];
  if (isSameList(snapshot, read.snapshot)) return [];
  const hint = `\`llmcheck mcp snapshot -o ${displayPath(file, cwd)}\` writes the tools as the server has them now`;
  const drift = (message: string, path: string): Problem => ({
    code: 'mcp-drift',
    severity: 'error',
    message: `${describeServer(server)} has changed: ${message}`,
    hint,
    ...defined({ at: locate(path) }),
  });
  const findings = attempt(() => compareSnapshots(snapshot, read.snapshot), SchemaProblem);
  if (findings instanceof SchemaProblem)
    return [drift(describeSchemaProblem(findings), findings.side === 'old' ? findings.pointer : '')];
  if (findings.length > 0) return findings.map((finding) => drift(describeFinding(finding), finding.path));
  return [drift('its tools are written otherwise, and mean the same', '')];
}

/** Where a part of a snapshot is written. */
function openPlaces(file: string, cwd: string): (pointer: string) => SourceLocation | undefined {
  const shown = displayPath(file, cwd);
  const found = readTextFile(file, shown);
  const names = { file: shown, folder: dirname(file) };
  const document = 'fault' in found ? undefined : parseText(names, found.text, createProblems());
  return (pointer) => (document === undefined ? undefined : locateInSnapshot(document, pointer));
}

/** The differences between two lists of tools, by the rules of contracts. Throws a `SchemaProblem` for a schema that can't be read. */
export function compareSnapshots(
  old: Pick<McpSnapshot, 'tools'>,
  replacement: Pick<McpSnapshot, 'tools'>,
): readonly Finding[] {
  return compareTools(old.tools.map(toFunctionTool), replacement.tools.map(toFunctionTool), {});
}

export function isSameList(old: Pick<McpSnapshot, 'tools'>, replacement: Pick<McpSnapshot, 'tools'>): boolean {
  return canonicalJson(old.tools) === canonicalJson(replacement.tools);
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
