import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, test } from 'vitest';
import {
  makeFolder,
  probeFile,
  readOrUndefined,
  removeFile,
  replaceFile,
  replaceWhereChanged,
  type StorageError,
  systemErrorCode,
  toStorageError,
} from '../../src/files/write-files.ts';
import { openTempProject } from '../support/temp-project.ts';

test('a file is replaced as a whole, keeps its mode, and leaves nothing beside it', () => {
  const { root, ...project } = openTempProject();
  replaceFile(`${root}/a/b/new`, 'text');
  expect(project.files()).toEqual(['a/b/new']);
  project.write('old', 'before');
  chmodSync(`${root}/old`, 0o640);
  replaceFile(`${root}/old`, ['x', 'y'.repeat(65_535), 'z', '', 'end']);
  expect(project.read('old')).toBe(`x${'y'.repeat(65_535)}zend`);
  expect(statSync(`${root}/old`).mode & 0o777).toBe(0o640);
  replaceFile(`${root}/old`, []);
  expect(project.read('old')).toBe('');
  expect(project.files()).toEqual(['a/b/new', 'old']);
});

test('the target of a link is replaced, and a device is written to', () => {
  const { root, ...project } = openTempProject();
  project.write('target', 'before');
  symlinkSync('target', `${root}/link`);
  replaceFile(`${root}/link`, 'after');
  expect(project.read('target')).toBe('after');
  expect(readdirSync(root)).toEqual(['link', 'target']);
  expect(() => replaceFile('/dev/full', 'text')).toThrow(
    'Writing /dev/full failed: no space is left on the disk (ENOSPC).',
  );
});

test('a text that can not be made leaves the old file, and nothing beside it', () => {
  const { root, ...project } = openTempProject();
  project.write('file', 'before');
  function* chunks() {
    yield 'x'.repeat(65_536);
    throw new RangeError('no');
  }
  expect(() => replaceFile(`${root}/file`, chunks())).toThrow(RangeError);
  expect(project.read('file')).toBe('before');
  expect(readdirSync(root)).toEqual(['file']);
});

test('a folder in the place of a file, and a file in that of a folder, are refused', () => {
  const { root, ...project } = openTempProject();
  mkdirSync(`${root}/folder`);
  project.write('file', '');
  const refusals = [
    () => replaceFile(`${root}/folder`, ''),
    () => probeFile(`${root}/folder`),
    () => replaceFile(`${root}/file/below`, ''),
    () => probeFile(`${root}/file/below/it`),
    () => probeFile(`${root}/${'x'.repeat(250)}`),
    () => removeFile(`${root}/folder`),
    () => replaceWhereChanged(`${root}/folder`, ''),
  ];
  const messages = refusals.map((refused) => {
    try {
      refused();
    } catch (error) {
      return String(error).replaceAll(root, '').replace('x'.repeat(250), 'long');
    }
    return 'nothing was refused';
  });
  expect(messages).toEqual([
    'StorageError: Writing /folder failed: it is a folder (EISDIR).',
    'StorageError: Writing /folder failed: it is a folder (EISDIR).',
    'StorageError: Writing /file/below failed: a part of the path is not a folder (ENOTDIR).',
    'StorageError: Writing /file/below/it failed: a part of the path is not a folder (ENOTDIR).',
    'StorageError: Writing /long failed: the name is too long (ENAMETOOLONG).',
    'StorageError: Removing /folder failed: it is a folder (EISDIR).',
    'StorageError: Reading /folder failed: it is a folder (EISDIR).',
  ]);
  expect(project.files()).toEqual(['file']);
});

test('a probe changes nothing', () => {
  const { root, ...project } = openTempProject();
  project.write('file', 'text');
  probeFile(`${root}/file`);
  probeFile(`${root}/none/deep/file`);
  expect([readdirSync(root), project.read('file')]).toEqual([['file'], 'text']);
});

test('a file is written only where its text changes, and removed only where it is', () => {
  const { root, ...project } = openTempProject();
  const path = `${root}/file`;
  expect(readOrUndefined(path)).toBeUndefined();
  expect([replaceWhereChanged(path, ''), readOrUndefined(path)]).toEqual([true, '']);
  writeFileSync(path, 'text');
  const { ino } = statSync(path);
  expect([replaceWhereChanged(path, 'text'), statSync(path).ino]).toEqual([false, ino]);
  expect([replaceWhereChanged(path, 'other'), readFileSync(path, 'utf8')]).toEqual([true, 'other']);
  expect([removeFile(path), removeFile(path), project.files()]).toEqual([true, false, []]);
  expect(() => readOrUndefined(root)).toThrow('EISDIR');
});

test('a folder is made with its parents, and may be there', () => {
  const { root, ...project } = openTempProject();
  makeFolder(`${root}/a/b/c`);
  makeFolder(`${root}/a/b/c`);
  makeFolder('/');
  expect(existsSync(`${root}/a/b/c`)).toBe(true);
  project.write('file', '');
  expect(() => makeFolder(`${root}/file`)).toThrow('EEXIST');
  symlinkSync('nowhere', `${root}/dead`);
  expect(() => makeFolder(`${root}/dead/x`)).toThrow('EEXIST');
  // It never answers where mkdir is asked to make all parents.
  expect(() => makeFolder('/proc/none')).toThrow('ENOENT');
});

test('a refusal of the disk names itself, and keeps its cause', () => {
  const cause = Object.assign(new Error('m'), { code: 'ERR_FS_EISDIR' });
  const error = toStorageError('Reading', 'p', cause) as StorageError;
  expect([error.name, error.code, error.path, error.reason, error.cause]).toEqual([
    'StorageError',
    'EISDIR',
    'p',
    'it is a folder (EISDIR)',
    cause,
  ]);
  const coded = (code: unknown, more: object = {}) => Object.assign(new Error('m'), { code, ...more });
  const said = (found: Error) => (toStorageError('Reading', 'p', found) as StorageError).message;
  expect(said(coded('EODD'))).toBe('Reading p failed: EODD.');
  expect(said(coded('EEXIST'))).toBe('Reading p failed: it is there already (EEXIST).');
  expect(said(coded('EEXIST', { syscall: 'mkdir' }))).toBe(
    'Reading p failed: a part of the path is not a folder (ENOTDIR).',
  );
  expect(said(coded('EACCES', { syscall: 'mkdir' }))).toBe('Reading p failed: permission denied (EACCES).');
  for (const other of [coded('ERR_OTHER'), coded(3), new Error('m'), error])
    expect(toStorageError('Writing', 'q', other)).toBe(other);
  expect([coded('E'), coded(3), { code: 'E' }].map(systemErrorCode)).toEqual(['E', undefined, undefined]);
});
