import { expect, test } from 'vitest';
import { buildSpec, describeAssertion, findProblems, judgeOne } from './judge-one.ts';

const fence = 'Here you are:\n```json\n{"a": 1}\n```';

describeAssertion('json', [
  { when: 'an object', params: {}, answer: ' {"a": 1}\n', is: 'pass', reason: /\{"a":1\}/ },
  { when: 'a scalar', params: {}, answer: '1', is: 'pass' },
  { when: 'prose', params: {}, answer: 'No json here.', is: 'fail', reason: /unexpected "N"/ },
  { when: 'a fenced block', params: {}, answer: fence, is: 'fail', reason: /\{codeBlock: json\}/ },
  {
    when: 'the fenced block is selected',
    params: {},
    answer: fence,
    select: { kind: 'codeBlock', language: 'json' },
    is: 'pass',
  },
  {
    when: 'a trailing comma',
    params: {},
    answer: '{"a":1,\n}',
    is: 'fail',
    reason: /unexpected "\}" at line 2, column 1/,
  },
  { when: 'empty', params: {}, answer: '', is: 'fail', reason: /empty/ },
  { when: 'cut off', params: {}, answer: '{"a": [1,', is: 'fail', reason: /ends in the middle/ },
  { when: 'prose is wanted', params: { value: false }, answer: 'Hello', is: 'pass' },
  { when: 'nested without end', params: {}, answer: '['.repeat(200_000), is: 'fail', reason: /ends in the middle/ },
  {
    when: 'nested too deep',
    params: {},
    answer: '['.repeat(100_000) + ']'.repeat(100_000),
    is: 'fail',
    reason: /nested deeper than 500/,
  },
]);

const schema = { type: 'object', required: ['queue'], properties: { queue: { enum: ['billing', 'sales'] } } };

describeAssertion('jsonSchema', [
  { when: 'valid', params: { value: schema }, answer: '{"queue":"sales"}', is: 'pass' },
  {
    when: 'a value is not allowed',
    params: { value: schema },
    answer: '{"queue":"x"}',
    is: 'fail',
    reason: /^\$\.queue must be one of/,
  },
  { when: 'a key is missing', params: { value: schema }, answer: '{}', is: 'fail', reason: /queue/ },
  { when: 'no JSON', params: { value: schema }, answer: 'sales', is: 'missing', reason: /not JSON/ },
  { when: 'a fenced block', params: { value: schema }, answer: fence, is: 'missing' },
  {
    when: 'a selected block is parsed',
    params: { value: { required: ['a'] } },
    answer: fence,
    select: { kind: 'codeBlock', language: 'json' },
    is: 'pass',
  },
  {
    when: 'a selected block is not JSON',
    params: { value: true },
    answer: '```\nx\n```',
    select: { kind: 'codeBlock', language: '' },
    is: 'missing',
  },
  {
    when: '2020-12 keywords hold',
    params: { value: { prefixItems: [{ type: 'string' }], items: false } },
    answer: '["a", 1]',
    is: 'fail',
  },
  {
    when: 'draft-07 is named',
    params: {
      value: {
        $schema: 'http://json-schema.org/draft-07/schema#',
        items: [{ type: 'string' }],
        additionalItems: false,
      },
    },
    answer: '["a", 1]',
    is: 'fail',
  },
  {
    when: 'formats are checked',
    params: { value: { format: 'date' } },
    answer: '"2024-13-01"',
    is: 'fail',
    reason: /format "date"/,
  },
  {
    when: 'it refers to itself',
    params: { value: { type: 'array', items: { $ref: '#' } } },
    answer: '[[[]], 1]',
    is: 'fail',
    reason: /\$\[1\]/,
  },
  {
    when: 'its pattern backtracks without end',
    params: { value: { pattern: '^(a+)+$' } },
    answer: JSON.stringify(`${'a'.repeat(60)}!`),
    is: 'error',
    reason: /took longer than 500 ms/,
    isEndless: true,
  },
]);

const doc = '{"items": [{"n": "a", "q": 1}, {"n": "b", "q": 2}], "total": 3}';

