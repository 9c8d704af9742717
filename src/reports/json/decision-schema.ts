import * as z from 'zod';
import { breachCodes } from '../../model/gate.ts';

export const certaintySchema = z
  .object({
    kind: z.enum(['unchanged', 'certain', 'unseen']),
    cases: z.int().nonnegative().describe('Compared cases.'),
    drop: z
      .number()
      .nullable()
      .optional()
      .describe('Of `unseen`: the drop that could go unnoticed; null where any could.'),
    slice: z
      .object({ name: z.string(), cases: z.int().nonnegative(), drop: z.number().nullable() })
      .optional()
      .describe('Of `unseen`: the gated slice in which the largest drop could go unnoticed.'),
  })
  .describe('How sure it is that nothing got worse.');

export const decisionSchema = z.object({
  outcome: z.enum(['passed', 'failed', 'inconclusive', 'incomplete']),
  certainty: certaintySchema.optional(),
  exitCode: z.int(),
  incompleteBecause: z.enum(['errors', 'stopped', 'nothing-evaluated', 'uncalibrated', 'inconclusive']).optional(),
  interrupted: z.enum(['SIGINT', 'SIGTERM']).optional(),
  breaches: z.array(
    z.object({
      code: z.enum(breachCodes),
      suite: z.string().nullable(),
      prompt: z.string().nullable(),
      provider: z.string().nullable(),
      caseId: z.string().optional(),
      metric: z.enum(['passRate', 'score', 'cost', 'latency']).optional(),
      slice: z.string().optional().describe('The tag whose cases the metric is of; left out where it is of all.'),
      baseline: z.number().optional(),
      candidate: z.number().optional(),
      message: z.string(),
    }),
  ),
  warnings: z.array(z.string()),
});
