/**
 * What a very large cache costs: opening it, a hit, a miss, memory, and how long a reader in another process has to wait
 * while it is pruned. Run by `node scripts/run-ts.mjs bench/cache-size.ts [ENTRIES] [FOLDER]` (2,000,000 entries, some 3
 * GB on disk). A FOLDER that is named is filled where it is not there, and stays as `prune` leaves it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CacheEntry } from '../src/cache/cache-entry.ts';
import { cacheKey } from '../src/cache/cache-key.ts';
import { type OpenCacheStore, openCacheStore } from '../src/cache/file-store.ts';
import { maintainCache } from '../src/cache/maintain-cache.ts';
import type { CompletionRequest } from '../src/model/completion.ts';

const root = resolve(process.cwd());
const startMs = Date.UTC(2026, 9, 1);
const dayMs = 86_400_000;
/** Runs by which the cache was filled; each leaves files of its own. */
const fillingRuns = 20;
const sampled = 50_000;
const keptDays = 30;
/** How long the reader is alone. */
const calmMs = 5000;

interface OpenFigures {
  readonly openMs: number;
  readonly openedMb: number;
  readonly baseMb: number;
  readonly peakMb: number;
  readonly inOrder: Quantiles;
  readonly shuffled: Quantiles;
  readonly missing: Quantiles;
}

interface ReaderFigures {
  readonly reads: number;
  readonly lost: number;
  /** Before the other process begins. */
  readonly calm: Waits;
  readonly meanwhile: Waits;
}

interface Waits {
  readonly medianMs: number;
  readonly p999Ms: number;
  readonly longestMs: number;
}

interface Quantiles {
  readonly medianUs: number;
  readonly p99Us: number;
}

const parts: Readonly<Record<string, (folder: string, entries: number, run: number) => unknown>> = {
  fill,
  open: measureOpen,
  prune: measurePrune,
  read: readOnAndOn,
};

const [first = '', ...others] = process.argv.slice(2);
const part = parts[first];
if (part === undefined) await main(Number(first || 2_000_000), others[0]);
else print(JSON.stringify((await part(others[0] ?? '', Number(others[1]), Number(others[2]))) ?? null));

async function main(entries: number, named: string | undefined): Promise<void> {
  const folder = named ?? join(mkdtempSync(join(tmpdir(), 'llmcheck-cache-')), 'cache');
  try {
    if (!existsSync(folder)) {
      for (let run = 0; run < fillingRuns; run += 1) await runPart('fill', folder, entries, run);
    }
    const files = readdirSync(folder);
    const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    print(`${entries} entries, ${(bytes / 1e6).toFixed(0)} MB in ${files.length} files`);
    print('\n| opening | ms | memory before, after, at most (MB) |\n|---|---|---|');
    const opened = [];
    for (const name of ['first', 'again', 'again']) {
      const figures = (await runPart('open', folder, entries)) as OpenFigures;
      opened.push(figures);
      const { openMs, baseMb, openedMb, peakMb } = figures;
      print(`| ${name} | ${openMs.toFixed(1)} | ${[baseMb, openedMb, peakMb].map((mb) => mb.toFixed(0)).join(', ')} |`);
    }
    print('\n| looked up | median µs | p99 µs |\n|---|---|---|');
    const last = opened.at(-1);
    if (last !== undefined) {
      for (const [name, { medianUs, p99Us }] of [
        ['hits, as they were written', last.inOrder],
        ['hits, in any order', last.shuffled],
        ['misses', last.missing],
      ] as const)
        print(`| ${name} | ${medianUs.toFixed(1)} | ${p99Us.toFixed(1)} |`);
    }
    const reader = startPart('read', folder, entries);
    await reader.isReady;
    const pruned = (await runPart('prune', folder, entries)) as { ms: number; removed: number; peakMb: number };
    reader.child.stdin?.end();
    const read = (await reader.result) as ReaderFigures;
    print(`\nprune: ${(pruned.ms / 1000).toFixed(1)} s, ${pruned.removed} removed, ${pruned.peakMb.toFixed(0)} MB`);
    print(`a reader in another process: ${read.reads} hits, ${read.lost} lost`);
    print('\n| a hit | median µs | 99.9 % within ms | longest ms |\n|---|---|---|---|');
    for (const [name, { medianMs, p999Ms, longestMs }] of [
      ['before prune', read.calm],
      ['while it works', read.meanwhile],
    ] as const)
      print(`| ${name} | ${(medianMs * 1000).toFixed(1)} | ${p999Ms.toFixed(2)} | ${longestMs.toFixed(1)} |`);
  } finally {
    if (named === undefined) rmSync(join(folder, '..'), { recursive: true, force: true });
  }
}

function startPart(name: string, folder: string, entries: number, run = 0) {
  const args = [join(root, 'scripts/run-ts.mjs'), 'bench/cache-size.ts', name, folder, `${entries}`, `${run}`];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  let markReady: () => void = () => {};
  const isReady = new Promise<void>((resolveReady) => {
    markReady = resolveReady;
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    markReady();
  });
  const result = new Promise<unknown>((resolveResult, reject) => {
    child.once('close', (code) => {
      if (code === 0) resolveResult(JSON.parse(output.trim().split('\n').at(-1) ?? 'null'));
      else reject(new Error(`${name} ended with ${code}`));
    });
  });
  return { child, isReady, result };
}

function runPart(name: string, folder: string, entries: number, run = 0): Promise<unknown> {
  return startPart(name, folder, entries, run).result;
}

