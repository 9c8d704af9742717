import { describe, expect, it } from 'vitest';
import { displayWidth, shortenToWidth, wrapLines, wrapToWidth } from '../../src/terminal/display-width.ts';
import { clipText, lastWords, shortenText } from '../../src/text/shorten.ts';
import fc from '../support/property.ts';

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['Grüße', 5],
    ['e\u0301', 1],
    ['中文', 4],
    ['ｶﾅ', 2],
    ['한국어', 6],
    ['\u1112\u1161\u11ab', 2],
    ['สวัสดี', 4],
    ['🎉', 2],
    ['👍🏽', 2],
    ['👩‍👩‍👧‍👦', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['❤', 1],
    ['1️⃣', 2],
    ['× – … ✗', 7],
    ['\u001b[31mred\u001b[39m', 3],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('shortenToWidth', () => {
  it.each([
    ['hello', 5, 'hello'],
    ['hello!', 5, 'hell…'],
    ['中文字', 5, '中文…'],
    ['👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3, '👩‍👩‍👧‍👦…'],
    ['abc', 0, ''],
    ['abc', 1, '…'],
    ['ab', 2, 'ab'],
    ['a\u0301b', 2, 'a\u0301b'],
    [`z${'\u0301'.repeat(39)}`, 1, `z${'\u0301'.repeat(31)}`],
    [`z${'\u0301'.repeat(40)}`, 1, '…'],
    [`z${'\u0301'.repeat(80)}`, 2, `z${'\u0301'.repeat(31)}…`],
  ])('of %j to %i columns is %j', (text, width, expected) => {
    expect(shortenToWidth(text, width)).toBe(expected);
  });

  it('cuts what takes no room, so that no text is longer than its columns allow', () => {
    expect(shortenToWidth(`z${'\u0301'.repeat(100_000)}`, 10)).toBe(`z${'\u0301'.repeat(31)}…`);
  });

  it('never takes more columns than it was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(30), (text, width) => {
        expect(displayWidth(shortenToWidth(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('wrapToWidth', () => {
  it('breaks at spaces, and within words that are too long', () => {
    expect(wrapToWidth('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapToWidth('a abcdefghij', 4)).toEqual(['a ab', 'cdef', 'ghij']);
    expect(wrapToWidth('ab cdef', 2)).toEqual(['ab', 'cd', 'ef']);
    expect(wrapToWidth('aa bb cc dd ee', 5)).toEqual(['aa bb', 'cc dd', 'ee']);
    expect(wrapToWidth('a bcde f', 4)).toEqual(['a', 'bcde', 'f']);
    expect(wrapToWidth('abcd  ', 4)).toEqual(['abcd']);
    expect(wrapToWidth('a\n\nb', 4)).toEqual(['a', '', 'b']);
    expect(wrapToWidth('ab  ', 4)).toEqual(['ab  ']);
    expect(wrapToWidth('中文中文', 5)).toEqual(['中文', '中文']);
    expect(wrapToWidth('中文', 1)).toEqual(['中', '文']);
    expect(wrapToWidth('abc', 0)).toEqual(['a', 'b', 'c']);
  });

  it('keeps a number with its unit', () => {
    expect(wrapToWidth('rate 100 → 0 %', 12)).toEqual(['rate 100 →', '0 %']);
    expect(wrapToWidth('spent $0 · 147 ms · run', 12)).toEqual(['spent $0 ·', '147 ms · run']);
    expect(wrapToWidth('it took 3 so far', 9)).toEqual(['it took 3', 'so far']);
  });

  it('never breaks a colour code', () => {
    expect(wrapToWidth('\u001b[31mabcdef\u001b[39m', 3)).toEqual(['\u001b[31mabc', 'def\u001b[39m']);
  });

  it('loses no character but spaces at the breaks, and fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 30 }), (text, width) => {
        const lines = wrapToWidth(text, width);
        const bare = (value: string): string => value.replace(/\s/g, '');
        expect(bare(lines.join(''))).toBe(bare(text));
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('wrapLines', () => {
  const text = 'one two three\n    four five six seven eight\n';

  it('wraps each line under its own indent, and nothing where no terminal is', () => {
    expect(wrapLines(text, 26)).toBe('one two three\n    four five six seven\n      eight\n');
    expect(wrapLines(text, 5)).toBe('one two three\n    four five six seven\n      eight\n');
    expect(wrapLines(text, 80)).toBe(text);
    expect(wrapLines(text, undefined)).toBe(text);
  });
});

describe('shortenText', () => {
  it('marks the place of a cut, and only that', () => {
    expect(shortenText('abcd', 4)).toBe('abcd');
    expect(shortenText('abcde', 4)).toBe('abcd…');
  });
});

describe('lastWords', () => {
  it.each([
    ['ab cd', 5, 'ab cd'],
    ['ab cd ef', 5, 'cd ef'],
    ['ab cd ef', 4, 'ef'],
    ['ab cd ef', 6, 'cd ef'],
    ['abcdef', 4, 'cdef'],
    ['abcdef ', 4, 'def '],
  ])('of %j are, in %i units, %j', (text, maxUnits, expected) => {
    expect(lastWords(text, maxUnits)).toBe(expected);
  });
});

describe('clipText', () => {
  it('never leaves half a character', () => {
    expect(clipText('a👍', 2)).toBe('a');
    expect(clipText('a👍', 3)).toBe('a👍');
    expect(clipText('abc', 2)).toBe('ab');
  });
});
