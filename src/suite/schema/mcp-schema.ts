import * as z from 'zod';
import { words } from './fields.ts';

const schema = z.record(z.string(), z.json(), { error: 'must be a JSON Schema' });
const text = z.string({ error: 'must be a text' });

const tool = z.strictObject({
  name: words,
  title: text.optional(),
  description: text.optional(),
  inputSchema: schema,
  outputSchema: schema.optional(),
  annotations: z.record(z.string(), z.json(), { error: 'must be a map' }).optional(),
});

/** A file that `llmcheck mcp snapshot` writes. */
export const mcpSnapshotSchema = z.strictObject({
  format: z.literal(1, { error: 'must be 1: another version of llmcheck wrote the file' }),
  source: z.string().regex(/^(?:exec:|https?:\/\/)./, { error: 'must be exec:COMMAND or a URL' }),
  folder: text.optional(),
  headers: z.record(z.string(), z.string()).optional(),
  env: z.array(words).optional(),
  server: z.strictObject({ name: z.string(), version: z.string().optional(), protocol: z.string().optional() }),
  tools: z.array(tool).min(1, { error: 'must have at least one tool' }),
});

/** An entry of `params.tools` that stands for the tools of a server. */
export const mcpToolsSchema = z.strictObject({
  mcp: words.meta({
    description: 'A file of tools that `llmcheck mcp snapshot` writes.',
    examples: ['tools/orders.mcp.json'],
  }),
  only: z
    .array(words, { error: 'must be a list of names of tools' })
    .min(1, { error: 'needs at least one tool, or leave it out' })
    .optional()
    .meta({
      description: 'The names of the tools that are sent; all where it is left out.',
      examples: [['find_order']],
    }),
});
