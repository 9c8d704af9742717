import { expect, test } from 'vitest';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import { buildSpec, describeAssertion, findProblems, judgeOne } from './judge-one.ts';

describeAssertion('contains', [
  { when: 'the text stands in the middle', params: { value: 'refund' }, answer: 'a refund of $5', is: 'pass' },
  { when: 'the case differs', params: { value: 'Refund' }, answer: 'a refund', is: 'fail', reason: /found "a refund"/ },
  { when: 'the case is ignored', params: { value: 'ReFund', ignoreCase: true }, answer: 'A REFUND', is: 'pass' },
  { when: 'the answer is empty', params: { value: 'x' }, answer: '', is: 'fail' },
  {
    when: 'a number is spelled as written',
    params: { value: new SpelledNumber(1, '1.0') },
    answer: 'v1.0',
    is: 'pass',
  },
  { when: 'a number is spelled otherwise', params: { value: new SpelledNumber(1, '1.0') }, answer: 'v1', is: 'fail' },
  { when: 'the value has a regex in it', params: { value: 'a.c' }, answer: 'abc', is: 'fail' },
  {
    when: 'a JSON string is selected',
    params: { value: 'b' },
    answer: '{"a": "abc"}',
    select: { kind: 'jsonPath', path: '$.a' },
    is: 'pass',
  },
]);

describeAssertion('containsAll', [
  { when: 'both are there', params: { value: ['a', 'b'] }, answer: 'cab', is: 'pass', score: 1 },
  { when: 'one of two is there', params: { value: ['a', 'x'] }, answer: 'cab', is: 'fail', score: 0.5, reason: /"x"/ },
  { when: 'the case is ignored', params: { value: ['A', 'B'], ignoreCase: true }, answer: 'ab', is: 'pass' },
]);

describeAssertion('containsAny', [
  { when: 'one is there', params: { value: ['x', 'b'] }, answer: 'cab', is: 'pass', reason: /^contains "b"/ },
  { when: 'none is there', params: { value: ['x', 'y'] }, answer: 'cab', is: 'fail', reason: /"x", "y"/ },
  {
    when: 'none of many is there',
    params: { value: Array.from('abcdefghijkl') },
    answer: 'z',
    is: 'fail',
    reason: /"a", .*"j": found "z"$/,
  },
  { when: 'the case is ignored', params: { value: ['X', 'B'], ignoreCase: true }, answer: 'ab', is: 'pass' },
]);

describeAssertion('startsWith', [
  { when: 'it does', params: { value: 'Dear' }, answer: 'Dear Sir', is: 'pass' },
  { when: 'it stands later', params: { value: 'Dear' }, answer: 'Oh Dear', is: 'fail' },
  { when: 'white space stands before it', params: { value: 'Dear' }, answer: '\nDear', is: 'fail' },
  { when: 'white space is trimmed', params: { value: 'Dear', trim: true }, answer: '\nDear', is: 'pass' },
  { when: 'the case is ignored', params: { value: 'dear', ignoreCase: true }, answer: 'DEAR', is: 'pass' },
]);

describeAssertion('endsWith', [
  { when: 'it does', params: { value: 'regards.' }, answer: 'Kind regards.', is: 'pass' },
  { when: 'a newline follows', params: { value: 'regards.' }, answer: 'Kind regards.\n', is: 'fail' },
  { when: 'white space is trimmed', params: { value: 'regards.', trim: true }, answer: 'regards.\n', is: 'pass' },
  {
    when: 'the answer is long, its end is what is shown',
    params: { value: 'x' },
    answer: `${'a'.repeat(1000)} THE END`,
    is: 'fail',
    reason: /found "THE END"$/,
  },
]);

describeAssertion('regex', [
  { when: 'it matches', params: { value: '^\\d+$' }, answer: '123', is: 'pass', reason: /matches "123"/ },
  { when: 'it does not', params: { value: '^\\d+$' }, answer: '12a', is: 'fail', reason: /in "12a"/ },
  { when: 'the flags count', params: { value: 'ABC', flags: 'i' }, answer: 'xabcx', is: 'pass' },
  { when: 'the flag g keeps no place', params: { value: 'a', flags: 'g' }, answer: 'a', is: 'pass' },
  { when: 'it has look-around and back references', params: { value: '(?<=(a))b\\1' }, answer: 'aba', is: 'pass' },
  {
    when: 'it backtracks without end',
    params: { value: '^(a+)+$' },
    answer: `${'a'.repeat(60)}!`,
    is: 'error',
    reason: /took longer than 500 ms/,
    isEndless: true,
  },
]);

