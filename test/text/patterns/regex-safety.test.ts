import { describe, expect, test } from 'vitest';
import { DeadlineError, runWithDeadline } from '../../../src/text/deadline.ts';
import { findFaultOfAnyMode, isHarmlessRegex } from '../../../src/text/patterns/regex.ts';
import { mustEnd } from '../../support/growth.ts';
import fc from '../../support/property.ts';

test.each([
  ['Queue:\\s*(\\w+)', 'i', 60],
  ['"queue":\\s*"([^"]*)"', '', 60],
  ['^(billing|technical|sales)$', '', 10_000],
  ['\\$\\d+', '', 1000],
  ['\\b\\d{4}-\\d{2}-\\d{2}\\b', '', 100_000],
  ['a.*b', '', 1000],
  ['colou?r', '', 10_000],
  ['(?<year>\\d{4})', 'u', 10_000],
  ['[\\]\\-^]+x', '', 500],
  ['\\p{L}\\d', 'u', 10_000],
])('/%s/%s is harmless on %d characters', (source, flags, textLength) => {
  expect(isHarmlessRegex(source, flags, textLength)).toBe(true);
});

test.each([
  ['(a+)+$', '', 30],
  ['(a|a)*b', '', 30],
  ['(a|ab)+c', '', 30],
  ['(a?){20}a{20}', '', 30],
  ['(\\w+\\s?)*z', '', 30],
  ['(.*)*x', '', 30],
  ['(a*)\\1', '', 30],
  ['(?<x>a)\\k<x>', '', 30],
  ['.*.*.*=', '', 1000],
  ['a.*b', '', 1_000_000],
  [`${'a?'.repeat(30)}${'a'.repeat(30)}`, '', 30],
  ['(?=a*b)c', '', 30],
  ['[a--b]', 'v', 1],
  ['x{1,100000}y', '', 1000],
  ['a'.repeat(3000), '', 1],
])('/%s/%s runs under the deadline on %d characters', (source, flags, textLength) => {
  expect(isHarmlessRegex(source, flags, textLength)).toBe(false);
});

test.each([
  ['a', true],
  ['(', false],
  ['(?<a>x)\\k<a>', true],
  // Only with the flag v.
  ['(?<a>x)|(?<a', false],
  ['[\\p{L}--[a-z]]', true],
])('/%s/ may be a regex: %s', (source, isOne) => {
  expect(findFaultOfAnyMode(source) === undefined).toBe(isOne);
});

const atom = fc.constantFrom(
  'a',
  'b',
  '.',
  '\\w',
  '\\s',
  '[ab]',
  '[^a]',
  'ab',
  '\\b',
  '$',
  '^',
  'A',
  '(?=a)',
  '(?!b)',
  '\\d',
  '-',
);
const quantifier = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '{2}', '{1,3}', '{2,}');
const piece = fc
  .tuple(atom, quantifier)
  .map(([item, times]) => (/^(?:\\b|\$|\^|\(\?)/.test(item) || item === 'ab' ? item : item + times));
const sequence = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));
const group = fc
  .tuple(fc.array(sequence, { minLength: 1, maxLength: 3 }), quantifier)
  .map(([items, times]) => `(${items.join('|')})${times}`);
const pattern = fc.array(fc.oneof(sequence, group), { minLength: 1, maxLength: 4 }).map((items) => items.join(''));
const flags = fc.constantFrom('', 'i', 'm', 's', 'u', 'iu', 'y');
const unit = fc.constantFrom('a', 'b', ' ', 'ab', '\n', '-', 'aaa', '1');

describe('laws', () => {
  test('a regex that is called harmless ends quickly on texts made to be hard', { tags: 'slow' }, () => {
    fc.assert(
      fc.property(
        pattern,
        flags,
        unit,
        unit,
        fc.constantFrom(20, 60, 200, 1000, 4000),
        (source, letters, part, tail, length) => {
          const text = part.repeat(length).slice(0, length) + tail;
          fc.pre(isHarmlessRegex(source, letters, text.length));
          const regex = new RegExp(source, letters);
          expect(() => mustEnd(() => regex.exec(text), 3000)).not.toThrow();
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('a regex gives the same with and without the deadline', { tags: ['slow'] }, () => {
    fc.assert(
      fc.property(pattern, flags, fc.string({ unit, maxLength: 40 }), (source, letters, text) => {
        fc.pre(isHarmlessRegex(source, letters, text.length));
        const direct = new RegExp(source, letters).exec(text);
        expect(runWithDeadline(() => new RegExp(source, letters).exec(text), 30_000)).toEqual(direct);
      }),
      { numRuns: 200 },
    );
  });

  test('a regex that may be harmful still ends, in a match or at the deadline', () => {
    expect(() => runWithDeadline(() => /^(a+)+$/.exec(`${'a'.repeat(60)}!`), 50)).toThrow(DeadlineError);
  });
});
