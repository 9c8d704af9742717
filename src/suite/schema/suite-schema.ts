import * as z from 'zod';
import { maxTrials } from '../../model/run/cell.ts';
import {
  amount,
  caseId,
  confirmBudget,
  count,
  duration,
  flag,
  id,
  increase,
  isId,
  placedFiles,
  rate,
  text,
  words,
} from './fields.ts';
import { anyProvider, judges } from './provider-schema.ts';
import { anyTools, jsonSchemaOrFile, maxSteps, maxStepsText, stepLimits } from './tool-schema.ts';

const pointer = words.refine((value) => value.startsWith('/'), { error: 'must be a JSON Pointer: it begins with "/"' });

/** The keys under `contract:`. */
export const contract = z.strictObject({
  input: jsonSchemaOrFile.optional().describe("JSON Schema 2020-12 that every case's vars must satisfy, or its file."),
  output: jsonSchemaOrFile.optional().describe('JSON Schema 2020-12 that every answer must satisfy, or its file.'),
  // Of digits alone, a fingerprint is a number in YAML.
  approved: z
    .array(z.union([words, z.number()], { error: 'must be the fingerprint of a finding, in quotes' }))
    .optional()
    .describe('Fingerprints of contract findings to accept.'),
  policy: z
    .enum(['practical', 'formal', 'lenient'], { error: 'must be practical, formal or lenient' })
    .optional()
    .describe('How changes are judged; default practical.'),
  overrides: z
    .record(words, z.enum(['error', 'warn', 'info', 'off'], { error: 'must be error, warn, info or off' }))
    .optional()
    .describe('Severities by rule, such as enum-value-added: warn.'),
  ignore: z
    .array(pointer)
    .optional()
    .describe('JSON Pointers whose findings are left out, such as /outputSchema/properties/debug; * is one step.'),
  strictConsumers: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .describe('Consumers refuse properties that they do not know.'),
  removed: z
    .array(words)
    .optional()
    .describe(
      'Properties that were removed on purpose: names at the root, or JSON Pointers. Removing them is not an error.',
    ),
});

/** Stand-ins whose JSON Schema and checks come from the registries (json-schema.ts, compile-assertions.ts, parse-providers.ts). */
export const anyAssertion = z.unknown().meta({ description: 'One assertion: a map with one assertion name.' });

export const anyCase = z.unknown().meta({ description: 'A case, or the file that holds cases.' });

export const anySelect = z.unknown().meta({ description: 'A part of the answer.' });

const vars = z.record(z.string(), z.unknown());

const tags = z.array(words);

const trials = count.max(maxTrials, { error: `must be ${maxTrials} or less` });

const assertions = z.array(anyAssertion).min(1, { error: 'needs at least one assertion, or leave it out' });

const turn = z.union(
  [
    z.strictObject({
      user: text.describe('What the user says next, a template.'),
      assert: assertions.optional().describe('Checks on the answer to it.'),
    }),
    z.strictObject({
      assert: assertions.describe('Checks on the answer to the prompt itself: the first turn alone.'),
    }),
    z.strictObject({
      toolResult: z
        .strictObject({
          name: words.describe('The tool whose call this answers.'),
          content: z.unknown().describe('What the tool returns: a template, or a value that is sent as JSON.'),
        })
        .describe('The result of a tool call of the model.'),
      assert: assertions.optional().describe('Checks on the answer to it, and to the results before it.'),
    }),
  ],
  { error: 'must be {user: …, assert?: […]}, {toolResult: {name, content}} or, as the first, {assert: […]}' },
);

const groupError = 'must be a text on one line without blanks at its ends, such as doc-12';

