import * as z from 'zod';
import { writeJson } from '../json/canonical-json.ts';
import type { JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { Completion, FinishReason, ToolCall } from '../model/completion.ts';

const finishReasons = [
  'stop',
  'length',
  'toolCalls',
  'contentFilter',
  'refusal',
  'other',
] as const satisfies FinishReason[];

const count = z.number().nonnegative();

const usageSchema = z.strictObject({
  inputTokens: count,
  outputTokens: count,
  cachedInputTokens: count.exactOptional(),
  cacheWriteTokens: count.exactOptional(),
  reasoningTokens: count.exactOptional(),
  inputAudioTokens: count.exactOptional(),
  outputAudioTokens: count.exactOptional(),
});

const toolCallSchema = z
  .strictObject({
    id: z.string().exactOptional(),
    name: z.string(),
    // What was parsed from JSON is a JSON value; walking it again would prove nothing.
    arguments: z.custom<JsonValue>(() => true).optional(),
    rawArguments: z.string().optional(),
  })
  .transform(completeToolCall);

const writtenCompletion = z.strictObject({
  text: z.string().optional(),
  reasoning: z.string().exactOptional(),
  refusal: z.string().exactOptional(),
  toolCalls: z.array(toolCallSchema).default([]),
  finishReason: z.enum(finishReasons).exactOptional(),
  rawFinishReason: z.string().exactOptional(),
  usage: usageSchema.exactOptional(),
  latencyMs: count.exactOptional(),
  responseId: z.string().exactOptional(),
  model: z.string().exactOptional(),
  systemFingerprint: z.string().exactOptional(),
});

/** The keys that a stored answer may have. */
export const completionKeys: readonly string[] = Object.keys(writtenCompletion.shape);

/** A stored answer. Forgiving to what is written by hand: `{text: "…"}` is one. */
export const completionSchema = writtenCompletion
  .refine(({ text, refusal, toolCalls }) => text !== undefined || refusal !== undefined || toolCalls.length > 0, {
    message: 'needs a text, a refusal or toolCalls',
  })
  .transform(({ text = '', ...rest }): Completion => ({ text, ...rest }));

interface WrittenToolCall {
  readonly id?: string;
  readonly name: string;
  readonly arguments?: JsonValue | undefined;
  readonly rawArguments?: string | undefined;
}

function completeToolCall({ id, name, arguments: written, rawArguments }: WrittenToolCall): ToolCall {
  const base = id === undefined ? { name } : { id, name };
  if (rawArguments !== undefined) {
    // In the order of the text: a store may have sorted the object, which is sent on in the next turn.
    return { ...base, arguments: parseOrUndefined(rawArguments) ?? written, rawArguments };
  }
  // APIs write arguments as a JSON text, and so do people who copy from their logs.
  if (typeof written === 'string') return { ...base, arguments: parseOrUndefined(written), rawArguments: written };
  return { ...base, arguments: written ?? {}, rawArguments: writeJson(written ?? {}) ?? '{}' };
}

function parseOrUndefined(text: string): JsonValue | undefined {
  const json = parseJson(text);
  return json.ok ? (json.value as JsonValue) : undefined;
}
