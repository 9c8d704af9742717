import * as z from 'zod';
import { providerSchema } from './schema.ts';

const filled = z.string().min(1, { error: 'must not be empty' });

/** A judge in a suite or the config: a provider with terms of its own. */
export const judgeSchema = providerSchema.extend({
  minKappa: z
    .number({ error: 'must be a number' })
    .gt(0, { error: 'must be more than 0' })
    .max(1, { error: 'must be at most 1' })
    .optional()
    .describe("Cohen's kappa that `llmcheck judge check` must have found before the judge may decide."),
  labels: filled.optional().describe('A file of labelled answers for `llmcheck judge check`: .jsonl, .json, .yaml.'),
  sameModel: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .describe('True lets a model under test be the judge.'),
});

/** A row of a file of labelled answers. */
export const labelSchema = z.strictObject({
  id: z.union([filled, z.number()], { error: 'must be a text or a number' }).optional(),
  answer: z.string({ error: 'must be a text' }),
  other: z.string({ error: 'must be a text' }).optional(),
  label: z.union([z.boolean(), z.enum(['pass', 'fail', 'win', 'loss', 'tie'])], {
    error: 'must be pass or fail (true or false), or for pairwise win, loss or tie',
  }),
  question: z.string({ error: 'must be a text' }).optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  expected: z.unknown().optional(),
  check: filled.optional(),
});
