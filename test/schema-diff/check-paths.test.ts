import { describe, expect, test } from 'vitest';
import { checkJsonPathAgainstSchema } from '../../src/schema-diff/check-paths.ts';

const text = { type: 'string' };
const schema = {
  type: 'object',
  properties: {
    queue: { enum: ['billing', 'legal'] },
    tags: { type: 'array', items: { type: 'object', properties: { label: text } }, maxItems: 3 },
    pair: { type: 'array', prefixItems: [text], items: false },
    map: { type: 'object', additionalProperties: { type: 'object', properties: { count: { type: 'integer' } } } },
    free: {},
    open: { type: 'object', properties: { a: text }, additionalProperties: true },
    patterned: { type: 'object', patternProperties: { '^x-': text }, additionalProperties: false },
    node: { $ref: '#/$defs/Node' },
    either: {
      anyOf: [
        { type: 'object', properties: { cat: text } },
        { type: 'object', properties: { dog: text } },
        { type: 'null' },
      ],
    },
    'two words': text,
  },
  $defs: {
    Node: {
      type: 'object',
      properties: { value: text, next: { anyOf: [{ $ref: '#/$defs/Node' }, { type: 'null' }] } },
    },
  },
};

describe('paths that can find something', () => {
  test.each([
    '$',
    '$.queue',
    '$["queue"]',
    "$['two words']",
    '$.tags[0].label',
    '$.tags[-1].label',
    '$.tags[2].label',
    '$.tags[-3].label',
    '$.pair[0]',
    '$.map.anything.count',
    '$.free.whatever[3].more',
    '$.open.whatever',
    '$.patterned.x-a',
    "$.patterned['x-a']",
    '$.node.next.next.next.value',
    '$.either.cat',
    '$.either.dog',
  ])('%s', (path) => {
    expect(checkJsonPathAgainstSchema(path, schema)).toBeUndefined();
  });
});

describe('paths that are left alone', () => {
  test.each([
    '$.tags[*].nope',
    '$..nope',
    '$.tags[?@.nope]',
    '$.tags[0:2].nope',
    '$.tags[0,1].nope',
    'queue',
    '',
    '$.',
    "$['a\\x']",
  ])('%s', (path) => {
    expect(checkJsonPathAgainstSchema(path, schema)).toBeUndefined();
  });

  test('an empty schema allows every path', () => {
    expect(checkJsonPathAgainstSchema('$.a.b', true)).toBeUndefined();
    expect(checkJsonPathAgainstSchema('$.a.b', { type: 'object' })).toBeUndefined();
    expect(checkJsonPathAgainstSchema('$.a.b', { type: 'object', properties: { a: true } })).toBeUndefined();
  });
});

describe('paths that can find nothing', () => {
  test.each([
    ['$.quue', '$.quue is not in the output schema; did you mean $.queue?'],
    ['$.tags[0].labl', '$.tags[0].labl is not in the output schema; did you mean $.tags[0].label?'],
    ['$.tags[3]', '$.tags[3] is not in the output schema; $.tags is not a list that long.'],
    ['$.tags[-4]', '$.tags[-4] is not in the output schema; $.tags is not a list that long.'],
    ['$.pair[1]', '$.pair[1] is not in the output schema; $.pair is not a list that long.'],
    ['$.queue.name', '$.queue.name is not in the output schema; $.queue has no properties.'],
    ['$.queue[0]', '$.queue[0] is not in the output schema; $.queue is not a list that long.'],
    ['$.map.x.total', '$.map.x.total is not in the output schema; $.map.x has count.'],
    ['$.patterned.y', '$.patterned.y is not in the output schema; $.patterned has no properties.'],
    [
      '$.node.next.nest.value',
      '$.node.next.nest is not in the output schema (in $.node.next.nest.value); did you mean $.node.next.next?',
    ],
    ['$.either.cow', '$.either.cow is not in the output schema; $.either has cat, dog.'],
    ["$['two wrods']", '$["two wrods"] is not in the output schema; did you mean $["two words"]?'],
  ])('%s', (path, message) => {
    expect(checkJsonPathAgainstSchema(path, schema)).toMatchObject({ message });
  });

  test('names of a base and of its branches are all there', () => {
    const mixed = {
      type: 'object',
      properties: { id: text },
      oneOf: [{ properties: { cat: text } }, { properties: { dog: text } }],
    };
    expect(
      ['$.id', '$.cat', '$.dog', '$.cow'].map((path) => checkJsonPathAgainstSchema(path, mixed) === undefined),
    ).toEqual([true, true, true, false]);
  });
});
