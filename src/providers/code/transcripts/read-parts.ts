/*
 * Reads the parts of messages. Sources, read on 2026-11-27: the API references of OpenAI (chat completions) and
 * Anthropic (messages), langchain-ai/langchain (libs/core/langchain_core/messages) and vercel/ai (packages/ai,
 * generate-text and prompt).
 */

import { writeJson } from '../../../json/canonical-json.ts';
import { defined } from '../../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../json/json.ts';
import type {
  AgentStep,
  AnsweredCall,
  FailureKind,
  FinishReason,
  ProviderFailure,
  ToolResult,
  Usage,
} from '../../../model/run/completion.ts';
import { groupBy } from '../../../text/group-by.ts';
import { plainNumbers } from '../../../text/yaml/exact-numbers.ts';
import { buildToolCall } from '../../answer.ts';
import { describeText } from '../../failures/read-api-error.ts';

/** Text, calls and results in a message. */
export interface Parts {
  readonly text: string;
  readonly calls: readonly AnsweredCall[];
  readonly results: readonly FoundResult[];
}

/** A result and the id of its call. */
export interface FoundResult {
  readonly id: JsonValue | undefined;
  readonly result: ToolResult;
}

/** Types of parts without text or calls. */
const silent = new Set([
  'thinking',
  'redacted_thinking',
  'reasoning',
  'redacted-reasoning',
  'reasoning_content',
  'image',
  'image_url',
  'input_audio',
  'audio',
  'file',
  'document',
  'source',
  'search_result',
  'container_upload',
  'tool-approval-request',
  'tool-approval-response',
]);

/** Id, name and arguments of a call, unchecked. */
type CallParts = readonly [JsonValue | undefined, JsonValue | undefined, JsonValue | undefined];

/** Readers of a call's id, name and arguments, by the type of its part. */
const callParts: Readonly<Record<string, (part: JsonObject) => CallParts>> = {
  // Anthropic, and its own tools.
  tool_use: ({ id, name, input }) => [id, name, input],
  server_tool_use: ({ id, name, input }) => [id, name, input],
  mcp_tool_use: ({ id, name, input }) => [id, name, input],
  // Vercel AI SDK: `args` until version 4.
  'tool-call': ({ toolCallId, toolName, input, args }) => [toolCallId, toolName, input ?? args],
  // LangChain.
  tool_call: ({ id, name, args }) => [id, name, args],
  server_tool_call: ({ id, name, args }) => [id, name, args],
  invalid_tool_call: ({ id, name, args }) => [id, name, args],
  function_call: ({ call_id, id, name, arguments: args }) => [call_id ?? id, name, args],
};

/** Reads a message's content. `where` names it in the fault: messages.3. */
export function readParts(content: JsonValue | undefined, where: string): Parts {
  if (content === undefined || content === null) return { text: '', calls: [], results: [] };
  if (typeof content === 'string') return { text: content, calls: [], results: [] };
  if (!Array.isArray(content))
    throw new TranscriptFault(`wrote ${where} with a content that is ${describeType(content)}`);
  const read = (content as readonly JsonValue[]).map((part, at) => readPart(part, `${where}.content.${at}`));
  return {
    text: read.map(({ text }) => text).join(''),
    calls: read.flatMap((part) => part.calls),
    results: read.flatMap((part) => part.results),
  };
}

function readPart(part: JsonValue, where: string): Parts {
  if (typeof part === 'string') return { text: part, calls: [], results: [] };
  if (!isJsonObject(part)) throw new TranscriptFault(`wrote ${where} that is ${describeType(part)}`);
  const { type } = part;
  const call = typeof type === 'string' && Object.hasOwn(callParts, type) ? callParts[type] : undefined;
  if (call !== undefined) {
    const [id, name, args] = call(part);
    return { text: '', calls: [readCall(id, name, args, where)], results: [] };
  }
  if (type === 'text' || type === 'output_text' || type === 'refusal') {
    const partText = part[type === 'refusal' ? 'refusal' : 'text'];
    if (typeof partText === 'string') return { text: partText, calls: [], results: [] };
  } else if (isResult(type)) {
    return { text: '', calls: [], results: [readResult(part)] };
  } else if (typeof type === 'string' && silent.has(type)) {
    return { text: '', calls: [], results: [] };
  }
  throw new TranscriptFault(
    `wrote ${where} of the type ${describeText(describeType(type))}, which llmcheck can't read`,
  );
}

/** Reads a call, which must have a name: no check would see it otherwise. */
export function readCall(
  id: JsonValue | undefined,
  name: JsonValue | undefined,
  args: JsonValue | undefined,
  where: string,
): AnsweredCall {
  if (typeof name === 'string' && name !== '') return buildToolCall(id, name, args);
  throw new TranscriptFault(`wrote ${where} that is a tool call without a name`);
}

function isResult(type: JsonValue | undefined): boolean {
  return (
    type === 'tool-result' || type === 'tool-error' || (typeof type === 'string' && /(?:^|_)tool_result$/.test(type))
  );
}

function readResult(part: JsonObject): FoundResult {
  if (part['type'] === 'tool-error') {
    return { id: part['toolCallId'], result: buildResult(describeError(part['error']), true) };
  }
  if (part['type'] === 'tool-result') {
    const { toolCallId: id, output, result, isError } = part;
    const { value, isFault } = unwrapOutput(output === undefined ? result : output);
    return { id, result: buildResult(value, isFault || isError === true) };
  }
  const { tool_use_id: id, content, is_error: isError } = part;
  return { id, result: buildResult(textOf(content), isError === true) };
}

