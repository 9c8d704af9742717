import { describe, expect, test } from 'vitest';
import type { RenderedMessage, WrittenMessage } from '../../src/model/suite.ts';
import { expandTable, isSamePrompt, keyOfVars, showBoth, tabulate } from '../../src/templates/rendered-table.ts';

const user = (content: string): readonly RenderedMessage[] => [{ role: 'user', content, attach: [] }];

function render(...texts: readonly string[]) {
  return new Map(texts.map((text, n) => [keyOfVars({ n }), user(text)]));
}

function write(...texts: readonly string[]): readonly WrittenMessage[] {
  const { table, common } = tabulate(render(...texts));
  return common.map((message) => ({ ...message, language: { name: 'code', rendered: table } }));
}

describe('a table of messages', () => {
  test.each([[['']], [['a\nb\nc', 'a\nx\nc']], [['one\n\n', '\n\ntwo\na 0-3 7', 'one']]])('keeps %j', (texts) => {
    const { table } = tabulate(render(...texts));
    expect(texts.map((_, n) => expandTable(table, { n })[0]?.content)).toEqual(texts);
    expect(() => expandTable(table, { n: texts.length })).toThrow('was not called');
  });

  test.each<[texts: string[], common: string]>([
    [['a\nb'], 'a\nb'],
    [['Say: red!\nend', 'Say: blue!\nend'], 'Say: …!\nend'],
    [['a\nx\nb', 'a\nb'], 'a\n…\nb'],
    [['aa', 'aaa'], 'aa…'],
    [['x', ''], '…'],
  ])('of %j shows %j', (texts, common) => {
    expect(tabulate(render(...texts)).common).toEqual([{ role: 'user', content: common }]);
  });
});

describe('two prompts in code', () => {
  test('are the same where every shared case is, whatever cases there are besides', () => {
    expect(isSamePrompt(write('a', 'b'), write('a', 'b', 'c'))).toBe(true);
    expect(isSamePrompt(write('a', 'b'), write('a', 'x', 'c'))).toBe(false);
    expect(isSamePrompt(write(), write('a'))).toBe(false);
    expect(isSamePrompt(write('a'), [{ role: 'user', content: 'a' }])).toBe(false);
  });

  test('that differ only within what differs by case are shown by the first case that does', () => {
    const both = showBoth(write('Say: a.', 'Say: b.'), write('Say: a.', 'Say: B.'));
    expect(both).toEqual({
      baseline: [{ role: 'user', content: 'Say: b.' }],
      candidate: [{ role: 'user', content: 'Say: B.' }],
    });
  });
});
