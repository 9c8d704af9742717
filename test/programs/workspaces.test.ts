import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { env } from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import type { WorkspaceChanges, WorkspaceCommand } from '../../src/model/suite/workspace.ts';
import { WorkspaceFault } from '../../src/programs/fill-workspace.ts';
import { openWorkspaces } from '../../src/programs/open-workspaces.ts';
import { copyWorkspace } from '../../src/programs/workspace-copy.ts';
import {
  isBelow,
  listEntries,
  placeFiles,
  readWorkspaceFolder,
  toWorkspaceFile,
  type WorkspaceFolder,
} from '../../src/programs/workspace-folder.ts';
import { sha256Hex } from '../../src/text/sha256.ts';
import { openTempProject } from '../support/temp-project.ts';

/** A project with a folder `shop` of these files. */
function openShop(files: Readonly<Record<string, string>> = { 'a.txt': 'a', 'src/b.txt': 'b' }) {
  const project = openTempProject();
  mkdirSync(project.path('shop'));
  for (const [name, text] of Object.entries(files)) project.write(`shop/${name}`, text);
  const read = () => readWorkspaceFolder(project.path('shop'), project.root);
  const folder = (): WorkspaceFolder => {
    const found = read();
    if ('fault' in found) throw new Error(found.fault);
    return found;
  };
  return { ...project, readShop: read, folder };
}

const place = (path: string, from: string, text: string) => ({ path, from, sha256: sha256Hex(text) });

test('the files of a folder are hashed by their paths, their content and whether they run', () => {
  const shop = openShop({ 'b.txt': 'b', 'a/z.txt': 'z', 'a.txt': 'a' });
  const { name, files, hash } = shop.folder();
  expect([name, ...files.keys()]).toEqual(['shop', 'a.txt', 'a/z.txt', 'b.txt']);
  expect([...files.values()].map(({ isExecutable }) => isExecutable)).toEqual([false, false, false]);
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect(shop.folder().hash).toBe(hash);
  chmodSync(shop.path('shop/b.txt'), 0o755);
  const executable = shop.folder();
  expect(executable.files.get('b.txt')?.isExecutable).toBe(true);
  shop.write('shop/b.txt', 'c');
  const changed = shop.folder();
  shop.write('shop/c.txt', '');
  expect(new Set([hash, executable.hash, changed.hash, shop.folder().hash]).size).toBe(4);
});

test('a workspace is a folder below the project', () => {
  const shop = openShop();
  const path = (name: string) => join(shop.root, name);
  writeFileSync(path('file'), '');
  mkdirSync(path('..x/deep'), { recursive: true });
  symlinkSync(path('shop'), path('link'));
  symlinkSync(dirname(shop.root), path('out'));
  const read = (name: string) => readWorkspaceFolder(path(name), shop.root);
  expect(read('.')).toEqual({ fault: 'is the whole project: name a folder in it' });
  expect(read('..')).toEqual({ fault: 'is outside the project' });
  expect(read('out')).toEqual({ fault: 'is outside the project' });
  expect(read('file')).toEqual({ fault: 'is no folder' });
  expect(read('none')).toEqual({ fault: 'does not exist' });
  expect(read('file/none')).toEqual({ fault: "can't be read: ENOTDIR" });
  expect(read('link')).toMatchObject({ name: 'shop' });
  expect(read('..x/deep')).toMatchObject({ name: '..x/deep' });
  mkdirSync(path('.git/hooks'), { recursive: true });
  expect(read('.git/hooks')).toEqual({ fault: 'is a folder of git, which is not part of the project' });
  expect(readWorkspaceFolder('/', path('shop'))).toEqual({ fault: 'is outside the project' });
});

test('a folder with a link or with too much is no workspace', () => {
  const shop = openShop();
  const big = shop.path('shop/big');
  writeFileSync(big, '');
  truncateSync(big, 32 * 1024 * 1024 - 2);
  expect(shop.readShop()).toHaveProperty('hash');
  truncateSync(big, 32 * 1024 * 1024 - 1);
  expect(shop.readShop()).toEqual({ fault: 'holds more than 32 MiB, and is copied for every cell' });
  symlinkSync('a.txt', shop.path('shop/at'));
  expect(shop.readShop()).toEqual({ fault: 'holds a symbolic link, at: put a copy of the file there' });
});

