import { isJsonObject, type JsonObject } from '../../json/json.ts';
import type { FinishReason, Usage } from '../../model/completion.ts';
import { count, objectOf, readTotals } from '../answer.ts';
import type { HttpFormat } from '../http-adapter.ts';

/** One of the request and answer formats of the OpenAI protocol. */
export interface Dialect extends HttpFormat {
  /** Grows when the same request is sent differently. */
  readonly version: string;
}

/** The API's finish reason as one of ours; undefined where it gave none. */
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

/** Reads the `usage` of Chat Completions, Responses and the dialects of compatible servers; undefined where a total is missing. */
export function readOpenaiUsage({ usage: raw }: JsonObject): Usage | undefined {
  if (!isJsonObject(raw)) return undefined;
  const inputTokens = count(raw['prompt_tokens']) ?? count(raw['input_tokens']);
  const visibleTokens = count(raw['completion_tokens']) ?? count(raw['output_tokens']);
  if (inputTokens === undefined || visibleTokens === undefined) return undefined;
  const input = objectOf(raw['prompt_tokens_details'] ?? raw['input_tokens_details']);
  const output = objectOf(raw['completion_tokens_details'] ?? raw['output_tokens_details']);
  // Gemini and xAI leave reasoning out of the output and count it in the total alone (seen 2025).
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
    // Text models report 0, which is left out to keep records short.
    inputAudioTokens: input['audio_tokens'] || undefined,
    outputAudioTokens: output['audio_tokens'] || undefined,
  });
}
