import { describe, expect, test } from 'vitest';
import { compileJsonPath, JsonPathError } from '../../src/json/json-path.ts';
import { parseExactJson } from '../../src/json/parse-json.ts';
import fc from '../support/property.ts';

const doc = {
  items: [
    { name: 'a', price: 1, tags: ['x', 'y'] },
    { name: 'b', price: 2 },
    { name: 'ab', price: 3, tags: [] },
  ],
  limit: 2,
  'two words': { '☺': null },
};

describe('queries', () => {
  test.each<[string, readonly unknown[]]>([
    ['$', [doc]],
    ['$.limit', [2]],
    ["$['two words']['☺']", [null]],
    ['$.items[0].name', ['a']],
    ['$.items[-1].name', ['ab']],
    ['$.items[9]', []],
    ['$.items[-3].name', ['a']],
    ['$.items[-4]', []],
    ['$.items[2].name', ['ab']],
    ['$.items[3]', []],
    ['$.items[*].price', [1, 2, 3]],
    ['$.items[0,2].price', [1, 3]],
    ['$.items[1:].price', [2, 3]],
    ['$.items[:-1].price', [1, 2]],
    ['$.items[::2].price', [1, 3]],
    ['$.items[::-1].price', [3, 2, 1]],
    ['$.items[2:0:-1].price', [3, 2]],
    ['$.items[::0]', []],
    ['$..price', [1, 2, 3]],
    ['$..tags[0]', ['x']],
    ['$.items[?@.price > 1].name', ['b', 'ab']],
    ['$.items[?@.price == $.limit].name', ['b']],
    ['$.items[?@.tags].name', ['a', 'ab']],
    ['$.items[?!@.tags].name', ['b']],
    ['$.items[?@.tags[0] == "x"].name', ['a']],
    ['$.items[?@.name == "a" || @.price >= 3].name', ['a', 'ab']],
    ['$.items[?@.price <= 2 && @.name != "a"].name', ['b']],
    ['$.items[?match(@.name, "a|b")].name', ['a', 'b']],
    ['$.items[?search(@.name, "b$")].name', ['b', 'ab']],
    ['$.items[?match(@.name, "[.]|a.")].name', ['ab']],
    ['$.items[?match(@.price, "1")].name', []],
    ['$.items[?search(@.name, "(")].name', []],
    ['$.items[?length(@.name) == 2].name', ['ab']],
    ['$.items[?count(@.*) == 2].name', ['b']],
    ['$.items[?value(@.tags[*]) == "x"].name', []],
    ['$.items[?@.none == @.nothing].price', [1, 2, 3]],
    ['$[?length(@) > 2]', [doc.items]],
    ['$[?length(@) == 1]', [doc['two words']]],
    // Nothing equals nothing.
    ['$[?length(@) == length(@.none)]', [2]],
    ['$.items[?value(@.tags[0]) == "x"].name', ['a']],
    ['$.items[?length(value(@["name"])) == 2].name', ['ab']],
    ['$.items[?length("ab") == @.price].name', ['b']],
    ['$.items[?count($.items[*]) == @.price].name', ['ab']],
    ['$.items[?@.price < 2].name', ['a']],
    ['$.items[?@.price != 2].name', ['a', 'ab']],
    ['$.items[?@.name < "ab"].name', ['a']],
    ['$.items[?@.name >= "ab"].name', ['b', 'ab']],
    ['$.items[?@.name <= 5].name', []],
    ['$.items[?@.tags == $.items[2].tags].name', ['ab']],
    ['$.items[?$.limit].price', [1, 2, 3]],
    ['$.items[::-2].price', [3, 1]],
    ['$.items[-2:].price', [2, 3]],
    ['$.items[0].name[:]', []],
    ['$.items[-9:9].price', [1, 2, 3]],
    ['$.items[1:-9:-1].price', [2, 1]],
    ['$.items[9:1:-1]', [doc.items[2]]],
  ])('%s', (path, expected) => {
    expect(compileJsonPath(path).query(doc)).toEqual(expected);
  });
});

test('numbers are compared by all of their digits', () => {
  const rows = parseExactJson('[{"a": 12345678901234567890, "b": 12345678901234567891}, {"a": 2, "b": 10}]');
  const both = expect.arrayContaining([expect.anything(), expect.anything()]);
  expect(compileJsonPath('$[?@.a < @.b]').query(rows)).toEqual(both);
  expect(compileJsonPath('$[?@.a <= @.b]').query(rows)).toEqual(both);
  for (const operator of ['==', '>', '>=']) expect(compileJsonPath(`$[?@.a ${operator} @.b]`).query(rows)).toEqual([]);
});

