import { describe, expect, test } from 'vitest';
import { parseAnswer, parseEntry } from '../../src/cache/cache-entry.ts';
import { parseRecordings } from '../../src/cache/recordings.ts';
import { parseAnyJson, parseJson, parseJsonText } from '../../src/json/parse-json.ts';
import { readJsonOutput } from '../../src/programs/run-program.ts';
import { sha256Hex } from '../../src/text/sha256.ts';
import { buildSpec, buildToolCall, judgeOne, outcomeOf } from '../assertions/judge-one.ts';
import fc from '../support/property.ts';

const reason = (key: string) => `the key ${JSON.stringify(key)} is written twice in one object`;

describe('a key that is written twice', () => {
  test.each([
    ['pass', '{"pass": false, "pass": true}'],
    ['pass', '{"pass":true,"score":1,"reason":"a","pass":true}'],
    ['a', '[1, {"b": {"a": 1, "a": 1}}]'],
    ['a', '{"a" : 1, "\\u0061" : 2}'],
    ['a', '{"a":1,"a":2,"b":": "}'],
    ['a', String.raw`{"a":1,"a":2,"q\\":3}`],
    [String.raw`q${'\\'}`, String.raw`{"q\\":1,"q\\":3,"b":": "}`],
    ['__proto__', '{"__proto__": 1, "__proto__": 2}'],
    ['', '{"": 1, "": 2}'],
    ['a', `{"a":1,"text":"{\\"a\\":1}","a":2}`],
  ])('%s is refused: %s', (key, text) => {
    expect(parseJson(text)).toEqual({ ok: false, reason: reason(key) });
    expect(parseJsonText(text)).toMatchObject({ error: { message: reason(key) } });
    expect(parseAnyJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test.each([
    '{"a": {"a": 1}, "b": {"a": 1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"\\"a\\":1","b":"a\\":"}',
    '{"a":": ","b\\\\":1}',
  ])('is not one in another object or a text: %s', (text) => {
    expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test('is found among any keys and texts', () => {
    const key = fc.constantFrom('a', 'b\\', '":', 'a":', '\\"', ':', 'a" :');
    const member = fc.tuple(key, fc.oneof(key, fc.integer(), fc.constant({ a: 1 })));
    fc.assert(
      fc.property(fc.array(member, { maxLength: 5 }), fc.boolean(), (members, isSpaced) => {
        const colon = isSpaced ? ' : ' : ':';
        const text = `{${members.map(([name, value]) => JSON.stringify(name) + colon + JSON.stringify(value)).join()}}`;
        expect(parseJson(text).ok).toBe(new Set(members.map(([name]) => name)).size === members.length);
      }),
    );
  });

  test('makes what a program writes no verdict', () => {
    const text = '{"pass": false, "pass": true}';
    expect(readJsonOutput(text)).toEqual({ fault: `wrote JSON in which ${reason('pass')}: ${JSON.stringify(text)}` });
  });

  test('is refused in a recorded answer, at its line', () => {
    const line = '{"prompt":"v1","provider":"p","caseId":"c","completion":{"text":"wrong","text":"right"}}';
    expect(() => parseRecordings(`\n${line}\n`, 'r.jsonl')).toThrow(
      expect.objectContaining({
        problems: [expect.objectContaining({ at: expect.objectContaining({ line: 2 }) })],
        message: expect.stringContaining(reason('text')),
      }),
    );
  });

  test('is refused in an entry of a cache, although its checksum is right', () => {
    const body = '{"key":"k","key":"l"}';
    const line = `{"format":2,"checksum":"${sha256Hex(body)}","entry":${body}}`;
    const refused = { ok: false, reason: `is not JSON: ${reason('key')}` };
    expect([parseEntry(line), parseAnswer(line)]).toEqual([refused, refused]);
  });
});

describe('an answer with a key twice', () => {
  const text = '{"refund": true, "refund": false}';

  test.each([
    ['jsonPath', { path: '$.refund', value: false }],
    ['jsonPath', { path: '$.refund', exists: false }],
    ['jsonPath', { path: '$.refund', value: true }],
    ['jsonSchema', { value: { required: ['refund'] } }],
  ])('fails %s %j, whichever is wanted', async (assertion, params) => {
    const verdict = await judgeOne(buildSpec(assertion, params), text);
    expect([outcomeOf(verdict), verdict.reason]).toEqual(['fail', expect.stringContaining(reason('refund'))]);
  });

  test('is JSON all the same: the grammar allows it', async () => {
    expect(outcomeOf(await judgeOne(buildSpec('json', { value: true }), text))).toBe('pass');
  });

  test('makes a call with such arguments neither the wanted one nor a harmless one', async () => {
    const toolCalls = [{ ...buildToolCall('pay', '{"usd": 1, "usd": 9000}'), arguments: { usd: 9000 } }];
    const wanted = await judgeOne(buildSpec('trajectory', { calls: [{ name: 'pay', args: { usd: 9000 } }] }), {
      toolCalls,
    });
    const never = await judgeOne(buildSpec('trajectory', { never: [{ name: 'pay', args: { usd: 1 } }] }), {
      toolCalls,
    });
    expect([outcomeOf(wanted), outcomeOf(never)]).toEqual(['fail', 'fail']);
  });
});
