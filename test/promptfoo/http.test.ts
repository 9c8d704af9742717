import { env } from 'node:process';
import { expect, test } from 'vitest';
import { askHttp, type PromptfooHttpCode, type PromptfooRequest } from '../../src/promptfoo/http.ts';
import { startServer } from '../support/http-server.ts';

const given = { prompt: 'say "x"', vars: { lang: 'de', n: 3, quote: '"' }, context: { c: 1 } };
const chat = '[{"role":"user","content":"a"}]';

/** Method, address, body and content type of what is sent for the config. */
async function sentFor(config: Omit<PromptfooRequest, 'url'> & { url?: string }, code?: PromptfooHttpCode, asked = {}) {
  const server = await startServer({ body: {} });
  await askHttp({ ...config, url: `${server.url}${config.url ?? '/'}` }, code ?? {}, { ...given, ...asked });
  return server.requests.map(({ method, url, body, headers }) => [method, url, body, headers['content-type']])[0];
}

const form = 'application/x-www-form-urlencoded';
const json = 'application/json';

test.each<[config: Parameters<typeof sentFor>[0], ...sent: unknown[]]>([
  [{}, 'GET', '/', '', undefined],
  [{ body: { a: 1 } }, 'GET', '/', '', undefined],
  [{ method: 'GET', body: 'a' }, 'GET', '/', '', undefined],
  [{ url: '/{{lang}}?a=1', queryParams: { q: '{{lang}} {{n}}', e: '' } }, 'GET', '/de?a=1&q=de+3&e=', '', undefined],
  [{ method: 'POST' }, 'POST', '/', '', undefined],
  [{ method: 'POST', body: ' q={{lang}} ' }, 'POST', '/', 'q=de', form],
  [{ method: 'POST', body: 3 }, 'POST', '/', '', form],
  [{ method: 'PUT', body: { q: '{{prompt}}' } }, 'PUT', '/', '{"q":"say \\"x\\""}', json],
  [
    { method: 'POST', body: { a: ['{{n}}', { b: '{{none}}' }], t: true, z: null } },
    'POST',
    '/',
    '{"a":["3",{"b":""}],"t":true,"z":null}',
    json,
  ],
  [
    { method: 'POST', body: { a: ' [{{n}}]', b: '{"c":"{{lang}}"}', d: '[open', e: 'x [1]', f: '3' } },
    'POST',
    '/',
    '{"a":[3],"b":{"c":"de"},"d":"[open","e":"x [1]","f":"3"}',
    json,
  ],
  [
    { method: 'POST', headers: { 'Content-Type': json }, body: '{"q": "{{lang}}", "n": {{n}} }' },
    'POST',
    '/',
    '{"q":"de","n":3}',
    json,
  ],
  [
    { method: 'POST', headers: { 'Content-Type': json }, body: '{"q": "{{prompt}}", "n": {{n}} }' },
    'POST',
    '/',
    '{"q":"say \\"x\\"","n":3}',
    json,
  ],
  [{ method: 'POST', headers: { 'Content-Type': json }, body: 'no {{quote}}' }, 'POST', '/', 'no "', json],
  [
    { method: 'POST', headers: { 'CONTENT-TYPE': 'text/plain' }, body: ' a {{lang}} ' },
    'POST',
    '/',
    'a de',
    'text/plain',
  ],
  [
    { method: 'POST', headers: { 'content-type': `${json}; charset=utf-8` } },
    'POST',
    '/',
    '',
    `${json}; charset=utf-8`,
  ],
  [{ method: 'POST', isRaw: true, body: ' {"q": "{{prompt}}"} ' }, 'POST', '/', '{"q": "say \\"x\\""}', undefined],
  [
    {
      method: 'POST',
      isRaw: true,
      url: '/{{lang}}',
      headers: { 'content-type': json },
      body: '{"q": "{{quote}}{{n}}"}',
    },
    'POST',
    '/de',
    '{"q": "\\"3"}',
    json,
  ],
])('the config %j is sent as promptfoo sends it', async (config, ...sent) => {
  expect(await sentFor(config)).toEqual(sent);
});

test('a prompt that is a chat as JSON is sent as a list', async () => {
  const body = { messages: '{{prompt}}' };
  expect(await sentFor({ method: 'POST', body }, {}, { prompt: chat })).toEqual([
    'POST',
    '/',
    `{"messages":${chat}}`,
    json,
  ]);
});

test.each<[config: PromptfooRequest['body'], made: unknown, body: string]>([
  [{ q: '{{prompt}}' }, 'asks', '{"q":"asks"}'],
  [{ q: 1, z: 2 }, { q: 'own' }, '{"q":"own","z":2}'],
])('a body %j takes what code made of the prompt, %j', async (config, made, body) => {
  const seen: unknown[] = [];
  const request = (...args: unknown[]) => {
    seen.push(...args);
    return made;
  };
  expect(await sentFor({ method: 'POST', body: config }, { request })).toEqual(['POST', '/', body, json]);
  expect(seen).toEqual([given.prompt, given.vars, given.context]);
});

test('what code makes of the prompt is sent alone where there is no body', async () => {
  const headers = { 'content-type': json };
  expect(await sentFor({ method: 'POST', headers }, { request: () => ({ a: 1 }) })).toEqual([
    'POST',
    '/',
    '{"a":1}',
    json,
  ]);
});

