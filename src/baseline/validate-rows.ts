import { areTexts, type FieldsOf, type Guard, isSwitch, isText, listOf, objectOf, optional } from '../json/guards.ts';
import { isJsonObject } from '../json/json.ts';
import type { BaselineCase, BaselineTrial, BaselineVariant } from '../model/comparison/baseline.ts';
import { type AgentStep, finishReasons, type ToolCall, type ToolResult, type Usage } from '../model/run/completion.ts';
import type { StoredChecks } from '../model/run/deciding-lines.ts';
import type { RecordedCheck } from '../model/run/record.ts';
import type { PooledTrials } from '../model/run/summary.ts';
import type { Judgement } from '../model/run/verdict.ts';
import type { TemplateLanguage, WrittenMessage } from '../model/suite/suite.ts';
import { isCount, isMagnitude, isRowClass, isShare, isTrialNumber } from '../record/row-guards.ts';
import type { Moments } from '../stats/descriptive.ts';

export function isBaselineVariant(row: unknown): row is BaselineVariant {
  return isJsonObject(row) && row['type'] === 'variant' && isVariantBody(row);
}

export function isBaselineCase(row: unknown): row is BaselineCase {
  return isJsonObject(row) && row['type'] === 'case' && isCaseBody(row);
}

export function isStoredChecks(row: unknown): row is StoredChecks {
  return isJsonObject(row) && row['type'] === 'checks' && isChecksBody(row);
}

/** Says why a value is neither a variant nor a case. */
export function describeRowFault(row: unknown): string {
  if (!isJsonObject(row)) return 'it is not a JSON object';
  const { type } = row;
  const fields = fieldsOf(type);
  if (fields === undefined) return 'its "type" is neither "variant", "case" nor "checks"';
  const [wrong = 'type'] = Object.entries(fields).find(([name, test]) => !test(row[name])) ?? [];
  return Object.hasOwn(row, wrong) ? `its "${wrong}" has the wrong type or value` : `it has no "${wrong}"`;
}

function fieldsOf(type: unknown): Readonly<Record<string, Guard>> | undefined {
  switch (type) {
    case 'case':
      return caseFields;
    case 'variant':
      return variantFields;
    case 'checks':
      return checksFields;
    default:
      return undefined;
  }
}

const statuses: ReadonlySet<unknown> = new Set<BaselineTrial['status']>(['passed', 'failed', 'errored', 'skipped']);
const knownFinishReasons: ReadonlySet<unknown> = new Set(finishReasons);

const judgementFields: FieldsOf<Judgement> = {
  judge: isText,
  model: optional(isText),
  votes: isCount,
  agreement: isShare,
  positions: optional(objectOf({ first: isCount, second: isCount, tie: isCount })),
  check: isText,
};

const checkFields: FieldsOf<RecordedCheck> = {
  assertion: isText,
  name: optional(isText),
  pass: isSwitch,
  score: isShare,
  reason: isText,
  weight: optional(isMagnitude),
  required: optional(isSwitch),
  diff: optional(objectOf({ expected: isText, found: isText })),
  turn: optional(isCount),
  error: optional(isText),
  judgement: optional(objectOf(judgementFields)),
};

function usageFieldsOf(isTokens: Guard): FieldsOf<Usage> {
  return {
    inputTokens: isTokens,
    outputTokens: isTokens,
    cachedInputTokens: optional(isTokens),
    cacheWriteTokens: optional(isTokens),
    reasoningTokens: optional(isTokens),
    inputAudioTokens: optional(isTokens),
    outputAudioTokens: optional(isTokens),
    costUsd: optional(isMagnitude),
  };
}

const usageFields = usageFieldsOf(isCount);

const toolCallFields: FieldsOf<ToolCall> = {
  id: optional(isText),
  name: isText,
  arguments: () => true,
  rawArguments: isText,
};

const resultFields: FieldsOf<ToolResult> = {
  content: isText,
  isError: optional(isSwitch),
  latencyMs: optional(isMagnitude),
};

const stepFields: FieldsOf<AgentStep> = {
  text: isText,
  calls: listOf(objectOf({ ...toolCallFields, result: optional(objectOf(resultFields)) })),
  latencyMs: optional(isMagnitude),
  usage: optional(objectOf(usageFields)),
};

