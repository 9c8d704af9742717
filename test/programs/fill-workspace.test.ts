import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { env } from 'node:process';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { WorkspaceChanges, WorkspaceFile } from '../../src/model/suite/workspace.ts';
import { fillWorkspace, WorkspaceFault } from '../../src/programs/fill-workspace.ts';
import { openWorkspaces } from '../../src/programs/open-workspaces.ts';
import { listEntries, readWorkspaceFolder, type WorkspaceFolder } from '../../src/programs/workspace-folder.ts';
import { attempt } from '../../src/text/attempt.ts';
import fc from '../support/property.ts';
import { openTempProject } from '../support/temp-project.ts';

type Content = Readonly<Record<string, string | { readonly link: string }>>;

/** An empty folder beside another one that holds a file. */
function openFolder() {
  const project = openTempProject();
  const root = realpathSync(project.root);
  mkdirSync(join(root, 'work/files'), { recursive: true });
  mkdirSync(join(root, 'victim/hooks'), { recursive: true });
  const folder = join(root, 'work/files');
  const fill = (content: Content) => {
    const entries = Object.entries(content);
    const files = entries.flatMap(([path, entry]) =>
      typeof entry === 'string' ? [[path, { bytes: Buffer.from(entry), isExecutable: false }] as const] : [],
    );
    const links = entries.flatMap(([path, entry]) => (typeof entry === 'string' ? [] : [[path, entry.link] as const]));
    fillWorkspace(folder, { files: new Map(files), links: new Map(links) });
  };
  /** What exists beside the folder. */
  const outside = () => [...readdirSync(join(root, 'victim'), { recursive: true }), ...readdirSync(join(root, 'work'))];
  return { folder, fill, outside };
}

const link = (target: string) => ({ link: target });

