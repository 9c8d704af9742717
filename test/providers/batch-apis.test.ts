import { expect, onTestFinished, test } from 'vitest';
import type { BatchApi } from '../../src/model/suite/provider.ts';
import { connectAnthropicBatch } from '../../src/providers/batch/anthropic-batch.ts';
import { connectGeminiBatch } from '../../src/providers/batch/gemini-batch.ts';
import { connectOpenaiBatch } from '../../src/providers/batch/openai-batch.ts';
import { type Scripted, startServer } from '../support/http-server.ts';
import { buildConfig, buildRequest } from './build-request.ts';

const connects = { openai: connectOpenaiBatch, anthropic: connectAnthropicBatch, gemini: connectGeminiBatch };
type Name = keyof typeof connects;

const { signal } = new AbortController();
const submitted = { name: 'n1', keys: ['k1', 'k2'], startedAt: '2026-01-01T02:00:00Z' };
const second = Date.parse('2026-01-01T01:00:00Z') / 1000;

/** A batch API whose server answers in this order. */
async function openApi(name: Name, script: readonly Scripted[], options = {}) {
  const server = await startServer(script);
  const config = buildConfig({ adapter: name, model: 'm', baseUrl: `${server.url}/v1`, apiKeyEnv: 'KEY', options });
  const api = connects[name](config, { env: { KEY: 'k' }, projectRoot: '/project' }) as BatchApi;
  onTestFinished(() => api.close());
  const asked = () => server.requests.map(({ method, url }) => `${method} ${url}`);
  return { api, server, asked };
}

const item = { key: 'k1', text: '{"a":1}' };
const submission = { name: 'n1', items: [item, { key: 'k2', text: '{"b":2}' }] };

test.each<[name: Name, options: object, text: string]>([
  [
    'openai',
    {},
    '{"custom_id":"k1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"Hello"}]}}',
  ],
  [
    'openai',
    { api: 'responses' },
    '{"custom_id":"k1","method":"POST","url":"/v1/responses","body":{"model":"m","input":[{"role":"user","content":"Hello"}]}}',
  ],
  [
    'anthropic',
    {},
    '{"custom_id":"k1","params":{"model":"m","messages":[{"role":"user","content":"Hello"}],"max_tokens":9}}',
  ],
  [
    'gemini',
    {},
    '{"request":{"contents":[{"role":"user","parts":[{"text":"Hello"}]}],"generationConfig":{"maxOutputTokens":9}},"metadata":{"key":"k1"}}',
  ],
])('%s with %j frames a request', async (name, options, text) => {
  const { api } = await openApi(name, [], options);
  const params = name === 'openai' ? {} : { max_tokens: 9 };
  const encoded = await api.encode({ key: 'k1', request: buildRequest({ model: 'm', params }) });
  expect('value' in encoded && JSON.parse(encoded.value)).toEqual(JSON.parse(text));
});

test('openai takes a file of requests, and then a batch of it', async () => {
  const { api, server, asked } = await openApi('openai', [{ body: { id: 'f1' } }, { body: { id: 'b1' } }]);
  expect(await api.submit(submission, signal)).toEqual({ value: 'b1' });
  expect(asked()).toEqual(['POST /v1/files', 'POST /v1/batches']);
  const [file, batch] = server.requests;
  expect(file?.headers['content-type']).toBe('multipart/form-data; boundary=n1');
  expect(file?.body.split('\r\n')).toEqual([
    '--n1',
    'content-disposition: form-data; name="purpose"',
    '',
    'batch',
    '--n1',
    'content-disposition: form-data; name="file"; filename="n1.jsonl"',
    'content-type: application/jsonl',
    '',
    '{"a":1}\n{"b":2}\n',
    '--n1--',
    '',
  ]);
  expect(JSON.parse(batch?.body ?? '')).toEqual({
    input_file_id: 'f1',
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { llmcheck: 'n1' },
  });
  expect(batch?.headers).toMatchObject({ authorization: 'Bearer k', 'content-type': 'application/json' });
});

test.each<[name: Name, answer: object, path: string, body: object]>([
  ['anthropic', { id: 'b1' }, '/v1/messages/batches', { requests: [{ a: 1 }, { b: 2 }] }],
  [
    'gemini',
    { name: 'b1' },
    '/v1/models/m:batchGenerateContent',
    { batch: { displayName: 'n1', inputConfig: { requests: { requests: [{ a: 1 }, { b: 2 }] } } } },
  ],
])('%s takes a batch at once', async (name, answer, path, body) => {
  const { api, server, asked } = await openApi(name, [{ body: answer }]);
  expect(await api.submit(submission, signal)).toEqual({ value: 'b1' });
  expect(asked()).toEqual([`POST ${path}`]);
  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual(body);
});

