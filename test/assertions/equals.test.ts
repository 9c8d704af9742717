import { expect, test } from 'vitest';
import { SpelledNumber } from '../../src/text/exact-numbers.ts';
import { buildSpec, describeAssertion, findProblems, judgeOne } from './judge-one.ts';

const json = { kind: 'json' } as const;
const queue = { kind: 'jsonPath', path: '$.queue' } as const;

describeAssertion('equals', [
  { when: 'the texts are the same', params: { value: 'billing' }, answer: 'billing', is: 'pass' },
  {
    when: 'they differ',
    params: { value: 'billing' },
    answer: 'sales',
    is: 'fail',
    reason: /expected "billing", found "sales"/,
  },
  { when: 'a newline follows', params: { value: 'a' }, answer: 'a\n', is: 'fail', reason: /see trim/ },
  { when: 'the case differs', params: { value: 'a' }, answer: 'A', is: 'fail', reason: /see ignoreCase/ },
  { when: 'both options are given', params: { value: ' a', trim: true, ignoreCase: true }, answer: 'A\n', is: 'pass' },
  {
    when: 'a number is spelled as written',
    params: { value: new SpelledNumber(42, '42.0') },
    answer: '42.0',
    is: 'pass',
  },
  { when: 'a number is spelled otherwise', params: { value: new SpelledNumber(42, '42.0') }, answer: '42', is: 'fail' },
  { when: 'a plain number is on text', params: { value: 42 }, answer: '42', is: 'pass' },
  { when: 'a boolean is on text', params: { value: true }, answer: 'true', is: 'pass' },
  { when: 'null is on text', params: { value: null }, answer: 'null', is: 'pass' },
  {
    when: 'an object is on text',
    params: { value: { a: 1 } },
    answer: '{"a":1}',
    is: 'missing',
    reason: /select: \{json: true\}/,
  },
  { when: 'the empty text is expected', params: { value: '' }, answer: '', is: 'pass' },
  {
    when: 'objects differ in order',
    params: { value: { a: 1, b: [2] } },
    answer: '{"b":[2.0],"a":1}',
    select: json,
    is: 'pass',
  },
  {
    when: 'a nested value differs',
    params: { value: { a: { b: [1, 2] } } },
    answer: '{"a":{"b":[1,3]}}',
    select: json,
    is: 'fail',
    reason: /^at \$\.a\.b\[1\]: expected the number 2, found the number 3$/,
  },
  {
    when: 'a key is too much',
    params: { value: { a: 1 } },
    answer: '{"a":1,"b":2}',
    select: json,
    is: 'fail',
    reason: /\$\.b/,
  },
  {
    when: 'a spelled number is in a structure',
    params: { value: [new SpelledNumber(1, '1.0')] },
    answer: '[1]',
    select: json,
    is: 'pass',
  },
  {
    when: 'a number meets a text in JSON',
    params: { value: '42' },
    answer: '42',
    select: json,
    is: 'fail',
    reason: /the string "42".*the number 42/,
  },
  {
    when: 'texts in JSON are trimmed',
    params: { value: { a: 'x' }, trim: true },
    answer: '{"a":" x "}',
    select: json,
    is: 'pass',
  },
  {
    when: 'a JSON string is selected',
    params: { value: 'billing' },
    answer: '{"queue":"billing"}',
    select: queue,
    is: 'pass',
  },
  { when: 'the path selects nothing', params: { value: 'billing' }, answer: '{"q":1}', select: queue, is: 'missing' },
  { when: 'the answer is no JSON', params: { value: 'billing' }, answer: 'billing', select: queue, is: 'missing' },
  { when: 'a __proto__ key is data', params: { value: {} }, answer: '{"__proto__":1}', select: json, is: 'fail' },
]);

test('a failed comparison of texts has both sides for a diff', async () => {
  const verdict = await judgeOne(buildSpec('equals', { value: 'a\nb' }), 'a\nc');
  expect(verdict.diff).toEqual({ expected: 'a\nb', found: 'a\nc' });
});

test('a failed comparison of values has both sides as JSON with sorted keys', async () => {
  const verdict = await judgeOne(buildSpec('equals', { value: { b: 1, a: 2 } }, { select: json }), '{"b":1,"a":3}');
  expect(verdict.diff).toEqual({ expected: '{\n  "a": 2,\n  "b": 1\n}', found: '{\n  "a": 3,\n  "b": 1\n}' });
});

test('the diff of a huge answer is cut', async () => {
  const verdict = await judgeOne(buildSpec('equals', { value: 'a' }), 'b'.repeat(5_000_000));
  expect(verdict.diff?.found.length).toBeLessThan(10_000);
  expect(verdict.reason.length).toBeLessThan(500);
});

test('the expected value is required', () => {
  expect(findProblems('equals', {})).toEqual(['value: is required']);
  expect(findProblems('equals', { value: null })).toEqual([]);
});
