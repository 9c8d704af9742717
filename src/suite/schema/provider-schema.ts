import * as z from 'zod';
import { amount, count, duration, flag, id, size, words } from './fields.ts';

export const anyProvider = z
  .unknown()
  .meta({ description: '"adapter:model", the id of a provider of the config, or a map.' });

export const anyJudge = z
  .unknown()
  .meta({ description: '"adapter:model", the id of a judge of the config, or a map.' });

export const params = z
  .record(z.string(), z.unknown())
  .describe('Passed to the API unchanged, such as temperature and max_tokens.');

/** A dollar a token: more is a slip of the keys. */
const price = amount.max(1_000_000, { error: 'must be 1000000 or less' });

export const priceSchema = z.strictObject({
  input: price.describe('USD per million input tokens.'),
  output: price.describe('USD per million output tokens.'),
  cachedInput: price.exactOptional().describe("USD per million input tokens read from the provider's cache."),
  cacheWrite: price.exactOptional().describe("USD per million input tokens written to the provider's cache."),
});

const limits = z.strictObject({
  concurrency: count.exactOptional().describe('Calls in flight.'),
  rpm: count.exactOptional().describe('Requests a minute.'),
  tpm: count.exactOptional().describe('Tokens a minute.'),
  timeout: duration.exactOptional().describe('Time for a call, all attempts together, such as "60s".'),
  retries: z
    .int({ error: 'must be a whole number' })
    .min(0, { error: 'must be 0 or more' })
    .exactOptional()
    .describe('Attempts after the first.'),
  maxAnswer: z
    .strictObject({
      text: size.exactOptional().describe('All texts of an answer, such as "8 MiB"; default 4 MiB.'),
      toolCalls: count.exactOptional().describe('Its tool calls; default 1000.'),
    })
    .exactOptional()
    .describe('The largest answer. A larger one fails its cell.'),
});

const header = z.union(
  [z.string(), z.strictObject({ env: words.describe('The NAME of the variable that holds the value.') })],
  { error: 'must be a text or {env: NAME}' },
);

export const providerSchema = z.strictObject({
  id: id.describe('Names the provider in results, filters and baselines.'),
  use: words.describe('adapter:model, split at the first colon.'),
  baseURL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .optional()
    .describe('Where the API is; then only the key that apiKeyEnv names is sent.'),
  apiKeyEnv: words.optional().describe('The NAME of the environment variable that holds the key.'),
  params: params.optional().describe('Passed to the API as it is: temperature, max_tokens, tools …'),
  structured: flag.optional().describe("Sends contract.output, where there is one, as the API's own schema mode."),
  stream: flag.optional().describe('Streams answers, to measure the time to their first token.'),
  headers: z.record(z.string(), header).optional().describe('Further headers; a value may be {env: NAME}.'),
  price: priceSchema.optional().describe('Overrides the built-in table.'),
  limits: limits.optional().describe('What the endpoint allows.'),
  replaces: id.optional().describe('The provider that this one is compared with, which is then report-only.'),
});

/** A judge in a suite or the config: a provider with terms of its own. */
export const judgeSchema = providerSchema.omit({ replaces: true }).extend({
  minKappa: z
    .number({ error: 'must be a number' })
    .gt(0, { error: 'must be more than 0' })
    .max(1, { error: 'must be at most 1' })
    .optional()
    .describe(
      "The least Cohen's kappa with which the judge may decide. The lower bound of `llmcheck judge check`'s interval must reach it, on at least 30 labels.",
    ),
  labels: words.optional().describe('A file of labelled answers for `llmcheck judge check`: .jsonl, .json, .yaml.'),
  sameModel: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .describe('True lets a model under test be the judge.'),
});

/** A row of a file of labelled answers. */
export const labelSchema = z.strictObject({
  id: z.union([words, z.number()], { error: 'must be a text or a number' }).optional(),
  answer: z.string({ error: 'must be a text' }),
  other: z.string({ error: 'must be a text' }).optional(),
  label: z.union([z.boolean(), z.enum(['pass', 'fail', 'win', 'loss', 'tie'])], {
    error: 'must be pass or fail (true or false), or for pairwise win, loss or tie',
  }),
  question: z.string({ error: 'must be a text' }).optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  expected: z.unknown().optional(),
  check: words.optional(),
  drawn: z
    .strictObject({
      stratum: z.int({ error: 'must be a whole number' }),
      of: z.int({ error: 'must be a whole number' }).min(1, { error: 'must be at least 1' }),
    })
    .optional(),
});

export const judges = z.array(anyJudge).min(1, { error: 'needs at least one judge, or leave it out' });