describeAssertion('length', [
  { when: 'characters are code points', params: { min: 2, max: 2 }, answer: 'a😀', is: 'pass' },
  {
    when: 'there are too many',
    params: { max: 2 },
    answer: 'abc',
    is: 'fail',
    reason: /^has 3 chars, wanted at most 2/,
  },
  { when: 'the bound itself passes', params: { max: 3 }, answer: 'abc', is: 'pass' },
  { when: 'words are counted', params: { min: 3, max: 3, unit: 'words' }, answer: 'one - two,  three!', is: 'pass' },
  { when: 'sentences are counted', params: { max: 2, unit: 'sentences' }, answer: 'Yes. It is 3.5. Ok?', is: 'fail' },
  { when: 'lines are counted', params: { max: 2, unit: 'lines' }, answer: 'a\nb\n', is: 'pass' },
  {
    when: 'tokens are an estimate',
    params: { max: 1, unit: 'tokens' },
    answer: 'many words are here',
    is: 'fail',
    reason: /~\d+ tokens/,
  },
  { when: 'the answer is empty', params: { min: 1 }, answer: '', is: 'fail', reason: /has 0 chars/ },
  { when: 'there is one', params: { max: 2 }, answer: 'a', is: 'pass', reason: /^has 1 char, / },
]);

describeAssertion('oneOf', [
  { when: 'it is one', params: { value: ['a', 'b'] }, answer: 'b', is: 'pass' },
  {
    when: 'it is none',
    params: { value: ['a', 'b'] },
    answer: 'c',
    is: 'fail',
    reason: /is not one of "a", "b": found "c"/,
  },
  {
    when: 'ten are listed',
    params: { value: '0123456789'.split('') },
    answer: 'c',
    is: 'fail',
    reason: /"8", "9": found/,
  },
  {
    when: 'one of eleven is not listed',
    params: { value: '0123456789x'.split('') },
    answer: 'c',
    is: 'fail',
    reason: /"8", "9" …: found/,
  },
  { when: 'white space is around it', params: { value: ['a'], trim: true }, answer: ' a\n', is: 'pass' },
  { when: 'the case is ignored', params: { value: ['Yes', 'No'], ignoreCase: true }, answer: 'YES', is: 'pass' },
  { when: 'numbers are spelled', params: { value: [1, 2] }, answer: '2', is: 'pass' },
  {
    when: 'values are compared by type',
    params: { value: [1, '2'] },
    answer: '{"a": 2}',
    select: { kind: 'jsonPath', path: '$.a' },
    is: 'fail',
  },
  {
    when: 'a text is compared with a structure',
    params: { value: ['a', { b: 1 }] },
    answer: '{"b": 1}',
    is: 'missing',
    reason: /^is not one of "a", .* but text is checked: add "select: \{json: true\}"/,
  },
  { when: 'a text beside a structure is it', params: { value: ['a', { b: 1 }] }, answer: 'a', is: 'pass' },
  {
    when: 'values may be structures',
    params: { value: [{ b: 1 }, null] },
    answer: '{"b": 1}',
    select: { kind: 'json' },
    is: 'pass',
  },
]);

test.each([
  ['contains', {}, 'value: must be a string, a number or a boolean'],
  ['regex', { value: '' }, 'value: must not be empty'],
  ['contains', { value: '' }, 'value: must not be empty'],
  ['contains', { value: ['a'] }, 'value: must be a string, a number or a boolean'],
  ['contains', { value: 'a', ignorecase: true }, ': Unrecognized key: "ignorecase"'],
  ['containsAll', { value: [] }, 'value: needs at least one text'],
  ['containsAny', { value: ['a', ''] }, 'value.1: must not be empty'],
  ['regex', { value: '(' }, 'value: Invalid regular expression: /(/: Unterminated group'],
  ['regex', { value: 'a', flags: 'x' }, 'flags: flags are letters of "dgimsuvy"'],
  ['regex', { value: 'a', flags: 'ii' }, 'flags: a flag is repeated'],
  ['regex', { value: 'a', flags: 'uv' }, "value: Invalid flags supplied to RegExp constructor 'uv'"],
  ['length', {}, ': needs min or max'],
  ['length', { min: 3, max: 2 }, ': min is greater than max'],
  ['length', { max: 1.5 }, 'max: must be a whole number'],
  ['oneOf', { value: [] }, 'value: needs at least one value'],
])('%s refuses %j', (assertion, params, problem) => {
  expect(findProblems(assertion, params)).toContain(problem);
});

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
  { when: 'a blank is wanted', params: { value: 'a ' }, answer: 'a', is: 'fail', reason: /see trim/ },
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
