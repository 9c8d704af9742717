import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkExchanges, findFaults } from '../../scripts/exchange-checks.ts';
import type { Exchange } from '../../scripts/exchange-truth.ts';

function build(kind: string, response: unknown, status = 200, uri = 'https://example.com/'): Exchange {
  return { id: 'e1', kind, uri, status, request: null, response };
}

const openai = { object: 'chat.completion', id: 'c', model: 'm' };
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

async function check(exchange: Exchange) {
  for await (const checked of checkExchanges([exchange])) return checked;
  throw new Error('nothing was checked');
}

describe('the checker of exchanges', () => {
  it.each([
    build('openai-chat', { ...openai, usage, choices: [{ finish_reason: 'stop', message: { content: 'Hi' } }] }),
    build('openai-chat', { ...openai, usage, choices: [{ finish_reason: 'length', message: { content: null } }] }),
    build('openai-chat', {
      ...openai,
      usage,
      choices: [
        {
          finish_reason: 'tool_calls',
          message: { content: '', tool_calls: [{ function: { name: 'f', arguments: '' } }] },
        },
      ],
    }),
    build('openai-chat', {
      ...openai,
      usage,
      choices: [
        { finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'f', arguments: '{"a":' } }] } },
      ],
    }),
    build('openai-chat', { ...openai, choices: [{ finish_reason: 'content_filter', message: { content: 'half' } }] }),
    build('openai-chat', { object: 'list', data: [{ object: 'embedding', embedding: [0.1] }], usage }),
    build('openai-chat', { object: 'list', data: [{ id: 'gpt-4o', object: 'model' }] }),
    build('openai-chat', 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n'),
    build('openai-chat', null),
    build('openai-responses', {
      object: 'response',
      status: 'failed',
      error: { code: 'server_error', message: 'oops' },
      output: [],
    }),
    build('openai-responses', { object: 'response', status: 'in_progress', output: [] }),
    build('openai-responses', {
      object: 'response',
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [],
    }),
    build('openai-responses', {
      object: 'response.compaction',
      output: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
    }),
    build('anthropic', { input_tokens: 12 }),
    build('gemini', { promptFeedback: { blockReason: 'SAFETY' } }),
    build('gemini', { candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL', content: {} }] }),
    build('bedrock', { message: 'Too many requests, please wait before trying again.' }, 429),
    build('bedrock', { Message: 'User: arn is not authorized to perform: bedrock:InvokeModel' }, 403),
    build('cohere', { message: 'invalid api token' }, 401),
    build('unheard-of', { content: [{ type: 'text', text: 'Hi' }] }, 200, 'https://proxy.example/v1/messages'),
  ])('passes $kind $status $response', async (exchange) => {
    expect((await check(exchange)).faults).toEqual([]);
  });

  it('prints what came out', async () => {
    const message = { content: 'Hi', tool_calls: [{ id: 't', function: { name: 'f', arguments: '{"a":1}' } }] };
    const { line } = await check(
      build('openai-chat', { ...openai, usage, choices: [{ finish_reason: 'stop', message }] }),
    );
    expect(line).toEqual({
      id: 'e1',
      text: 'Hi',
      toolCalls: [{ id: 't', name: 'f', arguments: { a: 1 } }],
      finishReason: 'stop',
      usage: { inputTokens: 10, outputTokens: 5 },
      error: null,
    });
    expect((await check(build('anthropic', { error: { type: 'api_error', message: 'no' } }, 500))).line).toMatchObject({
      error: { kind: 'server', status: 500 },
    });
  });

  it.each([
    ['a text that was changed', { text: 'Ho' }],
    ['a call that was dropped', { toolCalls: [] }],
    ['tokens that were dropped', { usage: { inputTokens: 10, outputTokens: 4 } }],
    ['another model', { model: 'n' }],
  ])('fails %s', (_what, change) => {
    const message = { content: 'Hi', tool_calls: [{ function: { name: 'f', arguments: '{}' } }] };
    const exchange = build('openai-chat', { ...openai, usage, choices: [{ message }] });
    const completion = {
      text: 'Hi',
      toolCalls: [{ name: 'f', arguments: {}, rawArguments: '{}' }],
      finishReason: 'toolCalls',
      latencyMs: 1,
      usage: { inputTokens: 10, outputTokens: 5 },
      model: 'm',
      responseId: 'c',
    } as const;
    const outcome = { status: 'completed', cached: false, attempts: 1 } as const;
    expect(findFaults(exchange, { ...outcome, completion })).toEqual([]);
    expect(findFaults(exchange, { ...outcome, completion: { ...completion, ...change } })).toHaveLength(1);
  });

  it('fails a failure that is an answer, an answer that is a failure, and the wrong kind of one', () => {
    const answered = build('openai-chat', { choices: [{ message: { content: 'Hi' } }] });
    const refused = build('openai-chat', { error: { message: 'slow down' } }, 429);
    const failed = { status: 'failed', attempts: 1 } as const;
    const failure = { kind: 'server', message: 'oops' } as const;
    expect(findFaults(answered, { ...failed, failure })).toHaveLength(1);
    expect(findFaults(refused, { ...failed, failure })).toHaveLength(1);
    expect(findFaults(refused, { ...failed, failure: { kind: 'rateLimit', message: 'slow down' } })).toEqual([]);
  });
});

it('is what npm runs as check:exchanges', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  expect(scripts['check:exchanges']).toContain('scripts/check-exchanges.ts');
});
