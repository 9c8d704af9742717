import { describe, expect, test } from 'vitest';
import { checkKey, isCacheExportLine, parseAnswer, parseEntry, renderEntry } from '../../src/cache/cache-entry.ts';
import { cacheKey } from '../../src/cache/cache-key.ts';
import { canonicalJson } from '../../src/json/canonical-json.ts';
import { sha256Hex } from '../../src/text/sha256.ts';
import fc, { codePoint } from '../support/property.ts';
import { answer, ask, buildEntry } from './build-request.ts';

const request = ask('Where is my parcel?');
const entry = buildEntry(request, 'On its way.');
const line = renderEntry(entry);

describe('a cache entry', () => {
  test('comes back as it was written, without its origin', () => {
    const full = {
      ...entry,
      completion: answer('täxt\u2028', {
        reasoning: 'because',
        refusal: 'no',
        toolCalls: [
          { id: 'c1', name: 'find', arguments: { id: [1, null] }, rawArguments: '{"id": [1, null]}' },
          { name: 'broken', arguments: undefined, rawArguments: '{' },
        ],
        finishReason: 'toolCalls',
        rawFinishReason: 'tool_calls',
        responseId: 'r1',
        model: 'small-2026-01-01',
        systemFingerprint: 'fp',
      }),
    };
    const { origin: _, ...stored } = request;
    expect(parseEntry(renderEntry(full))).toStrictEqual({ ok: true, entry: { ...full, request: stored } });
  });

  test('belongs to a request with variables and files, wherever those come from', () => {
    const workspace = [{ path: 'notes/a.txt', from: '/shop/notes/a.txt', sha256: 'ab12' }];
    const placed = ask('Sum up the notes.', { vars: { id: [1] }, workspace });
    const parsed = parseEntry(renderEntry(buildEntry(placed, 'done')));
    expect(parsed).toMatchObject({
      ok: true,
      entry: { request: { vars: { id: [1] }, workspace: [{ path: 'notes/a.txt', sha256: 'ab12' }] } },
    });
    expect(parsed.ok && checkKey(parsed.entry, cacheKey(placed)).ok).toBe(true);
  });

  test('keeps the order in which a model wrote arguments', () => {
    const [rawArguments, written] = ['{"b":1,"a":2}', { b: 1, a: 2 }];
    const toolCalls = [{ name: 'find', arguments: written, rawArguments }];
    const rendered = renderEntry({ ...entry, completion: answer('', { toolCalls }) });
    const [whole, needed] = [parseEntry(rendered), parseAnswer(rendered)];
    for (const completion of [whole.ok && whole.entry.completion, needed.ok && needed.answer.completion]) {
      expect(completion && JSON.stringify(completion.toolCalls[0]?.arguments)).toBe(rawArguments);
    }
  });

  test('is refused under another key, be it its own or that of its request', () => {
    const key = cacheKey(ask('Another question.'));
    expect(checkKey(entry, entry.key).ok).toBe(true);
    expect([checkKey(entry, key).ok, checkKey({ ...entry, key }, key).ok]).toEqual([false, false]);
    expect(checkKey({ ...entry, key }, entry.key).ok).toBe(false);
  });

  test('is one line, whatever the answer says', () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint }), (text) => {
        const rendered = renderEntry(buildEntry(request, text));
        expect(rendered).not.toMatch(/[\r\n]/);
        const parsed = parseEntry(rendered);
        expect(parsed.ok && parsed.entry.completion.text).toBe(text);
      }),
    );
  });

  test('holds no credential of the base URL and still belongs to its request', () => {
    const secret = ask('hello', { baseUrl: 'https://team:hunter22@api.example.org/v1' });
    const rendered = renderEntry(buildEntry(secret, 'hi'));
    expect(rendered).not.toContain('hunter22');
    expect(parseEntry(rendered)).toMatchObject({ ok: true, entry: { key: cacheKey(secret) } });
  });

  test('is refused where it is cut off at any place', () => {
    for (let length = 0; length < line.length; length += 1) {
      expect(parseEntry(line.slice(0, length)).ok).toBe(false);
    }
  });

  test('is refused where any one character is changed', () => {
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.constantFrom('x', '0', '"', ' ', '}'), (index, character) => {
        fc.pre(line[index] !== character);
        const changed = line.slice(0, index) + character + line.slice(index + 1);
        // A space at the very end is a line break's neighbour, not a change.
        expect(parseEntry(changed).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['\0\0\0', 'is not a cache entry'],
    ['{"answer": 42}', 'is not a cache entry'],
    [line.replace('"checksum"', '"check"'), 'is not a cache entry'],
    [line.replace('"format":2', '"format":1'), 'has format 1, and this version reads format 2'],
  ])('says what is wrong with %j', (text, reason) => {
    expect(parseEntry(text)).toEqual({ ok: false, reason });
  });

  test('is refused where its checksum is right and its content is not', () => {
    expect(parseEntry(sign({ ...entry, completion: { text: 7 } }))).toMatchObject({ ok: false });
    expect(parseEntry(sign({ ...entry, extra: true }))).toMatchObject({ ok: false });
    expect(parseEntry(sign({ ...entry, request: stored() }))).toMatchObject({ ok: true });
    expect(parseEntry(signText('['.repeat(100_000)))).toMatchObject({ ok: false });
  });
});

test('an answer is read of what has its parts, and of nothing else', () => {
  const { key, receivedAt, completion } = entry;
  expect(parseAnswer(line)).toMatchObject({ ok: true, answer: { key, receivedAt, completion } });
  const whole = { key, receivedAt, completion: { text: 'a', toolCalls: [] } };
  expect(parseAnswer(sign(whole))).toMatchObject({ ok: true, answer: whole });
  for (const other of [
    5,
    { ...whole, key: 1 },
    { ...whole, receivedAt: null },
    { ...whole, completion: 'a' },
    { ...whole, completion: { toolCalls: [] } },
    { ...whole, completion: { text: 'a', toolCalls: {} } },
  ])
    expect([other, parseAnswer(sign(other))]).toEqual([other, { ok: false, reason: 'is not a cache entry' }]);
});

test('an entry is checked against the key that it is stored under', () => {
  const forged = { ...entry, key: cacheKey(ask('Another question')) };
  const refusal = { ok: false, reason: 'is damaged: its key is not that of its request' };
  expect(checkKey(entry, entry.key)).toEqual({ ok: true, entry });
  expect(checkKey(entry, forged.key)).toEqual(refusal);
  expect(checkKey(forged, forged.key)).toEqual(refusal);
});

test('an export line is distinguished from a line of recordings', () => {
  expect(isCacheExportLine(line)).toBe(true);
  expect(isCacheExportLine('{"format":1,"prompt":"v1","completion":{"text":"\\"checksum\\":\\""}}')).toBe(false);
});

function stored() {
  const { origin: _, ...rest } = request;
  return rest;
}

function sign(content: unknown): string {
  return signText(canonicalJson(content));
}

function signText(body: string): string {
  return `{"format":2,"checksum":"${sha256Hex(body)}","entry":${body}}`;
}
