import { expect, test } from 'vitest';
import { addFiles, isSameCase, withoutFiles } from '../../../src/model/suite/same-case.ts';
import { sha256Hex } from '../../../src/text/sha256.ts';

/** The hash of a case whose request attaches these files, by their paths. */
function hashOf(files: Readonly<Record<string, string>>, definition = 'vars.checks.judge'): string {
  return addFiles(definition, new Map(Object.entries(files).map(([path, content]) => [path, sha256Hex(content)])));
}

const none = hashOf({});
const photo = hashOf({ 'a.png': 'cat' });

test('a hash tells what files hold, in any order, and shows neither paths nor content', () => {
  expect(none).toBe('vars.checks.judge');
  expect(photo).toMatch(/^vars\.checks\.judge@[0-9a-f]{8}:[0-9a-f]{12}$/);
  expect(hashOf({ 'a.png': 'cat', 'b.png': 'dog' })).toBe(hashOf({ 'b.png': 'dog', 'a.png': 'cat' }));
  expect([none, photo].map(withoutFiles)).toEqual([none, none]);
});

test.each([
  ['the same file', photo, true],
  ['no file, as before they were hashed or by a prompt that attaches none', none, true],
  ['one file more', hashOf({ 'a.png': 'cat', 'b.png': 'dog' }), true],
  ['a file at another path alone', hashOf({ 'b.png': 'dog' }), true],
  ['other bytes', hashOf({ 'a.png': 'dog' }), false],
  ['other bytes beside one file more', hashOf({ 'a.png': 'dog', 'b.png': 'dog' }), false],
  ['the same file in another case', hashOf({ 'a.png': 'cat' }, 'vars.other.judge'), false],
  ['no file in another case', hashOf({}, 'vars.checks.other'), false],
  ['no case', undefined, false],
])('a case with a file is compared with one of %s', (_what, other, isSame) => {
  expect([isSameCase(photo, other), isSameCase(other, photo)]).toEqual([isSame, isSame]);
});
