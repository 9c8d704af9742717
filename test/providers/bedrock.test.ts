import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { findBrokenReason } from '../../src/model/run/completion.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { readAttachment } from '../../src/providers/outgoing-request.ts';
import type { ReceivedRequest } from '../support/http-server.ts';
import { openTempProject } from '../support/temp-project.ts';
import { askProvider, completionOf, conversation, failureOf, neutralParams } from './ask-provider.ts';
import { buildConfig } from './build-request.ts';

const model = 'us.amazon.nova-lite-v1:0';
const answer = {
  metrics: { latencyMs: 9 },
  output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 3, outputTokens: 5, totalTokens: 8 },
};
const credentials = {
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: '{url}',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

/** Signature Version 4 by its specification, from what the server received. */
function signatureOf({ headers, url, body }: ReceivedRequest, secret: string): string {
  const authorization = headers['authorization'] ?? '';
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? '';
  const scope = /Credential=[^/]+\/([^,]+)/.exec(authorization)?.[1] ?? '';
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  // Every part of a path is encoded twice for services other than S3.
  const path = url.split('/').map(encodeURIComponent).join('/');
  const lines = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = ['POST', path, '', lines.join(''), names, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((last, piece) => hmac(last, piece), `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

describe('a Converse request', () => {
  it.each([{}, { AWS_SESSION_TOKEN: 'FwoGZXIvYXdzEXAMPLE' }])('is signed with AWS credentials and %j', async (more) => {
    const env = { ...credentials, ...more };
    const { received } = await askProvider('bedrock', { body: answer }, { env, config: { model } });
    if (received === undefined) throw new Error('nothing was sent');
    expect(received.url).toBe('/model/us.amazon.nova-lite-v1%3A0/converse');
    const authorization = received.headers['authorization'] ?? '';
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request,/);
    expect(authorization).toContain(`Signature=${signatureOf(received, env.AWS_SECRET_ACCESS_KEY)}`);
    expect(received.headers['x-amz-security-token']).toBe(Object.values(more)[0]);
    expect(received.headers['content-type']).toBe('application/json');
  });

  it.each([
    [{ region: 'own-1' }, { AWS_REGION: 'a-1', AWS_DEFAULT_REGION: 'b-1' }, 'own-1'],
    [{}, { AWS_REGION: ' a-1 ', AWS_DEFAULT_REGION: 'b-1' }, 'a-1'],
    [{}, { AWS_REGION: ' ', AWS_DEFAULT_REGION: 'b-1' }, 'b-1'],
  ])('with the options %j and %j goes to %s', (options, env, region) => {
    const config = buildConfig({ adapter: 'bedrock', options });
    expect(lookupAdapter('bedrock')?.resolve(config, { env, projectRoot: '/project' }).baseUrl).toBe(
      `https://bedrock-runtime.${region}.amazonaws.com`,
    );
  });

  it('carries a Bedrock API key in place of a signature', async () => {
    const env = { ...credentials, AWS_BEARER_TOKEN_BEDROCK: 'bedrock-api-key-0123' };
    const { received } = await askProvider('bedrock', { body: answer }, { env, config: { model } });
    expect(received?.headers['authorization']).toBe('Bearer bedrock-api-key-0123');
  });

  it('carries the key that the suite names in place of a signature', async () => {
    const env = { ...credentials, MY_KEY: 'key-of-the-suite-0123' };
    const config = { model, apiKeyEnv: 'MY_KEY' };
    const { received } = await askProvider('bedrock', { body: answer }, { env, config });
    expect(received?.headers['authorization']).toBe('Bearer key-of-the-suite-0123');
  });

  it('to an address of the suite carries no credentials of AWS', async () => {
    const { received } = await askProvider('bedrock', { body: answer }, { config: { model } });
    expect(received?.headers['authorization']).toBeUndefined();
  });

  it('without credentials is not sent, and says which variables are missing', async () => {
    const env = { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: '{url}', AWS_REGION: 'eu-west-1' };
    const asked = await askProvider('bedrock', { body: answer }, { env, config: { model } });
    expect(failureOf(asked)).toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set') as string,
    });
    expect(asked.received).toBeUndefined();
  });

  it('takes system messages apart and joins what one side says', async () => {
    const { sent } = await askProvider('bedrock', { body: answer }, { request: { messages: conversation } });
    expect(sent).toEqual({
      system: [{ text: 'Be kind.\n\nBe brief.' }],
      messages: [
        { role: 'user', content: [{ text: 'How warm is it in Paris and Rome?' }] },
        {
          role: 'assistant',
          content: [
            { text: 'I look.' },
            { toolUse: { toolUseId: 'c1', name: 'weather', input: { city: 'Paris' } } },
            { toolUse: { toolUseId: 'c2', name: 'weather', input: { arguments: '{"city":' } } },
          ],
        },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 'c1', content: [{ text: '22' }] } },
            { toolResult: { toolUseId: 'c2', content: [{ text: '30' }] } },
          ],
        },
      ],
    });
  });

  it('spells the parameters that all APIs share as this one does', async () => {
    const { sent } = await askProvider('bedrock', { body: answer }, { request: { params: neutralParams } });
    expect(sent).toMatchObject({
      inferenceConfig: { maxTokens: 50, temperature: 0, topP: 0.5, stopSequences: ['END'] },
      toolConfig: {
        tools: [
          { toolSpec: { name: 'weather', description: 'Tells it.', inputSchema: { json: { type: 'object' } } } },
          { toolSpec: { name: 'now', inputSchema: { json: { type: 'object' } } } },
        ],
        toolChoice: { any: {} },
      },
      outputConfig: {
        textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'reply', schema: '{"type":"object"}' } } },
      },
    });
  });

  it('lets its own spellings through', async () => {
    const params = {
      inferenceConfig: { maxTokens: 9 },
      additionalModelRequestFields: { top_k: 5 },
      guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' },
    };
    const { sent } = await askProvider('bedrock', { body: answer }, { request: { params } });
    expect(sent).toMatchObject(params);
  });

  it('sends no tools where none may be called', async () => {
    const params = { ...neutralParams, tool_choice: 'none' };
    const { sent } = await askProvider('bedrock', { body: answer }, { request: { params } });
    expect(sent).not.toHaveProperty('toolConfig');
  });

  it('keeps its own output settings beside the schema, and alone', async () => {
    const outputConfig = { effort: 'low' };
    const ask = async (params: object) =>
      (await askProvider('bedrock', { body: answer }, { request: { params: { ...params, outputConfig } } })).sent;
    expect(await ask(neutralParams)).toMatchObject({ outputConfig: { effort: 'low', textFormat: {} } });
    expect((await ask({}))['outputConfig']).toEqual(outputConfig);
  });

  it('may be a file without a text', async () => {
    const project = openTempProject();
    project.write('a b_1.pdf', 'A');
    project.write('c.png', 'B');
    const attachments = ['a b_1.pdf', 'c.png'].flatMap((path) => {
      const read = readAttachment(path, project.root);
      return 'fault' in read ? [] : [read.attachment];
    });
    const messages = [{ role: 'user', content: '', attachments }] as const;
    const asking = { request: { messages }, projectRoot: project.root };
    const { sent } = await askProvider('bedrock', { body: answer }, asking);
    expect(sent['messages']).toEqual([
      {
        role: 'user',
        content: [
          { document: { format: 'pdf', name: '1 a b 1 pdf', source: { bytes: 'QQ==' } } },
          { image: { format: 'png', source: { bytes: 'Qg==' } } },
        ],
      },
    ]);
  });
});

