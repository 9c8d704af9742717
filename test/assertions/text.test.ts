import { expect, test } from 'vitest';
import { SpelledNumber } from '../../src/text/exact-numbers.ts';
import { describeAssertion, findProblems } from './judge-one.ts';

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
  ['regex', { value: 'a', flags: 'ii' }, 'flags: a flag stands twice'],
  ['regex', { value: 'a', flags: 'uv' }, "value: Invalid flags supplied to RegExp constructor 'uv'"],
  ['length', {}, ': needs min or max'],
  ['length', { min: 3, max: 2 }, ': min is greater than max'],
  ['length', { max: 1.5 }, 'max: must be a whole number'],
  ['oneOf', { value: [] }, 'value: needs at least one value'],
])('%s refuses %j', (assertion, params, problem) => {
  expect(findProblems(assertion, params)).toContain(problem);
});
