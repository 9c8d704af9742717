import * as z from 'zod';
import { isJsonObject } from '../../json/json.ts';
import { filledText, jsonObject, jsonValue, magnitude, type Stored, share, wholeNumber } from '../../json/stored.ts';
import { classPolicySchema, rowClassSchema } from '../suite/classes.ts';
import { gatePolicySchema } from '../suite/gate-policy.ts';
import {
  contractSchema,
  emptySelectionSchema,
  priceSchema,
  writtenMessagesSchema,
} from '../suite/recorded-settings.ts';
import { cellStatuses, stopReasons } from './cell.ts';
import { agentStepSchema, failureKinds, finishReasons, toolCallSchema, usageSchema } from './completion.ts';
import { recordedCheckSchema } from './verdict.ts';

/**
 * Grows when a field changes meaning or a new one is required. New optional fields do not count: older records lack them.
 * A reader refuses a number that it does not know.
 */
export const recordFormat = 1;

/** The settings of a variant that later comparisons and reports need. */
export const variantSettings = {
  prompt: z.string(),
  provider: z.string(),
  adapter: z.string(),
  model: z.string(),
  baseUrl: z
    .string()
    .exactOptional()
    .describe('The address after the environment and defaults. Absent if none is called, and in older records.'),
  adapterVersion: z
    .string()
    .exactOptional()
    .describe("The version of the adapter, which includes the project's own code or template."),
  replaces: z.string().exactOptional(),
  replacesProvider: z
    .string()
    .exactOptional()
    .describe('The provider whose answers it is compared with, by `replaces` of the provider or by `--swap`.'),
  params: jsonObject,
  options: jsonObject
    .exactOptional()
    .describe('Other provider settings that change the request, with headers as hashes.'),
  messages: writtenMessagesSchema.describe("The prompt's messages as templates, unrendered."),
};

/** Whether a run can ask the accepted prompt again, beside the candidate. */
const acceptedPromptSchema = z
  .discriminatedUnion('is', [
    /** Nothing that is sent has changed, nor where it is sent. */
    z.object({ is: z.literal('unchanged') }),
    z.object({ is: z.literal('askable') }),
    z.object({
      is: z.literal('unavailable'),
      why: z.string(),
      /** Set if cases were accepted with several prompts or settings, so that the ones of each case are unknown. */
      isOfSeveral: z.literal(true).exactOptional(),
    }),
  ])
  // Names the accepted prompt with its settings (compare/variant-differences.ts); absent in older records.
  .and(z.object({ of: z.string().exactOptional() }));

export type AcceptedPromptState = Stored<typeof acceptedPromptSchema>;

/** The data of one variant that later comparisons and reports need. */
const recordedVariantSchema = z.object({
  ...variantSettings,
  /**
   * Set if own code of its provider, or of a check or prompt of its suite, reads what can't be followed. An equal
   * adapterVersion or case hash then does not show that nothing changed.
   */
  isContentUnknown: z.literal(true).exactOptional(),
  /** The provider's own price and its name in the price table, so that a stored answer can be priced again. */
  price: priceSchema.exactOptional(),
  priceProvider: z.string().exactOptional(),
  /** The prompt version whose baseline this one is, if it runs again beside that version. */
  baselineOf: z.string().exactOptional(),
  contract: contractSchema.extend({ input: jsonValue.exactOptional(), output: jsonValue.exactOptional() }),
  /** Planned cells, without cells under `observe`. */
  planned: wholeNumber,
  observed: wholeNumber,
  /** The state of the accepted prompt in the run; absent if none was accepted, and in older records. */
  acceptedPrompt: acceptedPromptSchema.exactOptional(),
});

export type RecordedVariant = Stored<typeof recordedVariantSchema>;

/** How well a judge was measured against labels on one criterion when the run began. */
const recordedJudgeSchema = z.object({
  judge: z.string(),
  assertion: z.string(),
  name: z.string().exactOptional(),
  /** Absent if it was never measured, or before judge, criterion or labels changed. */
  measured: z.object({ labels: wholeNumber, youdenLow: z.number() }).exactOptional(),
});

export type RecordedJudge = Stored<typeof recordedJudgeSchema>;