test.each<[name: Name, script: readonly Scripted[], failure: object]>([
  ['openai', [{ body: {} }], { kind: 'malformed', message: "the provider's answer names no file" }],
  [
    'openai',
    [{ body: { id: 'f' } }, { body: { id: '' } }],
    { kind: 'malformed', message: "the provider's answer names no batch" },
  ],
  ['anthropic', [{ body: { id: 3 } }], { kind: 'malformed', message: "the provider's answer names no batch" }],
  ['gemini', [{ status: 401, body: { error: { message: 'no' } } }], { kind: 'auth', status: 401 }],
  ['gemini', [{ body: '[1]' }], { kind: 'malformed' }],
  ['gemini', [{ body: Buffer.from('{"name":"\xff"}', 'latin1') }], { kind: 'malformed' }],
  ['anthropic', ['reset'], { kind: 'network' }],
  ['anthropic', [{ status: 300, body: '{"id":"b"}' }], {}],
])('%s that answers %j has taken no batch', async (name, script, failure) => {
  const { api } = await openApi(name, script);
  expect(await api.submit(submission, signal)).toMatchObject({ failure });
});

test('a submission that is stopped is a failure', async () => {
  const { api, server } = await openApi('anthropic', ['hang']);
  const controller = new AbortController();
  const sent = api.submit(submission, controller.signal);
  await server.waitFor(1);
  controller.abort();
  expect(await sent).toMatchObject({ failure: { kind: 'aborted' } });
});

const named = (id: string, name: string, created = second) => ({
  id,
  metadata: { llmcheck: name },
  created_at: created,
});

test.each<[what: string, pages: readonly object[], ids: readonly string[], asked: number]>([
  ['on the first page', [{ data: [named('a', 'x'), named('b', 'n1')], has_more: true }], ['b'], 1],
  ['on a later page', [{ data: [named('a', 'x')], has_more: true }, { data: [named('b', 'n1')] }], ['b'], 2],
  ['nowhere', [{ data: [named('a', 'x')], has_more: false }], [], 1],
  ['behind those from before', [{ data: [named('a', 'x', second - 1)], has_more: true }], [], 1],
  ['behind an empty page', [{ data: [], has_more: true }], [], 1],
  ['where no list came', [{}], [], 1],
  ['on none of twenty pages', [{ data: [named('a', 'x')], has_more: true }], [], 20],
])('openai finds a batch by its name: %s', async (_, pages, ids, count) => {
  const { api, asked } = await openApi(
    'openai',
    pages.map((body) => ({ body })),
  );
  expect(await api.find(submitted, signal)).toEqual({ value: ids });
  expect(asked()).toHaveLength(count);
  expect(asked().slice(0, 2)).toEqual(
    ['GET /v1/batches?limit=100', 'GET /v1/batches?limit=100&after=a'].slice(0, count),
  );
});

const sized = (id: string, size: number, created = '2026-01-01T01:00:00Z') => ({
  id,
  created_at: created,
  request_counts: { processing: size - 1, succeeded: 1, odd: 'x' },
});

test.each<[what: string, pages: readonly object[], ids: readonly string[], asked: number]>([
  ['of one size', [{ data: [sized('a', 2), sized('b', 3), sized('c', 2)], has_more: false }], ['a', 'c'], 1],
  ['over pages', [{ data: [sized('a', 2)], has_more: true, last_id: 'a' }, { data: [sized('b', 2)] }], ['a', 'b'], 2],
  ['without the name of a next page', [{ data: [sized('a', 2)], has_more: true }], ['a'], 1],
  [
    'up to those from before',
    [{ data: [sized('a', 2), sized('b', 2, '2026-01-01T00:59:59Z')], has_more: true, last_id: 'b' }],
    ['a'],
    1,
  ],
  ['without a time', [{ data: [{ ...sized('a', 2), created_at: 3 }, sized('b', 2, 'then')] }], ['a', 'b'], 1],
])('anthropic finds batches by their size and time: %s', async (_, pages, ids, count) => {
  const { api, asked } = await openApi(
    'anthropic',
    pages.map((body) => ({ body })),
  );
  expect(await api.find(submitted, signal)).toEqual({ value: ids });
  expect(asked()).toEqual(
    ['GET /v1/messages/batches?limit=100', 'GET /v1/messages/batches?limit=100&after_id=a'].slice(0, count),
  );
});

