import { expect, test } from 'vitest';
import { matchGlob, matchGlobs } from '../../../src/text/patterns/match-glob.ts';

const paths = ['/p/docs/b.md', '/p/docs/a.md', '/p/a.md', '/p/node_modules/x/a.md', '/other/a.md', '/p/docs/a.txt'];

test('patterns take the paths below their folder, sorted, without folders of packages', () => {
  expect(matchGlobs(['**/*.md'], '/p', paths)).toEqual(['/p/a.md', '/p/docs/a.md', '/p/docs/b.md']);
  expect(matchGlob('docs/*.md', '/p', paths)).toEqual(['/p/docs/a.md', '/p/docs/b.md']);
  expect(matchGlob('../other/*.md', '/p', paths)).toEqual(['/other/a.md']);
  expect(matchGlob('docs/a.txt', '/p', paths)).toEqual(['/p/docs/a.txt']);
});

test('a negative pattern takes away, and one of a folder takes away all that is in it', () => {
  expect(matchGlobs(['**/*.md', '!docs/b.md'], '/p', paths)).toEqual(['/p/a.md', '/p/docs/a.md']);
  expect(matchGlobs(['**/*.md', '!docs'], '/p', [...paths, '/p/docs/old/c.md'])).toEqual(['/p/a.md']);
  expect(matchGlobs(['**/*.md', '!docs/*'], '/p', paths)).toEqual(['/p/a.md']);
});
