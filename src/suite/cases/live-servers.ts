import type { ToolServers } from '../../model/agent.ts';
import type { UsedSnapshot } from '../../model/mcp.ts';
import { quote } from '../../text/shorten.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { locate, type Problems } from '../documents/locate.ts';

interface LiveContext {
  readonly problems: Problems;
  /** True where stored answers answer the suite: they were given with other results. */
  readonly hasRecordings: boolean;
}

/** Finds the servers of the tools that a suite sends, by tool: the model may call others, which then have no server. */
export function createFindServers(
  snapshots: readonly UsedSnapshot[],
  { problems, hasRecordings }: LiveContext,
): AssertionContext['findServers'] {
  return (written, use) => {
    const isReplayed = use === 'run' && hasRecordings;
    const fault = written.value === 'live' ? findFault(snapshots, isReplayed) : notLive;
    if (fault === undefined) return joinServers(snapshots);
    problems.report({ code: 'invalid-value', ...fault, at: locate(written) });
    return undefined;
  };
}

const notLive = {
  message: 'tools: mcp must be live',
  hint: 'write tools: { mcp: live }; params: { tools: [{ mcp: FILE }] } names the file of the tools that are sent',
};

function findFault(snapshots: readonly UsedSnapshot[], hasRecordings: boolean) {
  if (snapshots.length === 0) {
    return {
      message: 'tools: { mcp: live } asks the servers of the tools that are sent, and the suite sends none of a server',
      hint: 'write params: { tools: [{ mcp: FILE }] } at a prompt or provider',
    };
  }
  if (hasRecordings) {
    return {
      message: 'tools: { mcp: live } asks a server, and the recordings of the suite answer without one',
      hint: 'leave recordings out, or write stubs in place of mcp: live',
    };
  }
  const twice = findTwice(snapshots);
  if (twice === undefined) return undefined;
  return {
    message: `tools: { mcp: live }: two servers have a tool ${quote(twice, 60)}, so no one can say which to ask`,
    hint: 'use the snapshot of one of them',
  };
}

function joinServers(snapshots: readonly UsedSnapshot[]): ToolServers {
  return new Map(snapshots.flatMap(({ snapshot: { server }, sent }) => sent.map((name) => [name, server] as const)));
}

function findTwice(snapshots: readonly UsedSnapshot[]): string | undefined {
  const sources = new Map<string, string>();
  for (const { snapshot, sent } of snapshots) {
    const source = JSON.stringify(snapshot.server);
    for (const name of sent) {
      if ((sources.get(name) ?? source) !== source) return name;
      sources.set(name, source);
    }
  }
  return undefined;
}
