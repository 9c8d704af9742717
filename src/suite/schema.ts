import * as z from 'zod';
import { contract } from './contract-schema.ts';
import { duration } from './duration-schema.ts';

/** Stand-ins whose JSON Schema and checks come from the registries (json-schema.ts, assertion-forms.ts, providers.ts). */
export const anyAssertion = z.unknown().meta({ description: 'One assertion: a map with one assertion name.' });
export const anyProvider = z
  .unknown()
  .meta({ description: '"adapter:model", the id of a provider of the config, or a map.' });
export const anyJudge = z
  .unknown()
  .meta({ description: '"adapter:model", the id of a judge of the config, or a map.' });
export const anyCase = z.unknown().meta({ description: 'A case, or the file that holds cases.' });

// oxlint-disable-next-line no-control-regex -- a name with control characters can't be printed or typed
const UNTYPEABLE = /[\u0000-\u001f\u007f\u2028\u2029]/;
const PERCENT = /^\d+(?:\.\d+)?\s*%$/;

const text = z.string();
export const words = z.string().min(1, { error: 'must not be empty' });
const count = z.int({ error: 'must be a whole number' }).min(1, { error: 'must be 1 or more' });
const flag = z.boolean({ error: 'must be true or false' });

/** Ids appear in labels, file names and filters. */
const id = words.refine(isId, { error: 'must be one line without blanks at its ends' });

const caseId = z
  .unknown()
  .refine(isCaseId, { error: 'must be a text or a number, on one line, without blanks at its ends' })
  .meta({ type: ['string', 'number'] });

const SHARE = 'a fraction such as 0.05, or a percentage such as "5%"';

/** A fraction or a percentage, at least 0 and at most `max`. */
function shareUpTo(max: number) {
  return z
    .unknown()
    .superRefine((value, context) => {
      const fraction = toFraction(value);
      if (Number.isNaN(fraction)) context.addIssue({ code: 'custom', message: `must be ${SHARE}` });
      else if (fraction < 0) context.addIssue({ code: 'custom', message: 'must not be negative' });
      else if (fraction > max)
        context.addIssue({ code: 'custom', message: `must lie between 0 and 1: write ${SHARE}` });
    })
    .meta({
      anyOf: [
        { type: 'number', minimum: 0 },
        { type: 'string', pattern: PERCENT.source },
      ],
    })
    .transform((value) => toFraction(value));
}

const rate = shareUpTo(1);
const increase = shareUpTo(Number.POSITIVE_INFINITY);
const amount = z.number({ error: 'must be a number' }).min(0, { error: 'must not be negative' });

const vars = z.record(z.string(), z.unknown());
const tags = z.array(words);
const assertions = z.array(anyAssertion).min(1, { error: 'needs at least one assertion, or leave it out' });
const params = z
  .record(z.string(), z.unknown())
  .describe('Passed to the API as they stand, such as temperature and max_tokens.');

const message = z
  .strictObject({
    role: z
      .enum(['system', 'developer', 'user', 'assistant'], { error: 'must be system, developer, user or assistant' })
      .describe("Who speaks. Roles are split before rendering, so that a variable can't forge one."),
    content: text.optional().describe('The message, a template over the variables of the case.'),
    file: words.optional().describe('A file that holds the content.'),
    attach: z
      .array(words)
      .min(1, { error: 'needs at least one path' })
      .optional()
      .describe("Images, PDFs and sounds that go along: paths from the suite's folder, templates over the variables."),
  })
  .refine((value) => (value.content === undefined) !== (value.file === undefined), {
    error: 'needs either content or file',
  });

export const promptSchema = z
  .strictObject({
    id: id.describe('Names the version; results and baselines refer to it.'),
    file: words
      .optional()
      .describe(
        'A prompt file: .md and .txt are one user message, .yaml and .json a list of messages; .prompt.yml, .prompt and .prompty bring parameters, schemas and test data.',
      ),
    text: text.optional().describe('One user message, a template over the variables of the case.'),
    messages: z.array(message).min(1, { error: 'needs at least one message' }).optional().describe('Chat messages.'),
    replaces: id.optional().describe('The version that this one is compared with, which is then report-only.'),
    params: params.optional().describe("Wins over the provider's params."),
    structured: flag
      .optional()
      .describe("Sends contract.output as the API's own schema mode; wins over the provider's structured."),
    contract: contract.optional().describe("This version's contract, where it differs from the suite's."),
  })
  .refine(hasOneSource, { error: 'needs exactly one of file, text and messages' });

export const priceSchema = z.strictObject({
  input: amount.describe('USD per million input tokens.'),
  output: amount.describe('USD per million output tokens.'),
  cachedInput: amount.optional().describe("USD per million input tokens read from the provider's cache."),
  cacheWrite: amount.optional().describe("USD per million input tokens written to the provider's cache."),
});

