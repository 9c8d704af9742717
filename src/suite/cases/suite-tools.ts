import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { McpServer, ToolServers, ToolStub, UsedSnapshot } from '../../model/suite/agent.ts';
import type { PromptVersion, ProviderConfig } from '../../model/suite/suite.ts';
import { splitCommand } from '../../text/code/command-line.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { quote } from '../../text/shorten.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { describeCode } from '../assertions/own-code.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';

/** The user's own code may have tools that no parameter declares. */
const ownCode: ReadonlySet<string> = new Set(['exec', 'module', 'http']);

/**
 * Lists the tools that the models of a suite get. Undefined if some may be unknown, or if none are declared, as for a
 * server with its own tools.
 */
export function findDeclaredTools(
  prompts: readonly Pick<PromptVersion, 'params' | 'paramsByProvider'>[],
  providers: readonly ProviderConfig[],
): ReadonlySet<string> | undefined {
  if (providers.some(({ adapter, plugin }) => plugin !== undefined || ownCode.has(adapter))) return undefined;
  const ofPrompts = prompts.flatMap(({ params, paramsByProvider }) => [params, ...(paramsByProvider?.values() ?? [])]);
  const names = [...ofPrompts, ...providers.map(({ params }) => params)].flatMap(namesIn);
  const known = names.filter((name) => name !== undefined);
  return known.length === 0 || known.length < names.length ? undefined : new Set(known);
}

/** The name of each tool, in the form of any API; undefined for a tool without a name. */
export function namesIn(params: JsonObject): readonly (string | undefined)[] {
  return declarationsIn(params).flatMap((tool) => {
    if (!isJsonObject(tool)) return [undefined];
    const { name, type } = tool;
    if (typeof name === 'string') return [name];
    // The API itself answers its own tools, so no stub is used.
    return typeof type === 'string' && tool['function'] === undefined ? [] : [undefined];
  });
}

/**
 * Finds the declaration of each tool, in the form of any API: the part with its name, or all of it if no part has one.
 */
export function declarationsIn(params: JsonObject): readonly JsonValue[] {
  const { toolConfig, functions } = params;
  const lists = [params['tools'], functions, isJsonObject(toolConfig) ? toolConfig['tools'] : undefined];
  return lists.flatMap((list) => (Array.isArray(list) ? (list as readonly JsonValue[]).flatMap(declarationsOf) : []));
}

function declarationsOf(tool: JsonValue): readonly JsonValue[] {
  if (!isJsonObject(tool)) return [tool];
  const declared = tool['functionDeclarations'] ?? tool['function_declarations'];
  if (Array.isArray(declared)) return (declared as readonly JsonValue[]).flatMap(declarationsOf);
  const parts = [tool, tool['function'], tool['custom'], tool['toolSpec']];
  return [parts.find((part) => isJsonObject(part) && typeof part['name'] === 'string') ?? tool];
}

/** The first place of each tool's stubs. */
export type StubUse = Map<string, { readonly row: Located; readonly isGuard: boolean }>;

/** Warns of stubs that no call can reach: most likely their names are mistyped. */
export function warnOfUndeclared(used: StubUse, declared: ReadonlySet<string>, problems: Problems): void {
  for (const [name, { row, isGuard }] of used) {
    if (declared.has(name)) continue;
    const meant = didYouMean(name, declared);
    // A tool that must never be called need not be declared.
    if (isGuard && meant === undefined) continue;
    const tools = childOf(row, 'tools');
    problems.warn({
      code: 'unknown-tool',
      message: `the tool "${name}" has stubs, and no prompt or provider declares it`,
      hint: meant ?? 'declare it under params: tools, or remove its stubs',
      at: locate(tools.value === undefined ? row : tools),
    });
  }
}

/** Notes the tools of a case. */
export function noteStubs(stubs: readonly ToolStub[], row: Located, used: StubUse): void {
  for (const { name, answer } of stubs) {
    const known = used.get(name);
    const isGuard = answer.kind === 'never' && known?.isGuard !== false;
    if (known === undefined || known.isGuard !== isGuard) used.set(name, { row: known?.row ?? row, isGuard });
  }
}

interface LiveContext {
  readonly problems: Problems;
  /** True if recordings answer the suite. They do not fit the results of live tools. */
  readonly hasRecordings: boolean;
  readonly files: ProjectFiles;
}

/** Finds the servers of the tools that a suite sends, by tool. Other tools that the model calls have no server. */
export function createFindServers(
  snapshots: readonly UsedSnapshot[],
  { problems, hasRecordings, files }: LiveContext,
): AssertionContext['findServers'] {
  return (written, use) => {
    const isReplayed = use === 'run' && hasRecordings;
    const fault = written.value === 'live' ? findFault(snapshots, isReplayed) : notLive;
    if (fault === undefined) return joinServers(snapshots, (server) => hashServer(server, files));
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
  const repeated = findRepeatedTool(snapshots);
  if (repeated === undefined) return undefined;
  return {
    message: `tools: { mcp: live }: two servers have a tool ${quote(repeated, 60)}, so no one can say which to ask`,
    hint: 'use the snapshot of one of them',
  };
}

function joinServers(snapshots: readonly UsedSnapshot[], hash: (server: McpServer) => string | undefined): ToolServers {
  const servers = snapshots.flatMap(({ snapshot: { server }, sent }) => {
    const hashed = { ...server, ...defined({ codeHash: hash(server) }) };
    return sent.map((name) => [name, hashed] as const);
  });
  return new Map(servers);
}

/** A hash of what the program of a server reads; undefined for a server behind an address. */
function hashServer({ source, folder }: McpServer, files: ProjectFiles): string | undefined {
  const [, command] = /^exec:(.*)$/s.exec(source) ?? [];
  const argv = command === undefined ? undefined : splitCommand(command);
  if (argv === undefined) return undefined;
  return sha256Hex(describeCode({ folder, argv }, files).lines).slice(0, 16);
}

function findRepeatedTool(snapshots: readonly UsedSnapshot[]): string | undefined {
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
