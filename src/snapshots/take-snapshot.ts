import { dirname } from 'node:path';
import { compareTools } from '../contracts/compare-tools.ts';
import { readOrUndefined, replaceWhereChanged } from '../files/write-files.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { splitPointer } from '../json/json-pointer.ts';
import type { McpPorts } from '../mcp/connect-server.ts';
import { writeSnapshot } from '../mcp/tool-list.ts';
import type { McpServer, McpSnapshot, UsedSnapshot } from '../model/agent.ts';
import type { Finding } from '../model/finding.ts';
import { type Problem, type SourceLocation, UserError } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import { findSchemaFaults, SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import { locateInSnapshot } from '../suite/contracts/contract-places.ts';
import { createProblems } from '../suite/documents/locate.ts';
import { parseText } from '../suite/documents/read-document.ts';
import { openProjectFiles, readTextFile } from '../suite/files/project-files.ts';
import { displayPath, findPlaceFault, findProject } from '../suite/files/project-place.ts';
import { readSnapshot, toFunctionTool } from '../suite/providers/expand-tools.ts';
import { splitUnsafe } from '../text/sanitize.ts';
import { describeServer, readServer } from './read-server.ts';

export interface SnapshotOptions {
  readonly server: McpServer;
  /** Sent and never stored. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absolute; undefined where the snapshot is only printed. */
  readonly file?: string;
  readonly timeoutMs: number;
  readonly cwd: string;
}

export interface TakenSnapshot {
  readonly snapshot: McpSnapshot;
  readonly text: string;
  /** The file, as the user names it; undefined where there is none. */
  readonly shown?: string;
  readonly state: 'written' | 'unchanged' | 'printed';
  /** What has changed since the file was written, in words. */
  readonly changes: readonly string[];
  readonly warnings: readonly Problem[];
}

/** Lists the tools of a server and writes them into the snapshot's file. Throws a `UserError` where that fails; the file stays. */
export async function takeSnapshot(options: SnapshotOptions, ports: McpPorts): Promise<TakenSnapshot> {
  const { file, cwd } = options;
  const before = file === undefined ? undefined : readBefore(file, cwd);
  const read = await readServer(options, ports);
  if ('problem' in read) throw new UserError([read.problem]);
  // A release of the server alone is no change of its tools.
  const isSame = before !== undefined && isSameList(before, read.snapshot);
  const snapshot = isSame ? { ...read.snapshot, info: before.info } : read.snapshot;
  const warnings = refuseSchemas(snapshot);
  const text = writeSnapshot(snapshot, file === undefined ? cwd : dirname(file));
  if (file === undefined) return { snapshot, text, state: 'printed', changes: [], warnings };
  const isWritten = replaceWhereChanged(file, text);
  const changes = before === undefined || isSame ? [] : describeChanges(before, snapshot);
  const state = isWritten ? 'written' : 'unchanged';
  return { snapshot, text, shown: displayPath(file, cwd), state, changes, warnings };
}

/** The snapshot that a file holds; throws a `UserError` where it holds none. */
export function readSnapshotFile(file: string, cwd: string): McpSnapshot {
  const problems = createProblems();
  const snapshot = readSnapshot(file, undefined, { files: openProjectFiles(findProject(cwd), cwd), problems });
  if (snapshot === undefined) throw new UserError(problems.list());
  return snapshot;
}

/** A file that can't be read is written again; one outside the project is not. */
function readBefore(file: string, cwd: string): McpSnapshot | undefined {
  const place = findProject(cwd);
  const fault = findPlaceFault(file, place.boundary, displayPath(file, cwd));
  if (fault !== undefined) throw new UserError({ ...fault });
  if (readOrUndefined(file) === undefined) return undefined;
  return readSnapshot(file, undefined, { files: openProjectFiles(place, cwd), problems: createProblems() });
}

/** A suite could not use a tool whose schema can't be read. */
function refuseSchemas({ server, tools }: McpSnapshot): readonly Problem[] {
  const faults: Problem[] = [];
  const warnings: Problem[] = [];
  for (const { name, title = '', description = '', inputSchema, outputSchema } of tools) {
    for (const [key, schema] of Object.entries(defined({ inputSchema, outputSchema }))) {
      const [fault] = findSchemaFaults(schema);
      if (fault === undefined) continue;
      const message = `${describeServer(server)}: the ${key} of the tool ${JSON.stringify(name)} can't be read: ${fault.message}`;
      faults.push({ code: 'invalid-schema', severity: 'error', message, ...defined({ hint: fault.hint }) });
    }
    const marks = [name, title, description]
      .flatMap((text) => splitUnsafe(text))
      .flatMap((part) => ('mark' in part ? part.mark : []));
    if (marks.length === 0) continue;
    const message = `the tool ${JSON.stringify(name)} has invisible characters in its texts (${[...new Set(marks)].slice(0, 5).join(', ')}); the file shows them as escapes`;
    warnings.push({ code: 'invalid-value', severity: 'warning', message });
  }
  if (faults.length > 0) throw new UserError(faults);
  return warnings;
}

function describeChanges(before: McpSnapshot, after: McpSnapshot): readonly string[] {
  try {
    return compareSnapshots(before, after).map(describeFinding);
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    return [describeSchemaProblem(error)];
  }
}

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
  try {
    const findings = compareSnapshots(snapshot, read.snapshot);
    if (findings.length > 0) return findings.map((finding: Finding) => drift(describeFinding(finding), finding.path));
    return [drift('its tools are written otherwise, and mean the same', '')];
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    return [drift(describeSchemaProblem(error), error.side === 'old' ? error.pointer : '')];
  }
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
function compareSnapshots(
  old: Pick<McpSnapshot, 'tools'>,
  replacement: Pick<McpSnapshot, 'tools'>,
): readonly Finding[] {
  return compareTools(old.tools.map(toFunctionTool), replacement.tools.map(toFunctionTool), {});
}

function isSameList(old: Pick<McpSnapshot, 'tools'>, replacement: Pick<McpSnapshot, 'tools'>): boolean {
  return canonicalJson(old.tools) === canonicalJson(replacement.tools);
}

/** A finding in words, on one line. */
function describeFinding({ severity, ruleId, path, message }: Finding): string {
  return `${severity} ${ruleId} at ${path}: ${message}`;
}

/** Why two lists can't be compared. */
function describeSchemaProblem({ side, pointer, message }: SchemaProblem): string {
  const [, tool = ''] = splitPointer(pointer) ?? [];
  return `${side === 'old' ? 'the snapshot' : 'the server'} has a schema that can't be read, of the tool ${JSON.stringify(tool)}: ${message}`;
}
