import { isJsonObject, type JsonObject } from '../../json/json.ts';
import type { FinishReason, Usage } from '../../model/run/completion.ts';
import { count, objectOf, readTotals } from '../answer.ts';
import type { HttpFormat } from '../http-adapter.ts';

/** A request and answer format of the OpenAI protocol. */
export interface Dialect extends HttpFormat {
  /** Version of the request's form. Raise it if the same request is sent differently. */
  readonly version: string;
}

/** Maps the API's finish reason to ours; undefined if it gave none. */
export function mapFinishReason(raw: string | undefined): FinishReason | undefined {
  if (raw === undefined) return undefined;
  return Object.hasOwn(finishReasons, raw.toLowerCase()) ? (finishReasons[raw.toLowerCase()] ?? 'other') : 'other';
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  completed: 'stop',
  complete: 'stop',
  end_turn: 'stop',
  eos: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  model_length: 'length',
  tool_calls: 'toolCalls',
  tool_use: 'toolCalls',
  function_call: 'toolCalls',
  content_filter: 'contentFilter',
  safety: 'contentFilter',
  refusal: 'refusal',
};

/** Reads `usage` of Chat Completions, Responses and compatible servers; undefined if a total is missing. */
export function readOpenaiUsage({ usage: raw }: JsonObject): Usage | undefined {
  if (!isJsonObject(raw)) return undefined;
  const inputTokens = count(raw['prompt_tokens']) ?? count(raw['input_tokens']);
  const visibleTokens = count(raw['completion_tokens']) ?? count(raw['output_tokens']);
  if (inputTokens === undefined || visibleTokens === undefined) return undefined;
  const input = objectOf(raw['prompt_tokens_details'] ?? raw['input_tokens_details']);
  const output = objectOf(raw['completion_tokens_details'] ?? raw['output_tokens_details']);
  // Gemini and xAI count reasoning only in the total, not in the output (seen 2025).
  const hiddenTokens = Math.max(0, (count(raw['total_tokens']) ?? 0) - inputTokens - visibleTokens);
  const cachedInputTokens =
    count(input['cached_tokens']) ??
    count(raw['prompt_cache_hit_tokens']) ?? // DeepSeek
    count(raw['num_cached_tokens']) ?? // Mistral
    count(raw['cached_tokens']); // Moonshot, Together
  return readTotals({
    inputTokens,
    outputTokens: visibleTokens + hiddenTokens,
    cachedInputTokens,
    cacheWriteTokens: input['cache_write_tokens'],
    reasoningTokens: count(output['reasoning_tokens']) ?? (hiddenTokens || undefined),
    // Text models report 0; leaving it out keeps records short.
    inputAudioTokens: input['audio_tokens'] || undefined,
    outputAudioTokens: output['audio_tokens'] || undefined,
  });
}
