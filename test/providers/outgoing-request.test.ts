import { describe, expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import type { CompletionOutcome, Message } from '../../src/model/run/completion.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import type { Scripted } from '../support/http-server.ts';
import { reasoningApis, type StrictApi, startStrictApi } from '../support/strict-apis/index.ts';
import { askProvider, completionOf } from './ask-provider.ts';
import { buildConfig, buildRequest } from './build-request.ts';

const asked: Message = { role: 'user', content: 'Where are orders 7731 and 9?' };

/** The model's first answer and the results of its calls, as a run adds them. */
function goOn(outcome: CompletionOutcome, keeps: boolean): readonly Message[] {
  if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome));
  const { text, toolCalls: made, continuation } = outcome.completion;
  const toolCalls = made.map((call, at) => ({ ...call, id: call.id ?? `call_0_${at}` }));
  const results = toolCalls.map(({ id, name }): Message => ({ role: 'tool', content: 'x', name, toolCallId: id }));
  const kept = keeps && continuation !== undefined ? { continuation } : {};
  return [asked, { role: 'assistant', content: text, toolCalls, ...kept }, ...results];
}

async function openStrict(api: StrictApi) {
  const server = await startStrictApi(api);
  const { adapter, model, options = {} } = api;
  const config = buildConfig({ adapter, model, options: options as JsonObject });
  const provider = await lookupAdapter(adapter)?.connect(config, { env: api.env(server.url), projectRoot: '/project' });
  if (provider === undefined) throw new Error(`no adapter ${adapter}`);
  onTestFinished(() => provider.close());
  const params = { ...api.params, tools: [{ name: 'find_order' }, { name: 'get_policy' }] } as unknown as JsonObject;
  return (messages: readonly Message[]) =>
    provider.complete({ ...buildRequest({ model, messages, params }), adapter }, new AbortController().signal);
}

describe.each(reasoningApis.map((api) => [api.name, api] as const))('%s', (_name, api) => {
  test('answers a request with what it wants back, and refuses one without', async () => {
    const ask = await openStrict(api);
    const first = await ask([asked]);
    expect(await ask(goOn(first, true))).toMatchObject({ status: 'completed' });
    expect(await ask(goOn(first, false))).toMatchObject({
      status: 'failed',
      failure: { kind: 'badRequest', status: 400 },
    });
  });
});

const call = { id: 'c1', name: 'f', arguments: {}, rawArguments: '{}' };
const result: Message = { role: 'tool', content: 'x', name: 'f', toolCallId: 'c1' };

/** What an adapter keeps of a body, and what it sends with it. */
async function roundTrip(adapter: string, body: object, config: object = {}, params: JsonObject = {}) {
  const reply: Scripted = { body };
  const completion = completionOf(await askProvider(adapter, reply, { config, request: { params } }));
  const { text, toolCalls, continuation } = completion;
  const answer: Message = {
    role: 'assistant',
    content: text,
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(continuation === undefined ? {} : { continuation }),
  };
  const { sent } = await askProvider(adapter, reply, {
    config,
    request: { messages: [asked, answer, result], params },
  });
  return { continuation, sent };
}

function chatBody(message: object): object {
  return { choices: [{ finish_reason: 'tool_calls', message: { role: 'assistant', content: null, ...message } }] };
}

