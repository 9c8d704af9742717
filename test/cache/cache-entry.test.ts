import { describe, expect, test } from 'vitest';
import {
  isCacheExportLine,
  parseEntry,
  parseStoredAnswer,
  readEntryHead,
  renderEntry,
} from '../../src/cache/cache-entry.ts';
import { cacheKey } from '../../src/cache/cache-key.ts';
import { canonicalJson } from '../../src/lib/canonical-json.ts';
import { sha256Hex } from '../../src/lib/sha256.ts';
import type { Completion } from '../../src/model/completion.ts';
import fc from '../support/property.ts';
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

  test('is one line, whatever the answer says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
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
    ['\0\0\0', 'is no cache entry'],
    ['{"answer": 42}', 'is no cache entry'],
    [line.replace('"format":2', '"format":1'), 'has format 1, and this version reads format 2'],
  ])('says what is wrong with %j', (text, reason) => {
    expect(parseEntry(text)).toEqual({ ok: false, reason });
  });

  test('is refused where its checksum is right and its content is not', () => {
    expect(parseEntry(sign({ ...entry, completion: { text: 7 } }))).toMatchObject({ ok: false });
    expect(parseEntry(sign({ ...entry, extra: true }))).toMatchObject({ ok: false });
    expect(parseEntry(sign({ ...entry, request: { ...stored(), model: 'other' } }))).toEqual({
      ok: false,
      reason: 'is damaged: its key is not that of its request',
    });
    expect(parseEntry(sign({ ...entry, request: stored() }))).toMatchObject({ ok: true });
    expect(parseEntry(signText('['.repeat(100_000)))).toMatchObject({ ok: false });
  });
});

describe('the head of an entry', () => {
  test('tells key and time without parsing, wherever the line stands', () => {
    const times = fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(times, fc.string(), fc.nat(50), (time, text, start) => {
        const rendered = Buffer.from(renderEntry(buildEntry(ask(text), text, time.toISOString())));
        const bytes = Buffer.concat([Buffer.alloc(start), rendered]);
        const head = { key: cacheKey(ask(text)), createdAtMs: time.getTime() };
        expect(readEntryHead(bytes, start, rendered.length)).toEqual(head);
      }),
    );
  });

  test.each([
    ['cut short', line.slice(0, 200)],
    ['of another format', line.replace('"format":2', '"format":1')],
    ['with another member first', line.replace('"key"', '"kez"')],
    ['with a time that is none', line.replace('"createdAt":"2026', '"createdAt":"2O26')],
  ])('is not there in a line %s', (_, text) => {
    const bytes = Buffer.from(text);
    expect(readEntryHead(bytes, 0, bytes.length)).toBeUndefined();
  });

  test('does not reach over the end of its line', () => {
    const bytes = Buffer.from(line);
    expect(readEntryHead(bytes, 0, 100)).toBeUndefined();
  });
});

test('a stored entry is taken at its word for its key, an imported one is not', () => {
  const forged = renderEntry({ ...entry, key: cacheKey(ask('Another question')) });
  expect(parseStoredAnswer(Buffer.from(forged))).toMatchObject({ ok: true });
  expect(parseEntry(forged)).toMatchObject({ ok: false });
});

describe('the answer of an entry, read without its request', () => {
  const read = (completion: Completion) => parseStoredAnswer(Buffer.from(renderEntry({ ...entry, completion })));

  test('is the one that was written, whatever it says', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('},"receivedAt":"', '"},"request":{', '\\"}'),
    );
    const counts = fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat(), cacheWriteTokens: fc.nat() });
    const calls = fc.record({ name: texts, arguments: fc.jsonValue({ maxDepth: 2 }), rawArguments: texts });
    const others = fc.record(
      {
        usage: counts,
        latencyMs: fc.nat(),
        model: texts,
        refusal: texts,
        toolCalls: fc.array(calls, { maxLength: 2 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(texts, others, (text, more) => {
        const completion = answer(text, more as Partial<Completion>);
        const whole = parseEntry(renderEntry({ ...entry, completion }));
        const { key, receivedAt } = entry;
        const expected = { key, receivedAt, completion: whole.ok ? whole.entry.completion : undefined };
        expect(read(completion)).toMatchObject({ ok: true, answer: expected });
      }),
    );
  });

  test('is whole where an object within it is followed by a member of the same name as the next', () => {
    const inner = { at: { day: 1 }, receivedAt: 'noon', request: { a: 1 } };
    const toolCalls = [{ name: 'find', arguments: inner, rawArguments: JSON.stringify(inner) }];
    expect(read(answer('', { toolCalls, finishReason: 'toolCalls' }))).toMatchObject({
      ok: true,
      answer: { completion: { toolCalls } },
    });
  });

  test('is refused where any one byte is changed', () => {
    const bytes = Buffer.from(line);
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = 0x23;
      expect(parseStoredAnswer(changed).ok).toBe(false);
    }
  });

  test('is refused where its checksum is right and its content is not', () => {
    const broken = [{ text: 7 }, { text: 'a', toolCalls: [], finishReason: 'stop', usage: { inputTokens: -1 } }];
    for (const completion of broken) expect(read(completion as unknown as Completion).ok).toBe(false);
  });
});

test('an export line is told from a line of recordings', () => {
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
