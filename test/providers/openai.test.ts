import { afterEach, describe, expect, it } from 'vitest';
import type { Completion, CompletionOutcome, FailureKind } from '../../src/model/run/completion.ts';
import type { ConnectedProvider } from '../../src/model/suite/provider.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { type Scripted, type ScriptedServer, startServer } from '../support/http-server.ts';
import { buildConfig, buildRequest } from './build-request.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource.close();
});

type Env = Readonly<Record<string, string>>;

async function connect(over: Partial<ProviderConfig>, env: Env = {}): Promise<ConnectedProvider> {
  const config = buildConfig(over);
  const adapter = lookupAdapter(config.adapter);
  if (adapter === undefined) throw new Error(`no adapter ${config.adapter}`);
  const provider = await adapter.connect(config, { env, projectRoot: '/project' });
  open.push(provider);
  return provider;
}

interface Asked {
  readonly server: ScriptedServer;
  readonly outcome: CompletionOutcome;
  readonly sent: Record<string, unknown>;
}

async function ask(
  script: Scripted | readonly Scripted[],
  over: Partial<ProviderConfig> = {},
  request: Parameters<typeof buildRequest>[0] = {},
  env: Env = {},
): Promise<Asked> {
  const server = await startServer(script);
  open.push(server);
  const provider = await connect({ baseUrl: `${server.url}/v1`, ...over }, env);
  const outcome = await provider.complete(buildRequest(request), new AbortController().signal);
  return { server, outcome, sent: JSON.parse(server.requests[0]?.body ?? '{}') as Record<string, unknown> };
}

function completionOf({ outcome }: Pick<Asked, 'outcome'>): Completion {
  if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome));
  return outcome.completion;
}

function failureOf({ outcome }: Pick<Asked, 'outcome'>) {
  if (outcome.status !== 'failed') throw new Error(JSON.stringify(outcome));
  return outcome.failure;
}

function chat(message: object, more: object = {}): Scripted {
  return { body: { choices: [{ index: 0, message, finish_reason: 'stop', ...more }] } };
}

describe('a chat request', () => {
  it('carries the model, the messages and every parameter unchanged', async () => {
    const params = {
      temperature: 0,
      seed: 7,
      tools: [{ type: 'function' }],
      response_format: { type: 'json_object' },
      x: { y: [1] },
    };
    const { server, sent } = await ask(chat({ content: 'Hi' }), {}, { params });
    expect(server.requests[0]?.url).toBe('/v1/chat/completions');
    expect(sent).toEqual({ ...params, model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] });
  });

  it('carries a conversation with tool calls and their results', async () => {
    const { sent } = await ask(
      chat({ content: 'Hi' }),
      {},
      {
        messages: [
          { role: 'system', content: 'Be kind.' },
          {
            role: 'assistant',
            content: '',
            toolCalls: [{ id: 'c1', name: 'find', arguments: { q: 1 }, rawArguments: '{"q": 1}' }],
          },
          { role: 'tool', content: '42', toolCallId: 'c1', name: 'find' },
        ],
      },
    );
    expect(sent['messages']).toEqual([
      { role: 'system', content: 'Be kind.' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'find', arguments: '{"q": 1}' } }],
      },
      { role: 'tool', content: '42', tool_call_id: 'c1', name: 'find' },
    ]);
  });

  it('frames a function that is written without a frame, and leaves all else alone', async () => {
    const tools = [
      { name: 'find', parameters: { type: 'object' } },
      { type: 'custom', custom: { name: 'own' } },
    ];
    const { sent } = await ask(chat({ content: 'Hi' }), {}, { params: { tools } });
    expect(sent['tools']).toEqual([{ type: 'function', function: tools[0] }, tools[1]]);
  });

  it('to a deployment of Azure has it in its path and the version in its query', async () => {
    const server = await startServer(chat({ content: 'Hi' }));
    open.push(server);
    const provider = await connect(
      { adapter: 'azure', model: 'my deployment', options: { apiVersion: '2024-10-21' } },
      { AZURE_OPENAI_ENDPOINT: server.url, AZURE_OPENAI_API_KEY: 'azure-key-0123' },
    );
    await provider.complete(buildRequest({}), new AbortController().signal);
    expect(server.requests[0]?.url).toBe('/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21');
    expect(server.requests[0]?.headers['api-key']).toBe('azure-key-0123');
  });

  it.each([
    ['', '/openai/deployments/gpt-4o/chat/completions?api-version=v'],
    ['/openai', '/openai/deployments/gpt-4o/chat/completions?api-version=v'],
    ['/openai/deployments/other', '/openai/deployments/other/chat/completions?api-version=v'],
  ])('to a deployment of Azure at an address that ends in "%s" goes to %s', async (path, url) => {
    const server = await startServer(chat({ content: 'Hi' }));
    open.push(server);
    const options = { apiVersion: 'v' };
    const provider = await connect({ adapter: 'azure', model: 'gpt-4o', options, baseUrl: `${server.url}${path}` });
    await provider.complete(buildRequest({}), new AbortController().signal);
    expect(server.requests[0]?.url).toBe(url);
  });

  it('keeps the query of a base URL and needs no slash at its end', async () => {
    const server = await startServer(chat({ content: 'Hi' }));
    open.push(server);
    const provider = await connect({ baseUrl: `${server.url}/openai/v1/?api-version=preview` });
    await provider.complete(buildRequest({}), new AbortController().signal);
    expect(server.requests[0]?.url).toBe('/openai/v1/chat/completions?api-version=preview');
  });

  it.each([{ stream: true }, { background: true }])('with %j is refused before it is sent', async (params) => {
    const asked = await ask(chat({ content: '' }), {}, { params });
    expect(failureOf(asked)).toMatchObject({ kind: 'badRequest' });
    expect(asked.outcome.attempts).toBe(0);
    expect(asked.server.requests).toEqual([]);
  });
});