test('headers are templates over the variables of the environment, too', async () => {
  env['LLMCHECK_TEST_KEY'] = 'k"';
  try {
    const server = await startServer({ body: {} });
    for (const isRaw of [false, true])
      await askHttp({ url: server.url, isRaw, headers: { 'X-Key': 'key {{env.LLMCHECK_TEST_KEY}}' } }, {}, given);
    expect(server.requests.map(({ headers }) => headers['x-key'])).toEqual(['key k"', 'key k"']);
  } finally {
    delete env['LLMCHECK_TEST_KEY'];
  }
});

test('an object is not sent as text', async () => {
  const config = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: { a: 1 } } as const;
  await expect(sentFor(config)).rejects.toThrow(
    'the body is an object, and the content type is not application/json: promptfoo does not send it',
  );
  expect(await sentFor({ ...config, method: 'GET' })).toEqual(['GET', '/', '', 'text/plain']);
  await expect(sentFor({ ...config, isRaw: true })).rejects.toThrow('promptfoo does not send it');
});

const base = { metadata: { http: { status: 200, statusText: 'OK' } } };

test.each<[reply: string | object, response: PromptfooHttpCode['response'], returned: object]>([
  [{ a: 1 }, undefined, { ...base, output: { a: 1 } }],
  ['plain', undefined, { ...base, output: 'plain' }],
  ['0', undefined, { ...base, output: '0' }],
  [{ a: 1 }, (found: object) => found, { ...base, output: { a: 1 } }],
  ['plain', (found: unknown, text: string) => [found, text], { ...base, output: [null, 'plain'] }],
  [{ a: 1 }, () => ({ output: 'o', cost: 1 }), { ...base, output: 'o', cost: 1 }],
  [{ a: 1 }, () => ({ output: 'o', metadata: 1 }), { metadata: 1, output: 'o' }],
  [{ a: 1 }, () => ({ output: '' }), { ...base, output: { output: '' } }],
  [{ a: 1 }, () => ({ error: 'e' }), { ...base, output: { error: 'e' } }],
  [{ a: 1 }, () => undefined, { ...base, output: { output: undefined } }],
  [{ a: 1 }, () => null, { ...base, output: { output: null } }],
])('the reply %j becomes, by the code %s, what promptfoo returns', async (reply, response, returned) => {
  const server = await startServer({ body: reply });
  const code = response === undefined ? {} : { response };
  expect(await askHttp({ url: server.url }, code, given)).toEqual(returned);
});

test('code of a reply sees all of it', async () => {
  const server = await startServer({ status: 201, headers: { 'x-a': 'b' }, body: { a: 1 } });
  const response = (_json: unknown, _text: string, context: object) => [context];
  expect(await askHttp({ url: server.url }, { response }, given)).toMatchObject({
    output: [
      {
        response: {
          data: '{"a":1}',
          status: 201,
          statusText: 'Created',
          headers: { 'x-a': 'b' },
          cached: false,
          latencyMs: expect.any(Number) as number,
        },
      },
    ],
  });
});

test('a status may be refused by code, and none is without it', async () => {
  const server = await startServer({ status: 500, body: 'oh' });
  const config = { url: server.url };
  const http = { http: { status: 500, statusText: 'Internal Server Error' } };
  expect(await askHttp(config, {}, given)).toEqual({ metadata: http, output: 'oh' });
  expect(await askHttp(config, { status: (status: number) => status === 500 }, given)).toMatchObject({ output: 'oh' });
  await expect(askHttp(config, { status: (status: number) => status < 300 }, given)).rejects.toThrow(
    'the server answered with status 500 Internal Server Error',
  );
  for (const [status, statusText] of [
    [299, ''],
    [400, 'Bad Request'],
  ] as const) {
    const odd = await startServer({ status, body: 'oh' });
    expect(await askHttp({ url: odd.url }, {}, given)).toMatchObject({ metadata: { http: { status, statusText } } });
  }
});

test.each([300, 302, 399])('a server that sends on with the status %d is an error', async (status) => {
  const server = await startServer({ status, headers: { location: '/b' } });
  await expect(askHttp({ url: server.url }, {}, given)).rejects.toThrow(
    'the server sends on to /b, which is not followed here',
  );
  expect(server.requests).toHaveLength(1);
});

test('a server that limits the rate is asked again as often as the config says', async () => {
  const limited = { status: 429, headers: { 'retry-after': '0.001' } };
  const late = await startServer([limited, limited, limited, limited, { body: { a: 1 } }]);
  expect(await askHttp({ url: late.url }, {}, given)).toEqual({ ...base, output: { a: 1 } });
  const never = await startServer(limited);
  await expect(askHttp({ url: never.url, maxRetries: 2 }, {}, given)).rejects.toThrow(
    'the server limits the rate of requests (status 429)',
  );
  expect(never.requests).toHaveLength(3);
  await expect(askHttp({ url: never.url, maxRetries: 0 }, {}, given)).rejects.toThrow('status 429');
  await expect(askHttp({ url: never.url }, {}, given)).rejects.toThrow('status 429');
  expect(never.requests).toHaveLength(3 + 1 + 5);
});
