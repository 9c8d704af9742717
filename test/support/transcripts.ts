/*
 * Transcripts in the forms that agents write them. The shapes are those of the programs; the content is made up.
 */

/** One event a line. */
export function lines(...events: readonly object[]): string {
  return `${events.map((event) => JSON.stringify(event)).join('\n')}\n`;
}

const session = { session_id: 's-1', uuid: 'u-1', parent_tool_use_id: null };
const usage = {
  input_tokens: 10,
  cache_creation_input_tokens: 100,
  cache_read_input_tokens: 1000,
  output_tokens: 50,
  service_tier: 'standard',
};

/** The events of Claude Code by name, so that a test can leave one out or change it. */
export const claude = {
  init: { type: 'system', subtype: 'init', model: 'claude-sonnet-4-5', tools: ['Bash'], cwd: '/tmp', ...session },
  // One answer of the model comes in several events with the same id.
  thought: said('m1', { type: 'thinking', thinking: 'Hm.', signature: 'x' }),
  saying: said('m1', { type: 'text', text: 'I look it up.' }),
  find: said('m1', { type: 'tool_use', id: 't1', name: 'mcp__shop__find_order', input: { order_id: '7731' } }),
  found: told({ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'open' }] }),
  cancel: said('m2', { type: 'tool_use', id: 't2', name: 'mcp__shop__cancel_order', input: { order_id: '7731' } }),
  refused: told({ type: 'tool_result', tool_use_id: 't2', content: 'not allowed', is_error: true }),
  // A subagent's call is a call of the agent.
  inner: { ...said('m9', { type: 'tool_use', id: 't9', name: 'Grep', input: {} }), parent_tool_use_id: 't2' },
  answer: said('m3', { type: 'text', text: 'Done.' }),
  limit: { type: 'rate_limit_event', rate_limit_info: {}, ...session },
  result: {
    type: 'result',
    subtype: 'success',
    is_error: false,
    num_turns: 3,
    result: 'Done.',
    total_cost_usd: 0.25,
    usage,
    modelUsage: {
      'claude-sonnet-4-5': {
        inputTokens: 10,
        outputTokens: 50,
        cacheReadInputTokens: 1000,
        cacheCreationInputTokens: 100,
        costUSD: 0.2,
      },
      'claude-haiku-4-5': { inputTokens: 5, outputTokens: 7, costUSD: 0.05 },
    },
    permission_denials: [],
    ...session,
  },
};

/** All of them, in order. */
export const claudeEvents: readonly object[] = [
  claude.init,
  claude.thought,
  claude.saying,
  claude.find,
  claude.found,
  claude.cancel,
  claude.refused,
  claude.limit,
  claude.answer,
  claude.result,
];

function said(id: string, part: object): object {
  const message = { id, type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [part], usage };
  return { type: 'assistant', message, ...session };
}

function told(part: object): object {
  return { type: 'user', message: { role: 'user', content: [part] }, ...session };
}

const find = { id: 'i1', type: 'mcp_tool_call', server: 'shop', tool: 'find_order', arguments: { order_id: '7731' } };
const run = { id: 'i2', type: 'command_execution', command: 'cancel 7731' };

export const codex = {
  thread: { type: 'thread.started', thread_id: 'th-1' },
  turn: { type: 'turn.started' },
  thought: { type: 'item.completed', item: { id: 'i0', type: 'reasoning', text: '**Looking**' } },
  find: { type: 'item.started', item: { ...find, result: null, error: null, status: 'in_progress' } },
  found: {
    type: 'item.completed',
    item: { ...find, result: { content: [{ type: 'text', text: 'open' }] }, error: null, status: 'completed' },
  },
  run: { type: 'item.started', item: { ...run, aggregated_output: '', exit_code: null, status: 'in_progress' } },
  ran: { type: 'item.completed', item: { ...run, aggregated_output: 'no\n', exit_code: 1, status: 'failed' } },
  lost: { type: 'error', message: 'Reconnecting... 1/5' },
  answer: { type: 'item.completed', item: { id: 'i3', type: 'agent_message', text: 'Done.' } },
  end: { type: 'turn.completed', usage: { input_tokens: 1200, cached_input_tokens: 200, output_tokens: 345 } },
};

export const codexEvents: readonly object[] = Object.values(codex);

const at = { timestamp: '2026-01-19T21:26:44.030Z' };

export const gemini = {
  init: { type: 'init', ...at, session_id: 's-1', model: 'gemini-2.5-pro' },
  question: { type: 'message', ...at, role: 'user', content: 'Cancel order 7731.' },
  saying: { type: 'message', ...at, role: 'assistant', content: 'I look ', delta: true },
  more: { type: 'message', ...at, role: 'assistant', content: 'it up.', delta: true },
  find: { type: 'tool_use', ...at, tool_name: 'find_order', tool_id: 'f-1', parameters: { order_id: '7731' } },
  found: { type: 'tool_result', ...at, tool_id: 'f-1', status: 'success', output: 'open' },
  cancel: { type: 'tool_use', ...at, tool_name: 'cancel_order', tool_id: 'c-1', parameters: { order_id: '7731' } },
  refused: { type: 'tool_result', ...at, tool_id: 'c-1', status: 'error', error: { type: 'X', message: 'no' } },
  warned: { type: 'error', ...at, severity: 'warning', message: 'slow' },
  answer: { type: 'message', ...at, role: 'assistant', content: 'Done.', delta: true },
  result: {
    type: 'result',
    ...at,
    status: 'success',
    stats: {
      total_tokens: 170,
      input_tokens: 100,
      output_tokens: 30,
      cached: 20,
      input: 80,
      duration_ms: 5,
      tool_calls: 2,
    },
  },
};

