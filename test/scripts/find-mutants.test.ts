import { expect, test } from 'vitest';
import { findMutants } from '../../scripts/find-mutants.ts';

const changes = (source: string) => findMutants('a.ts', source).map((mutant) => mutant.source);

test.each([
  ['const a = b < c;', ['const a = b <= c;']],
  ['const a = !b && c;', ['const a = !b || c;', 'const a = b && c;']],
  ['const a = b ?? 1;', ['const a = (b);', 'const a = b ?? 2;']],
  ['const a = b ? c : d;', ['const a = (c);', 'const a = (d);']],
  ['if (a) b();', ['if (true) b();', 'if (false) b();', 'if (a) ;']],
  ['const a = [1].slice();', ['const a = [1];', 'const a = [2].slice();']],
  ["const a = b + 'c';", []],
  ['interface A { readonly b: 1 | true }', []],
])('%s', (source, expected) => expect(changes(source)).toEqual(expected));

test('a mutant has the line and what was there', () => {
  expect(findMutants('a.ts', '\nconst a = true;')).toMatchObject([{ line: 2, was: 'true', becomes: 'false' }]);
});
