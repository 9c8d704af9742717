import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { CacheMaintenance } from '../../src/cache/maintain-cache.ts';
import { ask, buildEntry, makeFolder } from './build-request.ts';
import { openStore } from './open-store.ts';

const now = () => new Date();

describe('processes that share a cache', () => {
  test('lose nothing when four of them write at once', { tags: ['slow'] }, async () => {
    const { folder, script } = await prepare();
    const written = await Promise.all(['a', 'b', 'c', 'd'].map((writer) => write(script, folder, writer, 200)));
    expect(written.flatMap(({ warnings }) => warnings)).toEqual([]);
    const keys = new Set(written.flatMap(({ keys }) => keys));
    // 100 entries are the same for all, 100 are each writer's own.
    expect(keys.size).toBe(500);
    expectAll(folder, keys);
    expect(new CacheMaintenance(folder, { now }).verify({ remove: false })).toEqual({ checked: 800, damaged: [] });
  });

  test('lose nothing when another one prunes and imports under their hands again and again', {
    tags: 'slow',
  }, async () => {
    const { folder, script } = await prepare();
    const old = Array.from({ length: 20 }, (_, index) =>
      renderEntry(buildEntry(ask(`old ${index}`), 'old', '2020-01-01T00:00:00.000Z')),
    );
    const writers = new Set(['a', 'b', 'c']);
    const writing = Promise.all(
      [...writers].map((writer) => write(script, folder, writer, 1500).finally(() => writers.delete(writer))),
    );
    let removed = 0;
    while (writers.size > 0) {
      await new CacheMaintenance(folder, { now }).importLines(old);
      removed += new CacheMaintenance(folder, { now }).prune({ maxAgeMs: 3_600_000 }).removed;
      // Lets what the writers print come in.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const written = await writing;
    expect(written.flatMap(({ warnings }) => warnings)).toEqual([]);
    const keys = new Set(written.flatMap(({ keys }) => keys));
    expect(keys.size).toBe(750 + 3 * 750);
    expect(removed).toBeGreaterThan(0);
    expect(removed % old.length).toBe(0);
    expectAll(folder, keys);
  });

  test('leave no bad entry when they are killed, and lose nothing that they had stored', { tags: 'slow' }, async () => {
    const { folder, script } = await prepare();
    const written = await Promise.all(
      [30, 170].map((kill) => write(script, folder, `killed ${kill}`, 1_000_000, { killAfter: kill })),
    );
    expect(written.map(({ keys }) => keys.length >= 30)).toEqual([true, true]);
    expectAll(
      folder,
      written.flatMap(({ keys }) => keys),
    );
    expect(new CacheMaintenance(folder, { now }).verify({ remove: false }).damaged).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')(
    'go on after a write that the disk cut off in the middle',
    { tags: 'slow' },
    async () => {
      const { folder, script } = await prepare();
      // Each entry is larger than a file may be.
      const { keys, warnings } = await write(script, folder, 'limited', 40, { maxFileBlocks: 2 });
      expect(warnings).toEqual([expect.stringMatching(/EFBIG.*Some answers are not stored/)]);
      expect(keys).toEqual([]);
      expect(new CacheMaintenance(folder, { now }).stats()).toMatchObject({ entries: 0, bytes: 0, damaged: 0 });
      expect(new CacheMaintenance(folder, { now }).prune({ maxBytes: 0 })).toEqual({ removed: 0, bytes: 0 });
    },
  );
});

function expectAll(folder: string, keys: Iterable<string>): void {
  const { store, warnings } = openStore(folder);
  for (const key of keys) expect(store.read(key)?.key).toBe(key);
  expect(warnings).toEqual([]);
}

async function prepare(name = 'write-entries') {
  const folder = makeFolder();
  const script = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  });
  return { folder: join(folder, 'cache'), script };
}

interface Written {
  readonly keys: readonly string[];
  readonly warnings: readonly string[];
}

interface WriteLimits {
  /** Kills the writer after so many keys. */
  readonly killAfter?: number;
  /** In the shell's blocks, of 512 or 1024 bytes. */
  readonly maxFileBlocks?: number;
}

/** What a writer reported as stored before it ended or, after so many keys, was killed. */
async function write(
  script: string,
  folder: string,
  writer: string,
  count: number,
  { killAfter = Infinity, maxFileBlocks }: WriteLimits = {},
): Promise<Written> {
  const command = [process.execPath, script, folder, writer, String(count)];
  const limited = ['/bin/sh', '-c', `ulimit -f ${maxFileBlocks}; exec "$@"`, 'sh', ...command];
  const [program = '', ...args] = maxFileBlocks === undefined ? command : limited;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const keys: string[] = [];
  const warnings: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('warning')) warnings.push(line);
    // The last line of a killed writer may be cut off.
    else if (line.length === 64) keys.push(line);
    if (keys.length >= killAfter) child.kill('SIGKILL');
  }
  const [code] = await closed;
  expect(code).toBe(killAfter === Infinity ? 0 : null);
  return { keys, warnings };
}