test.each<[what: string, pages: readonly object[], ids: readonly string[], asked: number]>([
  ['as an operation', [{ operations: [{ name: 'batches/a', metadata: { displayName: 'n1' } }] }], ['batches/a'], 1],
  [
    'as a batch',
    [
      {
        batches: [
          { name: 'x', displayName: 'x' },
          { name: 'y', displayName: 'n1' },
        ],
      },
    ],
    ['y'],
    1,
  ],
  ['on a later page', [{ nextPageToken: 't/' }, { batches: [{ name: 'y', displayName: 'n1' }] }], ['y'], 2],
  ['nowhere', [{ batches: [{ name: 'x', displayName: 'x' }] }], [], 1],
])('gemini finds a batch by its name: %s', async (_, pages, ids, count) => {
  const { api, asked } = await openApi(
    'gemini',
    pages.map((body) => ({ body })),
  );
  expect(await api.find(submitted, signal)).toEqual({ value: ids });
  expect(asked()).toEqual(
    ['GET /v1/batches?pageSize=100', 'GET /v1/batches?pageSize=100&pageToken=t%2F'].slice(0, count),
  );
});

test('a list that can not be read is a failure', async () => {
  const { api } = await openApi('openai', [{ status: 500 }]);
  expect(await api.find(submitted, signal)).toMatchObject({ failure: { status: 500 } });
});

const meta = (state: string) => ({ metadata: { state } });

test.each<[name: Name, body: object, status: object]>([
  ['openai', { status: 'completed' }, { state: 'ended' }],
  ['openai', { status: 'expired' }, { state: 'ended' }],
  ['openai', { status: 'cancelled' }, { state: 'ended' }],
  ['openai', { status: 'in_progress' }, { state: 'running' }],
  ['openai', {}, { state: 'running' }],
  [
    'openai',
    { status: 'failed', errors: { data: [{ code: 'token_limit_exceeded', message: 'too much' }] } },
    { state: 'refused', failure: { status: 429, kind: 'rateLimit' } },
  ],
  [
    'openai',
    { status: 'failed', errors: { data: [3, { code: 'c', message: 'broken' }] } },
    { state: 'refused', failure: { status: 400, message: expect.stringContaining('broken') as string } },
  ],
  [
    'openai',
    { status: 'failed' },
    { state: 'refused', failure: { status: 400, message: expect.stringContaining('without a reason') as string } },
  ],
  ['anthropic', { processing_status: 'ended' }, { state: 'ended' }],
  ['anthropic', { processing_status: 'in_progress', archived_at: null }, { state: 'running' }],
  ['anthropic', { processing_status: 'ended', archived_at: '2026-01-01' }, { state: 'unknown' }],
  ['gemini', meta('BATCH_STATE_SUCCEEDED'), { state: 'ended' }],
  ['gemini', meta('JOB_STATE_EXPIRED'), { state: 'ended' }],
  ['gemini', { state: 'CANCELLED' }, { state: 'ended' }],
  ['gemini', { ...meta('BATCH_STATE_RUNNING'), done: false }, { state: 'running' }],
  ['gemini', { done: true }, { state: 'ended' }],
  ['gemini', { ...meta('BATCH_STATE_FAILED') }, { state: 'refused', failure: { status: 500 } }],
  ['gemini', { done: true, error: { code: 8, message: 'm' } }, { state: 'refused', failure: { status: 429 } }],
  ['gemini', { error: { code: 3, message: 'm' } }, { state: 'refused', failure: { status: 400 } }],
  ['gemini', { error: { code: 404, message: 'm' } }, { state: 'refused', failure: { status: 404 } }],
  ['gemini', { error: { code: 99, message: 'm' } }, { state: 'refused', failure: { status: 500 } }],
  ['gemini', { error: { code: 400, message: 'm' } }, { state: 'refused', failure: { status: 400 } }],
])('%s says of a batch %j that it is %j', async (name, body, status) => {
  const { api } = await openApi(name, [{ body }]);
  const found = await api.read('b1', signal);
  expect(found).toMatchObject({ value: status });
  expect('value' in found && Object.keys(found.value)).toEqual(Object.keys(status));
});

test.each<[name: Name, id: string, path: string]>([
  ['openai', 'b/1', '/v1/batches/b%2F1'],
  ['anthropic', 'b/1', '/v1/messages/batches/b%2F1'],
  ['gemini', 'batches/a b', '/v1/batches/a%20b'],
])('%s does not know every batch', async (name, id, path) => {
  const { api, asked } = await openApi(name, [{ status: 404 }, { status: 500 }]);
  expect(await api.read(id, signal)).toEqual({ value: { state: 'unknown' } });
  expect(await api.read(id, signal)).toMatchObject({ failure: { status: 500 } });
  expect(asked()[0]).toBe(`GET ${path}`);
});

