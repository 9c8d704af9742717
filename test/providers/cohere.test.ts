import { describe, expect, it } from 'vitest';
import { askProvider, completionOf, conversation, failureOf, neutralParams } from './ask-provider.ts';

const answer = {
  id: 'a1',
  finish_reason: 'COMPLETE',
  message: { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] },
  usage: { billed_units: { input_tokens: 2, output_tokens: 4 }, tokens: { input_tokens: 3, output_tokens: 5 } },
};

describe('a chat request of Cohere', () => {
  it.each(['CO_API_KEY', 'COHERE_API_KEY'])('carries the key that %s holds', async (name) => {
    const env = { CO_API_URL: '{url}', [name]: 'co-key-0123456789' };
    const { received } = await askProvider('cohere', { body: answer }, { env });
    expect(received?.url).toBe('/v2/chat');
    expect(received?.headers['authorization']).toBe('Bearer co-key-0123456789');
  });

  it('carries its own key where both are set', async () => {
    const env = { CO_API_URL: '{url}', CO_API_KEY: 'co-key-0123456789', COHERE_API_KEY: 'other-key-0123456789' };
    const { received } = await askProvider('cohere', { body: answer }, { env });
    expect(received?.headers['authorization']).toBe('Bearer co-key-0123456789');
  });

  it('carries a conversation with calls and their results', async () => {
    const { sent } = await askProvider('cohere', { body: answer }, { request: { messages: conversation } });
    expect(sent).toEqual({
      stream: false,
      model: 'some-model',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'How warm is it in Paris and Rome?' },
        {
          role: 'assistant',
          content: 'I look.',
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
            { id: 'c2', type: 'function', function: { name: 'weather', arguments: '{"city":' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: '22' },
        { role: 'tool', tool_call_id: 'c2', content: '30' },
      ],
    });
  });

  it('spells the parameters that all APIs share as this one does', async () => {
    const { sent } = await askProvider('cohere', { body: answer }, { request: { params: neutralParams } });
    expect(sent).toMatchObject({
      max_tokens: 50,
      temperature: 0,
      p: 0.5,
      stop_sequences: ['END'],
      tool_choice: 'REQUIRED',
      tools: [
        { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } },
        { type: 'function', function: { name: 'now', parameters: { type: 'object' } } },
      ],
      response_format: { type: 'json_object', json_schema: { type: 'object' } },
    });
  });

  it.each([
    ['none', { tool_choice: 'NONE' }],
    ['required', { tool_choice: 'REQUIRED' }],
    ['auto', {}],
  ])('says what the tool choice %s is', async (choice, own) => {
    const params = { ...neutralParams, tool_choice: choice };
    const { sent } = await askProvider('cohere', { body: answer }, { request: { params } });
    expect(Object.fromEntries(Object.entries(sent ?? {}).filter(([name]) => name === 'tool_choice'))).toEqual(own);
  });

  it('offers only the one tool that must be called', async () => {
    const params = { ...neutralParams, tool_choice: { type: 'function', function: { name: 'now' } } };
    const { sent } = await askProvider('cohere', { body: answer }, { request: { params } });
    expect(sent).toMatchObject({ tool_choice: 'REQUIRED', tools: [{ function: { name: 'now' } }] });
  });
});

describe('a chat answer of Cohere', () => {
  it('keeps thoughts, text, calls and all kinds of tokens apart', async () => {
    const body = {
      ...answer,
      finish_reason: 'TOOL_CALL',
      message: {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'text', text: 'I look.' },
        ],
        tool_plan: 'I will find it.',
        tool_calls: [{ id: 't1', type: 'function', function: { name: 'find', arguments: '{"q": 1}' } }],
      },
      usage: { ...answer.usage, cached_tokens: 9 },
    };
    const { latencyMs: _latency, ...completion } = completionOf(await askProvider('cohere', { body }));
    expect(completion).toEqual({
      text: 'I look.',
      reasoning: 'Hm.\n\nI will find it.',
      toolCalls: [{ id: 't1', name: 'find', arguments: { q: 1 }, rawArguments: '{"q": 1}' }],
      finishReason: 'toolCalls',
      rawFinishReason: 'TOOL_CALL',
      usage: { inputTokens: 3, outputTokens: 5, cachedInputTokens: 3 },
      responseId: 'a1',
      continuation: JSON.stringify({ tool_plan: body.message.tool_plan, content: body.message.content }),
    });
  });

  it('may be a call alone', async () => {
    const call = { id: 't1', type: 'function', function: { name: 'find', arguments: '{}' } };
    const body = { ...answer, finish_reason: 'TOOL_CALL', message: { role: 'assistant', tool_calls: [call] } };
    expect(completionOf(await askProvider('cohere', { body }))).toMatchObject({
      text: '',
      toolCalls: [{ id: 't1', name: 'find' }],
    });
  });

  it.each([
    [{ billed_units: { input_tokens: 2, output_tokens: 4 } }, { inputTokens: 2, outputTokens: 4 }],
    [{ billed_units: { input_tokens: 2, output_tokens: 4 }, tokens: { input_tokens: 3 } }, undefined],
  ])('with %j used %j', async (usage, expected) => {
    expect(completionOf(await askProvider('cohere', { body: { ...answer, usage } })).usage).toEqual(expected);
  });

  it('may be a plan alone', async () => {
    const body = { ...answer, message: { role: 'assistant', tool_plan: 'I will wait.' } };
    expect(completionOf(await askProvider('cohere', { body }))).toMatchObject({ text: '', reasoning: 'I will wait.' });
  });

  it.each([
    ['COMPLETE', 'stop'],
    ['STOP_SEQUENCE', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['USER_CANCEL', 'other'],
  ])('that stopped by %s stopped by %s', async (reason, expected) => {
    const completion = completionOf(await askProvider('cohere', { body: { ...answer, finish_reason: reason } }));
    expect(completion).toMatchObject({ finishReason: expected, rawFinishReason: reason });
  });

  it.each([
    ['ERROR', 'server'],
    ['TIMEOUT', 'server'],
    ['ERROR_TOXIC', 'contentFilter'],
  ])('that ended with %s is a failure', async (reason, kind) => {
    const body = { ...answer, finish_reason: reason };
    expect(failureOf(await askProvider('cohere', { body }))).toMatchObject({ kind });
  });

  it.each([
    ['without content', { finish_reason: 'COMPLETE', message: { role: 'assistant' } }],
    ['a number', { finish_reason: 'COMPLETE', message: { content: 42 } }],
    ['a text that is none', { finish_reason: 'COMPLETE', message: { content: [{ type: 'text', text: 42 }] } }],
    ['an embedding', { id: 'e', embeddings: { float: [[0.1]] } }],
    ['a list', []],
  ])('that is %s is malformed', async (_what, body) => {
    expect(failureOf(await askProvider('cohere', { body }))).toMatchObject({ kind: 'malformed' });
  });
});