describe('a Converse answer', () => {
  it('keeps thoughts, text, calls and all kinds of tokens apart', async () => {
    const body = {
      ...answer,
      output: {
        message: {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'Hm.', signature: 's' } } },
            { text: 'I look' },
            { citationsContent: { content: [{ text: ' it up.' }], citations: [] } },
            { toolUse: { toolUseId: 't1', name: 'find', input: { q: 1 } } },
            { toolUse: { toolUseId: 't2', name: 'nova_grounding', input: {}, type: 'server_tool_use' } },
          ],
        },
      },
      stopReason: 'tool_use',
      usage: {
        inputTokens: 3,
        cacheReadInputTokens: 100,
        cacheWriteInputTokens: 20,
        outputTokens: 5,
        totalTokens: 128,
      },
    };
    const reply = { body, headers: { 'x-amzn-requestid': 'req-1' } };
    const { latencyMs: _latency, ...completion } = completionOf(await askProvider('bedrock', reply));
    expect(completion).toEqual({
      text: 'I look it up.',
      reasoning: 'Hm.',
      toolCalls: [{ id: 't1', name: 'find', arguments: { q: 1 }, rawArguments: '{"q":1}' }],
      finishReason: 'toolCalls',
      rawFinishReason: 'tool_use',
      usage: { inputTokens: 123, outputTokens: 5, cachedInputTokens: 100, cacheWriteTokens: 20 },
      responseId: 'req-1',
      continuation: JSON.stringify(body.output.message.content),
    });
  });

  it.each([
    [{ redactedContent: 'eA==' }, true],
    [{ reasoningText: { text: 'Hm.', signature: 's' } }, true],
    [{ reasoningText: { text: 'Hm.' } }, false],
  ])('with the reasoning %j and a call sends it back: %s', async (reasoningContent, isKept) => {
    const content = [{ reasoningContent }, { toolUse: { toolUseId: 't1', name: 'find', input: {} } }];
    const body = { ...answer, output: { message: { content } }, stopReason: 'tool_use' };
    const { continuation } = completionOf(await askProvider('bedrock', { body }));
    expect(continuation).toBe(isKept ? JSON.stringify(content) : undefined);
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['malformed_model_output', 'other'],
  ])('that stopped by %s stopped by %s', async (stopReason, expected) => {
    const completion = completionOf(await askProvider('bedrock', { body: { ...answer, stopReason } }));
    expect(completion).toMatchObject({ finishReason: expected, rawFinishReason: stopReason });
  });

  it.each(['malformed_tool_use', 'malformed_model_output'])(
    'that stopped by %s is an answer, which its case fails',
    async (stopReason) => {
      const completion = completionOf(await askProvider('bedrock', { body: { ...answer, stopReason } }));
      expect(completion).toMatchObject({ finishReason: 'other', usage: { inputTokens: expect.any(Number) } });
      expect(findBrokenReason(completion)).toBe(stopReason);
    },
  );

  it.each(['guardrail_intervened', 'content_filtered'])(
    'that stopped by %s is a content filter',
    async (stopReason) => {
      expect(failureOf(await askProvider('bedrock', { body: { ...answer, stopReason } }))).toMatchObject({
        kind: 'contentFilter',
      });
    },
  );

  it.each([
    ['a token count', { inputTokens: 12 }],
    ['without content', { output: { message: { role: 'assistant' } }, stopReason: 'end_turn' }],
    ['a number', { output: { message: { content: 42 } }, stopReason: 'end_turn' }],
    ['a text that is none', { output: { message: { content: [{ text: 42 }] } }, stopReason: 'end_turn' }],
    ['without a message', { output: {}, stopReason: 'end_turn' }],
    ['a list', []],
  ])('that is %s is malformed', async (_what, body) => {
    expect(failureOf(await askProvider('bedrock', { body }))).toMatchObject({ kind: 'malformed' });
  });
});