/** Keys that a case and a file of cases share. */
const caseSettings = {
  assert: assertions.optional().describe('What must hold of the answer.'),
  tags: tags.optional().describe('For --tag.'),
  trials: trials.optional().describe('Repetitions.'),
  threshold: rate
    .refine((value) => value !== 0, { error: 'must be more than 0; without it every check must pass' })
    .optional()
    .describe('Weighted mean score to reach; without it every check must pass.'),
  group: z
    .string({ error: groupError })
    .refine(isId, { error: groupError })
    .meta({ minLength: 1 })
    .optional()
    .describe('The document or template that the case comes from: cases of one group are not independent evidence.'),
  mustPass: flag.optional().describe('A contract, judged alone: a confirmed failure fails the gate.'),
  observe: flag.optional().describe('Run and shown, never judged.'),
  skip: z
    .string({ error: 'must be a text: the reason' })
    .min(1, { error: 'must be a text: the reason' })
    .optional()
    .describe('Not run, for this reason.'),
  vars: vars.optional().describe('The variables of the prompt: data, never rendered.'),
  tools: anyTools.optional().describe("What the model's tool calls are answered with."),
  maxSteps: maxSteps.optional().describe(maxStepsText),
  prompts: z
    .array(words)
    .min(1, { error: 'needs at least one prompt version, or leave it out' })
    .optional()
    .describe('Only on these prompt versions.'),
  providers: z
    .array(words)
    .min(1, { error: 'needs at least one provider, or leave it out' })
    .optional()
    .describe('Only on these providers.'),
};

export const caseSchema = z.strictObject({
  id: caseId.optional().describe('Stable name; default: a hash of vars and turns.'),
  ...caseSettings,
  expected: z.unknown().optional().describe('The golden answer, {{expected}} in assertions.'),
  turns: z
    .array(turn)
    .min(1, { error: 'needs at least one turn, or leave it out' })
    .optional()
    .describe("A conversation after the prompt's messages."),
  description: text.optional().describe('What the case is about.'),
  workspace: placedFiles.optional().describe('Files that programs find in their workspace, as under a prompt.'),
});

export const caseFileSchema = z.strictObject({
  file: words.describe('A file or glob of cases: .jsonl, .json, .yaml, .csv, or a prompt file with test data.'),
  ...caseSettings,
});

const severity = z.enum(['fail', 'warn'], { error: 'must be fail or warn' });

function limits(min: string) {
  const maxDrop = rate.optional().describe('Largest drop against the baseline.');
  return z.strictObject({ min: rate.optional().describe(min), maxDrop });
}

function someLimits(min: string) {
  const isSome = (written: { min?: unknown; maxDrop?: unknown }) =>
    written.min !== undefined || written.maxDrop !== undefined;
  return limits(min).refine(isSome, { error: 'needs min or maxDrop' });
}

const slice = z.strictObject({
  passRate: someLimits('Least pass rate of these cases.').describe('Share of the cases with this tag that pass.'),
});

export const gateSchema = z.strictObject({
  alpha: z
    .number({ error: 'must be a number' })
    .gt(0, { error: 'must lie between 0 and 0.5' })
    .lte(0.5, { error: 'must lie between 0 and 0.5' })
    .optional()
    .describe('Two-sided significance level, default 0.05.'),
  scope: z
    .enum(['population', 'suite'], { error: 'must be population or suite' })
    .optional()
    .describe('Inputs like these cases, or these cases only.'),
  cases: z
    .strictObject({
      broken: severity.optional().describe('A case that passed and is now confirmed broken.'),
      drifted: severity
        .optional()
        .describe('Cases that now fail with the accepted prompt too, beyond the margin. Default: fail.'),
      loosened: severity.optional().describe('A case that passes under edited checks alone. Default: warn.'),
      added: severity.optional().describe('An added or redefined case that fails.'),
    })
    .optional()
    .describe('The effect of single cases on the gate.'),
  confirm: z
    .strictObject({
      cases: z
        .int({ error: 'must be a whole number of cases' })
        .min(1, { error: 'must be at least 1' })
        .optional()
        .describe('Broken cases after which no further one is confirmed. Default: 10.'),
      budget: confirmBudget
        .optional()
        .describe(
          'Calls of fresh trials: a share of the planned ones, or a number. Default: 200 %, and 200 calls or more.',
        ),
    })
    .optional()
    .describe('Fresh trials of what looks worse.'),
  unsettled: severity
    .optional()
    .describe('What looks worse and is neither confirmed nor cleared. Default: fail, with exit code 4.'),
  certify: flag.optional().describe('Ends with exit code 4 unless a drop beyond the margin is excluded.'),
  erosion: severity.optional().describe('What a drop against the pinned reference does, default warn.'),
  passRate: limits('Least pass rate of a variant.').optional().describe('Share of cases that pass.'),
  score: limits('Least mean score of a variant.').optional().describe('Mean score.'),
  cost: z
    .strictObject({
      maxIncrease: increase.optional().describe('Largest increase against the baseline.'),
      max: amount.optional().describe("A variant's total in USD."),
    })
    .optional()
    .describe('What the calls cost.'),
  latency: z
    .strictObject({
      maxIncrease: increase.optional().describe('Largest increase, where both sides ran in this invocation.'),
      p95Max: duration.optional().describe('Largest 95th percentile, such as "4s".'),
      firstTokenP95Max: duration
        .optional()
        .describe('Largest 95th percentile of the time to the first token, with stream: true on the provider.'),
    })
    .optional()
    .describe('How long answers take.'),
  steps: stepLimits.optional().describe('How many answers an agent gives in a cell.'),
  slices: z
    .record(words, slice, { error: 'must be a map of tags' })
    .optional()
    .describe('Limits on the cases with a tag, by the tag.'),
});

