import { describe, expect, test } from 'vitest';
import { HttpError } from '../../src/http/http-error.ts';
import type { FailureKind } from '../../src/model/run/completion.ts';
import {
  classifyAbort,
  classifyError,
  classifyReply,
  describeUnreadable,
  kindOfApiError,
} from '../../src/providers/failures/classify-failure.ts';
import { readApiError } from '../../src/providers/failures/read-api-error.ts';

const url = 'https://api.example/v1/chat?key=k';
const nowMs = Date.parse('2026-03-01T00:00:00Z');

describe('an error body', () => {
  const violation = (quotaId: unknown) => ({ violations: [{ quotaId }, 5, { quotaId: 'SECOND' }] });

  test.each<[body: unknown, said: object | undefined]>([
    [
      { error: 'Text', code: 'A', type: 'B', status: 'C', __type: 'D' },
      { message: 'Text', words: ['a', 'b', 'c', 'd'] },
    ],
    [[{ error: { message: 'first' } }, { error: { message: 'second' } }], { message: 'first', words: [] }],
    [{ error: { message: 'a', Message: 'b' } }, { message: 'a', words: [] }],
    [
      { Message: 'b', detail: 'c' },
      { message: 'b', words: [] },
    ],
    [{ detail: [{ msg: 'c' }] }, { message: '[{"msg":"c"}]', words: [] }],
    [
      { error: { code: 'x' }, message: 'outer' },
      { message: 'outer', words: ['x'] },
    ],
    [{ error: {} }, { message: '', words: [] }],
    [
      { error: { code: 'OWN', innererror: { code: 'Nested' }, details: [{ reason: 'R', ...violation('Q') }, 'x'] } },
      { message: '', words: ['own', 'nested', 'r', 'q', 'second'] },
    ],
    [
      { code: 429, status: 500 },
      { message: '', words: [], status: 429 },
    ],
    [
      { code: 'x', status: '503' },
      { message: '', words: ['x', '503'], status: 503 },
    ],
    [{ status_code: 404 }, { message: '', words: [], status: 404 }],
    [
      { code: 399, status: 600, status_code: 400 },
      { message: '', words: [], status: 400 },
    ],
    [{ code: 599 }, { message: '', words: [], status: 599 }],
    [
      { message: 'try again in 5s', details: [{ retryDelay: 'soon' }, { retryDelay: '1.5s' }, { retryDelay: '9s' }] },
      { message: 'try again in 5s', words: [], retryAfterMs: 1500 },
    ],
    [{ message: 'try again in 1m2.5s' }, { message: 'try again in 1m2.5s', words: [], retryAfterMs: 62_500 }],
    ['text', undefined],
    [[], undefined],
    [{ error: 5 }, undefined],
    [{ error: ['a'] }, undefined],
  ])('%j is read as %j', (body, said) => {
    expect(readApiError(body)).toEqual(said);
  });

  test.each<[body: object, kind: FailureKind]>([
    [{ code: 'rate_limit_exceeded', status: 500 }, 'rateLimit'],
    [{ status: 503 }, 'overloaded'],
    [{ code: 400 }, 'badRequest'],
    [{ code: 'other' }, 'malformed'],
  ])('%j under HTTP 200 is %s', (body, kind) => {
    expect(kindOfApiError(readApiError(body) ?? { message: '', words: [] })).toBe(kind);
  });
});

describe('an answer that is no success', () => {
  const reply = (status: number, headers: Record<string, string>, text = '') =>
    classifyReply({ status, headers, text }, url, nowMs);

  test.each<[headers: Record<string, string>, text: string, retryAfterMs: number | undefined]>([
    [{ 'retry-after-ms': '1500.5', 'retry-after': '9' }, '', 1500.5],
    [{ 'retry-after-ms': '-5' }, '', 0],
    [{ 'retry-after-ms': 'soon', 'retry-after': ' 2.5 ' }, '', 2500],
    [{ 'retry-after': 'Sun, 01 Mar 2026 00:00:10 GMT' }, '', 10_000],
    [{ 'retry-after': 'Sun, 01 Mar 2026 00:00:10 GMT', date: 'Sun, 01 Mar 2026 00:00:04 GMT' }, '', 6000],
    [{ 'retry-after': 'Sat, 28 Feb 2026 00:00:00 GMT' }, '', 0],
    [{ 'retry-after': '3' }, '{"message":"try again in 9s"}', 3000],
    [{ 'retry-after': 'soon' }, '{"message":"try again in 9s"}', 9000],
    [{}, '{"message":"later"}', undefined],
  ])('with %j and %s may be asked again after %s ms', (headers, text, retryAfterMs) => {
    const { retryAfterMs: found } = reply(429, headers, text);
    expect(found).toBe(retryAfterMs);
  });

  test.each<[status: number, headers: Record<string, string>, message: string, isFinal: boolean]>([
    [429, { 'x-should-retry': 'false' }, 'later', true],
    [429, { 'x-should-retry': 'true' }, 'later', false],
    [429, {}, 'Request too large for gpt', true],
    [500, {}, 'Request too large for gpt', false],
  ])('%i with %j and %j says whether asking again helps', (status, headers, message, isFinal) => {
    expect(reply(status, headers, JSON.stringify({ message })).retryable).toBe(isFinal ? false : undefined);
  });

  const moved =
    'api.example answered 302 and points to https://b/; redirects are not followed: make that address the baseURL';

  test.each<[status: number, headers: Record<string, string>, text: string, kind: FailureKind, message: string]>([
    [302, { location: 'https://b/' }, 'moved', 'badRequest', moved],
    [302, {}, 'moved', 'badRequest', 'api.example answered 302: moved'],
    [201, { location: 'https://b/' }, 'made', 'badRequest', 'api.example answered 201: made'],
    [400, { location: 'https://b/' }, 'bad', 'badRequest', 'api.example answered 400: bad'],
    [400, {}, ' <html>', 'badRequest', 'api.example answered 400 without a message'],
    [
      404,
      {},
      '',
      'notFound',
      'api.example answered 404 without a message (asked at https://api.example/v1/chat; check the model and the baseURL)',
    ],
    [
      404,
      {},
      `{"message":"Item with id 'rs_1' not found."}`,
      'badRequest',
      "api.example answered 404: Item with id 'rs_1' not found.",
    ],
    [401, {}, `{"message":"Item with id 'rs_1'"}`, 'auth', "api.example answered 401: Item with id 'rs_1'"],
    [500, {}, '{"code":"insufficient_quota"}', 'quota', 'api.example answered 500 without a message'],
    [500, {}, '{"code":"overloaded_error"}', 'overloaded', 'api.example answered 500 without a message'],
    [500, {}, '{"code":"invalid_api_key"}', 'server', 'api.example answered 500 without a message'],
    [400, {}, '{"type":"api_error"}', 'server', 'api.example answered 400 without a message'],
    [401, {}, '{"type":"api_error"}', 'auth', 'api.example answered 401 without a message'],
  ])('is reported with %i, %j and %s', (status, headers, text, kind, message) => {
    expect(reply(status, headers, text)).toEqual({ kind, message, status });
  });

  test('names the error of AWS by its header beside those of its body', () => {
    const headers = { 'x-amzn-errortype': 'ThrottlingException:http://a' };
    expect([reply(400, headers, '{"code":"x"}').kind, reply(400, headers, 'text').kind]).toEqual([
      'rateLimit',
      'rateLimit',
    ]);
  });
});

