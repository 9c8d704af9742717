import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { maintainCache } from '../../src/cache/maintain-cache.ts';
import { ask, buildEntry, makeFolder } from './build-request.ts';
import { openStore, segmentPaths } from './segments.ts';

const now = () => new Date();

describe('processes that share a cache', () => {
  test('lose nothing when four of them write at once', async () => {
    const { folder, script } = await prepare();
    const written = await Promise.all(['a', 'b', 'c', 'd'].map((writer) => write(script, folder, writer, 200)));
    expect(written.flatMap(({ warnings }) => warnings)).toEqual([]);
    const keys = new Set(written.flatMap(({ keys }) => keys));
    // 100 entries are the same for all, 100 are each writer's own.
    expect(keys.size).toBe(500);
    expectAll(folder, keys);
    expect(maintainCache(folder, { now }).verify({ remove: false })).toEqual({ checked: 500, garbled: [] });
  });

  test('lose nothing when another one tidies up under their hands again and again', async () => {
    const { folder, script } = await prepare();
    const writers = new Set(['a', 'b', 'c']);
    const writing = Promise.all(
      [...writers].map((writer) => write(script, folder, writer, 1500).finally(() => writers.delete(writer))),
    );
    let removed = 0;
    let rewritten = 0;
    while (writers.size > 0) {
      // Answers that were asked for twice are removed, so segments that are being written to are rewritten.
      const won = maintainCache(folder, { now }).prune({ maxBytes: 1e9 });
      removed += won.removed;
      rewritten += won.bytes > 0 ? 1 : 0;
      // Lets what the writers print come in.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const written = await writing;
    expect(written.flatMap(({ warnings }) => warnings)).toEqual([]);
    const keys = new Set(written.flatMap(({ keys }) => keys));
    expect(keys.size).toBe(750 + 3 * 750);
    expect(removed).toBe(0);
    expect(rewritten).toBeGreaterThan(1);
    expectAll(folder, keys);
  });

  test('find what is kept while another one prunes a large cache, again and again', async () => {
    const { folder, script } = await prepare('read-entries');
    const count = 3000;
    const createdAt = (index: number) => new Date(Date.now() - (index < count / 2 ? 1 + (index % 5) : 0) * 3_600_000);
    const { store } = openStore(folder, now);
    for (let index = 0; index < count; index += 1) {
      // Old and young ones in turn, so that every line has to be copied.
      const question = index % 2 === 0 ? index / 2 : count / 2 + (index - 1) / 2;
      const text = `answer ${'x'.repeat(800)}`;
      store.write(buildEntry(ask(`question ${question}`), text, createdAt(question).toISOString()));
    }
    store.close();
    expect(readdirSync(folder).filter((name) => name.endsWith('.index'))).toHaveLength(1);

    const reader = spawn(process.execPath, [script, folder, `${count / 2}`, `${count}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const closed = once(reader, 'close');
    const output = createInterface({ input: reader.stdout })[Symbol.asyncIterator]();
    expect((await output.next()).value).toBe('begun');
    let removed = 0;
    for (const hours of [5.5, 4.5, 3.5, 2.5, 1.5, 0.5]) {
      removed += maintainCache(folder, { now }).prune({ maxAgeMs: hours * 3_600_000 }).removed;
    }
    reader.stdin.end();
    const result = await output.next();
    expect(result.value).toMatch(/^\d+ found, 0 lost$/);
    expect(await closed).toEqual([0, null]);
    expect(removed).toBe(count / 2);
    expect(maintainCache(folder, { now }).stats()).toMatchObject({ entries: count / 2, garbled: 0 });
  });

  test('leave no bad entry when they are killed, and lose nothing that they had stored', async () => {
    const { folder, script } = await prepare();
    const written = await Promise.all(
      [30, 170].map((kill) => write(script, folder, `killed ${kill}`, 1_000_000, { killAfter: kill })),
    );
    expect(written.map(({ keys }) => keys.length >= 30)).toEqual([true, true]);
    expectAll(
      folder,
      written.flatMap(({ keys }) => keys),
    );
    expect(maintainCache(folder, { now }).verify({ remove: false }).garbled).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')('go on after a write that the disk cut off in the middle', async () => {
    const { folder, script } = await prepare();
    const { keys, warnings } = await write(script, folder, 'limited', 40, { maxFileBlocks: 20 });
    expect(warnings).toEqual([expect.stringMatching(/EFBIG.*Some answers are not stored/)]);
    // Each file that is full costs the entry that did not fit.
    const segments = segmentPaths(folder);
    expect(segments.length).toBeGreaterThan(2);
    expect(keys.length).toBeGreaterThanOrEqual(40 - segments.length);
    expect(keys.length).toBeLessThan(40);
    expect(segments.some((path) => !readFileSync(path, 'utf8').endsWith('\n'))).toBe(true);
    expectAll(folder, keys);
  });
});

function expectAll(folder: string, keys: Iterable<string>): void {
  const { store, warnings } = openStore(folder, now);
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
