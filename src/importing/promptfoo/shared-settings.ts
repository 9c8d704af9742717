/** Settings that options of tests and the config of a prompt may give to every provider; promptfoo ignores others. */
const SETTINGS = new Set(
  'temperature max_tokens maxOutputTokens max_completion_tokens max_output_tokens top_p top_k topP topK seed stop stop_sequences stopSequences presence_penalty frequency_penalty response_format reasoning_effort reasoning verbosity tools tool_choice functions function_call passthrough thinking generationConfig apiBaseUrl apiHost apiKey apiKeyEnvar headers'.split(
    ' ',
  ),
);

export function isSetting(key: string): boolean {
  return SETTINGS.has(key);
}

/** `{{env.NAME}}` as a whole names a variable. */
export function readEnvName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const found = /^\s*\{\{\s*env(?:\.([A-Za-z_]\w*)|\[\s*["']([A-Za-z_]\w*)["']\s*\])\s*\}\}\s*$/.exec(value);
  return found?.[1] ?? found?.[2];
}

export const SECRET_HEADER = /authorization|key|token|cookie|secret/i;

/** `${NAME}` as a whole: promptfoo takes it for a text. */
export function readShellName(value: unknown): string | undefined {
  return typeof value === 'string' ? /^\$\{?([A-Z_][A-Z0-9_]*)\}?$/.exec(value)?.[1] : undefined;
}
