import { expect, test } from 'vitest';
import type { CompletionOutcome, CompletionRequest } from '../../src/model/run/completion.ts';
import type { TracedOutcome } from '../../src/model/run/progress.ts';
import type { Verdict } from '../../src/model/run/verdict.ts';
import type { Endpoint } from '../../src/model/suite/provider.ts';
import {
  contentAttributes,
  outcomeAttributes,
  requestAttributes,
  toolAttributes,
  verdictAttributes,
} from '../../src/telemetry/gen-ai.ts';

const request = (more: object = {}): CompletionRequest =>
  ({
    adapter: 'openai',
    model: 'm',
    params: {},
    messages: [{ role: 'user', content: 'hi' }],
    origin: { suite: 's', prompt: 'p' },
    ...more,
  }) as unknown as CompletionRequest;

/** Without what is undefined. */
const whole = (attributes: object): object => JSON.parse(JSON.stringify(attributes)) as object;
const describe = (more: object, endpoint: object = {}) => whole(requestAttributes(request(more), endpoint as Endpoint));
const usual = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'm',
  'gen_ai.prompt.name': 's',
  'gen_ai.prompt.version': 'p',
};

test('a request names its parameters as the conventions do', () => {
  expect(describe({})).toEqual(usual);
  const params = {
    temperature: 0,
    top_p: 0.5,
    top_k: 3,
    frequency_penalty: 0.1,
    presence_penalty: 0.2,
    max_tokens: 20.5,
    max_completion_tokens: 30,
    seed: 7,
    stop: ['END', 3],
    response_format: { type: 'json_object' },
  };
  expect(describe({ params })).toEqual({
    ...usual,
    'gen_ai.request.temperature': 0,
    'gen_ai.request.top_p': 0.5,
    'gen_ai.request.top_k': 3,
    'gen_ai.request.frequency_penalty': 0.1,
    'gen_ai.request.presence_penalty': 0.2,
    'gen_ai.request.max_tokens': { integer: 20 },
    'gen_ai.request.seed': { integer: 7 },
    'gen_ai.request.stop_sequences': ['END'],
    'gen_ai.output.type': 'json',
  });
  const others = { max_completion_tokens: 30, stop: 'END', temperature: 'hot' };
  expect(describe({ params: others })).toEqual({
    ...usual,
    'gen_ai.request.max_tokens': { integer: 30 },
    'gen_ai.request.stop_sequences': ['END'],
  });
  expect(describe({ params: { stop: 3 } })).toEqual(usual);
});

test.each([
  ['openai', 'embeddings'],
  ['cohere', 'chat'],
])('a request of %s with an input is called %s', (adapter, operation) => {
  expect(describe({ adapter, params: { input: 'a' } })).toMatchObject({ 'gen_ai.operation.name': operation });
});

test.each([
  [{}, 'openai'],
  [{ priceProvider: 'google' }, 'gcp.gemini'],
  [{ priceProvider: 'aws' }, 'aws.bedrock'],
  [{ priceProvider: 'azure' }, 'azure.ai.openai'],
  [{ priceProvider: 'mistral' }, 'mistral_ai'],
  [{ priceProvider: 'x-ai' }, 'x_ai'],
  [{ priceProvider: 'toString' }, 'toString'],
])('the provider of the endpoint %j is called %s', (endpoint, name) => {
  expect(describe({}, endpoint)).toMatchObject({ 'gen_ai.provider.name': name });
});

test.each([
  ['https://h.example/v1', 'h.example', 443],
  ['http://h.example', 'h.example', 80],
  ['http://h.example:8080', 'h.example', 8080],
])('the server of %s is %s at the port %d', (baseUrl, address, port) => {
  expect(describe({}, { baseUrl })).toEqual({ ...usual, 'server.address': address, 'server.port': { integer: port } });
});

test('an address that is none names no server', () => {
  expect(describe({}, { baseUrl: 'nowhere' })).toEqual(usual);
});

const completed = (more: object): CompletionOutcome =>
  ({ status: 'completed', completion: { text: 'a', toolCalls: [], ...more } }) as unknown as CompletionOutcome;
const failed = (failure: object) => ({ status: 'failed', failure }) as unknown as CompletionOutcome;

