import { describe, expect, it } from 'vitest';
import { askProvider, completionOf, conversation, failureOf, neutralParams } from './ask-provider.ts';

const answer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 3, output_tokens: 5 },
};

describe('a Messages request', () => {
  it('goes to the address and with the key of the environment', async () => {
    const { received } = await askProvider(
      'anthropic',
      { body: answer },
      {
        env: { ANTHROPIC_BASE_URL: '{url}', ANTHROPIC_API_KEY: 'sk-ant-0123456789' },
        config: { headers: { 'anthropic-beta': 'some-2026-01-01' } },
      },
    );
    expect(received?.url).toBe('/v1/messages');
    expect(received?.headers).toMatchObject({
      'x-api-key': 'sk-ant-0123456789',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'some-2026-01-01',
    });
    expect(received?.headers['authorization']).toBeUndefined();
  });

  it('takes the version of the API that the suite names', async () => {
    const config = { headers: { 'Anthropic-Version': '2030-01-01' } };
    const { received } = await askProvider('anthropic', { body: answer }, { config });
    expect(received?.headers['anthropic-version']).toBe('2030-01-01');
  });

  it('takes system messages apart and joins what one side says', async () => {
    const { sent } = await askProvider('anthropic', { body: answer }, { request: { messages: conversation } });
    expect(sent).toEqual({
      max_tokens: 4096,
      model: 'some-model',
      system: 'Be kind.\n\nBe brief.',
      messages: [
        { role: 'user', content: 'How warm is it in Paris and Rome?' },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Paris' } },
            { type: 'tool_use', id: 'c2', name: 'weather', input: { arguments: '{"city":' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'c1', content: '22' },
            { type: 'tool_result', tool_use_id: 'c2', content: '30' },
          ],
        },
      ],
    });
  });

  it('sends the system message of the prompt, whatever the parameters say', async () => {
    const params = { system: 'Be rude.' };
    const { sent } = await askProvider('anthropic', { body: answer }, { request: { messages: conversation, params } });
    expect(sent).toMatchObject({ system: 'Be kind.\n\nBe brief.' });
  });

  it('spells the parameters that all APIs share as this one does', async () => {
    const { sent } = await askProvider('anthropic', { body: answer }, { request: { params: neutralParams } });
    expect(sent).toMatchObject({
      max_tokens: 50,
      temperature: 0,
      top_p: 0.5,
      stop_sequences: ['END'],
      tool_choice: { type: 'any' },
      tools: [
        {
          name: 'weather',
          description: 'Tells it.',
          input_schema: { type: 'object', properties: { city: { type: 'string' } } },
        },
        { name: 'now', input_schema: { type: 'object', properties: {} } },
      ],
      output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
    });
    expect(Object.keys(sent)).not.toContain('response_format');
  });

  it('lets its own spellings through', async () => {
    const params = {
      max_tokens: 9,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      tools: [
        { type: 'web_search_20250305', name: 'web_search' },
        { name: 'own', input_schema: { type: 'object' } },
      ],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      output_config: { effort: 'low' },
    };
    const { sent } = await askProvider('anthropic', { body: answer }, { request: { params } });
    expect(sent).toMatchObject(params);
  });

  it('keeps its own output settings beside the schema', async () => {
    const params = { ...neutralParams, output_config: { effort: 'low' } };
    const { sent } = await askProvider('anthropic', { body: answer }, { request: { params } });
    expect(sent['output_config']).toEqual({
      effort: 'low',
      format: { type: 'json_schema', schema: { type: 'object' } },
    });
  });

  it('sends thoughts back with an answer that called no tool', async () => {
    const kept = [
      { type: 'thinking', thinking: 'Hm.', signature: 's' },
      { type: 'text', text: 'Hi' },
    ];
    const messages = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi', continuation: JSON.stringify(kept) },
      { role: 'user', content: 'And now?' },
    ] as const;
    const { sent } = await askProvider('anthropic', { body: answer }, { request: { messages } });
    expect(sent['messages']).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: kept },
      { role: 'user', content: 'And now?' },
    ]);
  });
});

describe('a Messages answer', () => {
  it('keeps thoughts, text, calls and all kinds of tokens apart', async () => {
    const body = {
      ...answer,
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 's' },
        { type: 'redacted_thinking', data: 'x' },
        { type: 'text', text: 'I look' },
        { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } },
        { type: 'web_search_tool_result', tool_use_id: 's1', content: [] },
        { type: 'text', text: ' it up.', citations: [] },
        { type: 'tool_use', id: 't1', name: 'find', input: { q: 1 } },
      ],
      stop_reason: 'tool_use',
      usage: {
        input_tokens: 3,
        cache_read_input_tokens: 100,
        cache_creation_input_tokens: 20,
        output_tokens: 50,
        output_tokens_details: { thinking_tokens: 7 },
      },
    };
    const { latencyMs, ...completion } = completionOf(await askProvider('anthropic', { body }));
    expect(latencyMs).toBeGreaterThan(0);
    expect(completion).toEqual({
      text: 'I look it up.',
      reasoning: 'Hm.',
      toolCalls: [{ id: 't1', name: 'find', arguments: { q: 1 }, rawArguments: '{"q":1}' }],
      finishReason: 'toolCalls',
      rawFinishReason: 'tool_use',
      usage: { inputTokens: 123, outputTokens: 50, cachedInputTokens: 100, cacheWriteTokens: 20, reasoningTokens: 7 },
      responseId: 'msg_1',
      model: 'claude-sonnet-4-5-20250929',
      continuation: JSON.stringify(body.content),
    });
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'other'],
    ['constructor', 'other'],
  ])('that stopped by %s stopped by %s', async (reason, expected) => {
    const completion = completionOf(await askProvider('anthropic', { body: { ...answer, stop_reason: reason } }));
    expect(completion).toMatchObject({ finishReason: expected, rawFinishReason: reason });
  });

  it('that was refused says why', async () => {
    const refused = { ...answer, content: [], stop_reason: 'refusal' };
    const bare = completionOf(await askProvider('anthropic', { body: refused }));
    expect(bare).toMatchObject({ text: '', finishReason: 'refusal', refusal: 'the model refused' });
    const explained = { ...refused, stop_details: { type: 'refusal', category: 'cyber', explanation: 'Not that.' } };
    expect(completionOf(await askProvider('anthropic', { body: explained })).refusal).toBe('Not that.');
  });

  it.each([
    ['a token count', { input_tokens: 12 }],
    ['a list of models', { data: [{ type: 'model', id: 'claude' }], has_more: false }],
    ['a batch', { id: 'msgbatch_1', type: 'message_batch', processing_status: 'in_progress' }],
    ['a list', []],
    ['without content', { ...answer, content: null }],
    ['a list of numbers', { ...answer, content: [42] }],
    ['a text that is none', { ...answer, content: [{ type: 'text', text: 42 }] }],
    ['an error without words', { type: 'error', error: 7 }],
  ])('that is %s is malformed', async (_what, body) => {
    expect(failureOf(await askProvider('anthropic', { body }))).toMatchObject({ kind: 'malformed' });
  });

  it('that is an error under 200 is reported as that error', async () => {
    const body = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    expect(failureOf(await askProvider('anthropic', { body }))).toMatchObject({ kind: 'overloaded' });
  });

  it('that is a stream is malformed and quoted', async () => {
    const reply = { headers: { 'content-type': 'text/event-stream' }, body: 'event: message_start\ndata: {}\n\n' };
    const failure = failureOf(await askProvider('anthropic', reply));
    expect(failure).toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining('text/event-stream') as string,
    });
  });
});