test('the entries of a folder are counted', () => {
  const { root } = openShop({ 'a.txt': '', 'b/c.txt': 'cc', 'b/d/e.txt': '' });
  const path = (name: string) => join(root, name);
  const entry = (name: string, more: object = {}) => ({
    path: name,
    kind: 'file',
    size: 0,
    isExecutable: false,
    ...more,
  });
  const entries = [entry('a.txt'), entry('b/c.txt', { size: 2 }), entry('b/d/e.txt')];
  expect(listEntries(path('shop'), 3)).toEqual({ entries });
  expect(listEntries(path('shop'), 2)).toEqual({ fault: 'holds more than 2 folders' });
  expect(listEntries(path('shop/b'), 2)).toMatchObject({ entries: [{ path: 'c.txt' }, { path: 'd/e.txt' }] });
  expect(listEntries(path('shop/b'), 1)).toEqual({ fault: 'holds more than 1 folders' });
  writeFileSync(path('shop/f'), '');
  writeFileSync(path('shop/g'), '');
  expect(listEntries(path('shop'), 4)).toEqual({ fault: 'holds more than 4 files' });
  symlinkSync('a.txt', path('shop/b/at'));
  expect(listEntries(path('shop/b'), 9)).toMatchObject({
    entries: [{ path: 'at', kind: 'link' }, { kind: 'file' }, { kind: 'file' }],
  });
});

test('files of the project are put into a folder, and are part of its hash', () => {
  const shop = openShop();
  shop.write('lib/run.sh', 'run');
  chmodSync(shop.path('lib/run.sh'), 0o755);
  const folder = shop.folder();
  const placed = [place('bin/run.sh', 'lib/run.sh', 'run'), place('a.txt', 'shop/src/b.txt', 'b')];
  const found = placeFiles(folder, placed, shop.root) as WorkspaceFolder;
  expect([found.name, found.placed, found.hash === folder.hash]).toEqual(['shop', placed, false]);
  expect([...found.files].map(([path, { bytes, isExecutable }]) => [path, bytes.toString(), isExecutable])).toEqual([
    ['a.txt', 'b', false],
    ['bin/run.sh', 'run', true],
    ['src/b.txt', 'b', false],
  ]);
});

test.each<[path: string, from: string, fault: string]>([
  ['../x', 'lib/a', 'gets the path "../x", which leaves it'],
  ['x', '../x', "gets ../x, which can't be read: ENOENT"],
  ['x', 'out', 'gets out, which is outside the project'],
  ['x', 'none', "gets none, which can't be read: ENOENT"],
  ['x', 'lib', "gets lib, which can't be read: EISDIR"],
  ['x', 'lib/b', 'gets lib/b, which has changed since'],
  ['a.txt/x', 'lib/a', 'gets a.txt/x, but a.txt is a file'],
  ['src', 'lib/a', 'gets src/b.txt, but src is a file'],
  ['x', '.git/config', 'gets .git/config, which is a file of git and not of the project'],
])('the file %s of %s is not put into a folder', (path, from, fault) => {
  const shop = openShop();
  shop.write('lib/a', 'a');
  shop.write('lib/b', 'b');
  shop.write('.git/config', 'a');
  symlinkSync('/bin/sh', shop.path('out'));
  expect(placeFiles(shop.folder(), [place(path, from, 'a')], shop.root)).toEqual({ fault });
});

test.each([
  ['a', true],
  ['a/b..c/.d', true],
  ['..a', true],
  ['', false],
  ['/a', false],
  ['a/', false],
  ['a//b', false],
  ['./a', false],
  ['a/..', false],
  ['a\\b', false],
  ['a\0b', false],
])('the path %j names a file below its folder: %s', (path, expected) => {
  expect(isBelow(path)).toBe(expected);
});

test('what is no text is kept as base64', () => {
  const bytes = (...all: number[]) => Buffer.from(all);
  expect(toWorkspaceFile({ bytes: bytes(97), isExecutable: false })).toEqual({ text: 'a' });
  expect(toWorkspaceFile({ bytes: bytes(97, 255), isExecutable: true })).toEqual({ base64: 'Yf8=', executable: true });
});