test.each<[outcome: CompletionOutcome, attributes: object]>([
  [completed({}), {}],
  [
    completed({
      usage: { inputTokens: 0, outputTokens: 2, cachedInputTokens: 3, cacheWriteTokens: 4, reasoningTokens: 5 },
      finishReason: 'stop',
      rawFinishReason: 'end_turn',
      model: 'm-1',
      responseId: 'r',
    }),
    {
      'gen_ai.response.id': 'r',
      'gen_ai.response.model': 'm-1',
      'gen_ai.response.finish_reasons': ['end_turn'],
      'gen_ai.usage.input_tokens': { integer: 0 },
      'gen_ai.usage.output_tokens': { integer: 2 },
      'gen_ai.usage.cache_read.input_tokens': { integer: 3 },
      'gen_ai.usage.cache_creation.input_tokens': { integer: 4 },
      'gen_ai.usage.reasoning.output_tokens': { integer: 5 },
    },
  ],
  [completed({ finishReason: 'stop' }), { 'gen_ai.response.finish_reasons': ['stop'] }],
  [failed({ kind: 'timeout' }), { 'error.type': 'timeout' }],
  [failed({ kind: 'server', status: 503 }), { 'error.type': '503', 'http.response.status_code': { integer: 503 } }],
])('the outcome %j has its attributes', (outcome, attributes) => {
  expect(whole(outcomeAttributes(outcome))).toEqual(attributes);
});

const call = { id: 'c', name: 'find', rawArguments: '{"a":1}', arguments: { a: 1 } };
const answered = (isError: boolean): TracedOutcome => ({
  kind: 'result',
  result: { content: 'seen', isError } as never,
});

test.each<[outcome: TracedOutcome | undefined, error: string | undefined]>([
  [undefined, 'bug'],
  [answered(false), undefined],
  [answered(true), 'tool_error'],
  [{ kind: 'result' }, undefined],
  [{ kind: 'fails' }, 'refused'],
  [{ kind: 'errored' }, 'tool_failed'],
])('a tool call that ended with %j has the error %s, and texts only where they are wanted', (outcome, error) => {
  const shown = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'find',
    'gen_ai.tool.call.id': 'c',
    'gen_ai.tool.type': 'function',
    ...(error === undefined ? {} : { 'error.type': error }),
  };
  expect(whole(toolAttributes(call as never, outcome, false))).toEqual(shown);
  expect(whole(toolAttributes(call as never, outcome, true))).toEqual({
    ...shown,
    'gen_ai.tool.call.arguments': '{"a":1}',
    ...(outcome?.result === undefined ? {} : { 'gen_ai.tool.call.result': 'seen' }),
  });
});

test('messages are written as parts', () => {
  const messages = [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: { a: 1 } },
    { role: 'assistant', content: '', toolCalls: [call] },
    { role: 'assistant', content: 'so', toolCalls: [{ ...call, id: undefined }] },
    { role: 'tool', content: 'seen', toolCallId: 'c' },
    { role: 'tool', content: { b: 2 } },
    { role: 'assistant', content: '' },
  ];
  const told = contentAttributes(
    request({ messages }),
    completed({ text: '', toolCalls: [call], finishReason: 'toolCalls' }),
  );
  const written = { type: 'tool_call', id: 'c', name: 'find', arguments: '{"a":1}' };
  expect(JSON.parse(told['gen_ai.input.messages'] as string)).toEqual([
    { role: 'system', parts: [{ type: 'text', content: 'be brief' }] },
    { role: 'user', parts: [{ type: 'text', content: '{"a":1}' }] },
    { role: 'assistant', parts: [written] },
    {
      role: 'assistant',
      parts: [
        { type: 'text', content: 'so' },
        { type: 'tool_call', name: 'find', arguments: '{"a":1}' },
      ],
    },
    { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c', response: 'seen' }] },
    { role: 'tool', parts: [{ type: 'tool_call_response', response: '{"b":2}' }] },
    { role: 'assistant', parts: [{ type: 'text', content: '' }] },
  ]);
  expect(JSON.parse(told['gen_ai.output.messages'] as string)).toEqual([
    { role: 'assistant', parts: [written], finish_reason: 'toolCalls' },
  ]);
  expect(contentAttributes(request(), failed({ kind: 'timeout' }))['gen_ai.output.messages']).toBeUndefined();
});

test.each<[verdict: object, attributes: object, explanation: string]>([
  [
    { pass: true, score: 0.5, reason: 'seen' },
    {
      'gen_ai.evaluation.name': 'equals',
      'gen_ai.evaluation.score.value': 0.5,
      'gen_ai.evaluation.score.label': 'pass',
    },
    'seen',
  ],
  [
    { pass: false, score: 0, reason: 'missed', name: 'tone' },
    { 'gen_ai.evaluation.name': 'tone', 'gen_ai.evaluation.score.value': 0, 'gen_ai.evaluation.score.label': 'fail' },
    'missed',
  ],
  [
    { pass: false, score: 0, reason: '', error: 'broken' },
    { 'gen_ai.evaluation.name': 'equals', 'error.type': 'check' },
    'broken',
  ],
])('the verdict %j has its attributes, and texts only where they are wanted', (more, attributes, explanation) => {
  const verdict = { assertion: 'equals', ...more } as Verdict;
  const shown = { ...attributes, 'llmcheck.assertion': 'equals' };
  expect(whole(verdictAttributes(verdict, false))).toEqual(shown);
  expect(whole(verdictAttributes(verdict, true))).toEqual({ ...shown, 'gen_ai.evaluation.explanation': explanation });
});
