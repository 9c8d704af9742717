import { describe, expect, test } from 'vitest';
import { checkGlob, compilePaths, compileText, isSlowForPaths, matchInTime } from '../../../src/text/patterns/glob.ts';
import { mustEnd } from '../../support/growth.ts';

describe('a glob of paths', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['*.yaml', ['a.yaml', 'a.b.yaml'], ['.yaml', '.a.yaml', 'x/a.yaml', 'a.yml']],
    ['**/*.yaml', ['a.yaml', 'x/a.yaml', 'x/y/a.yaml'], ['.x/a.yaml', 'x/.a.yaml']],
    ['a/**', ['a/b', 'a/b/c'], ['b/a', 'a/.b', 'a/b/.c']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/xb', 'ab']],
    ['a**b', ['ab', 'axxb'], ['a/b']],
    ['?.[a-c][!a]', ['x.ab', '?.cc'], ['x.aa', 'x.db', '.ab']],
    ['{a,b/{c,d}}/*', ['a/x', 'b/c/x', 'b/d/x'], ['b/x', 'c/x']],
    ['a{1..3}-{01..10..3}-{c..a}', ['a1-04-b', 'a3-10-c'], ['a4-01-a', 'a1-4-b', 'a1-02-a']],
    ['{-1..1}{1..0}', ['-10', '01', '11'], ['-1', '20']],
    ['[a', ['[a'], ['a']],
    ['{a..bb}', ['{a..bb}'], ['a', 'bb']],
    [String.raw`\*\{a,b\}`, ['*{a,b}'], ['xa']],
    ['!(a|b)', ['c', 'ab'], ['a', 'b', 'c/x']],
    ['+(a|bc)?(d)*(e)@(f|g)', ['abcadeef', 'ag'], ['f', 'add']],
    ['.x/*', ['.x/a'], ['.x/.a']],
  ])('%s', (pattern, those, others) => {
    expect(checkGlob(pattern)).toBeUndefined();
    const matches = compilePaths(pattern);
    expect(those.filter((text) => !matches(text))).toEqual([]);
    expect(others.filter((text) => matches(text))).toEqual([]);
  });
});

test('in a glob of texts a star stands for anything; parentheses and quotes stand for themselves', () => {
  expect(compileText('re*(late)')('refund/.x (late)')).toBe(true);
  expect(compileText('+(a)*')('a')).toBe(false);
  expect(compileText('say "*"')('say "a\nb"')).toBe(true);
  expect(compileText('!a*')('b')).toBe(false);
});

describe('a hostile pattern takes no time', () => {
  test.each([
    ['*a'.repeat(20).concat('b'), 'a'.repeat(2000)],
    ['{a,b}'.repeat(40).concat('x'), 'ab'.repeat(1000)],
    ['{a,aa}'.repeat(9).concat('*x'), 'a'.repeat(2000)],
    ['**/'.repeat(20).concat('x'), 'a/'.repeat(1000)],
    [`${'**/a/'.repeat(20)}x`, 'a/'.repeat(1000)],
    ['+(a|aa)*(a)b', 'a'.repeat(300)],
    ['!(a*)!(*b)c', 'ab'.repeat(100)],
    ['['.repeat(4000), 'a'],
    ['('.repeat(4000), 'a'],
    ['{'.repeat(4000), 'a'],
    ['{{'.repeat(5).concat('}}'.repeat(5)), 'a'],
  ])('%.20s…', (pattern, text) => {
    const isRefused = mustEnd(() => checkGlob(pattern)) !== undefined;
    const matches = isRefused ? () => false : mustEnd(() => compilePaths(pattern));
    const outcome = matchInTime(() => matches(`${text}!`), isSlowForPaths(pattern) ? 250 : 30_000);
    expect('fault' in outcome ? isSlowForPaths(pattern) : !outcome.found).toBe(true);
  });

  test.each([
    ['{1..100000000}', 'make more than 1000 names'],
    ['{100000000..1..1}', 'make more than 1000 names'],
    ['{1..1e9}', 'make more than 1000 names'],
    [`{1..${'9'.repeat(400)}}`, 'make more than 1000 names'],
    ['{a,b}'.repeat(40), 'make more than 1000 names'],
    ['{a,{1..20}}'.repeat(4), 'make more than 1000 names'],
    ['{{a,b}'.repeat(9).concat('{a,b}'), 'make more than 1000 names'],
    ['{a,'.repeat(50).concat('b', '}'.repeat(50)), 'nests braces deeper than 10'],
    ['*a'.repeat(21), 'has more than 20 stars'],
    ['+(a)'.repeat(5), 'has more than 4 groups'],
    ['+(+(a))', 'parentheses within parentheses'],
    ['a'.repeat(4001), 'longer than 4000 characters'],
  ])('or is refused: %.20s…', (pattern, words) => {
    expect(checkGlob(pattern)?.message).toContain(words);
    expect(checkGlob(pattern)?.hint).toBeDefined();
  });

  test.each([
    'a,b{1..3}',
    '{a,b},{c,d},{e,f}',
    '{a,b}'.repeat(9),
    '{a,{b,c}}'.repeat(6),
    `{${'a,'.repeat(999)}b}`,
    '{1..1000}',
    '{1..9000..10}',
    String.raw`\{a,b}`,
  ])('and %.20s is used', (pattern) => {
    expect(checkGlob(pattern)).toBeUndefined();
  });
});
