import { describe, expect, it } from 'vitest';
import { http, httpOptions } from '../../src/providers/http.ts';
import { askProvider, completionOf, conversation, failureOf } from './ask-provider.ts';
import { buildConfig } from './build-request.ts';

describe('a request of the adapter http', () => {
  it('goes to the address unchanged, with the headers and the key that the suite names', async () => {
    const { received, sent } = await askProvider(
      'http',
      { body: { text: 'Hi' } },
      {
        env: { APP_KEY: 'app-key-0123456789', APP_TEAM: 'evals' },
        config: { apiKeyEnv: 'APP_KEY', headers: { 'X-Team': { env: 'APP_TEAM' } } },
        path: '/chat?v=2',
      },
    );
    expect(received?.url).toBe('/chat?v=2');
    expect(received?.headers).toMatchObject({ authorization: 'Bearer app-key-0123456789', 'x-team': 'evals' });
    expect(sent).toEqual({ prompt: 'Hello' });
  });

  it('keeps the types of values and renders all other templates as text', async () => {
    const request = {
      bot: '{{ model }}-bot',
      system: '{{ system }}',
      history: '{{ messages }}',
      options: { heat: '{{ params.temperature }}', fixed: [1, true, null] },
      trial: '{{ trial }}',
    };
    const { sent } = await askProvider(
      'http',
      { body: { text: 'Hi' } },
      {
        config: { model: 'support', options: { request } },
        request: { messages: conversation, params: { temperature: 0 } },
      },
    );
    expect(sent).toMatchObject({
      bot: 'support-bot',
      system: 'Be kind.\n\nBe brief.',
      options: { heat: 0, fixed: [1, true, null] },
      trial: 0,
    });
    expect(sent['history']).toHaveLength(6);
  });

  it.each([
    [[], ''],
    [
      [
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'no' },
        { role: 'user', content: 'second' },
        { role: 'tool', content: '22', toolCallId: 'c1' },
      ],
      'second',
    ],
  ] as const)('of the messages %j has the last question as its prompt', async (messages, prompt) => {
    const { sent } = await askProvider('http', { body: { text: 'Hi' } }, { request: { messages } });
    expect(sent).toEqual({ prompt });
  });

  it('that reads a parameter which is not set is not sent', async () => {
    const options = { request: { heat: '{{ params.temperature }}' } };
    const asked = await askProvider('http', { body: {} }, { config: { options } });
    expect(failureOf(asked)).toMatchObject({
      kind: 'badRequest',
      message: expect.stringContaining('params.temperature') as string,
    });
    expect(asked.received).toBeUndefined();
  });

  it.each([
    [{ request: { p: '{{ email }}' } }, 'email'],
    [{ response: { text: 'answer' } }, 'starts with "$"'],
    [{ response: { answer: '$.x' } }, 'answer'],
  ])('with the settings %j is the mistake of the user', (options, told) => {
    const { error } = httpOptions.safeParse(options);
    expect(error?.issues.map(({ message }) => message).join()).toContain(told);
  });

  it('has its settings in its identity, and only them', () => {
    const env = { env: {}, projectRoot: '/project' };
    const versionOf = (options: object, headers = {}) =>
      http.resolve(
        buildConfig({ adapter: 'http', baseUrl: 'http://127.0.0.1', options: options as never, headers }),
        env,
      ).adapterVersion;
    expect(versionOf({ request: { a: 1 } })).not.toBe(versionOf({ request: { a: 2 } }));
    expect(versionOf({ response: { text: '$.a' } })).not.toBe(versionOf({ response: { text: '$.b' } }));
    expect(versionOf({ request: { a: 1 } }, { x: 'y' })).toBe(versionOf({ request: { a: 1 } }));
  });
});

