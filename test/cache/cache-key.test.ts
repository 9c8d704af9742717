import { describe, expect, test } from 'vitest';
import { cacheKey, recordingHash, withoutUserinfo } from '../../src/cache/cache-key.ts';
import { canonicalJson } from '../../src/lib/canonical-json.ts';
import { sha256Hex } from '../../src/lib/sha256.ts';
import type { CompletionRequest } from '../../src/model/completion.ts';
import fc from '../support/property.ts';
import { buildRequest } from './build-request.ts';

const requests = fc.record({
  adapter: fc.string(),
  adapterVersion: fc.string(),
  baseUrl: fc.webUrl(),
  model: fc.string(),
  messages: fc.array(fc.record({ role: fc.constantFrom('system' as const, 'user' as const), content: fc.string() })),
  params: fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<CompletionRequest['params']>,
  trial: fc.nat(),
  origin: fc.record({ suite: fc.string(), prompt: fc.string(), provider: fc.string(), caseId: fc.string() }),
});

describe('cacheKey', () => {
  test('is the hash of the canonical request without its origin', () => {
    fc.assert(
      fc.property(requests, ({ origin, ...keyed }) => {
        expect(cacheKey({ ...keyed, origin } as CompletionRequest)).toBe(sha256Hex(canonicalJson(keyed)));
      }),
    );
  });

  test('depends on neither the origin nor the order of params', () => {
    fc.assert(
      fc.property(requests, requests, (a, b) => {
        const params = Object.fromEntries(Object.entries(a.params).reverse());
        const moved = { ...a, params, origin: b.origin };
        expect(cacheKey(moved)).toBe(cacheKey(a));
        expect(recordingHash(moved)).toBe(recordingHash(a));
      }),
    );
  });

  const changes: Partial<CompletionRequest>[] = [
    { adapter: 'exec' },
    { adapterVersion: '2' },
    { baseUrl: 'http://127.0.0.1:1234/v1' },
    { model: 'large' },
    { messages: [{ role: 'system', content: 'I want my money back' }] },
    { params: { temperature: 1 } },
    { trial: 1 },
  ];
  test.each(changes)('changes with %j', (change) => {
    expect(cacheKey(buildRequest(change))).not.toBe(cacheKey(buildRequest()));
  });

  test('of a request without base URL is another than with one', () => {
    const { baseUrl: _, ...rest } = buildRequest();
    expect(cacheKey(rest)).not.toBe(cacheKey(buildRequest()));
    expect(cacheKey(rest)).toBe(cacheKey({ ...rest }));
  });

  test('does not depend on a credential in the base URL', () => {
    const withPassword = buildRequest({ baseUrl: 'https://team:hunter22@api.example.org/v1' });
    expect(cacheKey(withPassword)).toBe(cacheKey(buildRequest()));
  });

  test('an @ behind the host is no credential', () => {
    expect(withoutUserinfo('https://example.org/@team/v1?x=@')).toBe('https://example.org/@team/v1?x=@');
  });
});

describe('recordingHash', () => {
  test('does not depend on base URL and adapter version', () => {
    const { baseUrl: _, ...elsewhere } = buildRequest({ adapterVersion: '9' });
    expect(recordingHash(elsewhere)).toBe(recordingHash(buildRequest()));
  });

  test('depends on the trial, the messages and the params', () => {
    const hashes = [{}, { trial: 1 }, { messages: [] }, { params: {} }].map((change) =>
      recordingHash(buildRequest(change)),
    );
    expect(new Set(hashes).size).toBe(4);
  });
});

test('params that requests share are walked once', () => {
  let reads = 0;
  const params = {
    get temperature() {
      reads += 1;
      return 0;
    },
  };
  const keyOf = (trial: number) => cacheKey(buildRequest({ params, trial }));
  const keys = new Set([keyOf(0)]);
  const readsOfOne = reads;
  for (const trial of [1, 2, 3]) keys.add(keyOf(trial));
  expect(keys.size).toBe(4);
  expect(reads).toBe(readsOfOne);
});
