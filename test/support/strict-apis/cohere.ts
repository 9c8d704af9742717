import { firstFault, isSame, type Json, objects, type StrictApi, stepAt } from './script.ts';

/** https://docs.cohere.com/docs/tool-use-usage-patterns. Stricter than the API: the plan and the thinking must come back. */
export const strictCohere: StrictApi = {
  name: 'Cohere',
  adapter: 'cohere',
  model: 'command-a-reasoning-08-2025',
  params: {},
  env: (url) => ({ CO_API_URL: url, CO_API_KEY: 'test-key-0123456789' }),
  countAnswers: ({ messages }) => objects(messages).filter(({ role }) => role === 'assistant').length,
  findFault,
  refuse: (message) => ({ id: 'r', message }),
  answer: (step) => ({
    id: `c${step}`,
    finish_reason: stepAt(step).calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE',
    message: messageOf(step),
    usage: { tokens: { input_tokens: 10, output_tokens: 5 } },
  }),
  // The API has no word for an error.
  toldOfError: /"tool_call_id":"call_b","content":"no such order"/,
};

/** One step has a plan, the other thinking among the content. */
function messageOf(step: number): Json {
  const { reasoning, text, calls } = stepAt(step);
  const content = [{ type: 'thinking', thinking: reasoning }, ...(text === '' ? [] : [{ type: 'text', text }])];
  return {
    role: 'assistant',
    ...(step === 0 ? { tool_plan: reasoning } : { content }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(writeCall) }),
  };
}

function writeCall({ id, name, args }: ReturnType<typeof stepAt>['calls'][number]): Json {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
}

function findFault({ messages }: Json): string | undefined {
  let answers = 0;
  const list = objects(messages);
  return firstFault(list, ({ role, tool_plan: plan, tool_calls: calls, content }, at) => {
    if (role !== 'assistant') return undefined;
    const given = messageOf(answers);
    answers += 1;
    if (given['tool_calls'] === undefined) return undefined;
    if (!isSame([plan ?? null, content ?? null], [given['tool_plan'] ?? null, given['content'] ?? null])) {
      return `invalid request: message at index ${at} lacks the reasoning that came before its tool calls`;
    }
    const ids = objects(calls).map(({ id }) => id);
    const results = list.slice(at + 1, at + 1 + ids.length).map((next) => next['tool_call_id']);
    return isSame(ids, results)
      ? undefined
      : `invalid request: tool calls at index ${at} are not followed by their results`;
  });
}
