import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache-entry.ts';
import type { OpenCacheStore } from '../../src/cache/file-store.ts';
import { openCacheStore } from '../../src/cache/file-store.ts';
import { maintainCache } from '../../src/cache/maintain-cache.ts';
import { rewriteSegments } from '../../src/cache/rewrite-segments.ts';
import {
  claimSegmentFile,
  defaultSegmentSizes,
  listSegmentFiles,
  type SegmentSizes,
} from '../../src/cache/segment-files.ts';
import { createSegmentWriter } from '../../src/cache/segment-writer.ts';
import fc from '../support/property.ts';
import { answer, ask, buildEntry, makeFolder } from './build-request.ts';
import { writeThrough } from './segments.ts';

const hourMs = 3_600_000;
const startMs = Date.parse('2026-11-24T15:30:12.000Z');

/** What can happen to a cache between two answers. Writers are processes: each has a store of its own. */
type Step =
  | { readonly do: 'write' | 'read'; readonly writer: number; readonly question: number }
  | { readonly do: 'reopen'; readonly writer: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'prune'; readonly maxAgeHours: number }
  | { readonly do: 'tidy' | 'verify' | 'crash' | 'clear' }
  /** Rewrites every segment while a writer stores something after so many lines. */
  | { readonly do: 'rewrite'; readonly writer: number; readonly question: number; readonly afterLines: number };

const writer = fc.nat(2);
const question = fc.nat(5);

const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(8, fc.record({ do: fc.constant('write' as const), writer, question })),
  weighted(6, fc.record({ do: fc.constant('read' as const), writer, question })),
  weighted(2, fc.record({ do: fc.constant('reopen' as const), writer })),
  weighted(3, fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 1000, hourMs) })),
  weighted(1, fc.record({ do: fc.constant('prune' as const), maxAgeHours: fc.integer({ min: 1, max: 4 }) })),
  weighted(3, fc.record({ do: fc.constantFrom('tidy' as const, 'verify' as const, 'crash' as const) })),
  weighted(1, fc.constant({ do: 'clear' as const })),
  weighted(3, fc.record({ do: fc.constant('rewrite' as const), writer, question, afterLines: fc.nat(6) })),
);

test.each([
  ['as it is', defaultSegmentSizes],
  ['with an index for each segment', { indexMinBytes: 1, maxBytes: 2000 }],
])('whatever writers, readers and those who tidy up do among each other, what was stored is found, %s', (_, sizes) => {
  const folder = makeFolder();
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      run += 1;
      const world = openWorld(join(folder, String(run)), sizes);
      for (const next of steps) world.take(next);
      const { lost, warnings } = world.close();
      expect(lost).toEqual([]);
      expect(warnings).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

function openWorld(folder: string, sizes: SegmentSizes) {
  let nowMs = startMs;
  let answers = 0;
  const now = () => new Date(nowMs);
  const warnings: string[] = [];
  const open = () =>
    writeThrough(openCacheStore(folder, { sizes, now, onWarning: (message) => warnings.push(message) }));
  const stores: OpenCacheStore[] = [open(), open(), open()];
  /** The last answer to each question that was acknowledged and not removed since. */
  const stored = new Map<string, CacheEntry>();
  /** Every answer that there ever was, for readers who have not looked again yet. */
  const ever = new Set<string>();

  return { take, close };

  function take(step: Step): void {
    switch (step.do) {
      case 'write':
        return write(step.writer, step.question);
      case 'read':
        return readOnce(step.writer, step.question);
      case 'reopen':
        stores[step.writer]?.close();
        stores[step.writer] = open();
        return;
      case 'pass':
        nowMs += step.ms;
        return;
      case 'prune':
        return prune(step.maxAgeHours);
      case 'tidy':
        expect(maintain().prune({ maxBytes: 1e9 }).removed).toBe(0);
        return;
      case 'verify':
        expect(maintain().verify({ remove: true }).garbled).toEqual([]);
        return;
      case 'crash':
        return crashWhileRewriting();
      case 'clear':
        maintain().clear();
        return stored.clear();
      case 'rewrite':
        return rewriteUnder(step.writer, step.question, step.afterLines);
    }
  }

  function maintain() {
    return maintainCache(folder, { sizes, now });
  }

  function write(index: number, number: number): void {
    answers += 1;
    // A refresh: the newest answer counts, whichever process has asked.
    nowMs += 1;
    const entry = {
      ...buildEntry(ask(`question ${number}`), '', now().toISOString()),
      completion: answer(`${answers}`),
    };
    stores[index]?.write(entry);
    stored.set(entry.key, entry);
    ever.add(`${entry.key} ${answers}`);
    expect(stores[index]?.read(entry.key)?.completion.text).toBe(`${answers}`);
  }

  function readOnce(index: number, number: number): void {
    const { key } = buildEntry(ask(`question ${number}`), '');
    const found = stores[index]?.read(key);
    if (found !== undefined) expect(ever).toContain(`${key} ${found.completion.text}`);
  }

  function prune(maxAgeHours: number): void {
    const maxAgeMs = maxAgeHours * hourMs;
    maintain().prune({ maxAgeMs });
    for (const [key, { createdAt }] of stored) {
      if (nowMs - Date.parse(createdAt) > maxAgeMs) stored.delete(key);
    }
  }

  /** As a process that takes two segments, copies one and is killed. */
  function crashWhileRewriting(): void {
    const [copied, left] = listSegmentFiles(folder).map((file) => claimSegmentFile(file, folder, nowMs));
    if (copied === undefined || left === undefined) return;
    const copier = createSegmentWriter(folder, now);
    copier.append(readFileSync(copied.path));
    copier.close();
  }

  function rewriteUnder(index: number, number: number, afterLines: number): void {
    let seen = 0;
    const keep = () => {
      seen += 1;
      if (seen === afterLines) write(index, number);
      return true;
    };
    rewriteSegments(
      folder,
      listSegmentFiles(folder).map((file) => ({ file, keep })),
      now,
      sizes,
    );
  }

  /** The answers that some store doesn't find, and what they warned of. */
  function close() {
    nowMs += 1000;
    const lost: string[] = [];
    for (const store of [...stores, open()]) {
      for (const [key, { completion }] of stored) {
        if (store.read(key)?.completion.text !== completion.text) lost.push(completion.text);
      }
      store.close();
    }
    rmSync(folder, { recursive: true, force: true });
    return { lost, warnings };
  }
}

function weighted<T extends Step>(weight: number, arbitrary: fc.Arbitrary<T>) {
  return { weight, arbitrary: arbitrary as fc.Arbitrary<Step> };
}