describe('an answer of the adapter http', () => {
  it('whose calls have no name at the path of names is malformed', async () => {
    const config = { options: { response: { text: '$.text', toolCalls: '$.calls' } } };
    const body = { text: 'Done.', calls: [{ function: 'delete_order', arguments: {} }] };
    expect(failureOf(await askProvider('http', { body }, { config }))).toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining('a tool call has no name') as string,
    });
  });

  it('is read by the paths', async () => {
    const response = {
      text: '$.data.parts[*].say',
      reasoning: '$.data.thought',
      toolCalls: '$.data.calls',
      toolName: '$.fn.name',
      toolArguments: '$.fn.args',
      finishReason: '$.why',
      inputTokens: '$.cost.in',
      outputTokens: '$.cost.out',
      cachedInputTokens: '$.cost.cached',
      model: '$.by',
      responseId: '$.id',
      error: '$.error',
    };
    const body = {
      data: {
        parts: [{ say: 'Hi ' }, { say: 'you' }],
        thought: 'Hm.',
        calls: [{ id: 't1', fn: { name: 'find', args: { q: 1 } } }, { fn: { name: 'now', args: '{}' } }],
      },
      why: 'tool_calls',
      cost: { in: 10, out: 5, cached: 4 },
      by: 'm-1',
      id: 'r1',
      error: null,
    };
    const asked = await askProvider('http', { body }, { config: { options: { response } } });
    const { latencyMs: _latency, ...completion } = completionOf(asked);
    expect(completion).toEqual({
      text: 'Hi you',
      reasoning: 'Hm.',
      toolCalls: [
        { id: 't1', name: 'find', arguments: { q: 1 }, rawArguments: '{"q":1}' },
        { name: 'now', arguments: {}, rawArguments: '{}' },
      ],
      finishReason: 'toolCalls',
      rawFinishReason: 'tool_calls',
      usage: { inputTokens: 10, outputTokens: 5, cachedInputTokens: 4 },
      responseId: 'r1',
      model: 'm-1',
    });
  });

  it('is written as JSON if it is no text', async () => {
    const options = { response: { text: '$.answer' } };
    const asked = await askProvider('http', { body: { answer: { queue: 'billing' } } }, { config: { options } });
    expect(completionOf(asked)).toMatchObject({ text: '{"queue":"billing"}' });
    expect(completionOf(asked).usage).toBeUndefined();
  });

  it.each([
    ['without a text', 200, { other: 1 }, 'malformed'],
    ['with an error', 200, { text: 'x', error: 'the model is overloaded' }, 'overloaded'],
    ['with an error object', 200, { error: { code: 'context_length_exceeded', message: 'no' } }, 'contextLength'],
    ['with an error of no known kind', 200, { error: { reason: 7 } }, 'malformed'],
    ['with a status', 401, { message: 'who?' }, 'auth'],
    ['that was filtered', 200, { text: 'x', why: 'content_filter' }, 'contentFilter'],
  ])('%s is a failure', async (_what, status, body, kind) => {
    const options = { response: { text: '$.text', error: '$.error', finishReason: '$.why' } };
    const asked = await askProvider('http', { status, body }, { config: { options } });
    expect(failureOf(asked)).toMatchObject({ kind });
  });

  it('that was filtered keeps its usage', async () => {
    const response = { text: '$.text', finishReason: '$.why', inputTokens: '$.in', outputTokens: '$.out' };
    const body = { text: 'x', why: 'content_filter', in: 3, out: 1 };
    const asked = await askProvider('http', { body }, { config: { options: { response } } });
    expect(failureOf(asked).usage).toEqual({ inputTokens: 3, outputTokens: 1 });
  });

  it.each([
    ['oops', 'reported an error: oops'],
    [{ message: 'no', code: 'x' }, 'reported an error: no'],
    [{ message: '', detail: 7 }, 'reported an error: {"message":"","detail":7}'],
    [{ reason: 7 }, 'reported an error: {"reason":7}'],
  ])('with the error %j says so', async (error, message) => {
    const options = { response: { text: '$.text', error: '$.error' } };
    const asked = await askProvider('http', { body: { text: 'x', error } }, { config: { options } });
    expect(failureOf(asked).message).toContain(message);
  });

  it.each(['', false, null])('with the error %j is none', async (error) => {
    const options = { response: { text: '$.text', error: '$.error' } };
    const asked = await askProvider('http', { body: { text: 'x', error } }, { config: { options } });
    expect(completionOf(asked).text).toBe('x');
  });
});