describe('a chat answer', () => {
  it('becomes text, usage, model, fingerprint and id', async () => {
    const asked = await ask({
      body: {
        id: 'chatcmpl-1',
        model: 'gpt-4o-mini-2024-07-18',
        system_fingerprint: 'fp_1',
        choices: [{ message: { role: 'assistant', content: 'Hi', refusal: null }, finish_reason: 'stop' }],
        usage: {
          prompt_tokens: 100,
          completion_tokens: 50,
          total_tokens: 150,
          prompt_tokens_details: { cached_tokens: 64, audio_tokens: 3 },
          completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 0 },
        },
      },
    });
    expect(asked.outcome).toMatchObject({ cached: false, attempts: 1 });
    const { latencyMs, ...rest } = completionOf(asked);
    expect(latencyMs).toBeGreaterThan(0);
    expect(rest).toEqual({
      text: 'Hi',
      toolCalls: [],
      finishReason: 'stop',
      rawFinishReason: 'stop',
      usage: { inputTokens: 100, outputTokens: 50, cachedInputTokens: 64, reasoningTokens: 20, inputAudioTokens: 3 },
      responseId: 'chatcmpl-1',
      model: 'gpt-4o-mini-2024-07-18',
      systemFingerprint: 'fp_1',
    });
  });

  it.each([
    ['a string', { content: 'a' }, { text: 'a' }],
    ['null', { content: null }, { text: '' }],
    [
      'parts',
      { content: [{ type: 'text', text: 'a' }, { type: 'image' }, { type: 'text', text: 'b' }] },
      { text: 'ab' },
    ],
    [
      'thinking parts',
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'h' }, { type: 'mark' }, { type: 'text', text: 'm' }] },
          { type: 'text', text: 'a' },
        ],
      },
      { text: 'a', reasoning: 'hm' },
    ],
    [
      'a refusal part',
      { content: [{ type: 'refusal', refusal: 'No.' }] },
      { text: '', refusal: 'No.', finishReason: 'refusal' },
    ],
    ['reasoning_content', { content: 'a', reasoning_content: 'hm' }, { text: 'a', reasoning: 'hm' }],
    ['reasoning', { content: 'a', reasoning: 'hm' }, { text: 'a', reasoning: 'hm' }],
    ['a refusal', { content: null, refusal: 'No.' }, { text: '', refusal: 'No.', finishReason: 'refusal' }],
    ['a refusal beside a text', { content: 'a', refusal: 'No.' }, { text: 'a', refusal: 'No.', finishReason: 'stop' }],
    ['a transcript', { content: null, audio: { transcript: 'said' } }, { text: 'said' }],
  ])('with %s as content is read', async (_, message, expected) => {
    expect(completionOf(await ask(chat(message)))).toMatchObject(expected);
  });

  it('keeps tool calls with parsed and raw arguments, and those that are no JSON', async () => {
    const call = (id: string, name: string, args: unknown) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
    });
    const message = {
      content: null,
      tool_calls: [call('c1', 'find', '{"q": "x"}'), call('c2', 'find', '{"q": '), call('c3', 'now', '')],
    };
    const { toolCalls, finishReason } = completionOf(await ask(chat(message, { finish_reason: 'tool_calls' })));
    expect(finishReason).toBe('toolCalls');
    expect(toolCalls).toEqual([
      { id: 'c1', name: 'find', arguments: { q: 'x' }, rawArguments: '{"q": "x"}' },
      { id: 'c2', name: 'find', arguments: undefined, rawArguments: '{"q": ' },
      { id: 'c3', name: 'now', arguments: {}, rawArguments: '' },
    ]);
  });

  it('keeps the arguments of a tool call as text where they are nested too deeply to walk through', async () => {
    const args = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const message = {
      content: null,
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: args } }],
    };
    const [toolCall] = completionOf(await ask(chat(message, { finish_reason: 'tool_calls' }))).toolCalls;
    expect(toolCall).toEqual({ id: 'c1', name: 'f', arguments: undefined, rawArguments: args });
  });

  it('joins parts of text, also bare ones, and reads a call of a custom tool', async () => {
    const call = { id: 't1', type: 'custom', custom: { name: 'run', input: 'ls -l' } };
    const message = { content: ['a', { type: 'text', text: 'b' }], tool_calls: [call] };
    expect(completionOf(await ask(chat(message)))).toMatchObject({
      text: 'ab',
      toolCalls: [{ id: 't1', name: 'run', rawArguments: 'ls -l' }],
    });
  });

  it('reads the older function_call, but not the empty one that some servers add', async () => {
    const legacy = await ask(chat({ content: null, function_call: { name: 'find', arguments: '{}' } }));
    expect(completionOf(legacy).toolCalls).toEqual([{ name: 'find', arguments: {}, rawArguments: '{}' }]);
    const empty = await ask(chat({ content: 'a', function_call: { name: '', arguments: '' } }));
    expect(completionOf(empty).toolCalls).toEqual([]);
  });

  it.each([
    ['length', 'length'],
    ['MAX_TOKENS', 'length'],
    ['tool_calls', 'toolCalls'],
    ['function_call', 'toolCalls'],
    ['eos', 'stop'],
    ['constructor', 'other'],
    ['', undefined],
  ])('that stopped by %j has finish reason %s', async (raw, finishReason) => {
    expect(completionOf(await ask(chat({ content: 'a' }, { finish_reason: raw }))).finishReason).toBe(finishReason);
  });

  it.each([
    ['DeepSeek', { prompt_tokens: 9, completion_tokens: 2, prompt_cache_hit_tokens: 4 }, { cachedInputTokens: 4 }],
    ['Mistral', { prompt_tokens: 9, completion_tokens: 2, num_cached_tokens: 4 }, { cachedInputTokens: 4 }],
    [
      'OpenRouter',
      { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cache_write_tokens: 5 } },
      { cacheWriteTokens: 5 },
    ],
    ['Gemini', { prompt_tokens: 9, completion_tokens: 2, total_tokens: 21 }, { outputTokens: 12, reasoningTokens: 10 }],
    [
      'xAI',
      { prompt_tokens: 9, completion_tokens: 2, total_tokens: 21, completion_tokens_details: { reasoning_tokens: 10 } },
      { outputTokens: 12, reasoningTokens: 10 },
    ],
    [
      'a server that can not count',
      { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 900 } },
      { cachedInputTokens: 9 },
    ],
  ])('has its usage read as %s reports it', async (_, usage, expected) => {
    const { usage: read } = completionOf(await ask({ body: { choices: [{ message: { content: 'a' } }], usage } }));
    expect(read).toMatchObject({ inputTokens: 9, ...expected });
  });

  it.each([
    undefined,
    null,
    {},
    { prompt_tokens: 3 },
    { prompt_tokens: -1, completion_tokens: 2 },
    { prompt_tokens: '3', completion_tokens: 2 },
  ])('has no usage where the server reports %j', async (usage) => {
    expect(
      completionOf(await ask({ body: { choices: [{ message: { content: 'a' } }], usage } })).usage,
    ).toBeUndefined();
  });

  it('is read though its content type is not JSON', async () => {
    const body = JSON.stringify({ choices: [{ message: { content: 'a' } }] });
    expect(completionOf(await ask({ headers: { 'content-type': 'text/plain' }, body })).text).toBe('a');
  });

  it.each<[string, Scripted, FailureKind]>([
    ['a web page', { headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' }, 'malformed'],
    ['broken JSON', { headers: { 'content-type': 'application/json' }, body: '{"choices":]}' }, 'malformed'],
    ['JSON that breaks off', { headers: { 'content-type': 'application/json' }, body: '{"choices":' }, 'network'],
    ['JSON that breaks off in a text', { body: '{"choices": [{"a": "}]} \\"' }, 'network'],
    ['an empty body', { headers: { 'content-type': 'application/json' }, body: '' }, 'malformed'],
    ['a JSON string', { headers: { 'content-type': 'application/json' }, body: '"hi"' }, 'malformed'],
    [
      'nested too deeply to walk through',
      {
        headers: { 'content-type': 'application/json' },
        body: `{"error":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      },
      'malformed',
    ],
    ['a JSON array', { body: [1] }, 'malformed'],
    ['no choices', { body: {} }, 'malformed'],
    ['empty choices', { body: { choices: [] } }, 'malformed'],
    ['a choice without a message', { body: { choices: [{ text: 'old' }] } }, 'malformed'],
    ['a number for content', chat({ content: 42 }), 'malformed'],
    ['an object for content', chat({ content: { text: 'a' } }), 'malformed'],
    ['a list of no parts', chat({ content: ['a', 42] }), 'malformed'],
    ['a part whose text is none', chat({ content: [{ type: 'text', text: 42 }] }), 'malformed'],
    ['a message without content', chat({ role: 'assistant' }), 'malformed'],
    ['an error of an unknown sort', { body: { error: { message: 'Something.' } } }, 'malformed'],
    ['an error that is a string', { body: { error: 'Something.' } }, 'malformed'],
    ['an error with a status', { body: { error: { message: 'Slow down.', code: 429 } } }, 'rateLimit'],
    ['an error with a code', { body: { error: { message: 'x', code: 'context_length_exceeded' } } }, 'contextLength'],
    [
      'an error in its choice',
      { body: { choices: [{ error: { message: 'x', code: 502 }, message: { content: '' } }] } },
      'server',
    ],
    ['a call that is none', chat({ content: 'a', tool_calls: [{ id: 'c', name: 'f', arguments: '{}' }] }), 'malformed'],
    ['calls that are no list', chat({ content: 'a', tool_calls: { name: 'f' } }), 'malformed'],
    ['a call without a name', chat({ content: 'a', tool_calls: [{ function: { arguments: '{}' } }] }), 'malformed'],
    ['stopped for calls that it lacks', chat({ content: null }, { finish_reason: 'tool_calls' }), 'malformed'],
    ['broken off by an error', chat({ content: 'half an' }, { finish_reason: 'error' }), 'server'],
    [
      'broken off by a busy server',
      chat({ content: 'half an' }, { finish_reason: 'insufficient_system_resource' }),
      'server',
    ],
    ['broken off by an abort', chat({ content: 'half an' }, { finish_reason: 'abort' }), 'server'],
    ['a filtered choice', chat({ content: 'par' }, { finish_reason: 'content_filter' }), 'contentFilter'],
  ])('that is %s is a failure', async (_, reply, kind) => {
    expect(failureOf(await ask(reply))).toMatchObject({ kind });
  });

  it.each(['tool_calls', 'content_filter'])('keeps the usage of an answer of no use: %s', async (reason) => {
    const choices = [{ message: { content: null }, finish_reason: reason }];
    const body = { choices, usage: { prompt_tokens: 3, completion_tokens: 1 } };
    expect(failureOf(await ask({ body })).usage).toEqual({ inputTokens: 3, outputTokens: 1 });
  });
});

describe('an answer without a text', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
  it.each<[string, Scripted]>([
    ['null', chat({ content: null })],
    ['null beside a call', chat({ content: null, tool_calls: [call] }, { finish_reason: 'tool_calls' })],
    ['null beside a refusal', chat({ content: null, refusal: 'No.' })],
    ['null after the tokens ran out in thought', chat({ content: null, reasoning: 'Hm' }, { finish_reason: 'length' })],
    ['left out beside a call', chat({ tool_calls: [call] }, { finish_reason: 'tool_calls' })],
    ['left out beside a refusal', chat({ refusal: 'No.' })],
    ['left out after a thought', chat({ reasoning_content: 'Hm' })],
    ['left out where the tokens ran out', chat({ role: 'assistant' }, { finish_reason: 'length' })],
    ['no parts', chat({ content: [] })],
    ['a part without a text', chat({ content: [{ type: 'image_url', image_url: {} }, { text: null }] })],
  ])('is an answer where its content is %s', async (_, reply) => {
    expect(completionOf(await ask(reply)).text).toBe('');
  });
});

describe('a Responses call', () => {
  const options = { api: 'responses' };
  const message = (text: string) => ({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] });

  it('maps the messages to input items', async () => {
    const { server, sent } = await ask(
      { body: { status: 'completed', output: [message('a')] } },
      { options },
      {
        params: { max_output_tokens: 9 },
        messages: [
          { role: 'system', content: 'Be kind.' },
          {
            role: 'assistant',
            content: 'Wait.',
            toolCalls: [{ id: 'c1', name: 'find', arguments: {}, rawArguments: '{}' }],
          },
          { role: 'tool', content: '42', toolCallId: 'c1', name: 'find' },
        ],
      },
    );
    expect(server.requests[0]?.url).toBe('/v1/responses');
    expect(sent).toEqual({
      model: 'gpt-4o-mini',
      max_output_tokens: 9,
      input: [
        { role: 'system', content: 'Be kind.' },
        { role: 'assistant', content: 'Wait.' },
        { type: 'function_call', call_id: 'c1', name: 'find', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: '42' },
      ],
    });
  });

  it('reads text, reasoning, calls and usage', async () => {
    const output = [
      {
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'First.' }],
        content: [{ type: 'reasoning_text', text: 'Then.' }],
      },
      { type: 'web_search_call', status: 'completed' },
      message('Hel'),
      message('lo'),
      { type: 'function_call', call_id: 'c1', id: 'fc_1', name: 'find', arguments: '{"q":1}' },
    ];
    const asked = await ask(
      {
        body: {
          id: 'resp_1',
          model: 'gpt-5-2025-08-07',
          status: 'completed',
          error: null,
          output,
          usage: {
            input_tokens: 10,
            input_tokens_details: { cached_tokens: 4 },
            output_tokens: 7,
            output_tokens_details: { reasoning_tokens: 5 },
            total_tokens: 17,
          },
        },
      },
      { options },
    );
    const { latencyMs: _, ...rest } = completionOf(asked);
    expect(rest).toEqual({
      text: 'Hello',
      reasoning: 'First.\n\nThen.',
      toolCalls: [{ id: 'c1', name: 'find', arguments: { q: 1 }, rawArguments: '{"q":1}' }],
      finishReason: 'toolCalls',
      rawFinishReason: 'completed',
      usage: { inputTokens: 10, outputTokens: 7, cachedInputTokens: 4, reasoningTokens: 5 },
      responseId: 'resp_1',
      model: 'gpt-5-2025-08-07',
      continuation: JSON.stringify(output),
    });
  });

  it('has the calls of the own tools that the caller runs, but not of a shell that the provider runs', async () => {
    const output = [
      { type: 'local_shell_call', call_id: 'a', action: { type: 'exec', command: ['rm', 'x'] } },
      { type: 'shell_call', call_id: 'b', action: { commands: ['rm x'] } },
      { type: 'apply_patch_call', call_id: 'c', operation: { type: 'delete_file', path: 'x' } },
      { type: 'computer_call', call_id: 'd', action: { type: 'click' } },
      { type: 'shell_call', call_id: 'e', action: { commands: ['ls'] } },
      { type: 'shell_call_output', call_id: 'e', output: [] },
      { type: 'mcp_call', name: 'find', arguments: '{}', output: 'x' },
    ];
    const { toolCalls, finishReason } = completionOf(await ask({ body: { output } }, { options }));
    expect(finishReason).toBe('toolCalls');
    expect(toolCalls.map(({ id, name, arguments: args }) => [id, name, args])).toEqual([
      ['a', 'local_shell', { type: 'exec', command: ['rm', 'x'] }],
      ['b', 'shell', { commands: ['rm x'] }],
      ['c', 'apply_patch', { type: 'delete_file', path: 'x' }],
      ['d', 'computer', { type: 'click' }],
    ]);
  });

  it('that ran out of tokens is an answer that stopped by length', async () => {
    const body = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output: [] };
    expect(completionOf(await ask({ body }, { options }))).toMatchObject({
      finishReason: 'length',
      rawFinishReason: 'max_output_tokens',
    });
  });

  it('that a compatible server calls complete is one', async () => {
    const output = [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }];
    expect(completionOf(await ask({ body: { status: 'complete', output } }, { options }))).toMatchObject({
      text: 'Hi',
      finishReason: 'stop',
    });
  });

  it('that was refused by the model is a refusal', async () => {
    const output = [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }];
    expect(completionOf(await ask({ body: { output } }, { options }))).toMatchObject({
      text: '',
      refusal: 'No.',
      finishReason: 'refusal',
    });
  });

  it.each<[string, object, FailureKind]>([
    ['queued', { status: 'queued', output: [] }, 'malformed'],
    ['cancelled', { status: 'cancelled', output: [] }, 'malformed'],
    ['empty', { status: 'completed', output: [] }, 'malformed'],
    ['without output', { status: 'completed' }, 'malformed'],
    ['a list of no items', { output: [42] }, 'malformed'],
    ['a message without content', { output: [{ type: 'message' }] }, 'malformed'],
    ['a message with a number for content', { output: [{ type: 'message', content: 42 }] }, 'malformed'],
    ['a text that is none', { output: [{ type: 'message', content: [{ text: 42 }] }] }, 'malformed'],
    ['failed by the server', { status: 'failed', output: [], error: { code: 'server_error', message: 'x' } }, 'server'],
    [
      'failed by a rate limit',
      { status: 'failed', output: [], error: { code: 'rate_limit_exceeded', message: 'x' } },
      'rateLimit',
    ],
    [
      'failed by a flagged prompt',
      {
        status: 'failed',
        output: [],
        error: {
          code: 'invalid_prompt',
          message: 'Your prompt was flagged as potentially violating our usage policy.',
        },
      },
      'contentFilter',
    ],
    [
      'failed by a bad prompt',
      { status: 'failed', output: [], error: { code: 'invalid_prompt', message: 'x' } },
      'badRequest',
    ],
    [
      'stopped by the filter',
      { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, output: [] },
      'contentFilter',
    ],
  ])('that is %s is a failure', async (_, body, kind) => {
    expect(failureOf(await ask({ body }, { options }))).toMatchObject({ kind });
  });
});

describe('an HTTP error', () => {
  const error = (message: string, more: object = {}) => ({ error: { message, ...more } });
  it.each<[number, unknown, FailureKind]>([
    [400, error('Bad value.', { type: 'invalid_request_error' }), 'badRequest'],
    [422, { detail: [{ msg: 'field required' }] }, 'badRequest'],
    [400, error('x', { code: 'context_length_exceeded' }), 'contextLength'],
    [400, { object: 'error', message: "This model's maximum context length is 4096 tokens." }, 'contextLength'],
    [
      400,
      error('the request exceeds the available context size', { type: 'exceed_context_size_error' }),
      'contextLength',
    ],
    [400, error('prompt is too long: 210000 tokens > 200000 maximum'), 'contextLength'],
    [413, 'Payload Too Large', 'contextLength'],
    [
      400,
      error('x', { code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } }),
      'contentFilter',
    ],
    [400, error('x', { code: null, innererror: { code: 'ResponsibleAIPolicyViolation' } }), 'contentFilter'],
    [403, error('Content violates usage guidelines.'), 'contentFilter'],
    [401, error('Incorrect API key provided', { code: 'invalid_api_key' }), 'auth'],
    [403, error('No access.'), 'auth'],
    [400, [error('API key not valid. Please pass a valid API key.', { status: 'INVALID_ARGUMENT' })], 'auth'],
    [404, error('The model `x` does not exist', { code: 'model_not_found' }), 'notFound'],
    [400, error('gpt-9 is not a valid model ID'), 'notFound'],
    [404, '<html>nginx</html>', 'notFound'],
    [405, '', 'notFound'],
    [402, error('Insufficient Balance'), 'quota'],
    [
      429,
      error('You exceeded your current quota', { code: 'insufficient_quota', type: 'insufficient_quota' }),
      'quota',
    ],
    [429, error('Rate limit reached', { code: 'rate_limit_exceeded' }), 'rateLimit'],
    [429, [error('You exceeded your current quota', { status: 'RESOURCE_EXHAUSTED' })], 'rateLimit'],
    [429, '', 'rateLimit'],
    [429, error('busy', { type: 'engine_overloaded_error' }), 'overloaded'],
    [503, 'Service Unavailable', 'overloaded'],
    [529, error('Overloaded', { type: 'overloaded_error' }), 'overloaded'],
    [500, error('The maximum context length broke our server', { type: 'server_error' }), 'server'],
    [502, '<html>Bad gateway</html>', 'server'],
    [408, '', 'server'],
    [409, '', 'server'],
    [425, '', 'server'],
    [418, 'teapot', 'badRequest'],
    [307, '', 'badRequest'],
  ])('%i with %j is of kind %s%s', async (status, body, kind) => {
    const failure = failureOf(await ask({ status, body: body as object }));
    expect(failure).toMatchObject({ kind, status });
  });

  it("repeats the API's own message on one line, shortened", async () => {
    const { message } = failureOf(await ask({ status: 400, body: error(`Not\n\u001b[31m so${'!'.repeat(2000)}`) }));
    expect(message).toMatch(/ answered 400: Not \[31m so!+…$/);
    expect(message.length).toBeLessThan(500);
  });

  it('that redirects names the address', async () => {
    const { message } = failureOf(await ask({ status: 308, headers: { location: 'https://new.example/v1' } }));
    expect(message).toContain('https://new.example/v1');
  });

  it.each([
    [{ 'retry-after': '20' }, 20_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after-ms': '250', 'retry-after': '20' }, 250],
    [{ date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:28:30 GMT' }, 30_000],
    [{ date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('with %j asks for a wait of %s ms', async (headers, retryAfterMs) => {
    expect(failureOf(await ask({ status: 429, headers }))).toHaveProperty('kind', 'rateLimit');
    expect(failureOf(await ask({ status: 429, headers })).retryAfterMs).toBe(retryAfterMs);
  });

  it.each([
    ['Rate limit reached for gpt-4o on requests per min. Limit: 3 / min. Please try again in 20s. Contact us.', 20_000],
    ['Rate limit reached on tokens per min (TPM). Please try again in 1m2.5s. Visit our page.', 62_500],
    ['Please try again in 120ms.', 120],
    ['Requests have exceeded the call rate limit. Please retry after 9 seconds.', 9000],
    ['Please try again later, or in 5 months.', undefined],
    ['Please try again in 5 months', undefined],
  ])('that says "%s" asks for a wait of %s ms', async (message, retryAfterMs) => {
    const { outcome } = await ask({ status: 429, body: error(message) });
    expect(outcome.status === 'failed' ? outcome.failure.retryAfterMs : -1).toBe(retryAfterMs);
  });

  it('is not worth a retry where the server says so, or where waiting can not help', async () => {
    expect(failureOf(await ask({ status: 500, headers: { 'x-should-retry': 'false' } })).retryable).toBe(false);
    const tooLarge = error('Request too large for gpt-4o on tokens per min: Limit 30000, Requested 40000', {
      code: 'rate_limit_exceeded',
    });
    expect(failureOf(await ask({ status: 429, body: tooLarge }))).toMatchObject({
      kind: 'rateLimit',
      retryable: false,
    });
    expect(failureOf(await ask({ status: 429 })).retryable).toBeUndefined();
  });

  it('is made by one request', async () => {
    expect((await ask({ status: 500 })).server.requests.length).toBe(1);
  });
});

describe('a connection that fails', () => {
  it.each<[Scripted, FailureKind]>([
    ['reset', 'network'],
    ['truncate', 'network'],
    [{ headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: 'no gzip' }, 'malformed'],
  ])('by %j is of kind %s', async (reply, kind) => {
    expect(failureOf(await ask(reply))).toMatchObject({ kind });
  });

  it('says so where no server listens', async () => {
    const server = await startServer('hang');
    await server.close();
    const provider = await connect({ baseUrl: server.url });
    const outcome = await provider.complete(buildRequest({}), new AbortController().signal);
    const failure = failureOf({ outcome });
    expect(failure.kind).toBe('network');
    expect(failure.message).toContain('is the server running');
  });

  it('through a proxy that is not there names the proxy', async () => {
    const provider = await connect({ baseUrl: 'https://api.invalid/v1' }, { HTTPS_PROXY: 'http://127.0.0.1:1' });
    const outcome = await provider.complete(buildRequest({}), new AbortController().signal);
    expect(failureOf({ outcome })).toMatchObject({ kind: 'network', message: expect.stringContaining('127.0.0.1:1') });
  });
});

describe('a signal', () => {
  it.each([
    [new DOMException('the call took longer than 60s', 'TimeoutError'), 'timeout'],
    [Object.assign(new Error('slow'), { name: 'TimeoutError' }), 'timeout'],
    [new Error('stop'), 'aborted'],
    ['stop', 'aborted'],
  ])('with reason %s ends a call that hangs as %s', async (reason, kind) => {
    const server = await startServer('hang');
    open.push(server);
    const provider = await connect({ baseUrl: server.url });
    const controller = new AbortController();
    const outcome = provider.complete(buildRequest({}), controller.signal);
    await server.waitFor(1);
    controller.abort(reason);
    expect(failureOf({ outcome: await outcome })).toMatchObject({ kind });
  });

  it('that has fired already sends nothing', async () => {
    const server = await startServer('hang');
    open.push(server);
    const provider = await connect({ baseUrl: server.url });
    const outcome = await provider.complete(buildRequest({}), AbortSignal.abort());
    expect(outcome).toMatchObject({ status: 'failed', attempts: 0, failure: { kind: 'aborted' } });
    expect(server.requests).toEqual([]);
  });
});

describe('a request of the Responses API', () => {
  it('spells in its own way what a suite writes for every API', async () => {
    const tool = { name: 'find', parameters: { type: 'object' }, strict: true };
    const params = {
      max_completion_tokens: 50,
      text: { verbosity: 'low' },
      tools: [{ type: 'function', function: tool }, { type: 'web_search' }],
      tool_choice: { type: 'function', function: { name: 'find' } },
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'reply', schema: { type: 'object' }, strict: true },
      },
    };
    const reply = { body: { object: 'response', status: 'completed', output: [{ type: 'message', content: [] }] } };
    const { sent } = await ask(reply, { options: { api: 'responses' } }, { params });
    expect(sent).toEqual({
      max_output_tokens: 50,
      text: {
        verbosity: 'low',
        format: { type: 'json_schema', name: 'reply', schema: { type: 'object' }, strict: true },
      },
      tools: [{ type: 'function', ...tool }, { type: 'web_search' }],
      tool_choice: { type: 'function', name: 'find' },
      model: 'gpt-4o-mini',
      input: [{ role: 'user', content: 'Hello' }],
    });
  });

  it('asks for the schema of the suite, whatever format is beside it', async () => {
    const params = { text: { format: { type: 'text' }, verbosity: 'low' }, response_format: { type: 'json_object' } };
    const reply = { body: { object: 'response', status: 'completed', output: [{ type: 'message', content: [] }] } };
    const { sent } = await ask(reply, { options: { api: 'responses' } }, { params });
    expect(sent['text']).toEqual({ format: { type: 'json_object' }, verbosity: 'low' });
  });
});
