import * as z from 'zod';
import { reportFormat } from '../../model/report/report.ts';
import { stopReasons } from '../../model/run/cell.ts';
import { decisionSchema } from './decision-schema.ts';
import { amount, count, notAskedSchema, swapSchema, variantSchema } from './variant-schema.ts';

/** The JSON Schema of the `json` report. It is open: a later version may add fields without a new `format`. */
export function buildReportJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(reportSchema, { target: 'draft-2020-12', io: 'input' }),
    title: 'llmcheck report',
    description: 'What `llmcheck run -r json` writes. Unknown amounts are null, never 0.',
  };
}

const cellStatus = z.enum(['passed', 'failed', 'errored', 'skipped']);
const caseStatus = z.enum(['passed', 'failed', 'flaky', 'errored', 'skipped']);
const stopReason = z.enum(stopReasons);

const place = z.object({ file: z.string(), line: z.int(), column: z.int() });

export const checkSchema = z.object({
  assertion: z.string(),
  name: z.string().optional(),
  pass: z.boolean(),
  score: z.number(),
  reason: z.string(),
  weight: z.number().optional().describe('Left out where 1.'),
  required: z.boolean().optional(),
  turn: z.int().optional().describe('The turn of a conversation that was checked; left out for the last answer.'),
  error: z.string().optional().describe('Why the check could not be made.'),
  judge: z
    .object({
      id: z.string(),
      model: z.string().optional().describe('The model snapshot that answered.'),
      votes: count,
      agreement: z.number().describe('The share of votes on the side of the verdict.'),
    })
    .optional()
    .describe('Where a model was asked.'),
});

const usageSchema = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedInputTokens: z.number().optional(),
  cacheWriteTokens: z.number().optional(),
  reasoningTokens: z.number().optional(),
  inputAudioTokens: z.number().optional(),
  outputAudioTokens: z.number().optional(),
  costUsd: z.number().optional().describe('USD, where an agent of your own reports it.'),
});

const toolCallSchema = z.object({
  id: z.string().optional(),
  name: z.string(),
  arguments: z.json().optional().describe('Left out where `rawArguments` is not JSON.'),
  rawArguments: z.string(),
});

const stepSchema = z.object({
  text: z.string(),
  calls: z.array(
    toolCallSchema.extend({
      result: z
        .object({
          content: z.string().describe('At most 16 KiB of it are kept.'),
          isError: z.literal(true).optional().describe('The tool reported an error to the model.'),
          latencyMs: z.number().optional(),
        })
        .optional()
        .describe('Left out for a call that ended the cell.'),
    }),
  ),
  latencyMs: z.number().optional(),
  usage: usageSchema.optional(),
});

const trajectorySchema = z
  .array(stepSchema)
  .optional()
  .describe('The answers of a model whose tool calls were answered, with the results.');

const stateSchema = z.json().optional().describe("The final state of the case's tools, where they keep one.");

export const answerSchema = z.object({
  status: caseStatus.describe('Of the case over all its trials.'),
  output: z.string().nullable().describe('Of the first trial with a verdict; null where it was not kept.'),
  toolCalls: z.array(toolCallSchema).optional(),
  trajectory: trajectorySchema,
  state: stateSchema,
  reason: z.string().optional().describe('Why it failed, where it did.'),
});

export const trialSchema = z.object({
  index: count.describe('0-based.'),
  status: cellStatus,
  confirmation: z.literal(true).optional().describe('A fresh trial after the planned ones, not counted in `planned`.'),
  score: z.number().optional(),
  output: z.string().nullable(),
  refusal: z.string().optional(),
  toolCalls: z.array(toolCallSchema).optional(),
  steps: count.optional().describe('How many answers the model gave; only where its tool calls were answered.'),
  trajectory: trajectorySchema,
  state: stateSchema,
  class: z
    .string()
    .nullable()
    .optional()
    .describe('The class that the answer names, where the suite has classes; null where it names none.'),
  finishReason: z.enum(['stop', 'length', 'toolCalls', 'contentFilter', 'refusal', 'other']).optional(),
  model: z.string().optional(),
  checks: z.array(checkSchema),
  latencyMs: amount,
  firstTokenMs: z.number().optional().describe('Where the answer was streamed.'),
  costUsd: amount.describe('As if nothing were cached.'),
  usage: usageSchema.nullable(),
  cached: z.boolean(),
  error: z.object({ kind: z.string(), message: z.string(), status: z.int().optional(), attempts: count }).optional(),
  skip: z.object({ reason: z.string(), message: z.string().optional() }).optional(),
});