test('copies differ by the files that were kept, changed, made and deleted', () => {
  const shop = openShop({ 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c', 'd.sh': 'd', 'src/e.txt': 'e', 'f.txt': 'f' });
  chmodSync(shop.path('shop/d.sh'), 0o755);
  const folder = shop.folder();
  const copy = copyWorkspace(folder);
  onTestFinished(() => copy.remove());
  const { HOME, TMPDIR, ...others } = copy.env;
  expect(others).toEqual({ USERPROFILE: HOME, TEMP: TMPDIR, TMP: TMPDIR });
  expect([HOME === TMPDIR, ...[HOME, TMPDIR].map((path = '') => existsSync(path))]).toEqual([false, true, true]);
  const at = (name: string) => join(copy.folder, name);
  expect(['a.txt', 'd.sh'].map((name) => lstatSync(at(name)).mode & 0o777)).toEqual([0o644, 0o755]);
  const nothing = { from: 'shop', hash: folder.hash, changed: {}, created: {}, deleted: [] };
  const all = ['a.txt', 'b.txt', 'c.txt', 'd.sh', 'f.txt', 'src/e.txt'];
  expect(copy.readChanges()).toEqual({ ...nothing, unchanged: all });
  writeFileSync(at('a.txt'), 'x');
  chmodSync(at('b.txt'), 0o755);
  writeFileSync(at('f.txt'), 'longer');
  unlinkSync(at('c.txt'));
  symlinkSync('a.txt', at('c.txt'));
  unlinkSync(at('src/e.txt'));
  writeFileSync(at('new'), Buffer.from([255]));
  mkdirSync(at('closed/deep'), { recursive: true });
  chmodSync(at('closed'), 0);
  const changes = {
    ...nothing,
    unchanged: ['d.sh'],
    changed: {
      'a.txt': { text: 'x' },
      'b.txt': { text: 'b', executable: true },
      'c.txt': { link: 'a.txt' },
      'f.txt': { text: 'longer' },
    },
    created: { new: { base64: '/w==' } },
    deleted: ['src/e.txt'],
  };
  expect(copy.readChanges()).toEqual(changes);
  const again = copyWorkspace(folder, changes as WorkspaceChanges);
  expect(again.readChanges()).toEqual(changes);
  again.remove();
  expect(existsSync(dirname(again.folder))).toBe(false);
});

test('a copy of a folder with placed files names them', () => {
  const shop = openShop();
  const placed = [place('p.txt', 'shop/a.txt', 'a')];
  const copy = copyWorkspace(placeFiles(shop.folder(), placed, shop.root) as WorkspaceFolder);
  onTestFinished(() => copy.remove());
  expect(copy.readChanges()).toMatchObject({ placed, unchanged: ['a.txt', 'p.txt', 'src/b.txt'] });
});

test('what is kept of a workspace is bounded', () => {
  const copy = copyWorkspace(openShop({ 'old.txt': 'x'.repeat(9) }).folder());
  onTestFinished(() => copy.remove());
  const file = join(copy.folder, 'big');
  writeFileSync(file, 'x'.repeat(1024 * 1024));
  expect(copy.readChanges()).toHaveProperty('created.big');
  writeFileSync(file, 'x'.repeat(1024 * 1024 + 1));
  expect(copy.readChanges()).toEqual({ fault: 'has more than 1 MiB in changed files, big among them' });
  for (let count = 0; count < 500; count += 1) writeFileSync(join(copy.folder, `a${count}`), '');
  writeFileSync(file, '');
  expect(copy.readChanges()).toEqual({ fault: 'has more than 500 changed files' });
  unlinkSync(file);
  expect(copy.readChanges()).toMatchObject({ unchanged: ['old.txt'], deleted: [] });
});

const stored: WorkspaceChanges = {
  from: 'shop',
  hash: '',
  unchanged: ['a.txt'],
  changed: {},
  created: { 'n/b.sh': { text: 'b', executable: true }, 'n/link': { link: '../a.txt' } },
  deleted: [],
};

test('stored changes that leave the workspace are refused', () => {
  const folder = openShop().folder();
  const copy = (created: WorkspaceChanges['created']) => copyWorkspace(folder, { ...stored, created });
  expect(() => copy({ '../x': { text: '' } })).toThrow(new WorkspaceFault('has the path "../x", which leaves it'));
  expect(() => copy({ '../x': { link: 'a' } })).toThrow('has the path "../x", which leaves it');
  expect(() => copy({ x: { link: '../y' } })).toThrow(new WorkspaceFault('holds x, a link to "../y", which leaves it'));
});

/** Workspaces of a project with a folder `shop`, and what a program left of it. */
function openPort(options: { readonly signal?: AbortSignal } = {}) {
  const shop = openShop();
  const port = openWorkspaces({ root: shop.root, env: { PATH: env['PATH'], HOME: '/', SECRET: 's' }, ...options });
  onTestFinished(() => port.close());
  const changes = { ...stored, hash: shop.folder().hash };
  const run = (script: string, more: Partial<WorkspaceCommand> = {}, left: WorkspaceChanges = changes) =>
    port.run(left, { argv: ['sh', '-c', script], timeoutMs: 15_000, memoryMb: 256, network: true, ...more });
  return { ...shop, port, changes, run };
}

test('a command runs in a copy of what a program left', async () => {
  const { run } = openPort();
  const script =
    'cat a.txt n/b.sh n/link; ls; test -x n/b.sh && echo runs; echo "$SECRET:$(ls "$HOME")"; echo late >&2; exit 3';
  expect(await run(script)).toEqual({ exitCode: 3, signalName: null, tail: 'abaa.txt\nn\nruns\n:\nlate' });
  expect(await run('echo out', { network: false })).toEqual({ exitCode: 0, signalName: null, tail: 'out' });
  expect(await run('kill -9 $$')).toEqual({ exitCode: null, signalName: 'SIGKILL', tail: '' });
  const filler = 'word '.repeat(1000);
  expect(await run(`echo first; echo ${filler}; echo last`)).toEqual({
    exitCode: 0,
    signalName: null,
    tail: `${'word '.repeat(79).trim()}\nlast`,
  });
});

test('a command that is late, missing or stopped has a fault', async () => {
  const controller = new AbortController();
  const { run, port, changes } = openPort({ signal: controller.signal });
  expect(await run('sleep 9', { timeoutMs: 50 })).toEqual({ fault: 'took longer than 50 ms' });
  expect(await run('', { argv: ['no-such-program'] })).toEqual({
    fault: `can't be started: there is no program "no-such-program"`,
  });
  const running = run('echo on > started; sleep 9');
  controller.abort();
  expect(await running).toEqual({ fault: 'was stopped' });
  expect(await run('true')).toEqual({ fault: 'was stopped' });
  expect(port.readUnchanged(changes, 'a.txt')).toEqual({ text: 'a' });
});

test('what can not be made again has a fault', async () => {
  const { run, port, changes, root } = openPort();
  const failed = async (left: Partial<WorkspaceChanges>) => run('true', {}, { ...changes, ...left });
  expect(await failed({ from: 'none' })).toEqual({ fault: "can't be run: the workspace none does not exist" });
  expect(await failed({ hash: '0' })).toEqual({
    fault: "can't be run: the workspace shop has changed since the answer was given",
  });
  expect(await failed({ created: { '../x': { text: '' } } })).toEqual({
    fault: 'can\'t be run: the workspace has the path "../x", which leaves it',
  });
  expect(await failed({ created: { 'a.txt/x': { text: '' } } })).toEqual({
    fault: "can't be run: the workspace has the path a.txt/x, but a.txt is a file",
  });
  const placed = [place('p', 'shop/a.txt', 'a')];
  expect(await failed({ placed: [place('p', 'none', '')] })).toEqual({
    fault: "can't be run: the workspace shop gets none, which can't be read: ENOENT",
  });
  const { hash } = placeFiles(
    readWorkspaceFolder(join(root, 'shop'), root) as WorkspaceFolder,
    placed,
    root,
  ) as WorkspaceFolder;
  expect(port.readUnchanged({ ...changes, placed, hash }, 'p')).toEqual({ text: 'a' });
  expect(port.readUnchanged(changes, 'none')).toEqual({ fault: 'the workspace shop has no none' });
  // Each folder is read once.
  writeFileSync(join(root, 'shop/a.txt'), 'other');
  expect(port.readUnchanged(changes, 'a.txt')).toEqual({ text: 'a' });
});
