import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { openCacheStore } from '../../src/cache/file-store.ts';
import { maintainCache } from '../../src/cache/maintain-cache.ts';
import { makeFolder } from './build-request.ts';

const now = () => new Date();
const source = join(import.meta.dirname, 'write-entries.ts');

describe('processes that share a cache', () => {
  test('lose nothing when four of them write at once', async () => {
    const { folder, script } = await prepare();
    const written = await Promise.all(['a', 'b', 'c', 'd'].map((writer) => write(script, folder, writer, 200)));
    const keys = new Set(written.flat());
    // 100 entries are the same for all, 100 are each writer's own.
    expect(keys.size).toBe(500);
    const { store, warnings } = open(folder);
    for (const key of keys) expect(store.read(key)?.key).toBe(key);
    expect(warnings).toEqual([]);
    expect(maintainCache(folder, { now }).verify({ remove: false })).toEqual({ checked: 500, garbled: [] });
  });

  test('leave no bad entry when they are killed, and lose nothing that they had stored', async () => {
    const { folder, script } = await prepare();
    const written = await Promise.all(
      [30, 170].map((kill) => write(script, folder, `killed ${kill}`, 1_000_000, kill)),
    );
    expect(written.map((keys) => keys.length >= 30)).toEqual([true, true]);
    const { store, warnings } = open(folder);
    for (const key of written.flat()) expect(store.read(key)?.key).toBe(key);
    expect(maintainCache(folder, { now }).verify({ remove: false }).garbled).toEqual([]);
    expect(warnings).toEqual([]);
  });
});

async function prepare() {
  const folder = makeFolder();
  const script = join(folder, 'write-entries.mjs');
  await build({
    entryPoints: [source],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  });
  return { folder: join(folder, 'cache'), script };
}

/** The keys that a writer reported as stored before it ended or, after so many of them, was killed. */
async function write(
  script: string,
  folder: string,
  writer: string,
  count: number,
  killAfter = Infinity,
): Promise<string[]> {
  const child = spawn(process.execPath, [script, folder, writer, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const keys: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    // The last line of a killed writer may be cut off.
    if (line.length === 64) keys.push(line);
    if (keys.length >= killAfter) child.kill('SIGKILL');
  }
  const [code] = await closed;
  expect(code).toBe(killAfter === Infinity ? 0 : null);
  return keys;
}

function open(folder: string) {
  const warnings: string[] = [];
  return { store: openCacheStore(folder, { now, onWarning: (message) => warnings.push(message) }), warnings };
}