const chatCalls = [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }];
const responses = { options: { api: 'responses' } };
const functionCall = { id: 'fc_1', type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' };

describe('nothing goes back with', () => {
  test.each([
    ['an answer in text', 'openai', chatBody({ content: 'Hi', reasoning_content: 'Hm' }), {}],
    ['calls without reasoning', 'openai', chatBody({ tool_calls: chatCalls }), {}],
    ['calls of the Responses API without reasoning', 'openai', { output: [functionCall] }, responses],
    [
      'thinking before a text',
      'anthropic',
      {
        content: [
          { type: 'thinking', thinking: 'Hm', signature: 's' },
          { type: 'text', text: 'Hi' },
        ],
      },
      {},
    ],
    ['plain calls of Claude', 'anthropic', { content: [{ type: 'tool_use', id: 'c1', name: 'f', input: {} }] }, {}],
    [
      'calls of Gemini without a signature',
      'gemini',
      { candidates: [{ content: { parts: [{ functionCall: { name: 'f', args: {} } }] } }] },
      {},
    ],
    [
      'reasoning that a model on Bedrock does not sign',
      'bedrock',
      {
        output: {
          message: {
            content: [
              { reasoningContent: { reasoningText: { text: 'Hm' } } },
              { toolUse: { toolUseId: 'c1', name: 'f', input: {} } },
            ],
          },
        },
      },
      {},
    ],
    ['plain calls of Cohere', 'cohere', { message: { tool_calls: chatCalls } }, {}],
  ])('%s', async (_what, adapter, body, config) => {
    const completion = completionOf(await askProvider(adapter, { body }, { config }));
    expect(completion).not.toHaveProperty('continuation');
  });
});

describe('the Responses API', () => {
  const reasoning = { id: 'rs_1', type: 'reasoning', summary: [] };
  const tools = [{ name: 'f' }];

  test('is asked for encrypted reasoning where nothing is stored and the model reasons', async () => {
    const include = async (params: JsonObject) => {
      const { sent } = await askProvider('openai', { body: {} }, { config: responses, request: { params } });
      return sent['include'];
    };
    const own = { tools, store: false, reasoning: { effort: 'low' } };
    expect(await include(own)).toEqual(['reasoning.encrypted_content']);
    expect(await include({ ...own, include: ['web_search_call.action.sources'] })).toEqual([
      'web_search_call.action.sources',
      'reasoning.encrypted_content',
    ]);
    expect(await include({ ...own, include: ['reasoning.encrypted_content'] })).toEqual([
      'reasoning.encrypted_content',
    ]);
    expect(await include({ tools, store: false })).toBeUndefined();
    expect(await include({ tools, reasoning: { effort: 'low' } })).toBeUndefined();
    expect(await include({ store: false, reasoning: { effort: 'low' } })).toBeUndefined();
  });

  test('gets a call without its id where the reasoning before it is lost', async () => {
    const { sent, continuation } = await roundTrip(
      'openai',
      { store: false, output: [reasoning, functionCall] },
      responses,
    );
    expect(continuation).toBeUndefined();
    expect(sent['input']).toEqual([
      { role: 'user', content: asked.content },
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'x' },
    ]);
  });

  test('gets no reasoning that nothing follows', async () => {
    const body = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output: [reasoning] };
    const request = { messages: [asked, { role: 'assistant', content: '', toolCalls: [call] } as const, result] };
    const completion = completionOf(await askProvider('openai', { body }, { config: responses, request }));
    expect(completion).not.toHaveProperty('continuation');
  });

  test('gets the result of a custom tool in the form of its call', async () => {
    const custom = { id: 'ctc_1', type: 'custom_tool_call', call_id: 'c1', name: 'f', input: 'print(1)' };
    const { sent } = await roundTrip('openai', { output: [custom] }, responses);
    expect(sent['input']).toEqual([
      { role: 'user', content: asked.content },
      custom,
      { type: 'custom_tool_call_output', call_id: 'c1', output: 'x' },
    ]);
  });
});

test('compatible servers get their reasoning back under the name that they gave it', { tags: ['slow'] }, async () => {
  const details = [{ type: 'reasoning.text', text: 'Hm' }];
  const wanted: readonly (readonly [object, object])[] = [
    [{ reasoning: 'Hm' }, { reasoning: 'Hm' }],
    [
      { reasoning: 'Hm', reasoning_content: 'Hm' },
      { reasoning: 'Hm', reasoning_content: 'Hm' },
    ],
    [{ reasoning_content: '' }, { reasoning_content: '' }],
    [{ reasoning: 'Hm', reasoning_details: details }, { reasoning_details: details }],
    [{ reasoning: '' }, {}],
    [{ reasoning: null }, {}],
  ];
  for (const [given, back] of wanted) {
    const { sent } = await roundTrip('openai', chatBody({ ...given, tool_calls: chatCalls }));
    const [, answer] = sent['messages'] as readonly object[];
    expect(answer).toEqual({ role: 'assistant', content: null, tool_calls: chatCalls, ...back });
  }
});

test('Mistral gets its thinking back within the content', async () => {
  const content = [
    { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
    { type: 'text', text: 'I look.' },
  ];
  const { sent } = await roundTrip('mistral', chatBody({ content, tool_calls: chatCalls }));
  expect((sent['messages'] as object[])[1]).toEqual({ role: 'assistant', content, tool_calls: chatCalls });
});

test('Claude gets back what its own tools returned, with numbers that no double keeps, and no empty text', async () => {
  const content = `[{"type":"server_tool_use","id":"s1","name":"web_search","input":{"id":9007199254740993}},
    {"type":"web_search_tool_result","tool_use_id":"s1","content":[]},{"type":"text","text":""},
    {"type":"tool_use","id":"c1","name":"f","input":{}}]`;
  const body = `{"content":${content},"stop_reason":"tool_use"}`;
  const completion = completionOf(await askProvider('anthropic', { body }));
  const answer = { role: 'assistant', content: '', ...completion } as const;
  const { received } = await askProvider('anthropic', { body }, { request: { messages: [asked, answer, result] } });
  expect(received?.body).toContain('"input":{"id":9007199254740993}},{"type":"web_search_tool_result"');
  expect(received?.body).not.toContain('"text":""');
});

test('a continuation that the adapter has not written is left out', async () => {
  const answer: Message = { role: 'assistant', content: '', toolCalls: [call], continuation: 'not JSON' };
  for (const continuation of ['not JSON', { thinking: 'Hm' }, '"text"']) {
    const messages = [asked, { ...answer, continuation }, result];
    const { sent } = await askProvider('anthropic', { body: {} }, { request: { messages } });
    const built = (sent['messages'] as { content: unknown }[])[1];
    expect(built?.content).toEqual([{ type: 'tool_use', id: 'c1', name: 'f', input: {} }]);
  }
});