test.each<[text: string, brokenOff: boolean]>([
  ['{"a": [1, 2', true],
  [' [{"a": 1}', true],
  ['{"a": "b', true],
  ['{"a": "}"', true],
  [String.raw`{"a": "\"}`, true],
  [String.raw`{"a": "\\"} x`, false],
  ['{"a": "["} x', false],
  ['[[1], {"a": 1}] x', false],
  ['"a', false],
  ['text {', false],
])('%s is what is left of an answer: %s', (text, brokenOff) => {
  expect(describeUnreadable({ status: 200, headers: { 'content-type': 'text/plain' }, text }, url)).toEqual(
    brokenOff
      ? {
          kind: 'network',
          status: 200,
          message: `could not get the whole answer from api.example: it breaks off after ${text.length} characters`,
        }
      : {
          kind: 'malformed',
          status: 200,
          message: `api.example answered with something that is not JSON (text/plain): ${text}`,
        },
  );
});

test('an answer without a type or a body is reported as such', () => {
  expect(describeUnreadable({ status: 200, headers: {}, text: ' ' }, url).message).toBe(
    'api.example answered with something that is not JSON (no content type): an empty body',
  );
});

describe('a request that broke on its way', () => {
  const withCode = (code: unknown, message = 'broke') => Object.assign(new Error(message), { code });
  const start = 'could not get an answer from api.example: ';

  test.each<[error: unknown, failure: object | undefined]>([
    ['text', undefined],
    [new Error('a bug'), undefined],
    [withCode(5), undefined],
    [withCode('ERR_INVALID_ARG_TYPE'), undefined],
    [withCode('UND_ERR_INVALID_ARG'), undefined],
    [withCode('ECONNRESET'), { kind: 'network', message: `${start}broke` }],
    [withCode('ECONNRESET', ''), { kind: 'network', message: `${start}ECONNRESET` }],
    [
      withCode('ECONNREFUSED'),
      { kind: 'network', message: `${start}broke (is the server running, and is the port of baseURL right?)` },
    ],
    [
      withCode('DEPTH_ZERO_SELF_SIGNED_CERT'),
      {
        kind: 'network',
        message: `${start}broke (its certificate is not trusted: name your authority with NODE_EXTRA_CA_CERTS)`,
        retryable: false,
      },
    ],
    [new AggregateError([withCode('ECONNRESET')], 'all'), { kind: 'network', message: `${start}all` }],
    [new AggregateError([], 'all'), undefined],
    [new AggregateError(['text'], 'all'), undefined],
    [new HttpError('broken-off', 'closed'), { kind: 'network', message: `${start}closed` }],
    [new HttpError('proxy', 'refused'), { kind: 'network', message: 'refused (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)' }],
    [new HttpError('not-http', 'odd'), { kind: 'malformed', message: 'api.example did not answer in HTTP: odd' }],
    [new HttpError('body-too-large', 'large'), { kind: 'malformed', message: 'api.example: large' }],
  ])('by %s is %j', (error, failure) => {
    expect(classifyError(error, url)).toEqual(failure);
  });

  test.each<[reason: unknown, failure: object]>([
    [new DOMException('no answer within 5 s', 'TimeoutError'), { kind: 'timeout', message: 'no answer within 5 s' }],
    [new DOMException('', 'TimeoutError'), { kind: 'timeout', message: 'the time ran out' }],
    [new Error('stopped'), { kind: 'aborted', message: 'stopped before the answer came' }],
    [
      { name: 'TimeoutError', message: 'no error' },
      { kind: 'aborted', message: 'stopped before the answer came' },
    ],
    ['text', { kind: 'aborted', message: 'stopped before the answer came' }],
  ])('by an abort for %s is %j', (reason, failure) => {
    expect(classifyAbort(AbortSignal.abort(reason))).toEqual(failure);
  });
});
