import { relative } from 'node:path';
import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { McpSnapshot } from '../model/mcp.ts';
import { escapeJsonText } from '../text/sanitize.ts';
import { execPrefix } from './connect-server.ts';

/** The text of a snapshot's file, whose folder is given: the same for equal lists of tools. Invisible characters are escaped. */
export function writeSnapshot({ server, info, tools }: McpSnapshot, folder: string): string {
  const { source, headers, env } = server;
  const file = {
    format: 1,
    source,
    // Where the command starts, from the file's own folder.
    ...(source.startsWith(execPrefix) ? { folder: relative(folder, server.folder).replaceAll('\\', '/') || '.' } : {}),
    ...defined({ headers, env }),
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
