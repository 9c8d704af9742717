import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder, toStorageError, withStorageErrors } from '../../src/files/write-files.ts';

const folder = () => {
  const path = mkdtempSync(join(tmpdir(), 'llmcheck-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

test("the disk's message is put in words, whatever Node calls it", () => {
  const root = folder();
  writeFileSync(join(root, 'file'), '');
  mkdirSync(join(root, 'folder'));
  const refused = (work: () => unknown) => () => withStorageErrors('Writing', 'it', work);
  expect(refused(() => writeFileSync('/dev/full', 'text'))).toThrow(
    'Writing it failed: no space is left on the disk (ENOSPC).',
  );
  expect(refused(() => writeFileSync(join(root, 'folder'), ''))).toThrow('(EISDIR)');
  expect(refused(() => rmSync(join(root, 'folder')))).toThrow('it is a folder (EISDIR)');
  expect(refused(() => makeFolder(join(root, 'file')))).toThrow('a part of the path is not a folder (ENOTDIR)');
});

test('a wrong call of Node, and any other error, stays what it is', () => {
  const wrong = () => withStorageErrors('Writing', 'it', () => writeFileSync(undefined as never, ''));
  expect(wrong).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }));
  const other = new Error('other');
  expect(toStorageError('Writing', 'it', other)).toBe(other);
});
