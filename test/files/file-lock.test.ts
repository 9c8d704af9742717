import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { withFileLock } from '../../src/files/file-lock.ts';
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

  test('lets processes write one after the other, so that none loses what another wrote', async () => {
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
    expect(takeTwice).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    expect(existsSync(project.path('.file.lock'))).toBe(false);
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