/** The keys under `classes:`. `found` is read as `select` of an assertion is. */
const classesSchema = z.strictObject({
  truth: words.describe('The class of a case, a template over its variables and expected.'),
  found: anySelect.refine((value) => value !== undefined, { error: 'must name a part of the answer' }),
  names: z
    .array(words)
    .min(1, { error: 'must name at least one class' })
    .optional()
    .describe('All classes: a case of any other is an error.'),
  gate: z
    .strictObject({
      recall: z
        .record(words, someLimits('Least recall of the class.'), { error: 'must be a map of classes' })
        .optional()
        .describe("Limits on the share of a class's cases that are found, by the class."),
      precision: z
        .record(words, z.strictObject({ min: rate.describe('Least precision of the class.') }), {
          error: 'must be a map of classes',
        })
        .optional()
        .describe("Limits on the share of a class's answers that are right, by the class."),
      f1: someLimits('Least macro F1 of a variant.')
        .optional()
        .describe('Limits on macro F1, the mean over the classes.'),
    })
    .optional()
    .describe('Limits on classes: what is written here fails.'),
});

export const defaultsSchema = z.strictObject({
  trials: trials.optional().describe('Repetitions of every case.'),
  assert: assertions.optional().describe("Added before each case's own."),
  vars: vars.optional().describe("Variables of every case; a case's own override them."),
});

/** The keys of a suite file, each checked on its own so that one mistake hides no other. */
export const suiteShape = {
  suite: id
    .refine((value) => !value.includes('/'), { error: 'must not hold a "/"' })
    .optional()
    .describe("The suite's id; default: the file's name without .eval.yaml."),
  description: text.optional().describe('What the suite is about.'),
  prompts: z.array(z.unknown()).min(1, { error: 'needs at least one prompt' }).describe('Prompt versions.'),
  providers: z
    .array(anyProvider)
    .min(1, { error: 'needs at least one provider' })
    .optional()
    .describe("Endpoints; default: all of the config's."),
  judges: judges.optional().describe('Providers that judge; never a variant.'),
  contract: contract.optional().describe('Schemas of the input and the output.'),
  defaults: defaultsSchema.optional().describe('What holds for every case.'),
  tools: anyTools.optional().describe("What the model's tool calls are answered with, after a case's own tools."),
  maxSteps: maxSteps.optional().describe(maxStepsText),
  cases: z.array(anyCase).describe('Golden cases.'),
  recordings: words.optional().describe('JSON lines of recorded answers; makes the run hermetic.'),
  baseline: z
    .strictObject({
      outputs: z
        .enum(['full', 'hash'], { error: 'must be full or hash' })
        .optional()
        .describe('Keep answers, or their hashes only.'),
    })
    .optional()
    .describe('What the baseline keeps.'),
  classes: classesSchema.optional().describe('The class of each case and answer: confusion matrix, recall and F1.'),
  gate: gateSchema.optional().describe('Thresholds: what is written here fails.'),
};
