import type { Usage } from '../model/completion.ts';
import { isJsonObject } from '../model/json.ts';

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
    ...part('cachedInputTokens', cachedInputTokens, inputTokens),
    ...part('cacheWriteTokens', count(input['cache_write_tokens']), inputTokens),
    ...part(
      'reasoningTokens',
      count(output['reasoning_tokens']) ?? (hiddenTokens === 0 ? undefined : hiddenTokens),
      visibleTokens + hiddenTokens,
    ),
    ...part('inputAudioTokens', positive(input['audio_tokens']), inputTokens),
    ...part('outputAudioTokens', positive(output['audio_tokens']), visibleTokens + hiddenTokens),
  };
}

/** A part larger than its total is a server's mistake; the total is what is billed. */
function part<Name extends keyof Usage>(
  name: Name,
  value: number | undefined,
  total: number,
): { [K in Name]?: number } {
  return value === undefined ? {} : ({ [name]: Math.min(value, total) } as { [K in Name]: number });
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Audio is left out where there was none, so that text models' records stay short. */
function positive(value: unknown): number | undefined {
  const tokens = count(value);
  return tokens === 0 ? undefined : tokens;
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return isJsonObject(value) ? value : {};
}
