import * as z from 'zod';

const fraction = z.number().nullable();
export const amount = z.number().nullable();
export const count = z.int().nonnegative();

const metric = z.object({
  baseline: amount,
  candidate: amount,
  delta: amount.describe('A difference for rates, a ratio minus 1 for cost and latency.'),
  low: amount,
  high: amount,
  p: amount,
});

const judgedMargin = z.object({
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
});

const promptText = z.object({ role: z.string(), content: z.string() });

const share = z.object({ value: fraction, low: fraction, high: fraction });
const rate = share.extend({ n: count });
const foundClass = z.string().nullable().describe('Null where the answer names none of the classes.');

const classReport = z.object({
  names: z.array(z.string()).describe("The suite's classes."),
  cells: z
    .array(z.object({ truth: z.string(), found: foundClass, cases: z.number() }))
    .describe('The confusion matrix without its empty cells. A case with several trials counts in shares.'),
  scores: z
    .array(z.object({ class: z.string(), cases: count, recall: share, precision: share, f1: share }))
    .describe('Of each class that has a judged case.'),
  macro: z.object({ precision: fraction, recall: fraction, f1: share }).describe('Means over these classes.'),
  others: z
    .array(z.object({ found: z.string().nullable(), answers: count }))
    .describe('What answers of none of the classes said, the most frequent first.'),
});

const classComparison = z.object({
  cases: count.describe('Compared ones.'),
  f1: metric.extend({ maxDrop: z.number() }).describe('Macro F1.'),
  recall: z.array(metric.extend({ class: z.string(), cases: count, maxDrop: z.number().optional() })),
  cells: z
    .array(
      z.object({
        truth: z.string(),
        found: foundClass,
        baseline: z.number(),
        candidate: z.number(),
        entered: z.array(z.string()).describe('Some of the cases that are wrong in this way more often than before.'),
      }),
    )
    .describe('The confusion matrix of both sides without its empty cells, those that moved first.'),
});

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

export const notAskedSchema = count
  .describe('The part of skipped that was not asked, since the run was decided early (--early). Absent where it is 0.')
  .optional();

export const variantSchema = z.object({
  prompt: z.string(),
  provider: z.string(),
  model: z.string(),
  planned: count.describe('passed + failed + errored + skipped'),
  passed: count,
  failed: count,
  errored: count,
  skipped: count,
  notAsked: notAskedSchema,
  observed: count.describe('Cells under `observe`, outside `planned`.'),
  confirmations: count.describe('Fresh trials that confirm or clear a failure, outside `planned`.'),
  cached: count.describe('Planned cells that were answered without a call.'),
  passRate: rate,
  score: z.object({ mean: fraction, low: fraction, high: fraction }),
  costUsd: amount.describe('Of the planned cells together, as if nothing were cached.'),
  spentUsd: amount.describe('Billed by this run, for all its requests.'),
  spentApartUsd: amount.describe('The part of spentUsd that fresh trials and observed cells took.'),
  latencyMs: z.object({ p50: amount, p95: amount }),
  firstTokenMs: z
    .object({ p50: z.number(), p95: z.number() })
    .optional()
    .describe('Time to the first token, where answers were streamed.'),
  slices: z
    .array(
      z.object({
        slice: z.string().describe('The tag of its cases.'),
        passRate: rate,
        min: z.number().optional(),
        maxDrop: z.number().optional(),
      }),
    )
    .optional()
    .describe('The gated slices of which a case was selected, with their limits.'),
  classes: classReport.optional().describe('What the answers were classified as, where the suite has classes.'),
  replacedBy: z.string().optional().describe('The prompt version that is gated in place of this one.'),
  comparison: z
    .object({
      outcome: z.enum(['passed', 'failed', 'inconclusive']),
      certainty: certaintySchema,
      against: z.object({
        source: z.string(),
        prompt: z.string(),
        acceptedAt: z.string().optional().describe('When the baseline was accepted; absent where that is not known.'),
        ageDays: count.optional().describe('Days from then to the start of the run.'),
      }),
      isFirst: z
        .literal(true)
        .optional()
        .describe('Set where this change adds the first baseline of the suite, which the target never had.'),
      passRate: metric,
      judgedMargin: judgedMargin.optional().describe('Which drop of the pass rate is tolerated, where judges decide.'),
      slices: z
        .array(
          z.object({
            slice: z.string(),
            cases: count.describe('Compared ones.'),
            maxDrop: z.number(),
            judgedMargin: judgedMargin.optional(),
            passRate: metric,
          }),
        )
        .optional()
        .describe('The slices whose drop is limited.'),
      classes: classComparison.optional().describe('The classes of both sides, where the suite has classes.'),
      score: metric,
      costUsd: metric.describe(
        "Of the candidate's answers to the compared cases together, and of as many of the baseline's, by one price table.",
      ),
      steps: metric.optional().describe('Mean answers of an agent in a cell, where both sides have agents.'),
      latencyMs: metric,
      cases: z.object({
        regressed: z.array(z.string()),
        drifted: z.array(z.string()).describe('Cases that fail with the accepted prompt too.'),
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

const swapVerdict = z
  .enum(['better', 'holds', 'undecided', 'partial', 'worse'])
  .describe('`partial`: not every case was compared. `undecided`: something looks worse and is not settled.');

/** The possible replacements of a provider. */
export const swapSchema = z.object({
  provider: z.string(),
  conclusion: z.string().describe('What the run says, in a sentence.'),
  cheapest: z.array(z.string()).describe('The cheapest candidates that hold everywhere; empty where none is known.'),
  candidates: z.array(
    z.object({
      candidate: z.string(),
      model: z.string(),
      verdict: swapVerdict,
      cellCostUsd: amount.describe('USD of a judged cell on average; null where a price is not known.'),
      costUsd: metric.describe('Over the compared cases of all suites.'),
      latencyMs: metric,
    }),
  ),
  rows: z.array(
    z.object({
      candidate: z.string(),
      suite: z.string(),
      prompt: z.string(),
      verdict: swapVerdict,
      reasons: z.array(z.string()).describe('Why it does not hold.'),
      cases: count.describe('Compared ones.'),
      broken: z.array(z.string()).describe('Cases whose failure is confirmed.'),
      passRate: metric,
      unseen: z.number().nullable().optional().describe('The drop that could go unnoticed; null where any could.'),
      costUsd: metric,
      latencyMs: metric,
    }),
  ),
});