const recordedSuiteSchema = z.object({
  suite: z.string(),
  /** Relative to the project root, with forward slashes. */
  path: z.string(),
  gate: gatePolicySchema.prefault({}),
  /** Absent if the suite classifies nothing, and in older records. */
  classes: classPolicySchema.exactOptional(),
  outputs: z.enum(['full', 'hash']),
  variants: z.array(recordedVariantSchema),
  /** Why judges of the suite may not decide, one sentence each; absent if all may. */
  unvalidated: z.array(z.string()).exactOptional(),
  /** Measurements of its judges, one entry for each criterion; absent if no judge is asked. */
  judges: z.array(recordedJudgeSchema).exactOptional(),
  /** True if a filter, tag, sample, shard or restriction left cells out. */
  filtered: z.boolean(),
  /** Set if only recordings or the cache answer, so that asking again gives the same answer. */
  replayed: z.literal(true).exactOptional(),
});

export type RecordedSuite = Stored<typeof recordedSuiteSchema>;

/** The commit, branch and pull request of a run, as far as its environment tells them. */
const provenanceSchema = z.object({
  commit: z.string().exactOptional(),
  branch: z.string().exactOptional(),
  pullRequest: wholeNumber.exactOptional(),
});

export type RunProvenance = Stored<typeof provenanceSchema>;

export const cacheModes = ['use', 'refresh', 'replay', 'off'] as const;

export type CacheMode = (typeof cacheModes)[number];

/** A provider and its possible replacements. */
const providerSwapSchema = z.object({
  provider: z.string(),
  /** Ids of providers. */
  candidates: z.array(z.string()),
});

export type ProviderSwap = Stored<typeof providerSwapSchema>;

/** A setting that became less strict. Values are as written, `none` if there is no limit. */
const loosenedSchema = z.object({
  /** Absent for a setting of the config. */
  suite: z.string().exactOptional(),
  key: z.string(),
  old: z.string(),
  new: z.string(),
  /** The affected cases, if the key is one of `loosenedCases`. */
  cases: z.array(z.string()).exactOptional(),
});

export type Loosened = Stored<typeof loosenedSchema>;

/** The ways in which a change can loosen cases. `removed` counts only must-pass cases. */
export const loosenedCases = ['removed', 'mustPass', 'observe', 'skip', 'slices', 'trials'] as const;
export type LoosenedCases = (typeof loosenedCases)[number];

/** The part of a run that a record holds. */
const recordedShardSchema = z.object({
  /** The number of the shard, from 1. */
  index: z.int().positive(),
  count: z.int().positive(),
  /**
   * Hash of all cases of all shards and their case hashes. Shards with another value are not merged. Absent in older
   * records.
   */
  selection: z.string().exactOptional(),
  /**
   * Hash of the whole run's suites, variants and trials. Shards with another value are not merged. Absent in older
   * records.
   */
  plan: z.string().exactOptional(),
  /** True if another selection besides the shard left cells out. */
  filtered: z.boolean().exactOptional(),
  /** Number of cases in the other shards, by suite. The bound on false alarms covers the whole run. */
  otherCases: z.record(z.string(), wholeNumber).exactOptional(),
});

export type RecordedShard = Stored<typeof recordedShardSchema>;

/** The settings for the decision. With them, a record can be judged again without the project. */
const runSettingsSchema = z.object({
  cacheMode: z.enum(cacheModes),
  /** A count, or a fraction of the planned cells. */
  maxErrors: z.union([z.object({ count: wholeNumber }), z.object({ fraction: share })]),
  allowEmpty: z.boolean(),
  requireConclusive: z.boolean(),
  /**
   * The other side of the comparison: `auto` is the file beside the suite. Absent in records from before comparisons
   * existed.
   */
  baseline: z.union([z.enum(['auto', 'none']), z.object({ source: z.string() })]).exactOptional(),
  /** Two or more prompt versions compared within the run; the first is the baseline. */
  compare: z.array(z.string()).exactOptional(),
  /** Providers that this run only compares with each other: `--swap`, or `--compare` of providers. */
  swap: z.array(providerSwapSchema).exactOptional(),
  maxCostUsd: magnitude.exactOptional(),
  shard: recordedShardSchema.exactOptional(),
  /** Shards that were merged into this run. */
  mergedShards: wholeNumber.exactOptional(),
  /** Set for a run that looks for drift. It fails if a case fails although its request has not changed. */
  drift: z.literal(true).exactOptional(),
  /** Set for a run that may end before its plan (`--early`). `order` seeds the random order of its cases. */
  early: z.object({ order: z.string() }).exactOptional(),
  /** Absent if every selected path has a case. */
  emptySelections: z.array(emptySelectionSchema).exactOptional(),
  /** The ref in words, if the run took only suites that changed since that ref. */
  changedSince: z.string().exactOptional(),
  /** Set if the record holds all that its decision needs; absent in older records. */
  isSelfContained: z.literal(true).exactOptional(),
  /** Settings that the change loosens against the compared commit; absent if it loosens none. */
  loosened: z.array(loosenedSchema).exactOptional(),
});

