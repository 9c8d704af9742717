import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema, type Tool } from '@modelcontextprotocol/sdk/types.js';
import { onTestFinished } from 'vitest';

export type ToolList = readonly Tool[];

export interface McpServerSpec {
  readonly name?: string;
  readonly version?: string;
  /** The list that the server gives at the n-th request for its first page, from 0. */
  readonly tools: ToolList | ((listing: number) => ToolList);
  /** Tools a page; all on one page where undefined. */
  readonly pageSize?: number;
  /** Answers a call of a tool. */
  readonly call?: (name: string, args: Readonly<Record<string, unknown>>) => unknown;
  /** Answers with a stream of events, as servers do by default; else with plain JSON. */
  readonly isStream?: boolean;
  /** Looks at a request before the server does; true where it has answered it. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface RunningMcpServer {
  readonly url: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown }[];
  /** The headers of each request, as sent. */
  readonly headers: readonly IncomingMessage['headers'][];
}

/** A server over streamable HTTP on 127.0.0.1, built with the SDK. Closed when the test has ended. */
export async function startMcpServer(spec: McpServerSpec): Promise<RunningMcpServer> {
  const calls: { name: string; args: unknown }[] = [];
  const headers: IncomingMessage['headers'][] = [];
  let listings = 0;
  const http = createServer((request, response) => {
    headers.push(request.headers);
    if (spec.intercept?.(request, response) === true) return;
    const server = buildServer(spec, () => listings++, calls);
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: spec.isStream !== true });
    response.on('close', () => void transport.close());
    // The SDK's own types do not fit each other under exactOptionalPropertyTypes.
    void server
      .connect(transport as unknown as Parameters<Server['connect']>[0])
      .then(() => transport.handleRequest(request, response));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/mcp`, calls, headers };
}

function buildServer(spec: McpServerSpec, nextListing: () => number, calls: { name: string; args: unknown }[]): Server {
  const { name = 'orders', version = '1.0.0', tools, pageSize = Number.POSITIVE_INFINITY } = spec;
  const server = new Server({ name, version }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const [listing = 0, start = 0] =
      params?.cursor === undefined ? [nextListing()] : params.cursor.split(':').map(Number);
    const list = typeof tools === 'function' ? tools(listing) : tools;
    const end = start + pageSize;
    return { tools: list.slice(start, end), ...(end < list.length ? { nextCursor: `${listing}:${end}` } : {}) };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const args = params.arguments ?? {};
    calls.push({ name: params.name, args });
    return (await spec.call?.(params.name, args)) as { content: [] };
  });
  return server;
}

/** The text of a program that is a server over stdio, built with the SDK. */
export function stdioServerText(tools: ToolList, { before = '', call = '' } = {}): string {
  const at = (path: string) => JSON.stringify(import.meta.resolve(`@modelcontextprotocol/sdk/${path}`));
  return `import { Server } from ${at('server/index.js')};
import { StdioServerTransport } from ${at('server/stdio.js')};
import { CallToolRequestSchema, ListToolsRequestSchema } from ${at('types.js')};
const server = new Server({ name: 'orders', version: '1.0.0' }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: ${JSON.stringify(tools)} }));
server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: args } }) => { ${call} });
${before}
await server.connect(new StdioServerTransport());
`;
}

export const findOrder: Tool = {
  name: 'find_order',
  title: 'Find an order',
  description: 'Finds an order by its id.',
  inputSchema: {
    type: 'object',
    properties: {
      order_id: { type: 'string', minLength: 1 },
      limit: { type: 'integer', minimum: 1, maximum: 50, default: 10 },
      status: { enum: ['open', 'shipped'] },
    },
    required: ['order_id'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: { state: { enum: ['open', 'shipped'] }, total: { type: 'number' } },
    required: ['state'],
  },
  annotations: { readOnlyHint: true },
};

export const cancelOrder: Tool = {
  name: 'cancel_order',
  description: 'Cancels an order.',
  inputSchema: { type: 'object', properties: { order_id: { type: 'string' } }, required: ['order_id'] },
};
