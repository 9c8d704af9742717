import { expect, test } from 'vitest';
import {
  type ApiPorts,
  memberAt,
  numberAt,
  numberOf,
  openJsonApi,
  textAt,
  withoutSlash,
} from '../../src/http/json-api.ts';

type Reply = Awaited<ReturnType<ApiPorts['send']>>;
type Sent = Parameters<ApiPorts['send']>[0];

const now = new Date('2026-01-01T00:00:00Z');
const resetAt = (seconds: number) => String(now.getTime() / 1000 + seconds);

/** An API that replies in this order; the last reply repeats. An error is a call without a reply. */
function openApi(replies: readonly (Partial<Reply> | Error)[]) {
  const sent: Sent[] = [];
  const waits: number[] = [];
  const api = openJsonApi(
    'https://api.example',
    { authorization: 'token t' },
    {
      send: (request) => {
        const reply = replies[Math.min(sent.push(request), replies.length) - 1] ?? {};
        if (reply instanceof Error) return Promise.reject(reply);
        return Promise.resolve({ status: 200, headers: {}, text: '', ...reply });
      },
      wait: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
      now: () => now,
    },
  );
  return { api, sent, waits };
}

test('a request carries the headers of the API, and its body as JSON', async () => {
  const { api, sent } = openApi([{ text: '{"id":1}' }, { status: 299 }]);
  expect(await api.ask('POST', '/repos/a', { b: 'c' })).toEqual({ ok: true, value: { id: 1 } });
  expect(await api.ask('GET', 'https://other.example/x')).toEqual({ ok: true, value: null });
  const headers = { 'content-type': 'application/json', 'user-agent': 'llmcheck', authorization: 'token t' };
  expect(sent).toEqual([
    { url: 'https://api.example/repos/a', method: 'POST', headers, body: '{"b":"c"}' },
    { url: 'https://other.example/x', method: 'GET', headers, body: '' },
  ]);
});

const limited = { status: 429, headers: { 'retry-after': '1' } };

