import { expect, test } from 'vitest';
import { describeSendError, HttpError } from '../../src/http/http-error.ts';

const coded = (code: string, message = 'm', name = 'Error') => Object.assign(new Error(message), { code, name });
const connecting = Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect' });

const early = 'the connection was closed before the whole answer came';

test.each<[error: Error, proxy: string | undefined, code: HttpError['code'], message: string]>([
  [coded('UND_ERR_SOCKET'), undefined, 'broken-off', early],
  [coded('UND_ERR_DESTROYED'), undefined, 'broken-off', early],
  [coded('UND_ERR_INFO'), undefined, 'broken-off', early],
  [coded('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), undefined, 'broken-off', early],
  [coded('UND_ERR_SOCKET', 'bad response'), undefined, 'not-http', 'bad response'],
  [coded('UND_ERR_HEADERS_OVERFLOW', 'too long'), undefined, 'not-http', 'too long'],
  [coded('HPE_INVALID', 'Expected HTTP/', 'HTTPParserError'), undefined, 'not-http', 'Expected HTTP/'],
  [coded('HPE_INVALID_EOF_STATE', 'Invalid EOF state', 'HTTPParserError'), undefined, 'broken-off', early],
  [coded('UND_ERR_ABORTED', 'Proxy response (407) !== 200'), 'p:1', 'proxy', 'the proxy p:1 refused a tunnel with 407'],
  [coded('UND_ERR_ABORTED', 'no status'), 'p:1', 'proxy', "the proxy p:1 can't be used: no status"],
  [coded('UND_ERR_INVALID_ARG', '(407)'), 'p:1', 'proxy', "the proxy p:1 can't be used: (407)"],
  [coded('UND_ERR_PRX_TLS'), 'p:1', 'proxy', "the proxy p:1 can't be used: m"],
  [connecting, 'p:1', 'proxy', "the proxy p:1 can't be used: connect ECONNREFUSED"],
  [
    Object.assign(new Error('not found'), { syscall: 'getaddrinfo' }),
    'p:1',
    'proxy',
    "the proxy p:1 can't be used: not found",
  ],
  [new AggregateError([3, connecting], 'all'), 'p:1', 'proxy', "the proxy p:1 can't be used: all"],
  [coded('UND_ERR_SOCKET'), 'p:1', 'broken-off', early],
])('%s by the proxy %s is named', (error, proxy, code, message) => {
  const found = describeSendError(error, proxy);
  expect(found).toEqual(new HttpError(code, message, { cause: error }));
  expect(found).toMatchObject({ name: 'HttpError', code });
  expect(found.cause).toBe(error);
});

test.each<[error: Error, proxy?: string]>([
  [connecting],
  [coded('UND_ERR_ABORTED', '(407)')],
  [coded('CERT_HAS_EXPIRED'), 'p:1'],
  [Object.assign(new Error('read'), { syscall: 'read' }), 'p:1'],
  [new AggregateError([new Error('read')]), 'p:1'],
  [new HttpError('body-too-large', 'm'), 'p:1'],
])('%s by the proxy %s keeps its own name', (error, proxy) => {
  expect(describeSendError(error, proxy)).toBe(error);
});
