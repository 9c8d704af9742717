import { firstFault, isSame, type Json, objects, type StrictApi, sign, stepAt } from './script.ts';

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking and …/agents-and-tools/tool-use/implement-tool-use */
export const strictAnthropic: StrictApi = {
  name: 'Anthropic',
  adapter: 'anthropic',
  model: 'claude-sonnet-4-5',
  params: { thinking: { type: 'enabled', budget_tokens: 1024 } },
  env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'test-key-0123456789' }),
  countAnswers: ({ messages }) => objects(messages).filter(({ role }) => role === 'assistant').length,
  findFault,
  refuse: (message) => ({ type: 'error', error: { type: 'invalid_request_error', message } }),
  answer: (step) => ({
    id: `msg_${step}`,
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: blocksOf(step),
    stop_reason: stepAt(step).calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: { input_tokens: 10, output_tokens: 5 },
  }),
  toldOfError: /"tool_use_id":"call_b","content":"no such order","is_error":true/,
};

function blocksOf(step: number): readonly Json[] {
  const { reasoning, text, calls } = stepAt(step);
  return [
    { type: 'thinking', thinking: reasoning, signature: sign(reasoning) },
    ...(step === 1 ? [{ type: 'redacted_thinking', data: sign('hidden') }] : []),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map(({ id, name, args }) => ({ type: 'tool_use', id, name, input: args })),
  ];
}

function findFault({ messages }: Json): string | undefined {
  let answers = 0;
  return firstFault(objects(messages), ({ role, content }, at) => {
    const expected = at % 2 === 0 ? 'user' : 'assistant';
    if (role !== expected) return `messages.${at}: roles must alternate, and this is not "${expected}"`;
    const blocks = objects(content);
    if (blocks.some(({ type, text }) => type === 'text' && text === ''))
      return `messages.${at}: text content blocks must be non-empty`;
    if (role === 'user') return undefined;
    const calls = blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => id);
    const fault = findThinkingFault(blocks, at, answers);
    answers += 1;
    return fault ?? (calls.length === 0 ? undefined : findResultFault(objects(messages)[at + 1], calls, at));
  });
}

function findThinkingFault(blocks: readonly Json[], at: number, step: number): string | undefined {
  const given = blocksOf(step).filter(isThinking);
  const first = blocks[0]?.['type'];
  if (stepAt(step).calls.length > 0 && first !== 'thinking' && first !== 'redacted_thinking') {
    return `messages.${at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${String(first)}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block`;
  }
  const sent = blocks.filter(isThinking);
  if (sent.length > 0 && !isSame(sent, given)) {
    return `messages.${at}.content.0: Invalid \`signature\` in \`thinking\` block`;
  }
  return undefined;
}

function isThinking({ type }: Json): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

function findResultFault(next: Json | undefined, calls: readonly unknown[], at: number): string | undefined {
  const blocks = objects(next?.['content']);
  const first = blocks.slice(0, calls.length);
  const results = new Set(first.map(({ type, tool_use_id: id }) => (type === 'tool_result' ? id : '')));
  const missing = calls.filter((id) => !results.has(id));
  if (missing.length === 0) return undefined;
  return `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}`;
}