const trialFields: FieldsOf<BaselineTrial> = {
  trial: isTrialNumber,
  status: (value) => statuses.has(value),
  score: optional(isShare),
  classified: optional(isRowClass),
  checks: listOf(objectOf(checkFields)),
  usage: optional(objectOf(usageFields)),
  latencyMs: optional(isMagnitude),
  firstTokenMs: optional(isMagnitude),
  steps: optional(isCount),
  finishReason: optional((value) => knownFinishReasons.has(value)),
  output: optional(isText),
  toolCalls: optional(listOf(objectOf(toolCallFields))),
  trajectory: optional(listOf(objectOf(stepFields))),
  state: () => true,
  reasoning: optional(isText),
  refusal: optional(isText),
  answerHash: optional(isText),
  answerId: optional(isText),
};

const momentsFields: FieldsOf<Moments> = { n: isCount, mean: isMagnitude, squares: isMagnitude };

const pooledFields: FieldsOf<PooledTrials> = {
  runs: isCount,
  trials: isCount,
  failures: isCount,
  score: objectOf({ ...momentsFields, mean: isShare }),
  latencyMs: optional(objectOf(momentsFields)),
  answered: isCount,
  // Average token counts need not be whole numbers.
  usage: optional(objectOf(usageFieldsOf(isMagnitude))),
  answers: areTexts,
};

const isPooledBody = objectOf(pooledFields);

/** Checks the shape and the counts: more failures than trials would mean a negative number of passes. */
function isPooled(value: unknown): value is PooledTrials {
  if (!isPooledBody(value)) return false;
  const { runs, trials, failures, answered, score } = value as PooledTrials;
  return runs > 0 && trials > 0 && failures <= trials && answered <= trials && score.n === trials;
}

const caseFields: FieldsOf<BaselineCase> = {
  prompt: isText,
  provider: isText,
  caseId: isText,
  caseHash: isFilled,
  mustPass: optional((value) => value === true),
  group: optional(isFilled),
  trials: filledListOf(objectOf(trialFields)),
  confirmations: optional(listOf(objectOf(trialFields))),
  pooled: optional(isPooled),
  otherVariant: optional((value) => value === true),
};

/** The messages of a prompt in code: a number of a line that is not there would leave the line out in silence. */
function isRenderedTable(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { lines, cases } = value;
  if (!Array.isArray(lines) || !lines.every(isText) || !isJsonObject(cases)) return false;
  const { length } = lines;
  const isMessage = (message: unknown) =>
    Array.isArray(message) && message.length === 2 && isText(message[0]) && areRuns(message[1], length);
  return Object.values(cases).every(listOf(isMessage));
}

/** Numbers below a limit and runs of them: `0-3 7`. */
function areRuns(value: unknown, limit: number): boolean {
  if (typeof value !== 'string') return false;
  return value.split(' ').every((run) => {
    const [, from = '', to = from] = /^(\d+)(?:-(\d+))?$/.exec(run) ?? [];
    return from !== '' && Number(from) <= Number(to) && Number(to) < limit;
  });
}

const languageNames: ReadonlySet<unknown> = new Set<TemplateLanguage['name']>([
  'braces',
  'code',
  'handlebars',
  'jinja',
]);

const languageFields: FieldsOf<TemplateLanguage> = {
  name: (value) => languageNames.has(value),
  rendered: optional(isRenderedTable),
  variables: optional(areTexts),
  partials: optional((value) => isJsonObject(value) && Object.values(value).every(isText)),
  defaults: optional(isJsonObject),
  optional: optional(areTexts),
};

const messageFields: FieldsOf<WrittenMessage> = {
  role: isText,
  content: isText,
  attach: optional(areTexts),
  language: optional(objectOf(languageFields)),
};

/**
 * Checks stored messages. A prompt in code must have each case's messages, because its texts are only their common
 * part.
 */
function areMessages(value: unknown): boolean {
  if (!listOf(objectOf(messageFields))(value)) return false;
  const [first] = value as readonly WrittenMessage[];
  return first?.language?.name !== 'code' || first.language.rendered !== undefined;
}

const variantFields: FieldsOf<BaselineVariant> = {
  prompt: isText,
  provider: isText,
  adapter: isText,
  model: isText,
  baseUrl: optional(isText),
  adapterVersion: optional(isText),
  params: isJsonObject,
  options: optional(isJsonObject),
  messages: areMessages,
  replaces: optional(isText),
  replacesProvider: optional(isText),
  contract: isJsonObject,
  models: areTexts,
};

const checksFields: FieldsOf<StoredChecks> = {
  hash: isFilled,
  checks: listOf(isJsonObject),
  threshold: optional(isShare),
};

const isChecksBody = objectOf(checksFields);
const isCaseBody = objectOf(caseFields);
const isVariantBody = objectOf(variantFields);

function filledListOf(test: Guard): Guard {
  return (value) => Array.isArray(value) && value.length > 0 && value.every(test);
}

function isFilled(value: unknown): boolean {
  return isText(value) && value !== '';
}
