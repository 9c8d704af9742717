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
      .object({
        name: z.string(),
        isClass: z.literal(true).optional().describe('The name is that of a class, and the drop one of its recall.'),
        cases: z.int().nonnegative(),
        drop: z.number().nullable(),
      })
      .optional()
      .describe('Of `unseen`: the gated slice or class in which the largest drop could go unnoticed.'),
  })
  .describe('How sure it is that nothing got worse.');

export const decisionSchema = z.object({
  outcome: z.enum(['passed', 'failed', 'inconclusive', 'incomplete']),
  headline: z.string().describe('The verdict in a sentence: what broke, where, in how many cases.'),
  accepted: z
    .object({ regressions: z.int().nonnegative(), mustPass: z.int().nonnegative() })
    .optional()
    .describe('Cases that regressed and are accepted by a baseline that this change brings along.'),
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
      metric: z.enum(['passRate', 'score', 'cost', 'latency', 'recall', 'precision', 'f1']).optional(),
      slice: z.string().optional().describe('The tag whose cases the metric is of; left out where it is of all.'),
      class: z.string().optional().describe('The class that a recall or precision is of.'),
      baseline: z.number().optional(),
      candidate: z.number().optional(),
      message: z.string(),
    }),
  ),
  warnings: z.array(z.string()),
});