test.each([
  ['$[?@.a && @.b && @.c]', ['abc', 'abcd']],
  ['$[?@.a&&@.b&&@.c&&@.d]', ['abcd']],
  ['$[?@.a && (@.b || @.c) && @.d]', ['abcd', 'acd']],
  ['$[?@.a && (@.b || @.c)]', ['ab', 'ac', 'abc', 'abcd', 'acd']],
  ['$[?@.a && @.b && @.c || @.d]', ['abc', 'abcd', 'd', 'acd']],
  ['$[?@.d || @.a && @.b && @.c]', ['abc', 'abcd', 'd', 'acd']],
  ['$[?@.a && @.b && !@.c]', ['ab']],
  ['$[?@.a && @.c && @.d == 1, ?@.a && @.b && @.c]', ['abcd', 'acd', 'abc', 'abcd']],
  ['$[?@["a"] && @[\'b\'] && length(@["id"]) == 3]', ['abc']],
  ['$[?@.a && @.id != "&&(" && @.b && @.id != \'||\' && @.c]', ['abc', 'abcd']],
  ['$[?!(@.a && @.b && @.c)]', ['ab', 'ac', 'd', 'acd']],
])('%s joins all of its conditions', (path, ids) => {
  const items = ['ab', 'ac', 'abc', 'abcd', 'd', 'acd'].map((id) => ({
    id,
    ...Object.fromEntries(Array.from(id, (letter) => [letter, 1])),
  }));
  const found = compileJsonPath(path).query(items);
  expect(found.map((item) => (item as { readonly id: string }).id)).toEqual(ids);
});

test.each([
  '$[9007199254740992]',
  '$[-9007199254740992]',
  '$[9007199254740992::]',
  '$[:9007199254740992]',
  '$[::-9007199254740992]',
])('%s is refused, because its number is beyond 2^53 - 1', (path) => {
  expect(() => compileJsonPath(path)).toThrow('beyond 2^53 - 1');
  expect(() => compileJsonPath(path.replace('740992', '740991'))).not.toThrow();
});

test('a name that is inherited selects nothing', () => {
  expect(compileJsonPath('$.constructor').query({})).toEqual([]);
  expect(compileJsonPath('$.length').query([1])).toEqual([]);
});

test('every member is found by its name', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer(), { minKeys: 1 }), (object) => {
      for (const [key, value] of Object.entries(object)) {
        expect(compileJsonPath(`$[${JSON.stringify(key)}]`).query(object)).toEqual([value]);
      }
    }),
  );
});

test('steps and costly paths are distinguished', () => {
  const facts = (path: string) => {
    const { steps, costly } = compileJsonPath(path);
    return { steps, costly };
  };
  expect(facts('$.a["b"][0]')).toEqual({ steps: ['a', 'b', 0], costly: false });
  expect(facts('$.a[*]')).toEqual({ steps: undefined, costly: false });
  expect(facts('$..a')).toEqual({ steps: undefined, costly: false });
  expect(facts('$..a..b')).toEqual({ steps: undefined, costly: true });
  expect(facts('$[?match(@, "a")]')).toEqual({ steps: undefined, costly: true });
  expect(facts('$[?@..a]')).toEqual({ steps: undefined, costly: true });
});

test.each([
  ['', /starts with "\$"/],
  ['a', /starts with "\$"/],
  ['$.', /ends too early/],
  ['$.a[?]', /at column/],
  ['$[?none(@)]', /not a JSONPath function/],
  ['$[?match(@)]', /takes 2 arguments, not 1/],
  ['$[?length(@)]', /compare it/],
  ['$[?match(@, "a") == true]', /can't be compared/],
  ['$[?count(1) == 1]', /takes a query/],
  ['$[?length(match(@, "a")) == 1]', /can't be compared/],
  ['$[?@.a == 12345678901234567890]', /can't hold the number 12345678901234567890/],
  ['$[?length(@.*) == 1]', /takes one value/],
  [`$${'.a'.repeat(600)}`, /at most 1000 characters/],
])('%s is refused', (path, message) => {
  expect(() => compileJsonPath(path)).toThrow(JsonPathError);
  expect(() => compileJsonPath(path)).toThrow(message);
});

test('a deeply nested filter of an allowed length is read or refused, never a crash', () => {
  const path = `$[?${'('.repeat(480)}@.a${')'.repeat(480)}]`;
  expect(compileJsonPath(path).query([{ a: 1 }])).toEqual([{ a: 1 }]);
});
