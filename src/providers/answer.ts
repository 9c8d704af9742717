import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import {
  type Completion,
  type CompletionOutcome,
  type FailureKind,
  type FinishReason,
  findBrokenReason,
  type ProviderFailure,
  type ToolCall,
  type Usage,
} from '../model/run/completion.ts';
import { kindOfApiError } from './failures/classify-failure.ts';
import { describeText, readApiError } from './failures/read-api-error.ts';

/** The answer read from a body, or a failure. */
export type Answer = { readonly completion: Completion } | { readonly failure: ProviderFailure };

/** Builds a tool call. Most APIs send the arguments as JSON text, some send them parsed. */
export function buildToolCall(id: unknown, name: unknown, rawArguments: unknown): ToolCall {
  const raw = typeof rawArguments === 'string' ? rawArguments : (writeJson(rawArguments ?? {}) ?? '{}');
  return {
    ...defined({ id: text(id) }),
    name: text(name) ?? '',
    arguments: parseArguments(raw),
    rawArguments: raw,
  };
}

/** Converts the answer of one sent attempt to an outcome. */
export function toOutcome(answer: Answer): CompletionOutcome {
  return 'completion' in answer
    ? { status: 'completed', completion: answer.completion, cached: false, attempts: 1 }
    : fail(answer.failure);
}

/** A failed outcome. `attempts` is 0 if nothing was sent. */
export function fail(failure: ProviderFailure, attempts = 1): CompletionOutcome {
  return { status: 'failed', failure, attempts };
}

/** The failure of an answer that the content filter refused. `usage` holds the billed tokens if reported. */
export function filtered(apiReason?: string, usage?: Usage): Answer {
  const shown = apiReason === undefined ? '' : ` (${describeText(apiReason)})`;
  const message = `the provider's content filter refused the answer${shown}`;
  return { failure: { kind: 'contentFilter', message, ...defined({ usage }) } };
}

/** The failure of an unreadable answer. `usage` holds the billed tokens if reported. */
export function malformed(found: string, usage?: Usage): Answer {
  const message = `the answer is not a completion: ${found}`;
  return { failure: { kind: 'malformed', message, ...defined({ usage }) } };
}

export function usageOf(answer: Answer): Usage | undefined {
  return 'failure' in answer ? answer.failure.usage : answer.completion.usage;
}

/** Reads a body, which must be an object without an error. A failed answer keeps its billed usage. */
export function readBody(
  body: unknown,
  read: (body: JsonObject) => Answer,
  readUsage: (body: JsonObject) => Usage | undefined,
): Answer {
  if (!isJsonObject(body)) return malformed('it is not a JSON object');
  const answer = refuseLostCalls(readErrorUnderSuccess(body) ?? read(body));
  if (!('failure' in answer) || !billedKinds.has(answer.failure.kind)) return answer;
  return { failure: { ...answer.failure, ...defined({ usage: readUsage(body) }) } };
}

const billedKinds: ReadonlySet<FailureKind> = new Set(['malformed', 'contentFilter']);

/**
 * Refuses an answer with an unnamed or lost tool call: it would pass a check that forbids the call. One that the model
 * wrote wrong is an answer, which fails its case.
 */
export function refuseLostCalls(answer: Answer): Answer {
  if ('failure' in answer) return answer;
  const { toolCalls, finishReason, text: answerText, refusal, usage } = answer.completion;
  if (toolCalls.some(({ name }) => name === '')) return malformed('a tool call has no name', usage);
  if (findBrokenReason(answer.completion) !== undefined) {
    return { completion: { ...answer.completion, finishReason: 'other' } };
  }
  const isLost = finishReason === 'toolCalls' && toolCalls.length === 0 && answerText === '' && refusal === undefined;
  return isLost ? malformed('it stopped for tool calls, and holds none', usage) : answer;
}

/** Reads an error object sent with a success status; undefined if there is none. */
export function readErrorUnderSuccess(body: JsonObject): Answer | undefined {
  const error = body['error'];
  if (error === undefined || error === null) return undefined;
  const reported = readApiError(body);
  if (reported === undefined) return malformed(`its "error" is ${describeText(JSON.stringify(error))}`);
  const message = `the server reported an error under a successful status: ${describeText(reported.message)}`;
  return { failure: { kind: kindOfApiError(reported), message } };
}

/** Returns a non-empty string; undefined for anything else. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Why the parts of an answer can't be read; undefined if they can. Skipping such parts would leave an empty answer, and
 * the prompt would be blamed.
 */
export function findUnreadable(parts: JsonValue | undefined, where: string): string | undefined {
  if (!Array.isArray(parts)) return `${where} is ${describeType(parts)}`;
  for (const part of parts as readonly JsonValue[]) {
    if (!isJsonObject(part)) return `${where} holds ${describeType(part)}`;
    const { text: partText = null } = part;
    if (partText !== null && typeof partText !== 'string') return `a "text" in ${where} is ${describeType(partText)}`;
  }
  return undefined;
}