const limits = z.strictObject({
  concurrency: count.optional().describe('Calls in flight.'),
  rpm: count.optional().describe('Requests a minute.'),
  tpm: count.optional().describe('Tokens a minute.'),
  timeout: duration.optional().describe('Time for a call, all attempts together, such as "60s".'),
  retries: z
    .int({ error: 'must be a whole number' })
    .min(0, { error: 'must be 0 or more' })
    .optional()
    .describe('Attempts after the first.'),
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
  params: params.optional(),
  structured: flag.optional().describe("Sends contract.output, where there is one, as the API's own schema mode."),
  headers: z.record(z.string(), header).optional().describe('Further headers; a value may be {env: NAME}.'),
  price: priceSchema.optional().describe('Wins over the built-in table.'),
  limits: limits.optional().describe('What the endpoint allows.'),
});

const turn = z.union(
  [
    z.strictObject({
      user: text.describe('What the user says next, a template.'),
      assert: assertions.optional().describe('Checks on the answer to it.'),
    }),
    z.strictObject({
      toolResult: z
        .strictObject({
          name: words.describe('The tool whose call this answers.'),
          content: z.unknown().describe('What the tool returns: a template, or a value that is sent as JSON.'),
        })
        .describe('The result of a tool call of the model.'),
    }),
  ],
  { error: 'must be {user: …, assert?: […]} or {toolResult: {name, content}}' },
);

/** What a case and a file of cases have in common. */
const caseSettings = {
  assert: assertions.optional().describe('What must hold of the answer.'),
  tags: tags.optional().describe('For --tag.'),
  trials: count.max(10_000, { error: 'must be 10000 or less' }).optional().describe('Repetitions.'),
  threshold: rate
    .refine((value) => value !== 0, { error: 'must be more than 0; without it every check must pass' })
    .optional()
    .describe('Weighted mean score to reach; without it every check must pass.'),
  mustPass: flag.optional().describe('A contract, judged alone: a confirmed failure fails the gate.'),
  observe: flag.optional().describe('Run and shown, never judged.'),
  skip: z
    .string({ error: 'must be a text: the reason' })
    .min(1, { error: 'must be a text: the reason' })
    .optional()
    .describe('Not run, for this reason.'),
  vars: vars.optional().describe('The variables of the prompt: data, never rendered.'),
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
});

export const caseFileSchema = z.strictObject({
  file: words.describe('A file or glob of cases: .jsonl, .json, .yaml, .csv, or a prompt file with test data.'),
  ...caseSettings,
});

const severity = z.enum(['fail', 'warn'], { error: 'must be fail or warn' });

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
      added: severity.optional().describe('An added or redefined case that fails.'),
    })
    .optional()
    .describe('What single cases do to the gate.'),
  passRate: z
    .strictObject({
      min: rate.optional().describe('Least pass rate of a variant.'),
      maxDrop: rate.optional().describe('Largest drop against the baseline.'),
    })
    .optional()
    .describe('Share of cases that pass.'),
  score: z
    .strictObject({
      min: rate.optional().describe('Least mean score of a variant.'),
      maxDrop: rate.optional().describe('Largest drop against the baseline.'),
    })
    .optional()
    .describe('Mean score.'),
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
    })
    .optional()
    .describe('How long answers take.'),
});

export const defaultsSchema = z.strictObject({
  trials: count.max(10_000, { error: 'must be 10000 or less' }).optional().describe('Repetitions of every case.'),
  assert: assertions.optional().describe("Added before each case's own."),
  vars: vars.optional().describe("Variables of every case; a case's own win."),
});

export const judges = z.array(anyJudge).min(1, { error: 'needs at least one judge, or leave it out' });

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
  contract: contract.optional().describe('What may go in and what must come out.'),
  defaults: defaultsSchema.optional().describe('What holds for every case.'),
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
  gate: gateSchema.optional().describe('Thresholds: what is written here fails.'),
};

/** "5%" and 0.05 are the same. */
export function toFraction(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && PERCENT.test(value) ? Number(value.replace('%', '')) / 100 : Number.NaN;
}

/** True for a text that can name something in a label. */
export function isId(value: string): boolean {
  return value !== '' && value.length <= 300 && !UNTYPEABLE.test(value) && value.trim() === value;
}

function isCaseId(value: unknown): boolean {
  if (value === undefined) return true;
  return (
    (typeof value === 'string' && isId(value)) ||
    (Number.isFinite(Number(value)) && (typeof value === 'number' || typeof value === 'object') && value !== null)
  );
}

function hasOneSource(prompt: { file?: unknown; text?: unknown; messages?: unknown }): boolean {
  return [prompt.file, prompt.text, prompt.messages].filter((source) => source !== undefined).length === 1;
}