describeAssertion('jsonPath', [
  { when: 'it exists', params: { path: '$.total' }, answer: doc, is: 'pass' },
  { when: 'it does not', params: { path: '$.sum' }, answer: doc, is: 'fail', reason: /\$\.sum selects nothing/ },
  { when: 'the value is right', params: { path: '$.items[1].n', value: 'b' }, answer: doc, is: 'pass' },
  {
    when: 'the value is wrong',
    params: { path: '$.total', value: 4 },
    answer: doc,
    is: 'fail',
    reason: /expected the number 4, found the number 3/,
  },
  { when: 'several are a list', params: { path: '$.items[*].q', value: [1, 2] }, answer: doc, is: 'pass' },
  {
    when: 'one of several is a list as well',
    params: { path: '$.items[?@.q > 1].n', value: ['b'] },
    answer: doc,
    is: 'pass',
  },
  { when: 'the count is right', params: { path: '$.items[*]', count: 2 }, answer: doc, is: 'pass' },
  {
    when: 'the count is out of bounds',
    params: { path: '$.items[*]', count: { min: 3 } },
    answer: doc,
    is: 'fail',
    reason: /selects 2 values, wanted at least 3/,
  },
  { when: 'none is counted', params: { path: '$.none[*]', count: 0 }, answer: doc, is: 'pass' },
  { when: 'it must not exist and does not', params: { path: '$.sum', exists: false }, answer: doc, is: 'pass' },
  { when: 'it must not exist and does', params: { path: '$.total', exists: false }, answer: doc, is: 'fail' },
  { when: 'null is a value', params: { path: '$.a', value: null }, answer: '{"a": null}', is: 'pass' },
  { when: 'no JSON', params: { path: '$.a' }, answer: 'a', is: 'missing' },
  {
    when: 'alternatives in match() are anchored as a whole',
    params: { path: '$[?match(@, "a|b")]', count: 1 },
    answer: '["ab", "b"]',
    is: 'pass',
  },
  {
    when: 'its regex backtracks without end',
    params: { path: '$[?search(@, "^(a+)+$")]' },
    answer: JSON.stringify([`${'a'.repeat(60)}!`]),
    is: 'error',
    reason: /took longer than 500 ms/,
    isEndless: true,
  },
]);

describeAssertion('number', [
  { when: 'it is the number', params: { value: 42 }, answer: ' 42\n', is: 'pass' },
  { when: 'it is another', params: { value: 42 }, answer: '43', is: 'fail', reason: /is 43, expected 42/ },
  { when: 'it is within the tolerance', params: { value: 3.14, tolerance: 0.01 }, answer: '3.13', is: 'pass' },
  {
    when: 'it is beyond the tolerance',
    params: { value: 3.14, tolerance: 0.01 },
    answer: '3.12',
    is: 'fail',
    reason: /3.14 ± 0.01/,
  },
  { when: 'the tolerance is a share', params: { value: 200, tolerance: '5%' }, answer: '209', is: 'pass' },
  {
    when: 'the tolerance is a share of a negative number',
    params: { value: -200, tolerance: '5%' },
    answer: '-209',
    is: 'pass',
  },
  {
    when: 'it is beyond the share',
    params: { value: 200, tolerance: '5%' },
    answer: '211',
    is: 'fail',
    reason: /± 5 %/,
  },
  { when: 'currency and thousands', params: { value: 1234.5 }, answer: '$1,234.50', is: 'pass' },
  {
    when: 'it stands in a sentence',
    params: { value: 42 },
    answer: 'It is 42.',
    is: 'fail',
    reason: /not one number: found "It is 42\."/,
  },
  ...['1%', '1 %', '% 1', '1‰'].map((answer) => ({
    when: `it has the sign of a share: ${answer}`,
    params: { value: 1 },
    answer,
    is: 'fail' as const,
    reason: /has a [%‰] sign, which makes it another number/,
  })),
  { when: 'a share is within the bounds of a number', params: { max: 100 }, answer: '45 %', is: 'fail' },
  {
    when: 'a selected text is a share',
    params: { value: 1 },
    answer: '["1%"]',
    select: { kind: 'jsonPath', path: '$[0]' },
    is: 'fail',
  },
  { when: 'a share is expected', params: { value: '45%' }, answer: '45 %', is: 'pass' },
  { when: 'a share is expected and no sign is there', params: { value: '45%' }, answer: '45', is: 'fail' },
  { when: 'another share is expected', params: { value: '45%' }, answer: '45‰', is: 'fail' },
  { when: 'the value is text from a CSV', params: { value: '42' }, answer: '42', is: 'pass' },
  { when: 'it is within bounds', params: { min: 1, max: 2 }, answer: '2', is: 'pass' },
  { when: 'it is out of bounds', params: { min: 1, max: 2 }, answer: '2.1', is: 'fail', reason: /wanted from 1 to 2/ },
  {
    when: 'a JSON number is selected',
    params: { value: 3 },
    answer: doc,
    select: { kind: 'jsonPath', path: '$.total' },
    is: 'pass',
  },
  { when: 'a JSON object is selected', params: { value: 3 }, answer: doc, select: { kind: 'json' }, is: 'fail' },
  { when: 'infinity is no number', params: { min: 0 }, answer: '1e999', is: 'fail' },
]);

