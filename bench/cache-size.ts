/**
 * What a large cache costs: storing, finding and missing an answer, and the commands that look after all of them. Run by
 * `node scripts/run-ts.mjs bench/cache-size.ts [ENTRIES]` (200,000 entries, some 900 MB on disk).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CacheEntry } from '../src/cache/cache-entry.ts';
import { cacheKey } from '../src/cache/cache-key.ts';
import { openCacheStore } from '../src/cache/cache-store.ts';
import { CacheMaintenance } from '../src/cache/maintain-cache.ts';
import type { CompletionRequest } from '../src/model/run/completion.ts';

const startMs = Date.UTC(2026, 9, 1);
const dayMs = 86_400_000;
const sampled = 20_000;

const entries = Number(process.argv[2] ?? 200_000);
const folder = mkdtempSync(join(tmpdir(), 'llmcheck-cache-'));
const fail = (message: string): never => {
  throw new Error(message);
};
try {
  const openMs = time(() => openCacheStore(folder, { onWarning: fail }).read('0'.repeat(64)));
  const store = openCacheStore(folder, { onWarning: fail });
  const puts = measureEach(entries, (index) => store.write(buildEntry(index)));
  const keys = Array.from({ length: sampled }, (_, index) => cacheKey(buildRequest((index * 7919) % entries)));
  const gets = measureEach(sampled, (index) => store.read(keys[index] ?? '') ?? fail('an answer is lost'));
  const misses = measureEach(sampled, (index) => store.read(cacheKey(buildRequest(entries + index))));
  const cache = new CacheMaintenance(folder, { now: () => new Date(startMs + 100 * dayMs) });
  const baseMb = memoryMb();
  const statsMs = time(() => cache.stats());
  let lines = 0;
  const exportMs = time(() => {
    for (const _ of cache.exportLines()) lines += 1;
  });
  if (lines !== entries) fail(`${lines} of ${entries} entries were exported`);
  let removed = 0;
  const pruneMs = time(() => {
    removed = cache.prune({ maxAgeMs: 50 * dayMs }).removed;
  });
  process.stdout.write(`| ${entries.toLocaleString('en')} answers | |
|---|---|
| open | ${openMs.toFixed(1)} ms |
| store one | ${puts.toFixed(0)} µs (median) |
| find one | ${gets.toFixed(0)} µs (median) |
| miss one | ${misses.toFixed(0)} µs (median) |
| \`cache stats\` | ${(statsMs / 1000).toFixed(1)} s |
| \`cache export\` | ${(exportMs / 1000).toFixed(1)} s |
| \`cache prune\` of ${removed.toLocaleString('en')} | ${(pruneMs / 1000).toFixed(1)} s |
| memory more for all three | ${(memoryMb() - baseMb).toFixed(0)} MB |
`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function buildRequest(index: number): CompletionRequest {
  return {
    adapter: 'openai',
    adapterVersion: '1',
    baseUrl: 'https://api.example.org/v1',
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: `Question ${index}: ${'what was said before. '.repeat(20)}` }],
    params: { temperature: 0, max_tokens: 200 },
    trial: 0,
    origin: { suite: 'bench', prompt: 'v1', provider: 'mini', caseId: `${index}` },
  };
}

function buildEntry(index: number): CacheEntry {
  const request = buildRequest(index);
  const createdAt = new Date(startMs + (index % 100) * dayMs).toISOString();
  const usage = { inputTokens: 120, outputTokens: 30 };
  const text = `Answer ${index}: ${'as it was given. '.repeat(10)}`;
  const completion = { text, toolCalls: [], finishReason: 'stop', latencyMs: 400, usage } as const;
  return { key: cacheKey(request), createdAt, receivedAt: createdAt, request, completion };
}

/** Median time of one call, in microseconds. */
function measureEach(count: number, work: (index: number) => unknown): number {
  const took = new Float64Array(count);
  for (let index = 0; index < count; index += 1) took[index] = time(() => work(index)) * 1000;
  return took.sort()[Math.floor(count / 2)] ?? 0;
}

function time(work: () => unknown): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

function memoryMb(): number {
  return process.memoryUsage().rss / 1e6;
}
