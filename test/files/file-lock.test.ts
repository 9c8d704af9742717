import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { buildSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { withFileLock } from '../../src/files/file-lock.ts';
import { systemErrorCode } from '../../src/files/write-files.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

const root = join(import.meta.dirname, '../..');

/** A program that has `withFileLock`, as one file. */
function bundle(project: TempProject, code: string): string {
  const outfile = project.path('program.mjs');
  const contents = `import { withFileLock } from './src/files/file-lock.ts';\n${code}`;
  const stdin = { contents, resolveDir: root, loader: 'ts' } as const;
  buildSync({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
  return outfile;
}

const holdForever = `withFileLock(process.argv[2], () => {
  process.stdout.write('held');
  for (;;);
});`;

const countUp = `import { readFileSync, writeFileSync } from 'node:fs';
for (let round = 0; round < 25; round += 1) {
  withFileLock(process.argv[2], () => writeFileSync(process.argv[2], String(Number(readFileSync(process.argv[2], 'utf8')) + 1)));
}`;

/** The name that a lock gives this process. */
function readOwner(path: string): string {
  return withFileLock(path, () => readdirSync(`${join(path, '..')}/.file.lock`)[0] ?? '');
}

describe('withFileLock', () => {
  test('leaves nothing behind, also where the work throws', () => {
    const project = openTempProject();
    const path = project.path('file');
    expect(withFileLock(path, () => 'done')).toBe('done');
    expect(() =>
      withFileLock(path, () => {
        throw new RangeError('no');
      }),
    ).toThrow(RangeError);
    expect(readdirSync(project.root)).toEqual([]);
  });

  test('lets processes write one after the other, so that none loses what another wrote', {
    tags: 'slow',
  }, async () => {
    const project = openTempProject();
    const path = project.path('file');
    project.write('file', '0');
    const program = bundle(project, countUp);
    const codes = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, [program, path], { stdio: 'inherit' });
        const [code] = (await once(child, 'close')) as [number];
        return code;
      }),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(readFileSync(path, 'utf8')).toBe('100');
    expect(existsSync(project.path('.file.lock'))).toBe(false);
  });

  test('is not held by a process that was killed', async () => {
    const project = openTempProject();
    const path = project.path('file');
    const child = spawn(process.execPath, [bundle(project, holdForever), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(readdirSync(project.path('.file.lock'))).toHaveLength(1);
    expect(withFileLock(path, () => 'done')).toBe('done');
    expect(existsSync(project.path('.file.lock'))).toBe(false);
  });

  // Only Linux says when a process began; elsewhere such a lock is taken over after a minute.
  test.runIf(existsSync('/proc/self/stat'))('is not held by a process whose number was given again', () => {
    const project = openTempProject();
    const path = project.path('file');
    const [id, , ...rest] = readOwner(path).split('-');
    mkdirSync(project.path('.file.lock'));
    writeFileSync(project.path(`.file.lock/${[id, '1', ...rest].join('-')}`), '');
    expect(withFileLock(path, () => 'done')).toBe('done');
  });

  test('waits for a process of another computer, and takes the lock once the time is over', () => {
    const project = openTempProject();
    const path = project.path('file');
    mkdirSync(project.path('.file.lock'));
    writeFileSync(project.path('.file.lock/1-1-elsewhere-0'), '');
    const start = performance.now();
    expect(withFileLock(path, () => 'done', 100)).toBe('done');
    expect(performance.now() - start).toBeGreaterThan(90);
  });

  test('gives up on a process that still runs once the time is over', () => {
    const project = openTempProject();
    const path = project.path('file');
    const takeTwice = () => withFileLock(path, () => withFileLock(path, () => 'done', 50));
    expect(takeTwice).toThrow(expect.objectContaining({ code: 'EBUSY', path }));
    expect(readdirSync(project.root)).toEqual([]);
  });

  test.runIf(existsSync('/proc/self/stat'))('names its process, when it began, and its computer', () => {
    const project = openTempProject();
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    expect(readOwner(project.path('file'))).toMatch(
      new RegExp(`^${process.pid}-${fields[19]}-[0-9a-f]{12}-[0-9a-f]{12}$`),
    );
  });

  test.runIf(existsSync('/proc/self/stat'))(
    'is held by a process that runs, and by none that has ended',
    { tags: 'slow' },
    async () => {
      const project = openTempProject();
      const path = project.path('file');
      // The program that takes the shell's place never asks how the child ended, which keeps its number so.
      const script = 'cat <&3 & echo $!; exec sleep 60 3<&-';
      const parent = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
      try {
        const [said] = (await once(parent.stdio[1] as Readable, 'data')) as [Buffer];
        const child = Number(String(said).trim());
        const statOf = (id: number) =>
          readFileSync(`/proc/${id}/stat`, 'utf8')
            .replace(/^.*\) /s, '')
            .split(' ');
        await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
        (parent.stdio[3] as Writable).end();
        await expect.poll(() => statOf(child)[0]).toBe('Z');
        const [, , computer = ''] = readOwner(path).split('-');
        /** Whether such an owner keeps the lock; where nothing is known of it, the time alone takes it. */
        const keeps = (id: number, start: string, timeoutMs = 30_000) => {
          mkdirSync(project.path('.file.lock'));
          writeFileSync(project.path(`.file.lock/${[id, start, computer, '0'].join('-')}`), '');
          const startMs = performance.now();
          try {
            withFileLock(path, () => undefined, timeoutMs);
            return performance.now() - startMs < timeoutMs - 20 ? 'dead' : 'unknown';
          } catch (error) {
            rmSync(project.path('.file.lock'), { recursive: true });
            return systemErrorCode(error);
          }
        };
        const [ended, running] = [statOf(child)[19] ?? '', statOf(parent.pid ?? 0)[19] ?? ''];
        const held = parent.pid ?? 0;
        expect([keeps(child, ended), keeps(held, running, 50), keeps(held, '', 50)]).toEqual([
          'dead',
          'EBUSY',
          'unknown',
        ]);
        expect([keeps(held, `${running}1`), keeps(2 ** 30, '')]).toEqual(['dead', 'dead']);
        expect(readdirSync(project.root)).toEqual([]);
      } finally {
        parent.kill();
      }
    },
  );

  test('is refused where its folder can not be written, as any file', () => {
    const project = openTempProject();
    project.write('file', '');
    expect(() => withFileLock(project.path('file/below'), () => 'done')).toThrow(
      expect.objectContaining({ name: 'StorageError', code: 'ENOTDIR' }),
    );
    // A file in place of the lock is none that a process holds.
    project.write('.other.lock', '');
    expect(() => withFileLock(project.path('other'), () => 'done', 50)).toThrow(
      expect.objectContaining({ code: 'ENOTDIR' }),
    );
    expect(project.files().toSorted()).toEqual(['.other.lock', 'file']);
  });

  test('takes an empty lock, as a kill may leave it', () => {
    const project = openTempProject();
    mkdirSync(project.path('.file.lock'));
    expect(withFileLock(project.path('file'), () => 'done')).toBe('done');
    expect(readdirSync(project.root)).toEqual([]);
  });

  test('is one for a file and a link to it', () => {
    const project = openTempProject();
    project.write('folder/file', '');
    symlinkSync('folder/file', project.path('link'));
    withFileLock(project.path('link'), () => expect(existsSync(project.path('folder/.file.lock'))).toBe(true));
  });
});
