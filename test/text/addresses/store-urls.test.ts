import { expect, test } from 'vitest';
import {
  findQueueSecrets,
  parseQueueUrl,
  parseStoreUrl,
  redisEndpoint,
  showStoreUrl,
} from '../../../src/text/addresses/store-urls.ts';

test.each([
  ['nowhere', 'is not an address: '],
  ['redis:///0', 'names no host: '],
  ['redis://host/zero', 'names no database by its number, such as /0'],
  ['s3:///folder', 'names no bucket: '],
  ['ftp://host/0', 'has an unknown scheme: '],
])('%s is no store', (url, reason) => {
  expect(parseStoreUrl(url)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  expect(parseQueueUrl(url)).toMatchObject({ reason: expect.stringContaining(reason.slice(0, 12)) });
});

test.each([
  ['redis://ann:secret@host:1/2?a=b', 'redis://host:1/2', true],
  ['rediss://host', 'rediss://host', false],
  ['s3://bucket/', 's3://bucket', false],
  ['s3://key@bucket//a/b/', 's3://bucket/a/b', true],
  ['s3://key:secret@bucket/a', 's3://bucket/a', true],
])('%s is shown as %s', (url, shown, hasPassword) => {
  const parsed = parseStoreUrl(url);
  if (!parsed.ok) throw new Error(parsed.reason);
  expect([showStoreUrl(parsed.store), parsed.hasPassword]).toEqual([shown, hasPassword]);
});

test('a queue is a Redis, by its host, port, database and user', () => {
  const endpointOf = (url: string) => {
    const parsed = parseQueueUrl(url);
    return 'reason' in parsed ? parsed.reason : redisEndpoint(parsed);
  };
  expect(endpointOf('redis://host')).toEqual({ host: 'host', port: 6379, db: 0 });
  expect(endpointOf('rediss://a%40b:c%2Fd@[::1]:7000/3')).toEqual({
    host: '::1',
    port: 7000,
    db: 3,
    tls: {},
    username: 'a@b',
    password: 'c/d',
  });
  expect(endpointOf('redis://u%zz:100%pass@host')).toMatchObject({ username: 'u%zz', password: '100%pass' });
  expect(endpointOf('s3://bucket')).toBe('is a bucket: a queue needs Redis or Valkey');
  expect(findQueueSecrets('redis://a:c%2Fd@host')).toEqual(['c/d', 'c%2Fd']);
  expect(['redis://a@host', 'nowhere', 5].flatMap(findQueueSecrets)).toEqual([]);
});