const lines = (...all: readonly unknown[]) =>
  all.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
const chat = (content: string) => ({
  choices: [{ message: { content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2 },
});
const expired = { failure: { kind: 'timeout', message: 'the batch expired before the provider came to this request' } };
const cancelled = {
  failure: {
    kind: 'aborted',
    message: 'the batch was cancelled at the provider before it came to this request',
  },
};

test('openai has its answers in two files', async () => {
  const line = (custom_id: string, more: object) => ({ custom_id, ...more });
  const answered = lines(
    line('k1', { response: { status_code: 200, body: chat('one') } }),
    'no JSON',
    { response: { status_code: 200, body: chat('whose?') } },
    line('k3', { response: { status_code: 0, body: null } }),
    line('k4', { response: { status_code: 429, body: { error: { message: 'slow' } } } }),
    line('k5', {}),
  );
  const errors = lines(
    line('k6', { error: { code: 'batch_expired' } }),
    line('k7', { error: { code: 'batch_cancelled' } }),
    line('k8', { error: { code: 'c', message: 'odd' }, response: null }),
  );
  const batch = { status: 'completed', output_file_id: 'o/1', error_file_id: 'e' };
  const { api, asked } = await openApi('openai', [{ body: batch }, { body: answered }, { body: errors }]);
  const keys = ['k1', 'k2'];
  const found = await api.collect('b1', { ...submitted, keys }, signal);
  const answers = 'value' in found ? [...found.value] : [];
  expect(asked()).toEqual(['GET /v1/batches/b1', 'GET /v1/files/o%2F1/content', 'GET /v1/files/e/content']);
  expect(answers).toMatchObject([
    ['k1', { completion: { text: 'one', usage: { inputTokens: 1, outputTokens: 2 } } }],
    ['k3', { failure: { status: 500 } }],
    ['k4', { failure: { status: 429 } }],
    ['k5', { failure: { status: 500, message: expect.stringContaining('no response') as string } }],
    ['k6', expired],
    ['k7', cancelled],
    ['k8', { failure: { status: 500, message: expect.stringContaining('odd') as string } }],
  ]);
  expect(answers[0]?.[1]).not.toHaveProperty('completion.latencyMs');
});

test.each<[state: string, more: readonly unknown[]]>([
  ['completed', []],
  ['expired', [['k2', expired]]],
  ['cancelled', [['k2', cancelled]]],
])('what a batch of openai that is %s has no answer to', async (status, more) => {
  const answered = lines({ custom_id: 'k1', response: { status_code: 200, body: chat('one') } });
  const { api } = await openApi('openai', [{ body: { status, output_file_id: 'o' } }, { body: answered }]);
  const found = await api.collect('b1', submitted, signal);
  expect('value' in found && [...found.value]).toMatchObject([['k1', {}], ...more]);
});

test.each<[name: Name, line: string, content: string]>([
  ['openai', '{"custom_id":"k1","response":{"status_code":200,"body":BODY}}', JSON.stringify(chat('one'))],
  [
    'anthropic',
    '{"custom_id":"k1","result":{"type":"succeeded","message":BODY}}',
    '{"content":[{"type":"text","text":"one"}],"usage":{"input_tokens":3,"output_tokens":1}}',
  ],
])('a line of %s with a key twice is no answer, and says so', async (name, line, content) => {
  const status = { status: 'completed', output_file_id: 'o', processing_status: 'ended' };
  const answered = line.replace('BODY', content.replace('"one"', '"two","again":1,"again":"one"'));
  const script = name === 'openai' ? [{ body: status }, { body: answered }] : [{ body: answered }];
  const { api } = await openApi(name, script);
  const found = await api.collect('b1', submitted, signal);
  const message = 'the answer is not a completion: the key "again" is written twice in one object';
  expect('value' in found && found.value.get('k1')).toMatchObject({ failure: { kind: 'malformed', message } });
});

test('a request that has two answers has none, unless both are the same', async () => {
  const line = (custom_id: string, text: string) => ({ custom_id, response: { status_code: 200, body: chat(text) } });
  const answered = lines(line('k1', 'one'), line('k1', 'two'), line('k1', 'two'), line('k2', 'one'), line('k2', 'one'));
  const { api } = await openApi('openai', [{ body: { status: 'completed', output_file_id: 'o' } }, { body: answered }]);
  const found = await api.collect('b1', submitted, signal);
  expect('value' in found && [...found.value]).toMatchObject([
    ['k1', { failure: { kind: 'malformed' } }],
    ['k2', { completion: { text: 'one' } }],
  ]);
});

test.each<[script: readonly Scripted[], name: Name]>([
  [[{ status: 500 }], 'openai'],
  [[{ body: { output_file_id: 'o' } }, { status: 500 }], 'openai'],
  [[{ status: 500 }], 'anthropic'],
  [[{ status: 500 }], 'gemini'],
])('answers that can not be read are a failure: %j', async (script, name) => {
  const { api } = await openApi(name, script);
  expect(await api.collect('b1', submitted, signal)).toMatchObject({ failure: { status: 500 } });
});

test('anthropic has its answers in lines', async () => {
  const said = (text: string) => ({
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1, output_tokens: 2 },
  });
  const line = (custom_id: string, result: unknown) => ({ custom_id, result });
  const error = (type: string) => ({ type: 'errored', error: { type: 'error', error: { type, message: 'm' } } });
  const body = lines(
    line('k1', { type: 'succeeded', message: said('one') }),
    line('k2', { type: 'expired' }),
    line('k3', { type: 'canceled' }),
    line('k4', error('overloaded_error')),
    line('k5', error('toString')),
    line('k6', { type: 'errored', error: { type: 'rate_limit_error', message: 'm' } }),
    line('k7', null),
    line('k8', { type: 'errored' }),
  );
  const { api, asked } = await openApi('anthropic', [{ body }]);
  const found = await api.collect('b/1', submitted, signal);
  expect(asked()).toEqual(['GET /v1/messages/batches/b%2F1/results']);
  expect('value' in found && [...found.value]).toMatchObject([
    ['k1', { completion: { text: 'one' } }],
    ['k2', expired],
    ['k3', cancelled],
    ['k4', { failure: { status: 529 } }],
    ['k5', { failure: { status: 500 } }],
    ['k6', { failure: { status: 429 } }],
    ['k7', { failure: { status: 500, message: expect.stringContaining('no result') as string } }],
    ['k8', { failure: { status: 500 } }],
  ]);
});

test('lines that were not decoded are no answers, and half of a character is none', async () => {
  const line = (key: string, text: string) =>
    JSON.stringify({ custom_id: key, result: { type: 'succeeded', message: { content: [{ type: 'text', text }] } } });
  const body = Buffer.concat([
    Buffer.from(`${line('k1', 'one')}\n${line('k2', 'é')}\n{"custom_id":"k3","x":"`),
    Buffer.from([0xff]),
    Buffer.from(`"}\n${line('k4', 'x').replace('"x"', String.raw`"\ud800"`)}`),
  ]);
  const { api } = await openApi('anthropic', [{ body }]);
  const found = await api.collect('b1', submitted, signal);
  expect('value' in found && [...found.value]).toMatchObject([
    ['k1', { completion: { text: 'one' } }],
    ['k4', { failure: { kind: 'malformed' } }],
  ]);
});

const response = (text: string) => ({ candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }] });
const inlined = [
  { metadata: { key: 'k1' }, response: response('one') },
  { response: response('whose?') },
  { metadata: { key: 'k3' }, error: { code: 14, message: 'm' } },
];