export type RunSettings = Stored<typeof runSettingsSchema>;

/** The first line of a run record. */
export const runHeaderSchema = z.object({
  type: z.literal('run'),
  format: z.literal(recordFormat),
  id: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  tool: z.object({ name: z.literal('llmcheck'), version: z.string() }),
  settings: runSettingsSchema,
  /** Absent if nothing is known, and in older records. */
  provenance: provenanceSchema.exactOptional(),
  /** The paths and flags that selected the cells, for `--resume`. */
  invocation: jsonObject.exactOptional(),
  suites: z.array(z.preprocess(withNewerNames, recordedSuiteSchema)),
});

export type RunHeader = Stored<typeof runHeaderSchema>;

/** Older records have `uncalibrated` for judges that may not decide. */
function withNewerNames(suite: unknown): unknown {
  if (!isJsonObject(suite) || suite['uncalibrated'] === undefined) return suite;
  return { unvalidated: suite['uncalibrated'], ...suite };
}

const recordedCallSchema = z.object({
  requestHash: z.string(),
  cached: z.boolean(),
  attempts: wholeNumber,
  /** Absent if it was not measured. */
  latencyMs: magnitude.exactOptional(),
  costUsd: z.number().nullable(),
  usage: usageSchema.exactOptional(),
  /** Only in conversations, because `output` has only the last answer. */
  text: z.string().exactOptional(),
});

export type RecordedCall = Stored<typeof recordedCallSchema>;

const askedMessageSchema = z.object({
  role: z.string(),
  content: z.string(),
  /** Length of the whole text in characters, if `content` is cut. */
  ofChars: wholeNumber.exactOptional(),
  /** Paths of attached files. */
  attach: z.array(z.string()).exactOptional(),
});

export type AskedMessage = Stored<typeof askedMessageSchema>;

/** A message after the model's answer: the user's next question, or the result of the tool `name`. */
const askedTurnSchema = askedMessageSchema
  .omit({ attach: true })
  .extend({ role: z.enum(['user', 'tool']), name: z.string().exactOptional() });

export type AskedTurn = Stored<typeof askedTurnSchema>;

/** The input of a case, for people to read. A text beyond the limit is cut. */
const askedCaseSchema = z.object({
  messages: z.array(askedMessageSchema),
  turns: z.array(askedTurnSchema).exactOptional(),
  tags: z.array(z.string()).exactOptional(),
  description: z.string().exactOptional(),
});

export type AskedCase = Stored<typeof askedCaseSchema>;

/** The names of a cell. */
const cellKeyShape = {
  suite: z.string(),
  prompt: z.string(),
  provider: z.string(),
  caseId: z.string(),
  // Far more than any case has: a larger number is damage.
  trial: z.int().min(0).max(0xffff_ffff).describe('0-based repetition.'),
};

/** An amount in USD; null if it is not known. */
const usd = z.number().nullable().optional();

