import * as z from 'zod';
import { breachCodes } from '../../model/comparison/breach.ts';
import { decisionKinds, unsettledReasons } from '../../model/comparison/gate.ts';
import { certaintySchema, count } from './variant-schema.ts';

const caseEvidenceSchema = z.object({
  suite: z.string(),
  prompt: z.string(),
  provider: z.string(),
  caseId: z.string(),
  verdict: z.enum(['broken', 'drifted', 'flaky', 'unsettled', 'not-needed', 'known']),
  why: z.enum(unsettledReasons).optional().describe('Why the case is not settled.'),
  planned: count.describe('Planned trials.'),
  plannedFailed: count,
  asked: count.describe('Fresh trials of the new prompt with a verdict.'),
  failed: count,
  acceptedAsked: count.describe('Fresh trials of the accepted prompt with a verdict.'),
  acceptedFailed: count,
  evidence: z
    .number()
    .nullable()
    .describe('The evidence that this change broke the case; null where another rule decided.'),
});

export const decisionSchema = z.object({
  outcome: z.enum(['passed', 'failed', 'inconclusive', 'incomplete']),
  kind: z.enum(decisionKinds).describe('What the outcome rests on.'),
  headline: z.string().describe('The verdict in a sentence: what broke, where, in how many cases.'),
  accepted: z
    .object({ regressions: z.int().nonnegative(), mustPass: z.int().nonnegative() })
    .optional()
    .describe('Cases that regressed and are accepted by a baseline that this change brings along.'),
  certainty: certaintySchema.optional(),
  drift: z
    .object({ cases: count, of: count, isBeyondMargin: z.boolean() })
    .optional()
    .describe('Cases that fail with the accepted prompt too, of the compared cases of their suites.'),
  exitCode: z.int(),
  incompleteBecause: z
    .enum(['errors', 'drift', 'stopped', 'nothing-evaluated', 'unvalidated', 'inconclusive', 'record'])
    .optional(),
  interrupted: z.enum(['SIGINT', 'SIGTERM']).optional(),
  breaches: z.array(
    z.object({
      code: z.enum(breachCodes),
      suite: z.string().nullable(),
      prompt: z.string().nullable(),
      provider: z.string().nullable(),
      caseId: z.string().optional(),
      metric: z.enum(['passRate', 'score', 'cost', 'latency', 'steps', 'recall', 'precision', 'f1']).optional(),
      slice: z.string().optional().describe('The tag whose cases the metric is of; left out where it is of all.'),
      class: z.string().optional().describe('The class that a recall or precision is of.'),
      baseline: z.number().optional(),
      candidate: z.number().optional(),
      message: z.string(),
    }),
  ),
  evidence: z.array(caseEvidenceSchema).describe('What was found of each case that failed.'),
  loosenedCases: z
    .array(
      z.object({
        suite: z.string(),
        prompt: z.string(),
        provider: z.string(),
        caseId: z.string(),
        mustPass: z.boolean(),
        isLost: z.literal(true).optional().describe('The case is judged no more.'),
        before: z.array(z.string()).describe('The accepted checks that differ.'),
        after: z.array(z.string()).describe('The checks of this change that differ.'),
        reason: z.string().optional().describe('Why the answer fails the accepted checks.'),
      }),
    )
    .optional()
    .describe('Cases that pass under edited checks alone.'),
  warnings: z.array(z.string()),
  loosened: z
    .array(z.string())
    .optional()
    .describe('What this change takes out of its own gate, one sentence each; they are among the warnings too.'),
});