/** Unwraps the typed outputs of the AI SDK's messages. */
function unwrapOutput(output: JsonValue | undefined): {
  readonly value: JsonValue | undefined;
  readonly isFault: boolean;
} {
  if (!isJsonObject(output)) return { value: output, isFault: false };
  const { value, reason } = output;
  const type = typeof output['type'] === 'string' ? output['type'] : '';
  if (type === 'execution-denied') return { value: reason ?? 'denied', isFault: true };
  if (value === undefined || !['text', 'json', 'content', 'error-text', 'error-json'].includes(type)) {
    return { value: output, isFault: false };
  }
  return { value, isFault: type.startsWith('error-') };
}

function describeError(error: JsonValue | undefined): JsonValue {
  if (isJsonObject(error)) return error['message'] ?? error;
  return error ?? 'failed';
}

/** Joins a result's content if it is only text; other content is returned as is. */
export function textOf(content: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(content)) return content;
  const texts = (content as readonly JsonValue[]).map((part) =>
    typeof part === 'string' ? part : isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : undefined,
  );
  return texts.every((text) => text !== undefined) ? texts.join('') : content;
}

/**
 * Builds a result. Text stays as it is, and any other value becomes JSON. A missing value is `null`, as for a module's
 * tool.
 */
export function buildResult(result: unknown, isError: boolean): ToolResult {
  const content = typeof result === 'string' ? result : (writeJson(plainNumbers(result ?? null)) ?? '');
  return { content, ...defined({ isError: isError || undefined }) };
}

/** Adds its result to each call. A result without a call shows that a call was not read. */
export function joinResults(
  steps: readonly AgentStep[],
  results: readonly FoundResult[],
  what: string,
): readonly AgentStep[] {
  const ids = new Set<JsonValue | undefined>(steps.flatMap(({ calls }) => calls.map(({ id }) => id)));
  const lost = results.find(({ id }) => id === undefined || !ids.has(id));
  if (lost !== undefined) {
    const id = describeText(describeType(lost.id));
    throw new TranscriptFault(`wrote ${what} with a tool's result for the call ${id}, and no such call`);
  }
  const resultOf = pairResults(steps, results, what);
  return steps.map((step) => ({
    ...step,
    calls: step.calls.map((call) => ({ ...call, ...defined({ result: resultOf.get(call) }) })),
  }));
}

/**
 * Pairs calls and results. Some servers restart ids at 0 in each answer; then results have the order of their calls.
 */
function pairResults(
  steps: readonly AgentStep[],
  results: readonly FoundResult[],
  what: string,
): ReadonlyMap<AnsweredCall, ToolResult> {
  const pairs = new Map<AnsweredCall, ToolResult>();
  const resultsOf = groupBy(results, ({ id }) => id);
  for (const [id, made] of groupBy(
    steps.flatMap(({ calls }) => calls),
    ({ id }) => id,
  )) {
    const found = id === undefined ? [] : (resultsOf.get(id) ?? []);
    if (made.length > 1 && found.length > 0 && found.length !== made.length) {
      const shown = describeText(describeType(id));
      throw new TranscriptFault(
        `wrote ${what} with ${made.length} calls of the id ${shown} and ${found.length} of their results`,
      );
    }
    for (const [at, call] of made.entries()) {
      const answer = made.length > 1 ? found[at] : found.at(-1);
      if (answer !== undefined) pairs.set(call, answer.result);
    }
  }
  return pairs;
}

/** An agent's record of its own work. */
export interface Transcript {
  readonly steps: readonly AgentStep[];
  /** The answer's text, if the record has it apart from the last step. */
  readonly text?: string;
  readonly usage?: Usage;
  readonly model?: string;
  readonly finishReason?: FinishReason;
}

/**
 * An unreadable part of a record. Skipping it could hide a call that a check forbids. The message continues a sentence
 * about the program: "wrote messages, but …".
 */
export class TranscriptFault extends Error {
  readonly kind: FailureKind;
  readonly usage: Usage | undefined;

  constructor(message: string, kind: FailureKind = 'malformed', usage?: Usage) {
    super(message);
    this.name = 'TranscriptFault';
    this.kind = kind;
    this.usage = usage;
  }

  toFailure(): ProviderFailure {
    const { kind, message, usage } = this;
    // No retry: the agent may fail the same way again, and each attempt takes as long.
    return { kind, message, retryable: false, ...defined({ usage }) };
  }
}

/** Sums usage; undefined if one part is unknown, since a partial sum would look complete. */
export function addUsages(usages: readonly (Usage | undefined)[]): Usage | undefined {
  const known = usages.filter((usage) => usage !== undefined);
  if (known.length === 0 || known.length < usages.length) return undefined;
  const sum: Record<string, number> = {};
  for (const usage of known) {
    for (const [field, value] of Object.entries(usage)) sum[field] = (sum[field] ?? 0) + value;
  }
  const { inputTokens = 0, outputTokens = 0, costUsd, ...parts } = sum;
  const isPriced = known.every((usage) => usage.costUsd !== undefined);
  return {
    inputTokens,
    outputTokens,
    ...parts,
    ...defined({ costUsd: isPriced && costUsd !== undefined ? costUsd : undefined }),
  };
}

export function describeType(value: JsonValue | undefined): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (value === undefined) return 'missing';
  if (typeof value === 'object') return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  return `a ${typeof value}`;
}