describeAssertion('list', [
  { when: 'a JSON array in another order', params: { value: ['a', 'b'] }, answer: '["b", "a"]', is: 'pass', score: 1 },
  {
    when: 'bullets among prose',
    params: { value: ['apples', 'pears'] },
    answer: 'I found:\n- apples\n* pears\nThat is all.',
    is: 'pass',
  },
  {
    when: 'an array of JSON that is selected',
    params: { value: ['a', 1] },
    answer: '{"l": [1, "a"]}',
    select: { kind: 'jsonPath', path: '$.l' },
    is: 'pass',
    reason: /^found 2 items: "1", "a"/,
  },
  {
    when: 'another value of JSON that is selected',
    params: { value: ['a'] },
    answer: '{"l": 5}',
    select: { kind: 'jsonPath', path: '$.l' },
    is: 'fail',
    reason: /^is not a list: found the number 5$/,
  },
  { when: 'numbered lines', params: { value: ['x', 'y'], ordered: true }, answer: '1. x\n2) y', is: 'pass' },
  { when: 'plain lines', params: { value: ['x', 'y'] }, answer: 'x\r\ny\n', is: 'pass' },
  { when: 'blank lines between', params: { value: ['x', 'y'] }, answer: 'x\n\n  \ny', is: 'pass' },
  { when: 'an array in JSON that breaks off', params: { value: ['["x"', '"y"'] }, answer: '["x", "y"', is: 'pass' },
  { when: 'commas', params: { value: ['x', 'y'] }, answer: 'x, y', is: 'pass' },
  {
    when: 'one is missing',
    params: { value: ['a', 'b', 'c'] },
    answer: 'a, b',
    is: 'fail',
    score: 0.8,
    reason: /missing "c"; F1 0.80/,
  },
  { when: 'one is too much', params: { value: ['a'] }, answer: 'a, b', is: 'fail', reason: /unexpected "b"/ },
  { when: 'the score suffices', params: { value: ['a', 'b', 'c'], min: 0.8 }, answer: 'a, b', is: 'pass', score: 0.8 },
  { when: 'the order is wrong', params: { value: ['a', 'b'], ordered: true }, answer: 'b, a', is: 'fail', score: 0.5 },
  { when: 'a set takes no note of repetition', params: { value: ['a'] }, answer: 'a, a', is: 'pass' },
  { when: 'a sequence does', params: { value: ['a'], ordered: true }, answer: 'a, a', is: 'fail' },
  {
    when: 'a sequence is too long for anything but equal places',
    params: { value: Array.from({ length: 20_000 }, (_, at) => at), ordered: true, min: 0.5 },
    answer: JSON.stringify(Array.from({ length: 20_000 }, (_, at) => (at < 10_000 ? at : 20_000 - at))),
    is: 'pass',
    score: 0.50005,
  },
  { when: 'JSON items keep their type', params: { value: [1, 2] }, answer: '["1", 2]', is: 'fail' },
  { when: 'text items do not', params: { value: [1, 2] }, answer: '1, 2', is: 'pass' },
  { when: 'items may be objects', params: { value: [{ a: 1, b: 2 }] }, answer: '[{"b": 2, "a": 1}]', is: 'pass' },
  { when: 'the case is ignored', params: { value: ['A'], ignoreCase: true }, answer: '["a"]', is: 'pass' },
  { when: 'the expected list is text', params: { value: 'a; b' }, answer: '["a", "b"]', is: 'pass' },
  { when: 'the answer is empty', params: { value: ['a'] }, answer: '', is: 'fail', score: 0 },
  {
    when: 'a selected text is read as a list',
    params: { value: ['a', 'b'] },
    answer: '{"items": "a, b"}',
    select: { kind: 'jsonPath', path: '$.items' },
    is: 'pass',
  },
  {
    when: 'an object is selected',
    params: { value: ['a'] },
    answer: '{}',
    select: { kind: 'json' },
    is: 'fail',
    reason: /is not a list/,
  },
]);

