import { describe, expect, test } from 'vitest';
import { findSharedBackend, openConfiguredCache } from '../../src/calls/open-shared-cache.ts';
import { systemClock } from '../../src/model/clock.ts';
import { UserError } from '../../src/model/problem.ts';
import type { SharedCacheConfig } from '../../src/model/run/shared-cache.ts';
import { startServer } from '../support/http-server.ts';

const aws = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' };

type Written = Partial<SharedCacheConfig>;
type Env = Readonly<Record<string, string>>;

function find(written: Written, env: Env = {}) {
  const config = { prefix: 'p/', timeoutMs: 5000, ...written };
  return findSharedBackend(config, { root: process.cwd(), env });
}

describe('the store of a shared cache', () => {
  test.each<[written: Written, env: Env, found: object]>([
    [{ url: 'redis://me:word@127.0.0.1:1/2' }, {}, { address: 'redis://127.0.0.1:1/2' }],
    [{ urlEnv: 'CACHE' }, { CACHE: ' redis://:w@127.0.0.1:1/0 ' }, { address: 'redis://127.0.0.1:1/0' }],
    [{ urlEnv: 'CACHE', url: 'redis://127.0.0.1:2' }, { CACHE: 's3://b/f/' }, { missing: 'AWS_ACCESS_KEY_ID' }],
    [{ urlEnv: 'CACHE' }, {}, { missing: 'CACHE' }],
    [{ urlEnv: 'CACHE', passwordEnv: 'WORD' }, { CACHE: ' ' }, { missing: 'CACHE' }],
    [{ urlEnv: 'CACHE', passwordEnv: 'WORD' }, { CACHE: 'nonsense' }, { missing: 'WORD' }],
    [{ url: 'redis://127.0.0.1:1', passwordEnv: 'WORD' }, { WORD: ' ' }, { missing: 'WORD' }],
    [{ url: 'redis://127.0.0.1:1', passwordEnv: 'WORD' }, { WORD: 'w' }, { address: 'redis://127.0.0.1:1' }],
    [{ url: 's3://bucket/folder' }, { AWS_ACCESS_KEY_ID: 'AKID' }, { missing: 'AWS_SECRET_ACCESS_KEY' }],
    [{ url: 's3://bucket/folder' }, { AWS_SECRET_ACCESS_KEY: 's' }, { missing: 'AWS_ACCESS_KEY_ID' }],
    [{ url: 's3://bucket/folder' }, aws, { address: 's3://bucket/folder' }],
  ])('is found from %j with the variables %j: %j', (written, env, found) => {
    const { open: _, ...shown } = { open: undefined, ...find(written, env) };
    expect(shown).toEqual(found);
  });

  test.each<[written: Written, env: Env, message: string]>([
    [{ urlEnv: 'CACHE', url: 'redis://127.0.0.1' }, { CACHE: 'nonsense' }, 'the address in CACHE is not an address: '],
    [{ url: 'ftp://a/' }, {}, 'the address in cache has an unknown scheme: '],
    [{}, {}, 'the address in cache is not an address: '],
  ])('is a usage error from %j with the variables %j', (written, env, message) => {
    let caught: unknown;
    try {
      find(written, env);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(UserError);
    expect(caught).toMatchObject({
      problems: [{ code: 'environment', message: expect.stringContaining(message), hint: 'set it to such an address' }],
    });
  });

  test('is not used where a variable is missing, with a warning', () => {
    const warnings: string[] = [];
    const cache = openConfiguredCache(
      { urlEnv: 'CACHE', prefix: 'p', timeoutMs: 1 },
      {
        root: process.cwd(),
        env: {},
        clock: systemClock,
        now: () => new Date(0),
        onWarning: (text) => void warnings.push(text),
      },
    );
    expect([cache, warnings]).toEqual([
      undefined,
      ['The shared cache is not used: CACHE is not set. The run continues with the local cache only.'],
    ]);
  });

  test.each<[written: Written, env: Env, path: string, region: string, token: string | undefined]>([
    [{ url: 's3://bucket/folder/' }, {}, '/bucket/folder/p/key', 'us-east-1', undefined],
    [{ url: 's3://bucket' }, { AWS_REGION: 'eu-west-1' }, '/bucket/p/key', 'eu-west-1', undefined],
    [{ url: 's3://bucket', region: 'own' }, { AWS_REGION: 'eu-west-1' }, '/bucket/p/key', 'own', undefined],
    [{ url: 's3://bucket' }, { AWS_SESSION_TOKEN: 'token' }, '/bucket/p/key', 'us-east-1', 'token'],
  ])('in a bucket as %j with %j is asked for %s', async (written, env, path, region, token) => {
    const server = await startServer({ body: 'value' });
    const found = find({ ...written, endpoint: server.url }, { ...aws, ...env });
    if ('missing' in found) throw new Error(found.missing);
    const backend = await found.open();
    expect(await backend.read('key')).toBe('value');
    const [{ url, headers }] = server.requests as [(typeof server.requests)[number]];
    expect([url, headers['x-amz-security-token']]).toEqual([path, token]);
    expect(headers.authorization).toMatch(new RegExp(`Credential=AKID/\\d+/${region}/s3/`));
    backend.close();
    await server.close();
  });
});
