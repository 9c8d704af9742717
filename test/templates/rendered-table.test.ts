import { describe, expect, test } from 'vitest';
import type { TemplateLanguage, WrittenMessage } from '../../src/model/suite/recorded-settings.ts';
import type { RenderedMessage } from '../../src/model/suite/suite.ts';
import {
  expandTable,
  isSamePrompt,
  keyOfVars,
  knowsCase,
  showBoth,
  tabulate,
} from '../../src/templates/rendered-table.ts';

const user = (content: string): readonly RenderedMessage[] => [{ role: 'user', content, attach: [] }];

/** The messages of cases whose variable `n` counts from `first`. */
function render(texts: readonly string[], first = 0) {
  return new Map(texts.map((text, index) => [keyOfVars({ n: first + index }), user(text)]));
}

function write(texts: readonly string[], first = 0): readonly WrittenMessage[] {
  const { table, common } = tabulate(render(texts, first));
  return common.map((message) => ({ ...message, language: { name: 'code', rendered: table } }));
}

describe('a table of messages', () => {
  test.each([[['']], [['a\nb\nc', 'a\nx\nc']], [['one\n\n', '\n\ntwo\na 0-3 7', 'one']]])('keeps %j', (texts) => {
    const { table } = tabulate(render(texts));
    expect(texts.map((_, n) => expandTable(table, { n })[0]?.content)).toEqual(texts);
    expect(() => expandTable(table, { n: texts.length })).toThrow('was not called');
  });

  test('holds each line once, and runs of lines by their ends', () => {
    const of = (role: 'system' | 'developer' | 'assistant' | 'user', content: string) => ({
      role,
      content,
      attach: [],
    });
    const first = [of('system', 'a\nb\nc'), of('developer', 'b\nd'), of('assistant', 'a'), of('user', 'c\nb\na\nb')];
    const key = keyOfVars({ n: 0 });
    const { table } = tabulate(new Map([[key, first]]));
    expect(table).toEqual({
      lines: ['a', 'b', 'c', 'd'],
      cases: {
        [key]: [
          ['system', '0-2'],
          ['developer', '1 3'],
          ['assistant', '0'],
          ['user', '2 1 0-1'],
        ],
      },
    });
    expect(expandTable(table, { n: 0 })).toEqual(first);
  });

  test.each<[texts: string[], common: string]>([
    [['a\nb'], 'a\nb'],
    [['a\nb\nc', 'a\nx\nd'], 'a\n…\n…'],
    [['ab\nc', 'ac\nc', 'ad\nd'], 'a…\n…'],
    [['Say: red!\nend', 'Say: blue!\nend'], 'Say: …!\nend'],
    [['a\nx\nb', 'a\nb'], 'a\n…\nb'],
    [['aa', 'aaa'], 'aa…'],
    [['x', ''], '…'],
    [['ab', 'xb'], '…b'],
    [['a', 'a\nx', 'y\na'], 'a\n…'],
    [['a\nb\nc', 'b\nc', 'c'], '…\nc'],
  ])('of %j shows %j', (texts, common) => {
    expect(tabulate(render(texts)).common).toEqual([{ role: 'user', content: common }]);
  });
});

test('a case is known by its variables, in the form that records have kept', () => {
  expect(keyOfVars({ b: 1, a: 'x' })).toBe('cdab067e9f3beb32');
  expect(keyOfVars({ a: 'x', b: 1 })).toBe(keyOfVars({ b: 1, a: 'x' }));
});

describe('two prompts in code', () => {
  test('are the same where every shared case is, whatever cases there are besides', () => {
    expect(isSamePrompt(write(['a', 'b']), write(['a', 'b', 'c']))).toBe(true);
    expect(isSamePrompt(write(['a', 'b']), write(['a', 'x', 'c']))).toBe(false);
    expect(isSamePrompt(write([]), write(['a']))).toBe(false);
    expect(isSamePrompt(write(['a', 'b']), write(['a', 'b'], 2))).toBe(false);
    expect(isSamePrompt(write(['a']), [{ role: 'user', content: 'a' }])).toBe(false);
  });

  test('that differ only within what differs by case are shown by the first case that does', () => {
    const both = showBoth(write(['Say: a.', 'Say: b.']), write(['Say: a.', 'Say: B.']));
    expect(both).toEqual({
      baseline: [{ role: 'user', content: 'Say: b.' }],
      candidate: [{ role: 'user', content: 'Say: B.' }],
    });
    // Cases that only one of them knows are no difference.
    const baseline = write(['Say: 0.', 'Say: 1.', 'Say: 2.', 'Say: 3.', 'Say: 4.', 'Say: 5.']);
    expect(showBoth(baseline, write(['Say: 4.', 'Say: V.', 'Say: 6.'], 4))).toEqual({
      baseline: [{ role: 'user', content: 'Say: 5.' }],
      candidate: [{ role: 'user', content: 'Say: V.' }],
    });
  });

  test('are shown by what is common to their cases where that differs, or where nothing does', () => {
    const plain = (content: string) => [{ role: 'user' as const, content }];
    expect(showBoth(write(['Say: a.', 'Say: b.']), write(['Tell: a.', 'Tell: b.']))).toEqual({
      baseline: plain('Say: ….'),
      candidate: plain('Tell: ….'),
    });
    expect(showBoth(write(['a', 'b']), write(['a', 'b']))).toEqual({ baseline: plain('…'), candidate: plain('…') });
    expect(showBoth(plain('a'), write(['b']))).toEqual({ baseline: plain('a'), candidate: plain('b') });
    const braces = [{ role: 'user' as const, content: 'a', language: { name: 'braces' as const } }];
    expect(showBoth(braces, plain('a'))).toEqual({ baseline: braces, candidate: plain('a') });
  });
});

test('a case is known by the messages that were made for it', () => {
  const { table } = tabulate(new Map([[keyOfVars({ a: 1 }), [{ role: 'user', content: 'x', attach: [] }]]]));
  const promptOf = (language?: TemplateLanguage) => ({
    messages: [
      {
        role: 'user' as const,
        template: { source: 'x', variables: [], render: () => 'x', ...(language && { language }) },
      },
    ],
  });
  const known = promptOf({ name: 'code', rendered: table });
  expect([knowsCase(known, { a: 1 }), knowsCase(known, { a: 2 }), knowsCase(promptOf(), { a: 2 })]).toEqual([
    true,
    false,
    true,
  ]);
});

test('the first case that differs is shown where two sides look alike', () => {
  const written = (cases: Readonly<Record<string, string>>): readonly WrittenMessage[] => {
    const made = Object.entries(cases).map(([key, content]): [string, readonly RenderedMessage[]] => [
      key,
      [{ role: 'user', content, attach: [] }],
    ]);
    const { table } = tabulate(new Map(made));
    return [{ role: 'user', content: '…', language: { name: 'code', rendered: table } }];
  };
  const shown = showBoth(written({ a: 'only before', b: 'one', c: 'two' }), written({ b: 'one', c: 'three' }));
  expect(shown).toEqual({
    baseline: [{ role: 'user', content: 'two' }],
    candidate: [{ role: 'user', content: 'three' }],
  });
});