/** What a trial showed. Rows of records and of baselines have these members. */
export const trialShape = {
  trial: cellKeyShape.trial,
  status: z.enum(cellStatuses),
  score: share.optional().describe('Absent if nothing was judged.'),
  classified: rowClassSchema
    .optional()
    .describe('The class of the answer; absent if the suite has no classes, and in older records.'),
  checks: z.array(recordedCheckSchema).describe('What each check said.'),
  usage: usageSchema.optional(),
  latencyMs: magnitude.optional().describe('Summed over a conversation; absent if no answer was timed.'),
  firstTokenMs: magnitude.optional().describe('The time of the last answer; absent if it was not streamed.'),
  steps: wholeNumber.optional().describe("Number of answers, if the cell's tool calls were answered; else absent."),
  finishReason: z.enum(finishReasons).optional(),
  output: z.string().optional(),
  toolCalls: z
    .array(toolCallSchema)
    .optional()
    .describe("The tool calls of the answer. If the case's tools answered calls: all calls of the model."),
  trajectory: z
    .array(agentStepSchema)
    .optional()
    .describe("All answers and tool results, if the cell's tool calls were answered; else absent."),
  state: jsonValue.optional().describe("The final state of the case's tools."),
  reasoning: z.string().optional(),
  refusal: z.string().optional(),
  answerHash: z
    .string()
    .optional()
    .describe('Hash of text and tool calls. Absent if there was no answer, and in older records.'),
  answerId: z.string().optional().describe('The id of this answer. A new call with the same answer gets another id.'),
};

/**
 * The part of a row for counting, comparing and deciding. It is at the start of the line, so that it can be read alone.
 * Members without a value are not written.
 */
const rowHeadShape = {
  type: z.literal('cell'),
  ...cellKeyShape,
  caseHash: filledText,
  status: trialShape.status,
  observe: z.literal(true).optional(),
  mustPass: z.literal(true).optional(),
  /** The common source of several cases, which are not independent evidence. */
  group: z.string().optional(),
  /** The gated slices that the case is in; absent if it is in none, and in older records. */
  slices: z.array(z.string()).optional(),
  classified: trialShape.classified,
  confirmation: z.literal(true).optional(),
  /** Set if the accepted prompt was asked again, beside the candidate. */
  side: z.literal('accepted').optional(),
  /** The shard that the row comes from, from 1; only in a merged record. */
  shard: wholeNumber.optional(),
  /** True if every answer of the cell came without a request. */
  cached: z.boolean(),
  score: trialShape.score,
  latencyMs: trialShape.latencyMs,
  firstTokenMs: trialShape.firstTokenMs,
  /** Number of cells of the same provider that began earlier; absent without a latency, and in older records. */
  position: wholeNumber.optional(),
  /** The cost as if nothing were cached. Null if no price is known; absent if there was no answer. */
  costUsd: usd,
  steps: trialShape.steps,
  /** Billed by this run. */
  spentUsd: usd,
  judgeCostUsd: usd,
  answerHash: trialShape.answerHash,
  answerId: trialShape.answerId,
  usage: trialShape.usage,
  model: z.string().optional(),
  skip: z.object({ reason: z.enum(['case', ...stopReasons]), message: z.string().exactOptional() }).optional(),
};

export const rowHeadSchema = z.object(rowHeadShape);

export type RowHead = Stored<typeof rowHeadSchema>;

/** One line a finished cell; the last line of a cell wins. The order of the members is that of a line. */
export const cellRowSchema = z.object({
  ...rowHeadShape,
  /** Two results with the same hash are of the same request, turns, checks and threshold. */
  cellHash: z.string(),
  at: z.object({ file: z.string(), line: wholeNumber, column: wholeNumber }),
  calls: z.array(recordedCallSchema),
  /** Only on the first trial: the others sent the same. */
  asked: askedCaseSchema.optional(),
  output: trialShape.output,
  reasoning: trialShape.reasoning,
  refusal: trialShape.refusal,
  toolCalls: trialShape.toolCalls,
  trajectory: trialShape.trajectory,
  state: trialShape.state,
  finishReason: trialShape.finishReason,
  systemFingerprint: z.string().optional(),
  checks: trialShape.checks,
  attempts: wholeNumber,
  error: z
    .object({
      kind: z.enum(failureKinds),
      message: z.string(),
      status: z.number().exactOptional(),
      attempts: wholeNumber,
    })
    .optional(),
});

export type CellRow = Stored<typeof cellRowSchema>;

/** Written when a run goes on in an existing record. */
export const resumeRowSchema = z.object({ type: z.literal('resume'), startedAt: z.string() });

export type ResumeRow = Stored<typeof resumeRowSchema>;

/** The last line of a run that was not killed. */
export const endRowSchema = z.object({
  type: z.literal('end'),
  durationMs: z.number(),
  stopReason: z.enum(stopReasons).exactOptional(),
  /** Once-per-run remarks that a report repeats. */
  notes: z.array(z.string()),
});

export type EndRow = Stored<typeof endRowSchema>;
