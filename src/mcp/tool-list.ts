import { relative } from 'node:path';
import { canonicalJson, writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { areTexts } from '../json/guards.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { type McpSnapshot, type McpTool, maxMcpBytes, maxMcpTools } from '../model/suite/agent.ts';
import { compareText } from '../text/compare-text.ts';
import { escapeJsonText } from '../text/sanitize.ts';
import { quote } from '../text/shorten.ts';
import { toSlashes } from '../text/to-slashes.ts';
import { execPrefix, type McpConnection, McpFault } from './connect-server.ts';

/** A list that changes while it is read is read again, so often. */
const maxReads = 4;

/**
 * The tools of a server, sorted by name. The list is read until two readings in a row are equal. Its pages may change
 * between two requests, and some servers write another text each time.
 */
export async function readToolList(connection: McpConnection, timeoutMs: number): Promise<readonly McpTool[]> {
  let known: readonly McpTool[] | undefined;
  let difference = '';
  for (let reads = 0; reads < maxReads; reads += 1) {
    const listed = await readPages(connection, timeoutMs);
    const twice = listed.find((tool, index) => tool.name === listed[index - 1]?.name);
    if (twice !== undefined) {
      difference = `${quote(twice.name, 60)} is in it twice`;
      known = undefined;
      continue;
    }
    const found = known === undefined ? undefined : findDifference(known, listed);
    if (known !== undefined && found === undefined) return listed;
    difference = found ?? difference;
    known = listed;
  }
  throw new McpFault(`gives another list of tools each time that it is asked: ${difference}`);
}

function findDifference(before: readonly McpTool[], after: readonly McpTool[]): string | undefined {
  const texts = new Map(before.map((tool) => [tool.name, canonicalJson(tool)]));
  for (const tool of after) {
    const text = texts.get(tool.name);
    if (text === undefined) return `${quote(tool.name, 60)} comes and goes`;
    if (text !== canonicalJson(tool)) return `${quote(tool.name, 60)} changes`;
    texts.delete(tool.name);
  }
  const [gone] = texts.keys();
  return gone === undefined ? undefined : `${quote(gone, 60)} comes and goes`;
}

async function readPages(connection: McpConnection, timeoutMs: number): Promise<readonly McpTool[]> {
  const tools: McpTool[] = [];
  const cursors = new Set<string>();
  let bytes = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await connection.request('tools/list', cursor === undefined ? {} : { cursor }, timeoutMs);
    const { tools: listed, nextCursor } = isJsonObject(page) ? page : {};
    if (!Array.isArray(listed)) throw new McpFault('answered tools/list without a list of tools');
    bytes += JSON.stringify(page).length;
    tools.push(...listed.map(readTool));
    if (tools.length > maxMcpTools) throw new McpFault(`lists more than ${maxMcpTools} tools`);
    if (bytes > maxMcpBytes) throw new McpFault(`lists tools of more than ${maxMcpBytes / 1024 / 1024} MiB`);
    if (typeof nextCursor !== 'string' || nextCursor === '') break;
    if (cursors.has(nextCursor) || (listed.length === 0 && cursors.size > 100)) {
      throw new McpFault(`lists its tools without an end: the cursor ${quote(nextCursor, 60)} comes again`);
    }
    cursors.add(nextCursor);
    cursor = nextCursor;
  }
  return tools.sort((a, b) => compareText(a.name, b.name));
}

const maxNameLength = 256;

const maxDepth = 100;

function readTool(listed: unknown): McpTool {
  const { name, title, description, inputSchema, outputSchema, annotations } = isJsonObject(listed) ? listed : {};
  if (typeof name !== 'string' || name === '') throw new McpFault('lists a tool without a name');
  const shown = quote(name, 60);
  if (name.length > maxNameLength) throw new McpFault(`lists a tool with too long a name: ${shown}`);
  if (!isJsonObject(inputSchema)) throw new McpFault(`lists the tool ${shown} without an inputSchema`);
  const isTooDeep = [inputSchema, outputSchema, annotations].some((value) => depthOf(value) > maxDepth);
  if (isTooDeep) throw new McpFault(`lists the tool ${shown}, whose schema is nested more than ${maxDepth} deep`);
  return {
    name,
    inputSchema: sortMembers(inputSchema),
    ...defined({
      title: typeof title === 'string' ? title : undefined,
      description: typeof description === 'string' ? description : undefined,
      outputSchema: isJsonObject(outputSchema) ? sortMembers(outputSchema) : undefined,
      annotations: isJsonObject(annotations) ? sortMembers(annotations) : undefined,
    }),
  };
}

/** Stops beyond the limit, so that no text is too deep for it. */
function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return depth;
  return Math.max(depth, ...Object.values(value).map((item) => depthOf(item, depth + 1)));
}

/** Many servers build their schemas from maps without an order, and `required` from sets. */
function sortMembers(value: JsonObject, isSchema = true): JsonObject {
  const members = Object.entries(value).sort(([a], [b]) => compareText(a, b));
  return Object.fromEntries(
    members.map(([key, item]): [string, JsonValue] => {
      if (isSchema && key === 'required' && areTexts(item)) return [key, [...item].sort(compareText)];
      return [key, sortValue(item, isSchema && !dataKeywords.has(key))];
    }),
  );
}

function sortValue(value: JsonValue, isSchema: boolean): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => sortValue(item, isSchema));
  return isJsonObject(value) ? sortMembers(value, isSchema) : value;
}

/** Their values are data, in which a list has an order. */
const dataKeywords: ReadonlySet<string> = new Set(['default', 'examples', 'const', 'enum']);

/** The text of a snapshot's file, whose folder is given: the same for equal lists of tools. Invisible characters are escaped. */
export function writeSnapshot({ server, info, tools }: McpSnapshot, folder: string): string {
  const { source, headers, env } = server;
  const file = {
    format: 1,
    source,
    // Where the command starts, from the file's own folder.
    ...defined({
      folder: source.startsWith(execPrefix) ? toSlashes(relative(folder, server.folder)) || '.' : undefined,
      headers,
      env,
    }),
    server: info,
    tools: tools.map(({ name, title, description, inputSchema, outputSchema, annotations }) => ({
      name,
      ...defined({ title, description }),
      inputSchema,
      ...defined({ outputSchema, annotations }),
    })),
  };
  return `${escapeJsonText(writeJson(file, 2) ?? '')}\n`;
}
