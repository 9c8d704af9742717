import * as z from 'zod';
import { breachCodes } from '../../model/gate.ts';
import { reportFormat } from '../../model/report.ts';

/** The JSON Schema of the `json` report. It is open: a later version may add fields without a new `format`. */
export function buildReportJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(reportSchema, { target: 'draft-2020-12', io: 'input' }),
    title: 'llmcheck report',
    description: 'What `llmcheck run -r json` writes. Unknown amounts are null, never 0.',
  };
}

const fraction = z.number().nullable();
const amount = z.number().nullable();
const count = z.int().nonnegative();
const cellStatus = z.enum(['passed', 'failed', 'errored', 'skipped']);
const caseStatus = z.enum(['passed', 'failed', 'flaky', 'errored', 'skipped']);
const stopReason = z.enum(['budget', 'deadline', 'bail', 'storage', 'queue', 'interrupted']);

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

export const usageSchema = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedInputTokens: z.number().optional(),
  cacheWriteTokens: z.number().optional(),
  reasoningTokens: z.number().optional(),
  inputAudioTokens: z.number().optional(),
  outputAudioTokens: z.number().optional(),
});

const toolCallSchema = z.object({
  id: z.string().optional(),
  name: z.string(),
  arguments: z.json().optional().describe('Left out where `rawArguments` is not JSON.'),
  rawArguments: z.string(),
});

export const answerSchema = z.object({
  status: caseStatus.describe('Of the case over all its trials.'),
  output: z.string().nullable().describe('Of the first trial with a verdict; null where it was not kept.'),
  toolCalls: z.array(toolCallSchema).optional(),
  reason: z.string().optional().describe('Why it failed, where it did.'),
});

export const trialSchema = z.object({
  index: count.describe('0-based.'),
  status: cellStatus,
  confirmation: z
    .literal(true)
    .optional()
    .describe('A confirmation trial after the planned ones, not counted in `planned`.'),
  score: z.number().optional(),
  output: z.string().nullable(),
  refusal: z.string().optional(),
  toolCalls: z.array(toolCallSchema).optional(),
  finishReason: z.enum(['stop', 'length', 'toolCalls', 'contentFilter', 'refusal', 'other']).optional(),
  model: z.string().optional(),
  checks: z.array(checkSchema),
  latencyMs: amount,
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
  group: z.string().optional().describe('Cases of one group are no independent evidence.'),
  change: z
    .enum(['regressed', 'fixed', 'stillFailing', 'stillPassing', 'flaky', 'added', 'removed', 'redefined', 'unjudged'])
    .optional()
    .describe('Since the baseline; left out where nothing was compared.'),
  baseline: answerSchema.optional().describe("The baseline's answer to the same case."),
  at: z.object({ file: z.string(), line: z.int(), column: z.int() }),
  trials: z.array(trialSchema),
});

const metric = z.object({
  baseline: amount,
  candidate: amount,
  delta: amount.describe('A difference for rates, a ratio minus 1 for cost and latency.'),
  low: amount,
  high: amount,
  p: amount,
});

const promptText = z.object({ role: z.string(), content: z.string() });

export const variantSchema = z.object({
  prompt: z.string(),
  provider: z.string(),
  model: z.string(),
  planned: count.describe('passed + failed + errored + skipped'),
  passed: count,
  failed: count,
  errored: count,
  skipped: count,
  observed: count.describe('Cells under `observe`, outside `planned`.'),
  confirmations: count.describe('Confirmation trials that confirm or clear a failure, outside `planned`.'),
  cached: count.describe('Planned cells that were answered without a call.'),
  passRate: z.object({ value: fraction, low: fraction, high: fraction, n: count }),
  score: z.object({ mean: fraction, low: fraction, high: fraction }),
  costUsd: amount.describe('Of the planned cells together, as if nothing were cached.'),
  spentUsd: amount.describe('Billed by this run, for all its requests.'),
  spentApartUsd: amount.describe('The part of spentUsd that confirmation trials and observed cells took.'),
  latencyMs: z.object({ p50: amount, p95: amount }),
  replacedBy: z.string().optional().describe('The prompt version that is gated in place of this one.'),
  comparison: z
    .object({
      outcome: z.enum(['passed', 'failed', 'inconclusive']),
      against: z.object({ source: z.string(), prompt: z.string() }),
      passRate: metric,
      judgedMargin: z
        .object({
          maxDrop: z.number().describe('The tolerated true drop of the pass rate.'),
          margin: z.number().describe("The drop of the judges' verdicts that stands for it."),
          judged: z
            .number()
            .describe('Of the failed trials of both sides, the share that judges alone failed; 1 where none failed.'),
          least: z
            .object({
              judge: z.string(),
              labels: z.int(),
              youdenLow: z.number().describe("Youden's J at its lower one-sided 80 % bound."),
            })
            .optional()
            .describe('The least accurate of the judges that were measured.'),
          unmeasured: z.array(z.string()).describe('Judges that were not measured on their present labels.'),
        })
        .optional()
        .describe('Which drop of the pass rate is tolerated, where judges decide.'),
      score: metric,
      costUsd: metric.describe(
        "Of the candidate's answers to the compared cases together, and of as many of the baseline's, by one price table.",
      ),
      latencyMs: metric,
      cases: z.object({
        regressed: z.array(z.string()),
        fixed: z.array(z.string()),
        stillFailing: z.array(z.string()),
        flaky: z.array(z.string()),
        added: z.array(z.string()),
        removed: z.array(z.string()),
        redefined: z.array(z.string()),
      }),
      residue: z.array(z.string()).describe('What differs besides what is compared.'),
      advice: z.array(z.string()).describe('What would settle an inconclusive result.'),
      notes: z.array(z.string()),
      accepted: z.array(z.string()).describe('Differences that this change brings its own accepted baseline for.'),
      prompts: z
        .object({ baseline: z.array(promptText), candidate: z.array(promptText) })
        .optional()
        .describe('The message templates; left out where both sides have the same.'),
    })
    .optional(),
});

export const decisionSchema = z.object({
  outcome: z.enum(['passed', 'failed', 'inconclusive', 'incomplete']),
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
      baseline: z.number().optional(),
      candidate: z.number().optional(),
      message: z.string(),
    }),
  ),
  warnings: z.array(z.string()),
});

export const runSchema = z.object({
  id: z.string(),
  startedAt: z.string(),
  durationMs: z.number(),
  complete: z.boolean(),
  stopReason: stopReason.nullable(),
});

export const totalsSchema = z.object({
  planned: count,
  passed: count,
  failed: count,
  errored: count,
  skipped: count,
  observed: count.describe('Cells under observe, outside of planned.'),
  confirmations: count.describe('Confirmation trials that confirm or clear a failure, outside of planned.'),
  cached: count.describe('Planned cells that were answered without a call.'),
  passRate: z.number().nullable().describe('The mean over the cases of all variants; null where none was judged.'),
  costUsd: amount.describe('Of the planned cells, as if nothing were cached.'),
  spentUsd: amount.describe('Billed by this run, for all its requests.'),
  spentApartUsd: amount.describe('The part of spentUsd that confirmation trials and observed cells took.'),
  judgeCostUsd: amount.describe('Billed by judges, for all their requests.'),
});

const place = z.object({ file: z.string(), line: z.int(), column: z.int() });

export const findingSchema = z.object({
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