test.each<[what: string, replies: readonly (Partial<Reply> | Error)[], waits: readonly number[]]>([
  ['faults of the server', [{ status: 500 }, { status: 599 }, { status: 408 }, {}], [500, 1000, 2000]],
  ['calls without an answer', [new Error('reset'), new Error('reset'), {}], [500, 1000]],
  ['limits that say how long they last', [limited, limited, {}], [1000, 1000]],
  [
    'a limit until a time',
    [{ status: 429, headers: { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' } }, {}],
    [30_000],
  ],
  ['a limit that is over', [{ status: 429, headers: { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' } }, {}], [0]],
  [
    'a limit that is used up until its reset',
    [{ status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': resetAt(7) } }, {}],
    [7000],
  ],
  [
    'a limit whose reset is over',
    [{ status: 429, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': resetAt(-7) } }, {}],
    [0],
  ],
  [
    'a limit that is not used up',
    [{ status: 429, headers: { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': resetAt(7) } }, {}],
    [60_000],
  ],
  ['a limit without a reset', [{ status: 403, headers: { 'x-ratelimit-remaining': '0' } }, {}], [60_000]],
  ['a limit that only its text names', [{ status: 403, text: '{"message":"Secondary rate limit"}' }, {}], [60_000]],
  ['a limit against abuse', [{ status: 403, text: '{"error":"abuse detection"}' }, {}], [60_000]],
])('after %s a request is sent again', async (_, replies, waits) => {
  const { api, sent, waits: found } = openApi(replies);
  expect(await api.ask('PATCH', '/a')).toEqual({ ok: true, value: null });
  expect([found, sent.length]).toEqual([waits, replies.length]);
});

test.each<[what: string, reply: Partial<Reply> | Error, failed: object]>([
  [
    'a refusal',
    { status: 403, text: '{"message":"no right"}' },
    { status: 403, message: 'GET /a: 403 no right', isTransient: false },
  ],
  ['a missing page', { status: 404 }, { status: 404, message: 'GET /a: 404', isTransient: false }],
  [
    'a refused login',
    { status: 401, text: '{"error":"e","error_description":"expired"}' },
    { status: 401, message: 'GET /a: 401 expired', isTransient: false },
  ],
  ['a redirect', { status: 300, text: '{"error":"e"}' }, { status: 300, message: 'GET /a: 300 e', isTransient: false }],
  [
    'an error that is no text',
    { status: 400, text: '{"message":3}' },
    { status: 400, message: 'GET /a: 400', isTransient: false },
  ],
  [
    'an error that is no JSON',
    { status: 400, text: '<html>' },
    { status: 400, message: 'GET /a: 400', isTransient: false },
  ],
  [
    'an answer that is no JSON',
    { status: 200, text: '<html>' },
    { message: 'GET /a: 200, but the answer is not JSON', isTransient: false },
  ],
])('%s is not asked again', async (_, reply, failed) => {
  const { api, sent } = openApi([reply]);
  expect(await api.ask('GET', '/a')).toEqual({ ok: false, ...failed });
  expect(sent).toHaveLength(1);
});

test('a request is sent four times at most', async () => {
  const faulty = openApi([{ status: 502, text: '{"message":"bad\\ngateway"}' }]);
  expect(await faulty.api.ask('DELETE', '/a')).toEqual({
    ok: false,
    status: 502,
    message: 'DELETE /a: 502 bad␊gateway',
    isTransient: true,
  });
  expect(faulty.waits).toEqual([500, 1000, 2000]);
  const silent = openApi([new Error('connection reset')]);
  expect(await silent.api.ask('GET', '/a')).toEqual({
    ok: false,
    message: 'GET /a: connection reset',
    isTransient: true,
  });
  expect(silent.sent).toHaveLength(4);
});

test('a creation that may have happened is not repeated, one that a limit refused is', async () => {
  const faulty = openApi([{ status: 500 }, {}]);
  expect(await faulty.api.ask('POST', '/a')).toMatchObject({ ok: false, isTransient: true });
  expect(faulty.sent).toHaveLength(1);
  expect(await openApi([limited, {}]).api.ask('POST', '/a')).toMatchObject({ ok: true });
  const harmless = openApi([{ status: 500 }, {}]);
  expect(await harmless.api.ask('POST', '/a', {}, { canRepeat: true })).toMatchObject({ ok: true });
  expect(await openApi([{ status: 500 }, {}]).api.ask('GET', '/a', {}, { canRepeat: false })).toMatchObject({
    ok: false,
  });
});

test('limits are waited for two minutes in all', async () => {
  const minute = { status: 429, headers: { 'retry-after': '60' } };
  const { api, waits } = openApi([minute, minute, {}, { status: 429, headers: { 'retry-after': '1' } }]);
  expect(await api.ask('GET', '/a')).toMatchObject({ ok: true });
  expect(await api.ask('GET', '/b')).toEqual({
    ok: false,
    status: 429,
    message: 'GET /b: 429; its limit lasts 1 s, and a job waits 120 s at most: run it again later',
    isTransient: false,
  });
  expect(waits).toEqual([60_000, 60_000]);
  const growing = openApi([{ status: 429 }]);
  expect(await growing.api.ask('GET', '/a')).toMatchObject({
    message: 'GET /a: 429; its limit lasts 120 s, and a job waits 120 s at most: run it again later',
  });
  expect(growing.waits).toEqual([60_000]);
  // Faults do not count.
  const faulty = openApi([{ status: 500 }, { status: 429, headers: { 'retry-after': '120' } }, {}]);
  expect(await faulty.api.ask('GET', '/a')).toMatchObject({ ok: true });
});

test('an API that gives no answer is waited for two minutes in all', async () => {
  let nowMs = 0;
  let sent = 0;
  const send: ApiPorts['send'] = () => {
    sent += 1;
    nowMs += 30_000;
    return Promise.reject(new Error('no answer'));
  };
  const api = openJsonApi(
    'https://api.example',
    {},
    { send, wait: () => Promise.resolve(), now: () => new Date(nowMs) },
  );
  expect(await api.ask('GET', '/a')).toMatchObject({ ok: false, message: 'GET /a: no answer' });
  const message = 'POST /b: the API has given no answer for 120 s';
  expect(await api.ask('POST', '/b')).toEqual({ ok: false, message, isTransient: false });
  expect(sent).toBe(4);
});

test('members are read of objects alone, and numbers are whole', () => {
  expect([memberAt({ a: null }, 'a'), memberAt({ a: 1 }, 'b'), memberAt(undefined, 'a'), memberAt([1], '0')]).toEqual([
    null,
    undefined,
    undefined,
    undefined,
  ]);
  expect([textAt({ a: 'x' }, 'a'), textAt({ a: 1 }, 'a')]).toEqual(['x', undefined]);
  expect([numberAt({ a: 0 }, 'a'), numberAt({ a: '1' }, 'a')]).toEqual([0, undefined]);
  expect(['12', '', undefined, '1.5', '-1', ' 1'].map((text) => numberOf(text))).toEqual([
    12,
    ...Array(5).fill(undefined),
  ]);
  expect(['https://a//', 'https://a'].map(withoutSlash)).toEqual(['https://a', 'https://a']);
});
