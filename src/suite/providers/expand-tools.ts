import { dirname, relative, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import type { JsonObject, JsonValue } from '../../json/json.ts';
import type { McpSnapshot, McpTool, UsedSnapshot } from '../../model/suite/agent.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { plainNumbers, toJson, toJsonObject } from '../../text/yaml/exact-numbers.ts';
import { checkSchema } from '../contracts/parse-contract.ts';
import { checkShape } from '../documents/check-shape.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { parseDocument } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { mcpSnapshotSchema, mcpToolsSchema } from '../schema/tool-schema.ts';

export interface ToolContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
}

export interface ExpandedParams {
  readonly params: JsonObject;
  /** The snapshots that its tools come from. */
  readonly snapshots: readonly UsedSnapshot[];
}

/** Replaces entries that name snapshots by the snapshots' tools. Reports mistakes. */
export function expandParams(written: Located, context: ToolContext): ExpandedParams {
  const params = toJsonObject(written.value);
  const tools = childOf(written, 'tools');
  reportBareEntry(tools, context.problems);
  if (!itemsOf(tools).some(isEntry)) return { params, snapshots: [] };
  const snapshots: UsedSnapshot[] = [];
  const names = new Set<unknown>();
  const expanded = itemsOf(tools).flatMap((item): readonly JsonValue[] => {
    const found = isEntry(item) ? expandEntry(item, context) : undefined;
    if (found !== undefined) snapshots.push(found.used);
    const list = isEntry(item) ? (found?.tools ?? []) : [toJson(item.value)];
    for (const tool of list) refuseTwice(tool, names, item, context.problems);
    return list;
  });
  return { params: { ...params, tools: expanded }, snapshots };
}

/**
 * True for an entry that names a snapshot. An API's own tools have a `type`, such as servers that the provider itself
 * asks.
 */
function isEntry({ value }: Located): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'mcp') && !Object.hasOwn(value, 'type');
}

function reportBareEntry(tools: Located, problems: Problems): void {
  if (!isEntry(tools)) return;
  problems.refuse(tools, 'params: tools must be a list', 'write tools: [{ mcp: FILE }]');
}

function refuseTwice(tool: JsonValue, names: Set<unknown>, item: Located, problems: Problems): void {
  const own: unknown = Reflect.get(Object(tool), 'function') ?? tool;
  const name: unknown = Reflect.get(Object(own), 'name');
  if (typeof name !== 'string') return;
  if (names.has(name)) {
    const message = `two tools have the name ${JSON.stringify(name)}`;
    problems.report({
      code: 'duplicate-id',
      message,
      hint: 'name the tools that are sent with only',
      at: locate(item),
    });
  }
  names.add(name);
}

function expandEntry(item: Located, context: ToolContext) {
  const { problems } = context;
  const entry = checkShape(mcpToolsSchema, item, { label: 'an entry of tools', problems });
  if (entry === undefined) return undefined;
  const file = resolve(item.source.folder, entry.mcp);
  const snapshot = readSnapshot(file, { ...childOf(item, 'mcp'), value: entry.mcp }, context);
  if (snapshot === undefined) return undefined;
  const known = snapshot.tools.map(({ name }) => name);
  for (const written of itemsOf(childOf(item, 'only'))) {
    const name = String(written.value);
    if (known.includes(name)) continue;
    problems.report({
      code: 'unknown-id',
      message: `${entry.mcp} has no tool ${JSON.stringify(name)}`,
      hint: didYouMean(name, known) ?? `known: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', …' : ''}`,
      at: locate(written),
    });
  }
  const tools = snapshot.tools.filter(({ name }) => entry.only?.includes(name) ?? true);
  const sent = tools.map(({ name }) => name);
  return { used: { file, snapshot, sent }, tools: tools.map(toFunctionTool) };
}

/** Converts to the form that every adapter translates. Fields that no API takes are kept for contracts, under `mcp`. */
export function toFunctionTool({ name, title, description, inputSchema, outputSchema, annotations }: McpTool) {
  return {
    name,
    ...defined({ description }),
    parameters: inputSchema,
    mcp: defined({ title, outputSchema, annotations }),
  };
}

/** Reads a snapshot; undefined if it can't be read, which is reported with the command that writes it. */
export function readSnapshot(
  file: string,
  namedBy: Located<string> | undefined,
  { files, problems }: ToolContext,
): McpSnapshot | undefined {
  const found = files.readText(file);
  if ('text' in found) return parseSnapshot(file, found.text, { files, problems });
  const { code, message, isMissing } = found.fault;
  const hint =
    (namedBy === undefined ? undefined : findElsewhere(namedBy, files)) ??
    `\`llmcheck mcp snapshot "exec:node server.js" -o ${files.display(file)}\` writes it; a URL may be in place of exec:…`;
  const fault = isMissing === true ? { code, message, hint } : found.fault;
  problems.report({ ...fault, ...defined({ at: namedBy && locate(namedBy) }) });
  return undefined;
}

/** The command that writes the file takes its path from the project's folder. */
function findElsewhere({ value, source }: Located<string>, files: ProjectFiles): string | undefined {
  // Nothing outside the project can be read.
  for (let folder = source.folder; dirname(folder) !== folder; folder = dirname(folder)) {
    const path = resolve(dirname(folder), value);
    if ('text' in files.readText(path)) {
      return `paths start from this file's folder: write ${toSlashes(relative(source.folder, path))}`;
    }
  }
  return undefined;
}

function parseSnapshot(file: string, text: string, { files, problems }: ToolContext): McpSnapshot | undefined {
  const shown = files.display(file);
  const written = /"source": ("(?:[^"\\]|\\.)*")/.exec(text)?.[1] ?? '"exec:node server.js"';
  const hint = `\`llmcheck mcp snapshot ${written} -o ${shown}\` writes it again`;
  const hinted: Problems = {
    ...problems,
    report: (problem) => problems.report({ ...problem, hint }),
    refuse: (at, message) => problems.refuse(at, message, hint),
  };
  const document = parseDocument(file, text, files, hinted);
  if (document === undefined) return undefined;
  const plain = { ...document, value: plainNumbers(document.value) };
  const snapshot = checkShape(mcpSnapshotSchema, plain, { label: 'the snapshot', problems: hinted });
  if (snapshot === undefined || !checkTools(plain, hinted)) return undefined;
  const { source, folder = '.', headers, env, server: info, tools } = snapshot;
  const server = { source, folder: resolve(dirname(file), folder), ...defined({ headers, env }) };
  return { server, info, tools };
}

function checkTools(document: Located, problems: Problems): boolean {
  const before = problems.errorCount();
  const names = new Set<unknown>();
  for (const tool of itemsOf(childOf(document, 'tools'))) {
    const name = childOf(tool, 'name');
    if (names.has(name.value)) {
      const message = `two tools have the name ${JSON.stringify(name.value)}`;
      problems.report({ code: 'duplicate-id', message, at: locate(name) });
    }
    names.add(name.value);
    for (const key of ['inputSchema', 'outputSchema']) {
      const schema = childOf(tool, key);
      if (schema.value !== undefined) {
        checkSchema(schema, `the ${key} of the tool ${JSON.stringify(name.value)}: `, problems);
      }
    }
  }
  return problems.errorCount() === before;
}
