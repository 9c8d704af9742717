import { describe, expect, test } from 'vitest';
import { cacheKey, keyedText, recordingHash } from '../../src/cache/cache-key.ts';
import type { JsonObject } from '../../src/json/json.ts';
import type { CompletionRequest, Message } from '../../src/model/run/completion.ts';
import { withoutUserinfo } from '../../src/text/addresses/store-urls.ts';
import { sha256Hex } from '../../src/text/sha256.ts';
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
  test('is the hash of the request as it is stored', () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(cacheKey(request)).toBe(sha256Hex(keyedText(request)));
        const { origin: _, ...stored } = request;
        expect(JSON.parse(keyedText(request))).toEqual(JSON.parse(JSON.stringify(stored)));
      }),
    );
  });

  test('does not depend on the origin, nor on the order in which members of a message were set', () => {
    fc.assert(
      fc.property(requests, requests, (a, b) => {
        const messages = a.messages.map(({ role, content }) => ({ content, role }));
        const moved = { ...a, messages, origin: b.origin };
        expect(cacheKey(moved)).toBe(cacheKey(a));
        expect(recordingHash(moved)).toBe(recordingHash(a));
      }),
    );
  });

  test('depends on the order of members in params, at any depth', () => {
    fc.assert(
      fc.property(requests, requests, (a, b) => {
        const isSame = JSON.stringify(a.params) === JSON.stringify(b.params);
        const other = { ...a, params: b.params };
        expect(cacheKey(other) === cacheKey(a)).toBe(isSame);
        expect(recordingHash(other) === recordingHash(a)).toBe(isSame);
        const nested = (params: JsonObject) => cacheKey({ ...a, params: { schema: [{ properties: params }] } });
        const turned = Object.fromEntries(Object.entries(a.params).reverse());
        expect(nested(turned) === nested(a.params)).toBe(JSON.stringify(turned) === JSON.stringify(a.params));
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

  test('depends on every part of a message', () => {
    const file = { path: 'a.png', mediaType: 'image/png', bytes: 1, sha256: 'ab' };
    const call = { id: 'c1', name: 'find', arguments: {}, rawArguments: '{}' };
    const parts: readonly Partial<Message>[] = [
      {},
      { attachments: [file] },
      { attachments: [{ ...file, sha256: 'cd' }] },
      { attachments: [{ ...file, path: 'b.png' }] },
      { toolCalls: [call] },
      { toolCalls: [{ ...call, id: 'c2' }] },
      { toolCallId: 'c1' },
      { name: 'find' },
      { isError: true },
      { continuation: 'a' },
      { continuation: 'b' },
    ];
    const keys = parts.map((part) => cacheKey(buildRequest({ messages: [{ role: 'user', content: 'a', ...part }] })));
    expect(new Set(keys).size).toBe(parts.length);
  });

  test('is another without a base URL', () => {
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
