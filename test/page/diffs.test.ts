import { describe, expect, test } from 'vitest';
import { diffJsonTexts, diffTexts, formatJson } from '../../src/page/diff/diff.ts';
import { splitUnsafe } from '../../src/text/sanitize.ts';
import fc from '../support/property.ts';

describe('the difference of two answers', () => {
  test('of JSON is told by members, whatever their order and layout', () => {
    const before = '{"queue": "billing", "tags": ["a", "b"], "old": 1, "a/b": {"~": true}}';
    const after = '{\n  "tags": ["a", "c", "d"], "queue": "sales", "a/b": {"~": null}\n}';
    expect(diffJsonTexts(before, after)).toEqual([
      { path: '/queue', kind: 'changed', before: 'billing', after: 'sales' },
      { path: '/tags/1', kind: 'changed', before: 'b', after: 'c' },
      { path: '/tags/2', kind: 'added', after: 'd' },
      { path: '/old', kind: 'removed', before: 1 },
      { path: '/a~1b/~0', kind: 'changed', before: true, after: null },
    ]);
    expect(diffJsonTexts('{"a":1}', '{ "a": 1 }')).toEqual([]);
  });

  test.each([
    ['prose', '{"a":1}'],
    ['{"a":1}', '{"a":1'],
    ['1', '2'],
    ['['.repeat(100_000) + ']'.repeat(100_000), '[]'],
  ])('is none of JSON where a side is not', (before, after) => {
    expect(diffJsonTexts(before, after)).toBeUndefined();
  });

  test('of texts holds both of them', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', 'ü', '👩‍🚀'), maxLength: 60 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const parts = diffTexts(before, after) ?? [];
        const side = (own: string) => parts.filter(({ kind }) => kind === own || kind === 'same');
        const join = (own: string) =>
          side(own)
            .map((part) => part.text)
            .join('');
        expect([join('removed'), join('added')]).toEqual([before, after]);
      }),
    );
  });

  test('marks what changed and nothing else', () => {
    expect(diffTexts('Your refund is on its way.', 'Your order is on its way.')).toEqual([
      { text: 'Your ', kind: 'same' },
      { text: 'refund', kind: 'removed' },
      { text: 'order', kind: 'added' },
      { text: ' is on its way.', kind: 'same' },
    ]);
  });

  test('JSON is laid out to be read', () => {
    expect(formatJson('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
    const nest = (depth: number) => formatJson('['.repeat(depth) + ']'.repeat(depth)) === undefined;
    expect([nest(200), nest(201)]).toEqual([false, true]);
    expect([formatJson('"a"'), formatJson('{'), formatJson('')]).toEqual([undefined, undefined, undefined]);
  });
});

describe('what acts or hides in a text', () => {
  test('is named, with how often it stands there', () => {
    expect(splitUnsafe('a\u202eb\u0000\u0000c\n\td')).toEqual([
      { text: 'a' },
      { mark: 'U+202E', count: 1 },
      { text: 'b' },
      { mark: 'U+0000', count: 2 },
      { text: 'c\n\td' },
    ]);
    expect(splitUnsafe('pay\u200dpal 👩\u200d🚀 \ud800')).toEqual([
      { text: 'pay' },
      { mark: 'U+200D', count: 1 },
      { text: 'pal 👩\u200d🚀 ' },
      { mark: 'U+D800', count: 1 },
    ]);
    expect(splitUnsafe('\u{e0041}\u{e0041}')).toEqual([{ mark: 'U+E0041', count: 2 }]);
  });

  test('is spelled out beyond a number that a page can hold', () => {
    const parts = splitUnsafe('\u0000a'.repeat(5), 4);
    expect(parts).toHaveLength(6);
    expect(parts.at(-1)).toEqual({ text: 'a<U+0000>a<U+0000>a' });
  });

  test('is all that is taken out of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const units = splitUnsafe(text).map((part) =>
          'text' in part ? part.text : String.fromCodePoint(Number.parseInt(part.mark.slice(2), 16)).repeat(part.count),
        );
        expect(units.join('')).toBe(text);
      }),
    );
  });
});
