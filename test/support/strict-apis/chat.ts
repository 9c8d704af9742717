import { firstFault, isSame, type Json, objects, type StrictApi, sign, stepAt } from './script.ts';

interface Flavour {
  readonly name: string;
  readonly adapter: string;
  readonly model: string;
  readonly env: StrictApi['env'];
  /** What a server adds to the message of a step. */
  readonly ofMessage?: (step: number) => Json;
  /** What it adds to the calls. */
  readonly ofCall?: (step: number, at: number) => Json;
  readonly fault?: string;
  /** True where answers in text count too, once the turn has called tools. */
  readonly isOfTurn?: boolean;
}

function openChat({
  name,
  adapter,
  model,
  env,
  ofMessage = () => ({}),
  ofCall = () => ({}),
  fault = '',
  isOfTurn = false,
}: Flavour): StrictApi {
  const messageOf = (step: number): Json => {
    const { text, calls } = stepAt(step);
    const written = calls.map((call, at) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.args) },
      ...ofCall(step, at),
    }));
    return {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(calls.length === 0 ? {} : { tool_calls: written }),
      ...ofMessage(step),
    };
  };
  return {
    name,
    adapter,
    model,
    params: {},
    env,
    countAnswers: ({ messages }) => objects(messages).filter(({ role }) => role === 'assistant').length,
    findFault({ messages }) {
      const list = objects(messages);
      let answers = 0;
      return firstFault(list, (message, at) => {
        if (message['role'] !== 'assistant') return undefined;
        const given = messageOf(answers);
        answers += 1;
        const ids = objects(given['tool_calls']).map(({ id }) => id);
        const results = list.slice(at + 1, at + 1 + ids.length).map((next) => next['tool_call_id']);
        if (!isSame(ids, results)) {
          return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(', ')}`;
        }
        const isNeeded = ids.length > 0 || (isOfTurn && list[at - 1]?.['role'] === 'tool');
        return isNeeded && !isSame(membersOf(message), membersOf(given)) ? fault : undefined;
      });
    },
    refuse: (message) => ({ error: { message, type: 'invalid_request_error', param: null, code: null } }),
    answer: (step) => ({
      id: `chatcmpl-${step}`,
      object: 'chat.completion',
      created: 1_700_000_000,
      model,
      choices: [
        { index: 0, finish_reason: stepAt(step).calls.length > 0 ? 'tool_calls' : 'stop', message: messageOf(step) },
      ],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    }),
    // The API has no word for an error.
    toldOfError: /"content":"no such order","name":"find_order","tool_call_id":"call_b"/,
  };
}

/** All but the parts that every server has. */
function membersOf({ role: _role, content: _content, tool_calls: calls, ...rest }: Json): Json {
  return { ...rest, calls: objects(calls).map(({ extra_content: extra = null }) => extra) };
}

/** https://platform.openai.com/docs/guides/function-calling?api-mode=chat: this API keeps its reasoning to itself. */
export const strictOpenaiChat = openChat({
  name: 'OpenAI chat completions',
  adapter: 'openai',
  model: 'gpt-5',
  env: (url) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: 'test-key-0123456789' }),
});

const compatible = (url: string) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: 'test-key-0123456789' });

/** https://api-docs.deepseek.com/guides/thinking_mode: an empty reasoning must come back, too. */
export const strictDeepseek = openChat({
  name: 'DeepSeek',
  adapter: 'openai',
  model: 'deepseek-chat',
  env: compatible,
  ofMessage: (step) => ({ reasoning_content: step === 1 ? '' : stepAt(step).reasoning }),
  fault: 'The `reasoning_content` in the thinking mode must be passed back to the API.',
  isOfTurn: true,
});

/** https://openrouter.ai/docs/use-cases/reasoning-tokens: the sequence of the details must match. */
export const strictOpenrouter = openChat({
  name: 'OpenRouter',
  adapter: 'openai',
  model: 'anthropic/claude-sonnet-4.5',
  env: compatible,
  ofMessage(step) {
    const { reasoning } = stepAt(step);
    const details = {
      type: 'reasoning.text',
      text: reasoning,
      signature: sign(reasoning),
      format: 'anthropic-claude-v1',
      index: 0,
    };
    return { reasoning_details: [details] };
  },
  fault: 'Provider returned error: the reasoning details of an assistant message with tool calls were changed',
});

/** https://ai.google.dev/gemini-api/docs/thought-signatures, for its endpoint that speaks this protocol. */
export const strictGeminiChat = openChat({
  name: "Gemini's compatible endpoint",
  adapter: 'openai',
  model: 'gemini-3-pro-preview',
  env: compatible,
  ofCall: (step, at) =>
    at === 0 ? { extra_content: { google: { thought_signature: sign(stepAt(step).reasoning) } } } : {},
  fault: 'Function call is missing a thought_signature in functionCall parts.',
});