test.each([
  ['jsonSchema', {}, /^value: a JSON Schema is an object/],
  ['jsonSchema', { value: { type: 'strin' } }, /^value\.type: the schema is not valid at \$\.type/],
  ['jsonSchema', { value: { $ref: 'https://example.com/a.json' } }, /never fetched/],
  ['jsonSchema', { value: { $ref: '#/$defs/none' } }, /can't be resolved/],
  ['jsonSchema', { value: { $ref: '#' } }, /refers to itself without end/],
  ['jsonSchema', { value: { pattern: '(' } }, /Unterminated group/],
  ['jsonSchema', { value: { $schema: 'http://json-schema.org/draft-04/schema#' } }, /not supported/],
  ['jsonPath', { path: 'a.b' }, /^path: a JSONPath starts with "\$"/],
  ['jsonPath', { path: '$.a[' }, /ends too early/],
  ['jsonPath', { path: '$.a b' }, /can't be read at column 5/],
  ['jsonPath', { path: '$[?nope(@)]' }, /not a JSONPath function/],
  ['jsonPath', { path: '$[?length(@.*) > 1]' }, /takes one value/],
  ['jsonPath', { path: '$.a', exists: false, count: 1 }, /exists: false/],
  ['jsonPath', { path: '$.a', count: -1 }, /^count: /],
  ['number', {}, /needs value, min or max/],
  ['number', { value: 'many' }, /^value: must be a number/],
  ['number', { value: 1, tolerance: -1 }, /^tolerance: must be a number of 0 or more/],
  ['number', { value: 1, tolerance: 'much' }, /^tolerance: must be a number of 0 or more, or a share/],
  ['number', { min: 1, tolerance: 1 }, /^tolerance: tolerance needs a value/],
  ['list', { value: [] }, /needs at least one item/],
  ['list', { value: ['a'], min: 0 }, /^min: /],
  ['json', { value: 'yes' }, /^value: /],
])('%s refuses %j', (assertion, params, problem) => {
  expect(findProblems(assertion, params).join('\n')).toMatch(problem);
});

test('a schema may refer to the meta-schema', async () => {
  const spec = buildSpec('jsonSchema', { value: { $ref: 'https://json-schema.org/draft/2020-12/schema' } });
  expect([(await judgeOne(spec, '{"type": "string"}')).pass, (await judgeOne(spec, '{"type": 3}')).pass]).toEqual([
    true,
    false,
  ]);
});

test('two schemas of one $id are two schemas', async () => {
  const first = buildSpec('jsonSchema', { value: { $id: 'https://example.com/s', type: 'string' } });
  const second = buildSpec('jsonSchema', { value: { $id: 'https://example.com/s', type: 'number' } });
  expect([(await judgeOne(first, '1')).pass, (await judgeOne(second, '1')).pass]).toEqual([false, true]);
});
