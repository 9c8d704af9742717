import * as z from 'zod';
import { parsePlainPath } from '../../json/plain-path.ts';
import { amount, count, duration, increase, text, words } from './fields.ts';

export const jsonSchemaOrFile = z
  .unknown()
  .refine(
    (value) => ['string', 'boolean', 'object'].includes(typeof value) && value !== null && !Array.isArray(value),
    {
      error: 'must be a JSON Schema or the path of one',
    },
  )
  .meta({ type: ['object', 'boolean', 'string'] });

const plainPath = z.string().refine((path) => parsePlainPath(path) !== undefined, {
  error: 'must be a plain path such as $.id, $.items[0] or $.items[*].id',
});

/** One stub of a tool: the calls that it answers, and the answer. */
export const stubSchema = z
  .strictObject({
    when: z
      .record(z.string(), z.unknown(), { error: 'must be a map of arguments' })
      .optional()
      .describe('The arguments of the calls that it answers; without it every call of the tool.'),
    compare: z
      .enum(['subset', 'exact'], { error: 'must be subset or exact' })
      .optional()
      .describe('subset, the default: a call may have further arguments.'),
    schema: jsonSchemaOrFile.optional().describe('A JSON Schema for the arguments of the calls that it answers.'),
    ignore: z.array(plainPath).optional().describe('Paths in the arguments that are not compared, such as $.id.'),
    returns: z.unknown().optional().describe('What the tool returns: a template, or a value that is sent as JSON.'),
    fails: text.optional().describe('The error that the tool reports to the model.'),
    templates: z
      .literal(false, { error: 'must be false' })
      .optional()
      .describe('False: texts are taken as they are, not as templates. Recorded stubs have it where they need it.'),
    never: z.literal(true, { error: 'must be true' }).optional().describe('True: a call fails the cell at once.'),
  })
  .refine((stub) => ['returns', 'fails', 'never'].filter((key) => Object.hasOwn(stub, key)).length === 1, {
    error: 'needs one of returns, fails and never',
  });

const memoryMb = z.int({ error: 'must be a whole number' }).min(16, { error: 'must be 16 or more' });

/** Limits of a module of tools, beside it. */
export const codeLimits = {
  timeout: duration.optional().describe('How long one call may take; default 10s.'),
  memoryMb: memoryMb.optional().describe('The most memory that it may take, in MB; default 512.'),
};

/** The real tools that `--record-tools` asks. */
export const recordSchema = z
  .strictObject({
    module: words.optional().describe('A file that exports the real tools, as for module.'),
    exec: words
      .optional()
      .describe('A program that is the real tools: { tool, arguments } on stdin, the result on stdout.'),
    mcp: z
      .literal('live', { error: 'must be live' })
      .optional()
      .describe('live: the servers of the tools that are sent.'),
    env: z.array(words).optional().describe('Names of variables that they may see beside the basic ones.'),
    ...codeLimits,
  })
  .refine((record) => ['module', 'exec', 'mcp'].filter((key) => Object.hasOwn(record, key)).length === 1, {
    error: 'needs one of module, exec and mcp',
  })
  .refine((record) => record.mcp === undefined || Object.keys(record).length === 1, {
    error: 'takes nothing beside mcp: the snapshot says what the server gets',
  });

const toolsText =
  "What the model's tool calls are answered with: a map of tools, a file that holds one, or a list of these.";

/** Accepts anything. Stubs are checked when they are compiled (tool-stubs.ts), so that each problem has its place. */
export const anyTools = z.unknown().meta({ description: toolsText });

const toolMap = z.record(
  z.string(),
  z.union([
    stubSchema.describe('What calls of the tool are answered with.'),
    z.array(stubSchema).describe('Several entries: the first that matches a call answers it.'),
    z
      .string()
      .describe(
        'With the key module: a file whose functions answer what no stub does. With the key file: a file of stubs. With the key mcp: live, to ask servers.',
      ),
    recordSchema.describe('With the key record, beside file: the real tools that --record-tools asks.'),
    memoryMb.describe('With the key memoryMb, beside module: the most memory that it may take, in MB.'),
  ]),
);

/** The forms of `tools`, for editors and types. */
export const toolsSchema = z.union([z.string(), toolMap, z.array(z.union([z.string(), toolMap]))]);

export const maxSteps = count.max(1000, { error: 'must be 1000 or less' });

export const maxStepsText =
  'The most answers of the model in one cell that has tools; default 10, and one more for each turn.';

/** The gate on the steps of agents. */
export const stepLimits = z
  .strictObject({
    maxIncrease: increase.optional().describe('Largest increase against the baseline.'),
    max: amount.optional().describe('Largest mean of a variant.'),
  })
  .refine((limits) => Object.keys(limits).length > 0, { error: 'needs max or maxIncrease' });

const jsonSchema = z.record(z.string(), z.json(), { error: 'must be a JSON Schema' });
const plainText = z.string({ error: 'must be a text' });

const tool = z.strictObject({
  name: words,
  title: plainText.exactOptional(),
  description: plainText.exactOptional(),
  inputSchema: jsonSchema,
  outputSchema: jsonSchema.exactOptional(),
  annotations: z.record(z.string(), z.json(), { error: 'must be a map' }).exactOptional(),
});

/** A file that `llmcheck mcp snapshot` writes. */
export const mcpSnapshotSchema = z.strictObject({
  format: z.literal(1, { error: 'must be 1: another version of llmcheck wrote the file' }),
  source: z.string().regex(/^(?:exec:|https?:\/\/)./, { error: 'must be exec:COMMAND or a URL' }),
  folder: plainText.exactOptional(),
  headers: z.record(z.string(), z.string()).exactOptional(),
  env: z.array(words).exactOptional(),
  server: z.strictObject({
    name: z.string(),
    version: z.string().exactOptional(),
    protocol: z.string().exactOptional(),
  }),
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