export const geminiEvents: readonly object[] = Object.values(gemini);

export const geminiJson = {
  session_id: 's-1',
  response: 'Done.',
  stats: {
    models: {
      'gemini-2.5-pro': { api: {}, tokens: { prompt: 100, candidates: 30, total: 170, cached: 20, thoughts: 40 } },
    },
    tools: { totalCalls: 0 },
  },
};

/** Messages as LangChain dumps them: `model_dump()`. */
export const langChain: readonly object[] = [
  { type: 'human', content: 'Cancel order 7731.', additional_kwargs: {}, id: 'h' },
  {
    type: 'ai',
    content: [
      { type: 'text', text: 'I look it up.' },
      { type: 'tool_use', id: 'a', name: 'find_order', input: { order_id: '7731' } },
    ],
    tool_calls: [{ name: 'find_order', args: { order_id: '7731' }, id: 'a', type: 'tool_call' }],
    invalid_tool_calls: [],
    usage_metadata: { input_tokens: 10, output_tokens: 5, total_tokens: 15, input_token_details: { cache_read: 4 } },
  },
  { type: 'tool', content: 'open', tool_call_id: 'a', status: 'success', name: 'find_order' },
  {
    type: 'ai',
    content: '',
    tool_calls: [{ name: 'cancel_order', args: { order_id: '7731' }, id: 'b', type: 'tool_call' }],
    usage_metadata: { input_tokens: 20, output_tokens: 6, total_tokens: 26 },
  },
  { type: 'tool', content: 'no', tool_call_id: 'b', status: 'error' },
  {
    type: 'ai',
    content: 'Done.',
    tool_calls: [],
    usage_metadata: { input_tokens: 30, output_tokens: 7, total_tokens: 37 },
  },
];

/** The same as `messages_to_dict()` writes them, and as `dumpd()` and JavaScript do. */
export const langChainDicts = langChain.map((message) => ({ type: Object(message).type, data: message }));

const classes: Readonly<Record<string, string>> = { human: 'HumanMessage', ai: 'AIMessage', tool: 'ToolMessage' };

export const langChainObjects = langChain.map((message) => ({
  lc: 1,
  type: 'constructor',
  id: ['langchain_core', 'messages', classes[String(Object(message).type)]],
  kwargs: message,
}));

const sdkUsage = { inputTokens: 10, outputTokens: 5, totalTokens: 15, cachedInputTokens: 4 };

/** Steps of the AI SDK from version 5 on, as JSON writes them: without getters. */
export const aiSdkSteps: readonly object[] = [
  {
    content: [
      { type: 'text', text: 'I look it up.' },
      { type: 'tool-call', toolCallId: 'a', toolName: 'find_order', input: { order_id: '7731' } },
      { type: 'tool-result', toolCallId: 'a', toolName: 'find_order', input: {}, output: { state: 'open' } },
    ],
    finishReason: 'tool-calls',
    usage: sdkUsage,
    warnings: [],
    response: { modelId: 'gpt-5-mini' },
  },
  {
    content: [
      { type: 'tool-call', toolCallId: 'b', toolName: 'cancel_order', input: { order_id: '7731' } },
      { type: 'tool-error', toolCallId: 'b', toolName: 'cancel_order', input: {}, error: 'no' },
    ],
    finishReason: 'tool-calls',
    usage: sdkUsage,
  },
  {
    content: [{ type: 'text', text: 'Done.' }],
    finishReason: 'stop',
    usage: sdkUsage,
    response: { modelId: 'gpt-5-mini' },
  },
];

/** Steps of version 4. */
export const aiSdkOldSteps: readonly object[] = [
  {
    text: 'I look it up.',
    toolCalls: [{ type: 'tool-call', toolCallId: 'a', toolName: 'find_order', args: { order_id: '7731' } }],
    toolResults: [
      { type: 'tool-result', toolCallId: 'a', toolName: 'find_order', args: {}, result: { state: 'open' } },
    ],
    usage: { promptTokens: 10, completionTokens: 5, totalTokens: 15 },
  },
  {
    text: '',
    toolCalls: [{ type: 'tool-call', toolCallId: 'b', toolName: 'cancel_order', args: { order_id: '7731' } }],
    toolResults: [],
    usage: { promptTokens: 10, completionTokens: 5, totalTokens: 15 },
  },
  {
    text: 'Done.',
    toolCalls: [],
    toolResults: [],
    finishReason: 'stop',
    usage: { promptTokens: 10, completionTokens: 5, totalTokens: 15 },
  },
];

/** `result.response.messages` of the AI SDK. */
export const aiSdkMessages: readonly object[] = [
  { role: 'user', content: [{ type: 'text', text: 'Cancel order 7731.' }] },
  {
    role: 'assistant',
    content: [
      { type: 'text', text: 'I look it up.' },
      { type: 'tool-call', toolCallId: 'a', toolName: 'find_order', input: { order_id: '7731' } },
    ],
  },
  {
    role: 'tool',
    content: [
      {
        type: 'tool-result',
        toolCallId: 'a',
        toolName: 'find_order',
        output: { type: 'json', value: { state: 'open' } },
      },
    ],
  },
  {
    role: 'assistant',
    content: [{ type: 'tool-call', toolCallId: 'b', toolName: 'cancel_order', input: { order_id: '7731' } }],
  },
  {
    role: 'tool',
    content: [
      { type: 'tool-result', toolCallId: 'b', toolName: 'cancel_order', output: { type: 'error-text', value: 'no' } },
    ],
  },
  { role: 'assistant', content: [{ type: 'text', text: 'Done.' }] },
];
