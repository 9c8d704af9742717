import * as z from 'zod';
import { filledText, jsonObject, magnitude, type Stored } from '../../json/stored.ts';

const texts = z.array(z.string());

/** Messages that the user's code made from the variables of cases. */
const renderedTableSchema = z
  .object({
    /** Each different line once. */
    lines: texts,
    /** The messages by a hash of the variables: a role, and the numbers of lines and of runs of them, `0-3 7`. */
    cases: z.record(z.string(), z.array(z.tuple([z.string(), z.string()]))),
  })
  // A line that is not there would be left out in silence.
  .refine(({ lines, cases }) =>
    Object.values(cases).every((rows) => rows.every(([, runs]) => areRuns(runs, lines.length))),
  );

export type RenderedTable = Stored<typeof renderedTableSchema>;

/** A role, and the numbers of lines and of runs of them: `0-3 7`. */
export type StoredMessage = readonly [role: string, lines: string];

/** True for numbers below a limit and runs of them: `0-3 7`. */
function areRuns(runs: string, limit: number): boolean {
  return runs.split(' ').every((run) => {
    const [, from = '', to = from] = /^(\d+)(?:-(\d+))?$/.exec(run) ?? [];
    return from !== '' && Number(from) <= Number(to) && Number(to) < limit;
  });
}

/** The language of a prompt file's templates, with the data for parsing them again from a record. */
const templateLanguageSchema = z.object({
  /**
   * `braces`: messages contain only `{{name}}`. `code`: the user's own code made the messages, and a template's text is
   * the part that all cases share. In the other languages, one template holds all messages.
   */
  name: z.enum(['braces', 'code', 'handlebars', 'jinja']),
  /** The messages of each case, for a prompt in code. */
  rendered: renderedTableSchema.exactOptional(),
  /** The variables that the code of a prompt has read. */
  variables: texts.exactOptional(),
  /** The texts of partials by name. */
  partials: z.record(z.string(), z.string()).exactOptional(),
  /** The value of a variable that a case does not set. */
  defaults: jsonObject.exactOptional(),
  /** Variables that may be left out; they are then empty. */
  optional: texts.exactOptional(),
});

export type TemplateLanguage = Stored<typeof templateLanguageSchema>;

/** A prompt's message as it is written down: templates, unrendered. */
const writtenMessageSchema = z.object({
  role: z.string(),
  content: z.string(),
  attach: texts.exactOptional(),
  language: templateLanguageSchema.exactOptional(),
});

export type WrittenMessage = Stored<typeof writtenMessageSchema>;

/** The messages of a prompt. One in code has each case's messages: its texts are only their common part. */
export const writtenMessagesSchema = z
  .array(writtenMessageSchema)
  .refine(([first]) => first?.language?.name !== 'code' || first.language.rendered !== undefined);

/** USD per million tokens. */
export const priceSchema = z.object({
  input: magnitude,
  output: magnitude,
  cachedInput: magnitude.exactOptional(),
  cacheWrite: magnitude.exactOptional(),
});

export type Price = Stored<typeof priceSchema>;

const overrideSchema = z.object({
  rule: z.string().exactOptional(),
  /** A JSON Pointer that includes its subtree. A `*` matches one token. */
  path: z.string().exactOptional(),
  severity: z.enum(['error', 'warn', 'info', 'off']),
});

/** Sets the severity of findings by rule, by path, or by both. `off` hides them. */
export type SeverityOverride = Stored<typeof overrideSchema>;

const contractPolicySchema = z.enum(['practical', 'formal', 'lenient']);

/** `practical`: the documented severities; `formal`: only the subset rule; `lenient`: only removing, renaming and retyping fail. */
export type ContractPolicy = z.infer<typeof contractPolicySchema>;

const jsonSchema = jsonObject.or(z.boolean());

export const contractSchema = z.object({
  input: jsonSchema.exactOptional(),
  output: jsonSchema.exactOptional(),
  /** Fingerprints of approved findings. */
  approved: texts.exactOptional(),
  policy: contractPolicySchema.exactOptional(),
  overrides: z.array(overrideSchema).exactOptional(),
  /** JSON Pointers to leave out, with everything below them. */
  ignore: texts.exactOptional(),
  /** True if consumers reject unknown fields and values. */
  strictConsumers: z.boolean().exactOptional(),
  /** Tombstones of parts that were removed on purpose. */
  removed: texts.exactOptional(),
});

export type Contract = Stored<typeof contractSchema>;

/** A selected path or suite without cases. */
export const emptySelectionSchema = z.object({
  message: filledText,
  /** True if a named file or suite has no case at all: the run is then incomplete. */
  isNamed: z.boolean(),
});

export type EmptySelection = Stored<typeof emptySelectionSchema>;