function describeType(value: JsonValue | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Returns the answer with the lowest `index`, in whatever order they are listed. Google leaves out index 0. */
export function firstByIndex(answers: JsonValue | undefined): JsonValue | undefined {
  const indexOf = (answer: JsonValue) => (isJsonObject(answer) ? (count(answer['index']) ?? 0) : 0);
  // The sort is stable.
  return list(answers).toSorted((a, b) => indexOf(a) - indexOf(b))[0];
}

/** Why an `index` can't be read; undefined if all can. */
export function findIndexFault(answers: JsonValue | undefined): string | undefined {
  for (const answer of list(answers)) {
    const index = isJsonObject(answer) ? (answer['index'] ?? 0) : 0;
    if (!Number.isInteger(index)) return `an "index" is ${describeText(writeJson(index) ?? '')}, not an integer`;
  }
  return undefined;
}

/** A lone surrogate. JSON can escape it, but UTF-8 can't encode it. */
export const halfCharacter = 'half of a character (a lone surrogate)';

export function hasHalfCharacter({
  text: answerText,
  reasoning,
  refusal,
  toolCalls,
  steps,
  state,
}: Omit<Completion, 'latencyMs'>): boolean {
  // `JSON.stringify` escapes only lone surrogates.
  return /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(JSON.stringify([answerText, reasoning, refusal, toolCalls, steps, state]));
}

/** Joins the parts of the reasoning; undefined if there is none. */
export function joinReasoning(parts: readonly (string | undefined)[]): string | undefined {
  return text(parts.filter((part) => part !== undefined && part !== '').join('\n\n'));
}

/** Parses arguments. The model writes them, so they may be no JSON. Some servers write `{}` as an empty text. */
function parseArguments(raw: string): JsonValue | undefined {
  if (raw.trim() === '') return {};
  const parsed = parseJson(raw);
  return parsed.ok ? (parsed.value as JsonValue) : undefined;
}

/** Maps the API's finish reason to ours. Without a reason, tool calls mean `toolCalls`. */
export function mapFinishReason(
  reasons: Readonly<Record<string, FinishReason>>,
  raw: string | undefined,
  toolCalls: readonly ToolCall[],
): FinishReason | undefined {
  if (raw === undefined) return toolCalls.length > 0 ? 'toolCalls' : undefined;
  return Object.hasOwn(reasons, raw) ? (reasons[raw] ?? 'other') : 'other';
}

/** Reads a token count; undefined for anything but a non-negative integer. */
export function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Reads the usage of an API that counts cached tokens separately from the input; undefined if a total is missing. */
export function readCacheApart(
  counts: Readonly<Record<'fresh' | 'output' | 'cached' | 'written', JsonValue | undefined>>,
): Usage | undefined {
  const freshTokens = count(counts.fresh);
  const outputTokens = count(counts.output);
  if (freshTokens === undefined || outputTokens === undefined) return undefined;
  const cachedInputTokens = count(counts.cached);
  const cacheWriteTokens = count(counts.written);
  return {
    inputTokens: freshTokens + (cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0),
    outputTokens,
    ...defined({ cachedInputTokens, cacheWriteTokens }),
  };
}

/** Reads usage in Anthropic's names, which coding agents use too. */
export function readAnthropicUsage(usage: JsonObject): Usage | undefined {
  return readCacheApart({
    fresh: usage['input_tokens'],
    output: usage['output_tokens'],
    cached: usage['cache_read_input_tokens'],
    written: usage['cache_creation_input_tokens'],
  });
}

/**
 * Reads the usage of an API whose totals include their parts; undefined if a total is missing. If a part is larger than
 * its total, the server is wrong, and the total is billed.
 */
export function readTotals(
  counts: Readonly<Partial<Record<Exclude<keyof Usage, 'costUsd'>, JsonValue | undefined>>>,
): Usage | undefined {
  const inputTokens = count(counts.inputTokens);
  const outputTokens = count(counts.outputTokens);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const partOf = (total: number, value: JsonValue | undefined): number | undefined => {
    const part = count(value);
    return part === undefined ? undefined : Math.min(part, total);
  };
  return {
    inputTokens,
    outputTokens,
    ...defined({
      cachedInputTokens: partOf(inputTokens, counts.cachedInputTokens),
      cacheWriteTokens: partOf(inputTokens, counts.cacheWriteTokens),
      reasoningTokens: partOf(outputTokens, counts.reasoningTokens),
      inputAudioTokens: partOf(inputTokens, counts.inputAudioTokens),
      outputAudioTokens: partOf(outputTokens, counts.outputAudioTokens),
    }),
  };
}