test.each<[body: object]>([
  [{ response: { inlinedResponses: inlined } }],
  [{ response: { inlinedResponses: { inlinedResponses: inlined } } }],
  [{ response: { output: { inlinedResponses: inlined } } }],
  [{ metadata: { output: { inlinedResponses: { inlinedResponses: inlined } } } }],
  [{ output: { inlinedResponses: inlined } }],
  [{ response: { inlinedResponses: [] }, output: { inlinedResponses: inlined } }],
])('gemini has its answers within the batch: %j', async (body) => {
  const { api } = await openApi('gemini', [{ body }]);
  const found = await api.collect('batches/b1', submitted, signal);
  expect('value' in found && [...found.value]).toMatchObject([
    ['k1', { completion: { text: 'one' } }],
    ['k3', { failure: { status: 503 } }],
  ]);
});

test('gemini has no answers to what an expired batch left', async () => {
  const { api } = await openApi('gemini', [{ body: meta('BATCH_STATE_EXPIRED') }]);
  const found = await api.collect('batches/b1', submitted, signal);
  expect('value' in found && [...found.value]).toEqual([
    ['k1', expired],
    ['k2', expired],
  ]);
});

test('a provider without its key has no batches', () => {
  const config = buildConfig({ adapter: 'openai', apiKeyEnv: 'KEY' });
  expect(connectOpenaiBatch(config, { env: {}, projectRoot: '/project' })).toMatchObject({ failure: { kind: 'auth' } });
});
