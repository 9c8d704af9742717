import { firstFault, isSame, type Json, objects, type StrictApi, sign, stepAt } from './script.ts';

/**
 * https://platform.openai.com/docs/guides/reasoning. Stricter than OpenAI in one thing: it lets a call go without an id and
 * without its reasoning, which makes answers worse.
 */
function openResponses(name: string, params: Json): StrictApi {
  const isStored = params['store'] !== false;
  const itemsOf = (step: number): readonly Json[] => {
    const { reasoning, text, calls } = stepAt(step);
    return [
      {
        id: `rs_${step}`,
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: reasoning }],
        ...(isStored ? {} : { encrypted_content: sign(reasoning) }),
      },
      ...(text === '' ? [] : [messageOf(step, text)]),
      ...calls.map((call) => ({
        id: `fc_${call.id}`,
        type: 'function_call',
        status: 'completed',
        call_id: call.id,
        name: call.name,
        arguments: JSON.stringify(call.args),
      })),
    ];
  };
  return {
    name,
    adapter: 'openai',
    model: 'gpt-5',
    params,
    options: { api: 'responses' },
    env: (url) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: 'test-key-0123456789' }),
    countAnswers: ({ input }) => countAnswers(objects(input)),
    findFault: ({ input, include, store }) => {
      if (store === false && !isSame(include ?? [], ['reasoning.encrypted_content'])) {
        return "Items are not persisted when `store` is set to false: include 'reasoning.encrypted_content'.";
      }
      const known = [0, 1, 2, 3].flatMap(itemsOf);
      return firstFault(objects(input), (item, at, items = objects(input)) => findItemFault(item, at, items, known));
    },
    refuse: (message) => ({ error: { message, type: 'invalid_request_error', param: 'input', code: null } }),
    answer: (step) => ({
      id: `resp_${step}`,
      object: 'response',
      status: 'completed',
      store: isStored,
      model: 'gpt-5-2025-08-07',
      output: itemsOf(step),
      usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
    }),
    // The API has no word for an error.
    toldOfError: /"type":"function_call_output","call_id":"call_b","output":"no such order"/,
  };
}

/** Each answer but the first follows the results of calls or the user's words. */
function countAnswers(items: readonly Json[]): number {
  const isOwn = ({ type, role }: Json) =>
    type !== 'function_call_output' && (role === undefined || role === 'assistant');
  return items.filter((item, at) => isOwn(item) && !isOwn(items[at - 1] ?? { role: 'user' })).length;
}

function messageOf(step: number, text: string): Json {
  return {
    id: `msg_${step}`,
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  };
}

function findItemFault(item: Json, at: number, items: readonly Json[], known: readonly Json[]): string | undefined {
  const { type, id, call_id: callId } = item;
  if (type === 'reasoning') {
    const given = known.find((other) => other['id'] === id);
    if (given === undefined || !isSame(item, given)) return `Item with id '${String(id)}' not found.`;
    const next = items[at + 1]?.['id'];
    const follower = known[known.indexOf(given) + 1]?.['id'];
    if (next !== follower)
      return `Item '${String(id)}' of type 'reasoning' was provided without its required following item.`;
  }
  if (type === 'function_call') {
    const given = known.find((other) => other['call_id'] === callId);
    if (given === undefined || !isSame(item, given) || !hasReasoning(item, at, items, known)) {
      return `Item '${String(id)}' of type 'function_call' was provided without its required 'reasoning' item.`;
    }
    if (!items.slice(at + 1).some((other) => other['type'] === 'function_call_output' && other['call_id'] === callId)) {
      return `No tool output found for function call ${String(callId)}.`;
    }
  }
  if (type === 'function_call_output' && !items.slice(0, at).some((other) => other['call_id'] === callId)) {
    return `No tool call found for function call output with call_id ${String(callId)}.`;
  }
  return undefined;
}

/** True where the items of the same answer stand before the call, in their order. */
function hasReasoning(item: Json, at: number, items: readonly Json[], known: readonly Json[]): boolean {
  const place = known.findIndex((other) => other['id'] === item['id']);
  const start = known.slice(0, place).findLastIndex(({ type }) => type === 'reasoning');
  const ids = (list: readonly Json[]) => list.map(({ id }) => id);
  return isSame(ids(items.slice(at - (place - start), at)), ids(known.slice(start, place)));
}

export const strictResponses = openResponses('OpenAI Responses', {});

export const strictStatelessResponses = openResponses('OpenAI Responses that stores nothing', {
  store: false,
  reasoning: { effort: 'low' },
});
