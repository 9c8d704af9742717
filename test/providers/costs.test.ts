import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { createPricer } from '../../src/prices/create-pricer.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { askProvider, completionOf, failureOf } from './ask-provider.ts';
import { buildConfig } from './build-request.ts';

const anthropic = (usage: object) => ({ content: [], stop_reason: 'end_turn', usage });
const bedrock = (usage: object) => ({ output: { message: { content: [] } }, stopReason: 'end_turn', usage });
const gemini = (usageMetadata: object) => ({ candidates: [{ finishReason: 'STOP' }], usageMetadata });
const chat = (usage: object) => ({ choices: [{ message: { content: '' } }], usage });
const responses = (usage: object) => ({ status: 'completed', output: [{ type: 'message', content: [] }], usage });

const sonnetOnBedrock = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';

/**
 * Token counts of ten real answers, and what they cost in millionths of a dollar by the vendors' price pages, worked out
 * by hand. In USD a million tokens (input, cache read, cache write, output): Claude Sonnet 4.5 and 4.6: 3, 0.30, 3.75,
 * 15, in the us. profile of Bedrock 10 % more; Gemini 2.5 Flash: 0.30, 0.03, –, 2.50, 3 Flash: 0.50, 0.05, –, 3; GPT-5:
 * 1.25, 0.125, –, 10; o3-mini: 1.10, 0.55, –, 4.40. Reasoning is output.
 */
const exchanges = [
  // 4 × 3 + 8845 × 0.30 + 6 × 3.75 + 193 × 15
  [
    'anthropic',
    'claude-sonnet-4-6',
    5583,
    anthropic({ input_tokens: 4, cache_read_input_tokens: 8845, cache_creation_input_tokens: 6, output_tokens: 193 }),
  ],
  // 10 × 3 + 4332 × 0.30 + 4513 × 3.75 + 211 × 15
  [
    'anthropic',
    'claude-sonnet-4-6',
    21_418.35,
    anthropic({
      input_tokens: 10,
      cache_read_input_tokens: 4332,
      cache_creation_input_tokens: 4513,
      output_tokens: 211,
    }),
  ],
  // 7 × 3 + 1069 × 3.75 + 60 × 15
  [
    'anthropic',
    'claude-sonnet-4-5',
    4929.75,
    anthropic({ input_tokens: 7, cache_read_input_tokens: 0, cache_creation_input_tokens: 1069, output_tokens: 60 }),
  ],
  // 3 × 3.30 + 1712 × 0.33 + 236 × 4.125 + 121 × 16.50
  [
    'bedrock',
    sonnetOnBedrock,
    3544.86,
    bedrock({
      inputTokens: 3,
      cacheReadInputTokens: 1712,
      cacheWriteInputTokens: 236,
      outputTokens: 121,
      totalTokens: 2072,
    }),
  ],
  // 386 × 3.30 + 2752 × 0.33 + 4 × 16.50
  [
    'bedrock',
    sonnetOnBedrock,
    2247.96,
    bedrock({
      inputTokens: 386,
      cacheReadInputTokens: 2752,
      cacheWriteInputTokens: 0,
      outputTokens: 4,
      totalTokens: 3142,
    }),
  ],
  // 8 × 0.30 + 3512 × 0.03 + (2 + 51) × 2.50
  [
    'gemini',
    'gemini-2.5-flash',
    240.26,
    gemini({
      promptTokenCount: 3520,
      cachedContentTokenCount: 3512,
      candidatesTokenCount: 2,
      thoughtsTokenCount: 51,
      totalTokenCount: 3573,
    }),
  ],
  // (893 + 3056) × 0.50 + (106 + 1312) × 3
  [
    'gemini',
    'gemini-3-flash-preview',
    6228.5,
    gemini({
      promptTokenCount: 893,
      toolUsePromptTokenCount: 3056,
      candidatesTokenCount: 106,
      thoughtsTokenCount: 1312,
      totalTokenCount: 5367,
    }),
  ],
  // 329 × 1.25 + 300 × 10, 256 of them reasoning
  [
    'openai',
    'gpt-5',
    3411.25,
    chat({
      prompt_tokens: 329,
      completion_tokens: 300,
      total_tokens: 629,
      completion_tokens_details: { reasoning_tokens: 256 },
      prompt_tokens_details: { cached_tokens: 0 },
    }),
  ],
  // 124 × 1.25 + 1926 × 10, 1792 of them reasoning
  [
    'openai',
    'gpt-5',
    19_415,
    responses({
      input_tokens: 124,
      output_tokens: 1926,
      total_tokens: 2050,
      output_tokens_details: { reasoning_tokens: 1792 },
    }),
  ],
  // 11 × 1.10 + 809 × 4.40, 768 of them reasoning
  [
    'openai',
    'o3-mini',
    3571.7,
    chat({
      prompt_tokens: 11,
      completion_tokens: 809,
      total_tokens: 820,
      completion_tokens_details: { reasoning_tokens: 768 },
    }),
  ],
] as const;

it.each(exchanges)('an answer of %s %s costs %f millionths of a dollar', async (adapter, model, millionths, body) => {
  const options = 'output' in body && 'status' in body ? { api: 'responses' } : {};
  const completion = completionOf(await askProvider(adapter, { body }, { config: { model, options } }));
  const config = buildConfig({ adapter, model });
  const env = { env: { AWS_REGION: 'us-east-1' }, projectRoot: '/project' };
  const priceProvider = lookupAdapter(adapter)?.resolve(config, env).priceProvider ?? 'none';
  const pricer = await createPricer({ prices: {} });
  const { usage } = completion;
  const costUsd = pricer.priceOf({ providerId: 'p', adapter, model, priceProvider, usage });
  expect((costUsd ?? Number.NaN) * 1e6).toBeCloseTo(millionths, 6);
});

it.each<[string, string, object, JsonObject?]>([
  ['anthropic', 'm', { ...anthropic({ input_tokens: 3, output_tokens: 5 }), content: 42 }],
  ['bedrock', 'm', { ...bedrock({ inputTokens: 3, outputTokens: 5 }), output: {} }],
  ['gemini', 'm', { ...gemini({ promptTokenCount: 3, candidatesTokenCount: 5 }), candidates: [] }],
  ['cohere', 'm', { message: 42, usage: { tokens: { input_tokens: 3, output_tokens: 5 } } }],
  ['openai', 'm', { ...chat({ prompt_tokens: 3, completion_tokens: 5 }), choices: [] }],
  ['openai', 'm', { ...responses({ input_tokens: 3, output_tokens: 5 }), output: [] }, { api: 'responses' }],
  [
    'http',
    'm',
    { read: 3, written: 5 },
    { response: { text: '$.text', inputTokens: '$.read', outputTokens: '$.written' } },
  ],
])('%s:%s counts what an answer of no use is billed for (%j)', async (adapter, model, body, options = {}) => {
  const failure = failureOf(await askProvider(adapter, { body }, { config: { model, options } }));
  expect(failure).toMatchObject({ kind: 'malformed', usage: { inputTokens: 3, outputTokens: 5 } });
});

it('counts what an embedding of no use is billed for', async () => {
  const body = { data: [], usage: { prompt_tokens: 3 } };
  const asked = await askProvider(
    'openai',
    { body },
    {
      config: { options: { api: 'embeddings' } },
      request: { params: { dimensions: 2 } },
    },
  );
  expect(asked.sent).toMatchObject({ dimensions: 2, input: expect.any(String), model: expect.any(String) });
  expect(failureOf(asked)).toMatchObject({ kind: 'malformed', usage: { inputTokens: 3, outputTokens: 0 } });
});
