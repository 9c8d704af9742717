import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/model/problem.ts';
import { findBrokenReason } from '../../src/model/run/completion.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { askProvider, completionOf, conversation, failureOf, neutralParams } from './ask-provider.ts';
import { buildConfig } from './build-request.ts';

const answer = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 5, totalTokenCount: 8 },
  modelVersion: 'gemini-2.5-flash-001',
  responseId: 'r1',
};

function ended(finishReason: string | undefined, parts: readonly object[] = []): object {
  return { ...answer, candidates: [{ content: { parts }, ...(finishReason === undefined ? {} : { finishReason }) }] };
}

describe('a generateContent request', () => {
  it.each([
    [{ GEMINI_API_KEY: 'AIza-first-key' }, 'AIza-first-key'],
    [{ GOOGLE_API_KEY: 'AIza-other-key' }, 'AIza-other-key'],
    [{ GEMINI_API_KEY: 'AIza-first-key', GOOGLE_API_KEY: 'AIza-other-key' }, 'AIza-first-key'],
  ])('with %j carries the key in its header alone', async (keys, key) => {
    const { received } = await askProvider(
      'gemini',
      { body: answer },
      {
        env: { GOOGLE_GEMINI_BASE_URL: '{url}', ...keys },
        config: { model: 'gemini-2.5-flash' },
      },
    );
    expect(received?.url).toBe('/v1beta/models/gemini-2.5-flash:generateContent');
    expect(received?.headers['x-goog-api-key']).toBe(key);
  });

  it('on Vertex AI names project and place and brings a token', async () => {
    const { received } = await askProvider(
      'vertex',
      { body: answer },
      {
        env: {
          GOOGLE_VERTEX_BASE_URL: '{url}/v1/projects/p/locations/l/publishers/google',
          GOOGLE_ACCESS_TOKEN: 'ya29.token',
        },
        config: { model: 'gemini-2.5-flash' },
      },
    );
    expect(received?.url).toBe('/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent');
    expect(received?.headers['authorization']).toBe('Bearer ya29.token');
  });

  it.each([
    [{}, { GOOGLE_CLOUD_PROJECT: ' p ' }, 'aiplatform', 'p', 'global'],
    [{}, { GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_CLOUD_LOCATION: ' ' }, 'aiplatform', 'p', 'global'],
    [{}, { GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_CLOUD_LOCATION: 'eu' }, 'eu-aiplatform', 'p', 'eu'],
    [
      { project: 'own', location: 'us' },
      { GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_CLOUD_LOCATION: 'eu' },
      'us-aiplatform',
      'own',
      'us',
    ],
  ])('on Vertex AI with the options %j and %j goes to %s', (options, env, host, project, location) => {
    const config = buildConfig({ adapter: 'vertex', options });
    expect(lookupAdapter('vertex')?.resolve(config, { env, projectRoot: '/project' }).baseUrl).toBe(
      `https://${host}.googleapis.com/v1/projects/${project}/locations/${location}/publishers/google`,
    );
  });

  it('on Vertex AI without a project is the mistake of the user', async () => {
    await expect(askProvider('vertex', { body: answer }, { env: {} })).rejects.toThrow(UserError);
  });

  it('takes system messages apart and names the function of a result', async () => {
    const { sent } = await askProvider('gemini', { body: answer }, { request: { messages: conversation } });
    expect(sent).toEqual({
      systemInstruction: { parts: [{ text: 'Be kind.\n\nBe brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'How warm is it in Paris and Rome?' }] },
        {
          role: 'model',
          parts: [
            { text: 'I look.' },
            { functionCall: { id: 'c1', name: 'weather', args: { city: 'Paris' } } },
            { functionCall: { id: 'c2', name: 'weather', args: { arguments: '{"city":' } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'c1', name: 'weather', response: { result: '22' } } },
            { functionResponse: { id: 'c2', name: 'weather', response: { result: '30' } } },
          ],
        },
      ],
    });
  });

  it('to a model that wants the signature of a thought gets the stand-in for it', async () => {
    const { sent } = await askProvider(
      'gemini',
      { body: answer },
      {
        config: { model: 'gemini-3-flash-preview' },
        request: { messages: conversation },
      },
    );
    expect(JSON.stringify(sent)).toContain('"thoughtSignature":"skip_thought_signature_validator"');
  });

  it('spells the parameters that all APIs share as this one does', async () => {
    const { sent } = await askProvider('gemini', { body: answer }, { request: { params: neutralParams } });
    expect(sent).toMatchObject({
      generationConfig: {
        maxOutputTokens: 50,
        temperature: 0,
        topP: 0.5,
        stopSequences: ['END'],
        responseMimeType: 'application/json',
        responseJsonSchema: { type: 'object' },
      },
      toolConfig: { functionCallingConfig: { mode: 'ANY' } },
      tools: [
        {
          functionDeclarations: [
            { name: 'weather', description: 'Tells it.', parametersJsonSchema: { type: 'object' } },
            { name: 'now', description: '' },
          ],
        },
      ],
    });
  });

  it('lets its own spellings through', async () => {
    const params = {
      generationConfig: { maxOutputTokens: 9 },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      tools: [{ googleSearch: {} }],
      toolConfig: { includeServerSideToolInvocations: true },
      thinkingConfig: { thinkingBudget: 0 },
      max_tokens: 100,
    };
    const { thinkingConfig, max_tokens: _limit, ...body } = params;
    const { sent } = await askProvider('gemini', { body: answer }, { request: { params } });
    expect(sent).toMatchObject({ ...body, generationConfig: { maxOutputTokens: 9, thinkingConfig } });
  });

  it('lets its own spellings win over those that all APIs share', async () => {
    const params = {
      ...neutralParams,
      generationConfig: { topP: 0.1, responseMimeType: 'text/x.enum' },
      toolConfig: { retrievalConfig: { languageCode: 'en' } },
    };
    const { sent } = await askProvider('gemini', { body: answer }, { request: { params } });
    expect(sent).toMatchObject({
      generationConfig: { topP: 0.1, temperature: 0, responseMimeType: 'text/x.enum' },
      toolConfig: { retrievalConfig: { languageCode: 'en' }, functionCallingConfig: { mode: 'ANY' } },
    });
  });

  it('names the function of a result as the result does', async () => {
    const messages = [
      { role: 'user', content: 'Hello' },
      { role: 'tool', content: '22', toolCallId: 'c9', name: 'weather' },
    ] as const;
    const { sent } = await askProvider('gemini', { body: answer }, { request: { messages } });
    expect(sent['contents']).toMatchObject([
      { parts: [{ text: 'Hello' }, { functionResponse: { id: 'c9', name: 'weather', response: { result: '22' } } }] },
    ]);
  });
});

describe('a generateContent answer', () => {
  it('keeps thoughts, text, calls and all kinds of tokens apart', async () => {
    const parts = [
      { text: 'Hm.', thought: true },
      { text: 'I ' },
      { executableCode: { language: 'PYTHON', code: 'print(1)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
      { text: 'look.', thoughtSignature: 's' },
      { functionCall: { name: 'find', args: { q: 1 } } },
      { functionCall: { name: 'now' } },
    ];
    const body = {
      ...ended('STOP', parts),
      usageMetadata: {
        promptTokenCount: 100,
        toolUsePromptTokenCount: 20,
        cachedContentTokenCount: 60,
        candidatesTokenCount: 5,
        thoughtsTokenCount: 7,
        totalTokenCount: 132,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 90 },
          { modality: 'AUDIO', tokenCount: 10 },
          { modality: 'IMAGE', tokenCount: 5 },
        ],
      },
    };
    const { latencyMs: _latency, ...completion } = completionOf(await askProvider('gemini', { body }));
    expect(completion).toEqual({
      text: 'I look.',
      reasoning: 'Hm.',
      toolCalls: [
        { name: 'find', arguments: { q: 1 }, rawArguments: '{"q":1}' },
        { name: 'now', arguments: {}, rawArguments: '{}' },
      ],
      finishReason: 'toolCalls',
      rawFinishReason: 'STOP',
      usage: { inputTokens: 120, outputTokens: 12, cachedInputTokens: 60, reasoningTokens: 7, inputAudioTokens: 10 },
      responseId: 'r1',
      model: 'gemini-2.5-flash-001',
      continuation: JSON.stringify(parts),
    });
  });

  it.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['OTHER', 'other'],
  ])('that stopped by %s stopped by %s, even without a part', async (reason, expected) => {
    const completion = completionOf(await askProvider('gemini', { body: ended(reason) }));
    expect(completion).toMatchObject({ text: '', finishReason: expected, rawFinishReason: reason });
  });

  it.each([
    ['MALFORMED_FUNCTION_CALL', [], ''],
    ['UNEXPECTED_TOOL_CALL', [{ text: 'I look.' }], 'I look.'],
    ['TOO_MANY_TOOL_CALLS', [{ functionCall: { name: 'find' } }], ''],
    ['MALFORMED_RESPONSE', [], ''],
    ['NO_IMAGE', [], ''],
    ['IMAGE_OTHER', [{ text: 'Here it is.' }], 'Here it is.'],
  ])('that stopped by %s is an answer, which its case fails', async (reason, parts, text) => {
    const completion = completionOf(await askProvider('gemini', { body: ended(reason, parts) }));
    expect(completion).toMatchObject({ text, finishReason: 'other', rawFinishReason: reason });
    expect(findBrokenReason(completion)).toBe(reason);
  });

  it.each([
    ['an answer', ended('SAFETY', [{ text: 'half of it' }])],
    ['an answer that quotes', ended('RECITATION')],
    ['an image', ended('IMAGE_SAFETY')],
    ['the prompt', { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 3 } }],
  ])('whose filter stopped %s is a content filter', async (_what, body) => {
    expect(failureOf(await askProvider('gemini', { body }))).toMatchObject({ kind: 'contentFilter' });
  });

  it.each([
    'SAFETY',
    'RECITATION',
    'LANGUAGE',
    'BLOCKLIST',
    'PROHIBITED_CONTENT',
    'SPII',
    'MODEL_ARMOR',
    'IMAGE_SAFETY',
    'IMAGE_PROHIBITED_CONTENT',
    'IMAGE_RECITATION',
  ])('that stopped by %s is blocked', async (reason) => {
    const { kind } = failureOf(await askProvider('gemini', { body: ended(reason, [{ text: 'half' }]) }));
    expect(kind).toBe('contentFilter');
  });

  it('that lacks the signature of an earlier answer blames the request, and not the model', async () => {
    const outcome = await askProvider('gemini', { body: ended('MISSING_THOUGHT_SIGNATURE', [{ text: 'half' }]) });
    expect(failureOf(outcome)).toMatchObject({
      kind: 'badRequest',
      message: 'the request lacks a thought signature of an earlier answer (MISSING_THOUGHT_SIGNATURE)',
    });
  });

  it.each([
    ['no content', { candidates: [{ finishReason: 'MAX_TOKENS' }] }],
    ['no parts', { candidates: [{ content: { role: 'model' }, finishReason: 'STOP' }] }],
  ])('that stopped before its first word and has %s is empty', async (_what, body) => {
    expect(completionOf(await askProvider('gemini', { body })).text).toBe('');
  });

  it.each([
    ['a token count', { totalTokens: 12, promptTokensDetails: [] }],
    ['an embedding', { embedding: { values: [0.1] } }],
    ['a list of models', { models: [{ name: 'models/gemini' }] }],
    ['empty', { candidates: [] }],
    ['an empty candidate', { candidates: [{}] }],
    ['a number', { candidates: [{ content: 42, finishReason: 'STOP' }] }],
    ['without a list of parts', { candidates: [{ content: { parts: 42 }, finishReason: 'STOP' }] }],
    ['a text that is none', ended('STOP', [{ text: 42 }])],
    ['a list of chunks', [answer]],
  ])('that is %s is malformed', async (_what, body) => {
    expect(failureOf(await askProvider('gemini', { body }))).toMatchObject({ kind: 'malformed' });
  });
});
