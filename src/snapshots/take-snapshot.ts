import { dirname } from 'node:path';
import { findPlaceFault } from '../files/project-boundary.ts';
import { readOrUndefined, replaceWhereChanged } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import type { McpPorts } from '../mcp/connect-server.ts';
import { writeSnapshot } from '../mcp/tool-list.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { McpServer, McpSnapshot } from '../model/suite/agent.ts';
import { findSchemaFaults, SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import { createProblems } from '../suite/documents/locate.ts';
import { openProjectFiles } from '../suite/files/project-files.ts';
import { displayPath, findProject } from '../suite/files/project-place.ts';
import { readSnapshot } from '../suite/providers/expand-tools.ts';
import { attempt } from '../text/attempt.ts';
import { splitUnsafe } from '../text/sanitize.ts';
import { compareSnapshots, describeFinding, describeSchemaProblem, isSameList } from './find-drift.ts';
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
  const findings = attempt(() => compareSnapshots(before, after), SchemaProblem);
  return findings instanceof SchemaProblem ? [describeSchemaProblem(findings)] : findings.map(describeFinding);
}
