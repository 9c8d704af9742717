/*
 * `result.steps` of generateText of the Vercel AI SDK. Source: vercel/ai, packages/ai/src/generate-text/step-result.ts of
 * versions 4 to 6, read on 2026-11-27. From version 5 on, `text`, `toolCalls` and `toolResults` are getters, which JSON
 * leaves out: a step that was written as JSON has them as parts of `content` only.
 */
import { defined } from '../../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../json/json.ts';
import type { FinishReason, Usage } from '../../../model/completion.ts';
import { atMost, count, list } from '../../answer.ts';
import { objectIn } from './read-messages.ts';
import { joinResults, type Parts, readParts } from './read-parts.ts';
import { addUsages, type Transcript, TranscriptFault } from './transcript.ts';

/** True for steps of the SDK, which have members that steps of the documented form may not have. */
export function areAiSdkSteps(steps: readonly JsonValue[]): boolean {
  return steps.some(
    (step) =>
      isJsonObject(step) &&
      (Array.isArray(step['content']) ||
        Array.isArray(step['toolResults']) ||
        list(step['toolCalls']).some((call) => isJsonObject(call) && 'toolName' in call)),
  );
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'toolCalls',
  'content-filter': 'contentFilter',
};

export function readAiSdkSteps(written: readonly JsonValue[]): Transcript {
  const read = written.map((step, at) => readStep(objectIn(step), `steps.${at}`));
  const steps = joinResults(
    read.map(({ text, calls, usage }) => ({ text, calls, ...defined({ usage }) })),
    read.flatMap(({ results }) => results),
    'steps',
  );
  const last = objectIn(written.at(-1));
  const usage = addUsages(read.map((step) => step.usage));
  const reason = last['finishReason'];
  if (reason === 'error') throw new TranscriptFault('reported that its last step ended with an error', 'server', usage);
  const model = objectIn(last['response'])['modelId'];
  return {
    steps,
    ...defined({
      usage,
      model: typeof model === 'string' ? model : undefined,
      finishReason: typeof reason === 'string' ? (finishReasons[reason] ?? 'other') : undefined,
    }),
  };
}

function readStep(step: JsonObject, where: string): Parts & { readonly usage: Usage | undefined } {
  const { content, text, toolCalls, toolResults } = step;
  const usage = readUsage(objectIn(step['usage']));
  if (Array.isArray(content)) return { ...readParts(content, where), usage };
  if (typeof text !== 'string' && !Array.isArray(toolCalls)) {
    throw new TranscriptFault(`wrote ${where} with neither content nor text nor toolCalls`);
  }
  const parts = [
    ...typed(list(toolCalls), 'tool-call'),
    ...typed(list(toolResults), 'tool-result'),
    { type: 'text', text: typeof text === 'string' ? text : '' },
  ];
  return { ...readParts(parts, where), usage };
}

/** Calls and results of version 3 do not say what they are. */
function typed(parts: readonly JsonValue[], type: string): readonly JsonValue[] {
  return parts.map((part) => (isJsonObject(part) ? { type, ...part } : part));
}

/** `promptTokens` until version 4, details from version 6 on. */
function readUsage(usage: JsonObject): Usage | undefined {
  const inputTokens = count(usage['inputTokens'] ?? usage['promptTokens']);
  const outputTokens = count(usage['outputTokens'] ?? usage['completionTokens']);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const [input, output] = [objectIn(usage['inputTokenDetails']), objectIn(usage['outputTokenDetails'])];
  return {
    inputTokens,
    outputTokens,
    ...defined({
      cachedInputTokens: atMost(count(input['cacheReadTokens'] ?? usage['cachedInputTokens']), inputTokens),
      cacheWriteTokens: atMost(count(input['cacheWriteTokens']), inputTokens),
      reasoningTokens: atMost(count(output['reasoningTokens'] ?? usage['reasoningTokens']), outputTokens),
    }),
  };
}