export const caseSchema = z.object({
  caseId: z.string(),
  prompt: z.string(),
  provider: z.string(),
  status: caseStatus,
  observe: z.literal(true).optional().describe('Counted apart, outside the gate.'),
  group: z.string().optional().describe('Cases of one group are not independent evidence.'),
  class: z.string().optional().describe('The class of the case, where the suite has classes.'),
  blame: z
    .object({ sentence: z.string(), at: z.object({ file: z.string(), line: count, column: count }).optional() })
    .optional()
    .describe('Which edit broke the case, where `ci github --blame` searched for it.'),
  change: z
    .enum([
      'regressed',
      'drifted',
      'fixed',
      'stillFailing',
      'stillPassing',
      'flaky',
      'added',
      'removed',
      'redefined',
      'unjudged',
    ])
    .optional()
    .describe('Since the baseline; left out where nothing was compared.'),
  baseline: answerSchema.optional().describe("The baseline's answer to the same case."),
  at: place,
  trials: z.array(trialSchema),
  acceptedTrials: z
    .array(trialSchema)
    .optional()
    .describe('Fresh trials of the accepted prompt, beside the candidate’s.'),
});

export const runSchema = z.object({
  id: z.string(),
  startedAt: z.string(),
  durationMs: z.number(),
  complete: z.boolean(),
  stopReason: stopReason.nullable(),
});

const totalsSchema = z.object({
  planned: count,
  passed: count,
  failed: count,
  errored: count,
  skipped: count,
  notAsked: notAskedSchema,
  observed: count.describe('Cells under observe, outside of planned.'),
  confirmations: count.describe('Fresh trials that confirm or clear a failure, outside of planned.'),
  cached: count.describe('Planned cells that were answered without a call.'),
  passRate: z.number().nullable().describe('The mean over the cases of all variants; null where none was judged.'),
  costUsd: amount.describe('Of the planned cells, as if nothing were cached.'),
  spentUsd: amount.describe('Billed by this run, for all its requests.'),
  spentApartUsd: amount.describe('The part of spentUsd that fresh trials and observed cells took.'),
  judgeCostUsd: amount.describe('Billed by judges, for all their requests.'),
});

const findingSchema = z.object({
  ruleId: z.string(),
  direction: z.enum(['input', 'output']),
  severity: z.enum(['error', 'warn', 'info']),
  path: z.string().describe("A JSON Pointer into the prompt's description, such as /outputSchema/properties/queue."),
  old: z.json(),
  new: z.json(),
  message: z.string(),
  fingerprint: z.string(),
  approved: z.literal(true).optional().describe('The suite lets it through.'),
  at: place.optional().describe('Left out where the files of the run are not at hand.'),
});

export const contractSchema = z.object({
  suite: z.string(),
  prompt: z.string(),
  against: z.string(),
  findings: z.array(findingSchema),
  observed: z
    .array(
      z.object({
        answers: z.enum(['baseline', 'new']),
        schema: z.enum(['new', 'old']),
        total: count,
        rejected: count.describe("Rejected by this schema and not by the answers' own."),
        alreadyRejected: count
          .optional()
          .describe('Rejected by both schemas, so that nothing changed for them; left out where 0.'),
        unjudged: count.optional().describe('Answers that could not be judged in time; left out where 0.'),
        offenders: z.array(z.object({ caseId: z.string(), reason: z.string() })),
        message: z.string(),
      }),
    )
    .describe('What stored answers say of a changed output schema.'),
});

export const erosionSchema = z.object({
  kind: z.literal('erosion'),
  suite: z.string(),
  prompt: z.string(),
  provider: z.string(),
  outcome: z
    .enum(['held', 'eroded', 'silent'])
    .describe('eroded: below by more than the margin, beyond chance; silent: too few cases are still the same.'),
  source: z.string().describe('The pinned reference.'),
  until: z.string().describe('Runs that began later are those since the pin.'),
  cases: count.describe('Compared: with the same content and checks, and a verdict on both sides.'),
  of: count.describe('Cases of the reference.'),
  passRate: z.object({
    reference: z.number().nullable(),
    candidate: z.number().nullable(),
    delta: z.number().nullable(),
  }),
  margin: z.number(),
  z: z.number().nullable().describe('Standard score of the difference; null where it has no spread.'),
  message: z.string(),
  since: z
    .array(
      z.object({
        run: z.string(),
        startedAt: z.string(),
        commit: z.string().optional(),
        branch: z.string().optional(),
        pullRequest: z.int().optional(),
        passRate: z.number().nullable(),
      }),
    )
    .describe('Stored runs since the pin, the oldest first; only where it is eroded.'),
});

export const reportSchema = z.object({
  format: z.literal(reportFormat),
  tool: z.object({ name: z.literal('llmcheck'), version: z.string() }),
  run: runSchema,
  decision: decisionSchema,
  totals: totalsSchema,
  contracts: z.array(contractSchema).optional().describe('Of each prompt that has a baseline.'),
  swaps: z.array(swapSchema).optional().describe('What can take the place of providers, of a run with --swap.'),
  erosion: z.array(erosionSchema).optional().describe('Of each variant that has a pinned reference.'),
  suites: z.array(
    z.object({
      suite: z.string(),
      path: z.string(),
      variants: z.array(variantSchema),
      cases: z.array(caseSchema),
    }),
  ),
  notes: z.array(z.string()),
});