describe('a workspace is filled without following links', () => {
  test.each<[name: string, content: Content, fault: string]>([
    ['a path through a link', { a: link('b'), 'a/x': link('y') }, 'has the path a/x, but a is a link'],
    [
      'a path through a link that leaves by another one',
      { up: link('sub/..'), 'sub/a.txt': '', b: link('up/../../victim'), 'b/hooks/pre-commit': link('payload') },
      'has the path b/hooks/pre-commit, but b is a link',
    ],
    ['a file through a link', { a: link('sub'), 'a/x': 'text' }, 'has two files with the path a'],
    ['a file below a file', { a: 'text', 'a/x': 'text' }, 'has the path a/x, but a is a file'],
    ['a link below a file', { a: 'text', 'a/x': link('y') }, 'has the path a/x, but a is a file'],
    ['a folder above', { '../x': 'text' }, 'has the path "../x", which leaves it'],
    ['an absolute path', { '/tmp/x': link('y') }, 'has the path "/tmp/x", which leaves it'],
    ['a path with a null character', { 'x\0y': 'text' }, 'has the path "x\\u0000y", which leaves it'],
    ['a link above', { x: link('..') }, 'holds x, a link to "..", which leaves it'],
    ['a link to an absolute path', { x: link('/etc') }, 'holds x, a link to "/etc", which leaves it'],
    [
      // As text, `d/e/../..` is the workspace itself. The system leaves it, since `d/e` leads to the workspace.
      'a link whose steps lead out by another link',
      { 'd/e': link('..'), x: link('d/e/../../victim') },
      'holds x, a link to "d/e/../../victim", which leaves it',
    ],
    [
      'two links that lead out together',
      { 'a/b/c': '', s: link('a/b'), t: link('s/../../..') },
      'holds t, a link to "s/../../..", which leaves it',
    ],
    [
      'a chain of links',
      { 'q/r': link('../q'), one: link('q/r/..'), two: link('one/..') },
      'holds two, a link to "one/..", which leaves it',
    ],
    [
      'a link that comes out of a missing folder',
      { x: link('none/../../y') },
      'holds x, a link to "none/../../y", which leaves it',
    ],
    ['a circle of links', { a: link('b'), b: link('a') }, 'holds a, a link to "b", which leads in a circle'],
    ['a link to the folder beside', { x: link('../home') }, 'holds x, a link to "../home", which leaves it'],
  ])('%s is refused', (_name, content, fault) => {
    const { fill, outside } = openFolder();
    const before = outside();
    expect(() => fill(content)).toThrow(new WorkspaceFault(fault));
    expect(outside()).toEqual(before);
  });

  test('files and links that stay inside are made', () => {
    const { folder, fill } = openFolder();
    fill({
      'a/b/c.txt': 'text',
      'a/up': link('../d.txt'),
      'd.txt': 'd',
      here: link('.'),
      long: link('a/b/../../here/a/b/c.txt'),
      'new/broken': link('../none'),
    });
    expect(readFileSync(join(folder, 'long'), 'utf8')).toBe('text');
    expect(readFileSync(join(folder, 'a/up'), 'utf8')).toBe('d');
    expect(readlinkSync(join(folder, 'new/broken'))).toBe('../none');
  });

  test('a link that exists already is not written through', () => {
    const { folder, fill, outside } = openFolder();
    symlinkSync('../../victim', join(folder, 'old'));
    const before = outside();
    expect(() => fill({ 'old/x': 'text' })).toThrow('has the path old/x, but old is a link');
    expect(() => fill({ old: 'text' })).toThrow('has two files with the path old');
    expect(outside()).toEqual(before);
  });

  test('no content writes outside or leaves a link that leads outside', { tags: ['slow'] }, () => {
    const steps = (...names: readonly string[]) =>
      fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }).map((path) => path.join('/'));
    const entry = fc.oneof(fc.constant('text'), steps('a', 'b', '..', '..', '.').map(link));
    fc.assert(
      fc.property(fc.dictionary(steps('a', 'b', 'c'), entry, { minKeys: 1, maxKeys: 5 }), (content) => {
        const { folder, fill, outside } = openFolder();
        const before = outside();
        const fault = attempt(() => fill(content), WorkspaceFault);
        expect(outside()).toEqual(before);
        // A folder that could not be filled is removed, and no program runs in it.
        if (fault !== undefined) return true;
        const listed = listEntries(folder, 100) as { readonly entries: readonly { readonly path: string }[] };
        const made = listed.entries.map(({ path }) => join(folder, path));
        return made.every((place) => !existsSync(place) || `${realpathSync(place)}/`.startsWith(`${folder}/`));
      }),
      { numRuns: 150 },
    );
  });
});

test('a command of a stored answer finds no link out of its workspace', async () => {
  const project = openTempProject();
  project.write('shop/a.txt', 'a');
  mkdirSync(join(project.root, 'victim'));
  const { hash } = readWorkspaceFolder(project.path('shop'), project.root) as WorkspaceFolder;
  const port = openWorkspaces({ root: project.root, env: { PATH: env['PATH'] } });
  onTestFinished(() => port.close());
  const run = (created: Readonly<Record<string, WorkspaceFile>>) => {
    const changes: WorkspaceChanges = { from: 'shop', hash, unchanged: ['a.txt'], changed: {}, created, deleted: [] };
    const argv = ['sh', '-c', 'echo written > out/file'];
    return port.run(changes, { argv, timeoutMs: 15_000, memoryMb: 256, network: true });
  };
  const steps = `in/${'../'.repeat(20)}${join(realpathSync(project.root), 'victim').slice(1)}`;
  expect(await run({ 'deep/in': { link: '..' }, in: { link: 'deep' }, out: { link: steps } })).toEqual({
    fault: `can't be run: the workspace holds out, a link to "${steps}", which leaves it`,
  });
  expect(readdirSync(join(project.root, 'victim'))).toEqual([]);
  expect(await run({ 'there/x': { text: '' }, out: { link: 'there' } })).toMatchObject({ exitCode: 0 });
  expect(existsSync(join(dirname(project.root), 'file'))).toBe(false);
});
