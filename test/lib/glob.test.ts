import { describe, expect, test } from 'vitest';
import { compileGlob } from '../../src/lib/glob.ts';
import { GlobError } from '../../src/lib/parse-glob.ts';

const isPath = { isPath: true };
const isText = { isPath: false };

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
    ['{a}{b,{c', ['{a}{b,{c'], ['ab']],
    ['[a', ['[a'], ['a']],
    [String.raw`\*\{a,b\}`, ['*{a,b}'], ['xa']],
    ['!(a|b)/x', ['c/x', 'ab/x'], ['a/x', 'b/x', '.c/x']],
    ['+(a|bc)?(d)*(e)@(f|g)', ['abcadeef', 'ag'], ['f', 'add']],
    ['.x/*', ['.x/a'], ['.x/.a']],
  ])('%s', (pattern, those, others) => {
    const glob = compileGlob(pattern, isPath);
    expect(those.filter((text) => !glob.matches(text))).toEqual([]);
    expect(others.filter((text) => glob.matches(text))).toEqual([]);
  });

  test.each([
    ['evals/**/*.yaml', ['evals/', 'evals/a/'], ['x/', 'eval/', 'evals/.a/']],
    ['*/a.yaml', ['x/'], ['x/y/', '.x/']],
    ['{a,b/c}/x.yaml', ['a/', 'b/', 'b/c/'], ['c/', 'a/c/']],
    ['!(a)/*', ['b/'], ['a/', 'b/c/']],
  ])('%s leads into folders that may hold a match, and no others', (pattern, those, others) => {
    const glob = compileGlob(pattern, isPath);
    expect(those.filter((folder) => !glob.mayMatchBelow(folder))).toEqual([]);
    expect(others.filter((folder) => glob.mayMatchBelow(folder))).toEqual([]);
  });
});

test('in a glob of texts a star stands for anything, and parentheses for themselves', () => {
  expect(compileGlob('re*(late)', isText).matches('refund/.x (late)')).toBe(true);
  expect(compileGlob('+(a)*', isText).matches('a')).toBe(false);
});

describe('a hostile pattern takes no time', () => {
  test.each([
    ['*a'.repeat(20).concat('b'), 'a'.repeat(2000)],
    ['{a,b}'.repeat(40).concat('x'), 'ab'.repeat(1000)],
    ['{a,aa}'.repeat(40).concat('x'), 'a'.repeat(2000)],
    ['**/'.repeat(20).concat('x'), 'a/'.repeat(1000)],
    ['+(a|aa)*(a)b', 'a'.repeat(300)],
    ['!(a*)!(*b)c', 'ab'.repeat(100)],
    ['['.repeat(4000), 'a'],
    ['('.repeat(4000), 'a'],
    ['{'.repeat(4000), 'a'],
    ['*'.repeat(4000), 'a'],
  ])('%.20s…', (pattern, text) => {
    const started = performance.now();
    const glob = compileGlob(pattern, isPath);
    expect(glob.matches(`${text}!`)).toBe(pattern.startsWith('****'));
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test.each([
    ['{1..100000000}', 'stands for more than 1000 names'],
    [`{1..${'9'.repeat(400)}}`, 'stands for more than 1000 names'],
    ['{a,'.repeat(50).concat('b', '}'.repeat(50)), 'nests braces deeper than 10'],
    ['*a'.repeat(21), 'has more than 20 stars'],
    ['+(a)'.repeat(5), 'has more than 4 groups'],
    ['+(+(a))', 'parentheses within parentheses'],
    ['a'.repeat(4001), 'longer than 4000 characters'],
  ])('or is refused: %.20s…', (pattern, words) => {
    expect(() => compileGlob(pattern, isPath)).toThrow(GlobError);
    expect(() => compileGlob(pattern, isPath)).toThrow(words);
  });
});