function fill(folder: string, entries: number, run: number): void {
  const store = openStore(folder);
  const perRun = Math.ceil(entries / fillingRuns);
  for (let index = run * perRun; index < Math.min(entries, (run + 1) * perRun); index += 1) {
    store.write(buildEntry(index));
  }
  store.close();
}

function measureOpen(folder: string, entries: number): OpenFigures {
  const keys = sampleOf(entries);
  const from = Math.floor(entries / 3);
  const inOrder = Array.from({ length: sampled }, (_, index) => keyOf((from + index) % entries));
  const missing = Array.from({ length: sampled }, (_, index) => keyOf(entries + index));
  const baseMb = residentMb();
  const startedMs = performance.now();
  const store = openStore(folder);
  store.read('0'.repeat(64));
  const openMs = performance.now() - startedMs;
  const openedMb = residentMb();
  const figures = {
    openMs,
    baseMb,
    openedMb,
    inOrder: timeReads(store, inOrder, true),
    shuffled: timeReads(store, keys, true),
    missing: timeReads(store, missing, false),
  };
  store.close();
  return { ...figures, peakMb: process.resourceUsage().maxRSS / 1024 };
}

function timeReads(store: OpenCacheStore, keys: readonly string[], isThere: boolean): Quantiles {
  const timesMs = keys.map((key) => {
    const startedMs = performance.now();
    const found = store.read(key);
    const ms = performance.now() - startedMs;
    if ((found !== undefined) !== isThere) throw new Error(`${key} is ${isThere ? 'missing' : 'there'}`);
    return ms;
  });
  const sorted = Float64Array.from(timesMs).sort();
  return { medianUs: quantile(sorted, 0.5) * 1000, p99Us: quantile(sorted, 0.99) * 1000 };
}

function measurePrune(folder: string): { ms: number; removed: number; peakMb: number } {
  const startedMs = performance.now();
  const now = () => new Date(startMs + 60 * dayMs);
  const { removed } = maintainCache(folder, { now }).prune({ maxAgeMs: keptDays * dayMs });
  return { ms: performance.now() - startedMs, removed, peakMb: process.resourceUsage().maxRSS / 1024 };
}

/** Looks up what prune keeps until its standard input ends. */
async function readOnAndOn(folder: string, entries: number): Promise<ReaderFigures> {
  const store = openStore(folder);
  const kept = [...sampleIndexes(entries)].filter((index) => ageDays(index) < keptDays).map(keyOf);
  for (const key of kept.slice(0, 1000)) store.read(key);
  let [reads, lost] = [0, 0];
  const calm = await readUntil(AbortSignal.timeout(calmMs));
  print('ready');
  const stop = new AbortController();
  process.stdin.once('end', () => stop.abort());
  process.stdin.resume();
  const meanwhile = await readUntil(stop.signal);
  store.close();
  return { reads, lost, calm, meanwhile };

  async function readUntil(signal: AbortSignal): Promise<Waits> {
    const timesMs: number[] = [];
    for (; !signal.aborted; reads += 1) {
      const key = kept[reads % kept.length] ?? '';
      const startedMs = performance.now();
      const found = store.read(key);
      timesMs.push(performance.now() - startedMs);
      if (found === undefined) lost += 1;
      if (reads % 100 === 0) await new Promise((resolveTurn) => setImmediate(resolveTurn));
    }
    const sorted = Float64Array.from(timesMs).sort();
    return { medianMs: quantile(sorted, 0.5), p999Ms: quantile(sorted, 0.999), longestMs: sorted.at(-1) ?? 0 };
  }
}

function openStore(folder: string): OpenCacheStore {
  return openCacheStore(folder, {
    now: () => new Date(),
    onWarning: (message) => {
      throw new Error(message);
    },
  });
}

/** 200 to 1,000 bytes of answer to a question of some 300. */
function buildEntry(index: number): CacheEntry {
  const request = requestOf(index);
  const createdAt = new Date(startMs + (60 - ageDays(index)) * dayMs - (index % 1000)).toISOString();
  const words = 'The parcel was sent on Monday and should arrive within two working days. ';
  const text = `Answer ${index}: ${words.repeat(14)}`.slice(0, 200 + ((index * 7919) % 801));
  const completion = {
    text,
    toolCalls: [],
    finishReason: 'stop' as const,
    latencyMs: 120 + (index % 900),
    usage: { inputTokens: 90, outputTokens: Math.ceil(text.length / 4) },
  };
  return { key: cacheKey(request), createdAt, receivedAt: createdAt, request, completion };
}

function requestOf(index: number): CompletionRequest {
  return {
    adapter: 'openai',
    adapterVersion: '1',
    baseUrl: 'https://api.example.org/v1',
    model: 'small-1',
    messages: [
      { role: 'system', content: 'You answer what customers ask in one or two sentences, and never promise a refund.' },
      { role: 'user', content: `Question ${index}: ${'where is my parcel, and when will it come? '.repeat(4)}` },
    ],
    params: { temperature: 0, max_tokens: 200 },
    trial: 0,
    origin: { suite: 'bench', prompt: 'v1', provider: 'openai:small-1', caseId: `${index}` },
  };
}

/** Old and young ones stand side by side, so that a prune has to rewrite every file. */
function ageDays(index: number): number {
  return (index * 37) % 60;
}

function keyOf(index: number): string {
  return cacheKey(requestOf(index));
}

function sampleOf(entries: number): string[] {
  return [...sampleIndexes(entries)].map(keyOf);
}

function* sampleIndexes(entries: number): Generator<number> {
  for (let at = 0; at < sampled; at += 1) yield (at * 1_000_003) % entries;
}

function residentMb(): number {
  return process.memoryUsage.rss() / 1024 / 1024;
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
