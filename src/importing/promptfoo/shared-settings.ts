/** Settings that options of tests and the config of a prompt may give to every provider; promptfoo ignores others. */
const SETTINGS = new Set(
  'temperature max_tokens maxOutputTokens max_completion_tokens max_output_tokens top_p top_k topP topK seed stop stop_sequences stopSequences presence_penalty frequency_penalty response_format reasoning_effort reasoning verbosity tools tool_choice functions function_call passthrough thinking generationConfig apiBaseUrl apiHost apiKey apiKeyEnvar headers'.split(
    ' ',
  ),
);

export function isSetting(key: string): boolean {
  return SETTINGS.has(key);
}
