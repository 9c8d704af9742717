import type { Usage } from '../model/completion.ts';
import { isJsonObject } from '../model/json.ts';
import { atMost, count, positive } from './token-counts.ts';

/** Reads the `usage` of Chat Completions, Responses and the dialects of compatible servers; undefined where a total is missing. */
export function readOpenaiUsage(raw: unknown): Usage | undefined {
  if (!isJsonObject(raw)) return undefined;
  const inputTokens = count(raw['prompt_tokens']) ?? count(raw['input_tokens']);
  const visibleTokens = count(raw['completion_tokens']) ?? count(raw['output_tokens']);
  if (inputTokens === undefined || visibleTokens === undefined) return undefined;
  const input = object(raw['prompt_tokens_details'] ?? raw['input_tokens_details']);
  const output = object(raw['completion_tokens_details'] ?? raw['output_tokens_details']);
  // Gemini and xAI leave reasoning out of the output and count it in the total alone (seen 2025).
  const hiddenTokens = Math.max(0, (count(raw['total_tokens']) ?? 0) - inputTokens - visibleTokens);
  const cachedInputTokens =
    count(input['cached_tokens']) ??
    count(raw['prompt_cache_hit_tokens']) ?? // DeepSeek
    count(raw['num_cached_tokens']) ?? // Mistral
    count(raw['cached_tokens']); // Moonshot, Together
  return {
    inputTokens,
    outputTokens: visibleTokens + hiddenTokens,
    ...atMost('cachedInputTokens', cachedInputTokens, inputTokens),
    ...atMost('cacheWriteTokens', count(input['cache_write_tokens']), inputTokens),
    ...atMost(
      'reasoningTokens',
      count(output['reasoning_tokens']) ?? (hiddenTokens === 0 ? undefined : hiddenTokens),
      visibleTokens + hiddenTokens,
    ),
    ...atMost('inputAudioTokens', positive(input['audio_tokens']), inputTokens),
    ...atMost('outputAudioTokens', positive(output['audio_tokens']), visibleTokens + hiddenTokens),
  };
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return isJsonObject(value) ? value : {};
}
