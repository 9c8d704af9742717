import * as z from 'zod';
import { baselineFormat } from '../model/comparison/baseline.ts';

const id = z.string().min(1);
const status = z.enum(['passed', 'failed', 'errored', 'skipped']);

const trial = z.looseObject({
  trial: z.int().min(0).max(0xffff_ffff).describe('0-based repetition.'),
  status,
  score: z.number().min(0).max(1).optional(),
  classified: z
    .looseObject({
      truth: z.string().describe('The class of the case.'),
      found: z.string().nullable().optional().describe('The class that the answer names; null where it names none.'),
      by: z.string().describe('Names the selection that found it.'),
    })
    .optional()
    .describe('What the answer was classified as, where the suite has classes.'),
  checks: z
    .array(
      z.looseObject({
        assertion: z.string(),
        pass: z.boolean(),
        score: z.number().min(0).max(1),
        reason: z.string(),
        weight: z.number().min(0).optional(),
      }),
    )
    .describe('What each check said.'),
  usage: z.looseObject({ inputTokens: z.number(), outputTokens: z.number() }).optional(),
  latencyMs: z.number().min(0).optional().describe('Milliseconds of the successful attempt.'),
  firstTokenMs: z.number().min(0).optional().describe('Milliseconds until its first token, where it was streamed.'),
  output: z.string().optional().describe('The answer; left out beyond 64 KiB or under baseline: {outputs: hash}.'),
  answerHash: z.string().optional().describe('Of text and tool calls.'),
  answerId: z
    .string()
    .optional()
    .describe('Names this very answer; a fresh call that answers the same has another one.'),
});

const header = z.looseObject({
  type: z.literal('baseline'),
  format: z.union([z.literal(1), z.literal(baselineFormat)]),
  suite: id,
  pin: z
    .looseObject({ until: z.iso.datetime().describe('Runs that began later are those since the pin.') })
    .optional()
    .describe('Of a pinned reference.'),
});

const variant = z.looseObject({
  type: z.literal('variant'),
  prompt: id,
  provider: id,
  adapter: id,
  model: z.string(),
  baseUrl: z.string().optional().describe('Where the model was asked, after the environment and defaults.'),
  adapterVersion: z.string().optional().describe("Of the adapter, with a hash of the project's own code in it."),
  params: z.record(z.string(), z.unknown()),
  options: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Further settings of the provider, headers by the hash of their value.'),
  messages: z
    .array(z.looseObject({ role: z.string(), content: z.string(), attach: z.array(z.string()).optional() }))
    .describe('The prompt as templates.'),
  contract: z.looseObject({}),
  models: z.array(z.string()).describe('Model snapshots that answered.'),
});

const moments = z.looseObject({
  n: z.int().min(0),
  mean: z.number().min(0),
  squares: z.number().min(0).describe('Sum of squared deviations from the mean.'),
});

const pooled = z.looseObject({
  runs: z.int().min(1).describe('Accepted runs that brought a new answer.'),
  trials: z.int().min(1).describe('Planned trials with a verdict.'),
  failures: z.int().min(0),
  score: moments,
  latencyMs: moments.optional(),
  answered: z.int().min(0).describe('Trials with an answer.'),
  usage: z
    .looseObject({ inputTokens: z.number().min(0), outputTokens: z.number().min(0) })
    .optional()
    .describe('Tokens of an answer on average.'),
  answers: z.array(z.string()).describe('Answers that were counted and are not among `trials`, by their answerId.'),
});

const row = z.looseObject({
  type: z.literal('case'),
  prompt: id,
  provider: id,
  caseId: id,
  caseHash: id.describe(
    'What must be the same for two results to be comparable. After each @: a file that the case attaches.',
  ),
  group: id.optional().describe('Cases of one group are not independent evidence.'),
  trials: z.array(trial).min(1).describe('Of the run that was accepted last.'),
  confirmations: z.array(trial).optional().describe('Fresh trials after the planned ones.'),
  pooled: pooled.optional().describe('All accepted trials of the same case, variant and checks together.'),
  otherVariant: z
    .literal(true)
    .optional()
    .describe('The row was accepted under another prompt text, model or parameters than its variant has now.'),
});

const checks = z.looseObject({
  type: z.literal('checks'),
  hash: id.describe('The second part of the caseHash of the cases that have these checks.'),
  checks: z.array(z.looseObject({})).describe('Each check as a suite would write it, rendered.'),
  threshold: z.number().min(0).max(1).optional(),
});

/** The JSON Schema of one line of a baseline file. */
export function buildBaselineJsonSchema(): unknown {
  return z.toJSONSchema(
    z.union([header, variant, row, checks]).meta({ title: 'A line of an llmcheck baseline file' }),
    {
      io: 'input',
    },
  );
}
