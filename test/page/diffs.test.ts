import { describe, expect, test } from 'vitest';
import { alignAnswers, diffJsonTexts, diffTexts, formatJson, type SideLine } from '../../src/page/diff/diff.ts';
import { splitUnsafe } from '../../src/text/sanitize.ts';
import fc, { codePoint } from '../support/property.ts';

describe('the difference of two answers', () => {
  test('compares JSON by members, whatever their order and layout', () => {
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
    ['{"id": 9007199254740993}', '{"id": 9007199254740992}'],
    ['['.repeat(100_000) + ']'.repeat(100_000), '[]'],
  ])('is none of JSON where a side is not, or has numbers that no double keeps', (before, after) => {
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
    expect(formatJson('[12345678901234567890]')).toBeUndefined();
  });
});

describe('what acts or hides in a text', () => {
  test('is named, with how often it occurs', () => {
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
      fc.property(fc.string({ unit: codePoint }), (text) => {
        const units = splitUnsafe(text).map((part) =>
          'text' in part ? part.text : String.fromCodePoint(Number.parseInt(part.mark.slice(2), 16)).repeat(part.count),
        );
        expect(units.join('')).toBe(text);
      }),
    );
  });
});

describe('two answers side by side', () => {
  const textOf = (side: SideLine | undefined): string | undefined =>
    side
      ?.map((part) => ('folded' in part ? `(${part.folded})` : part.isChanged ? `[${part.text}]` : part.text))
      .join('');
  const show = (before: string, after: string) =>
    alignAnswers(before, after).map((row) =>
      'folded' in row ? row.folded : [textOf(row.before), textOf(row.after), row.isChanged],
    );

  test('JSON is laid out with its members in one order', () => {
    expect(show('{"a":1,"b":{"x":1,"y":2}}', '{"b":{"y":2,"x":3},"c":0,"a":1}')).toEqual([
      ['{', '{', false],
      ['  "a": 1,', '  "a": 1,', false],
      ['  "b": {', '  "b": {', false],
      ['    "x": [1],', '    "x": [3],', true],
      ['    "y": 2', '    "y": 2', false],
      ['  }', '  }[,]', true],
      [undefined, '  "c": 0', true],
      ['}', '}', false],
    ]);
  });

  test('long equal runs are folded, and no side is folded to nothing', () => {
    const lines = Array.from({ length: 20 }, (_, at) => `line ${at}`);
    expect(show([...lines, 'old'].join('\n'), [...lines, 'new'].join('\n'))).toEqual([
      18,
      ['line 18', 'line 18', false],
      ['line 19', 'line 19', false],
      ['old', 'new', true],
    ]);
    const long = 'word '.repeat(200);
    const [row] = show(`${long}red`, `${long}blue`);
    expect(row).toEqual([
      expect.stringMatching(/^\(\d+\).*\[red\]$/),
      expect.stringMatching(/^\(\d+\).*\[blue\]$/),
      true,
    ]);
    expect(show('account', 'I think this is for shipping')).toEqual([
      ['account', 'I think this is for shipping', true],
    ]);
  });

  test('each side holds its whole text where nothing is folded', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n'), maxLength: 40 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const rows = alignAnswers(before, after).filter((row) => !('folded' in row));
        if (rows.length < alignAnswers(before, after).length) return;
        const side = (name: 'before' | 'after') =>
          rows
            .flatMap((row) => textOf('folded' in row ? undefined : row[name])?.replaceAll(/[[\]]/g, '') ?? [])
            .join('\n');
        expect([side('before'), side('after')]).toEqual([before, after]);
      }),
    );
  });
});
