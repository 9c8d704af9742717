/** What `llmcheck compare` of two stored runs costs: CPU and peak memory over two records of 100,000 cells each. Run after a build: node scripts/run-ts.mjs bench/compare-records.ts [cells]. */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CellRow, EndRow, RunHeader } from '../src/model/run/record.ts';
import { defaultGate } from '../src/model/suite/gate-policy.ts';
import { hashAnswer } from '../src/record/case-summaries.ts';
import { renderRow } from '../src/record/read-rows.ts';
import { createRandom } from '../src/text/random.ts';

const root = resolve(process.cwd());
const cells = Number(process.argv[2] ?? 100_000);
const answerBytes = 200;

main();

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-bench-'));
  try {
    // One in a hundred fails on either side, each by its own chance.
    writeRecord(join(folder, 'before.jsonl'), { seed: 1, inputPrice: 1 });
    writeRecord(join(folder, 'after.jsonl'), { seed: 2, inputPrice: 1 });
    // Booked at another price than the record's: every answer is priced again.
    writeRecord(join(folder, 'cheaper.jsonl'), { seed: 2, inputPrice: 0.5 });
    process.stdout.write('| compare of | cells a side | CPU s | wall s | peak MB |\n|---|---|---|---|---|\n');
    measure('two records', ['before.jsonl', 'after.jsonl'], folder);
    measure('two records at other prices', ['before.jsonl', 'cheaper.jsonl'], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measure(name: string, sides: readonly string[], cwd: string): void {
  const usageFile = join(cwd, 'usage.json');
  const hook = join(root, 'bench/parts/usage-hook.mjs');
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', hook, join(root, 'bin/llmcheck.js'), 'compare', ...sides, '-q'],
    { cwd, encoding: 'utf8', env: { ...process.env, BENCH_USAGE_FILE: usageFile } },
  );
  const wallMs = performance.now() - startedMs;
  if (status !== 0 && status !== 1) throw new Error(`compare ended with ${status}: ${stderr}`);
  // A line for each process that was measured into it.
  const last = readFileSync(usageFile, 'utf8').trim().split('\n').at(-1) ?? '';
  const { cpuMs, peakMb } = JSON.parse(last) as { cpuMs: number; peakMb: number };
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  process.stdout.write(`| ${name} | ${cells} | ${seconds(cpuMs)} | ${seconds(wallMs)} | ${peakMb.toFixed(0)} |\n`);
}

interface RecordOptions {
  readonly seed: number;
  /** USD per million tokens, as the header says. */
  readonly inputPrice: number;
}

function writeRecord(path: string, { seed, inputPrice }: RecordOptions): void {
  const random = createRandom(seed);
  const fd = openSync(path, 'w');
  let lines: string[] = [JSON.stringify(buildHeader(seed, inputPrice))];
  for (let index = 0; index < cells; index += 1) {
    lines.push(renderRow(buildRow(index, random() >= 0.01, random)));
    if (lines.length < 1000) continue;
    writeSync(fd, `${lines.join('\n')}\n`);
    lines = [];
  }
  const end: EndRow = { type: 'end', durationMs: 1000, notes: [] };
  writeSync(fd, `${[...lines, JSON.stringify(end)].join('\n')}\n`);
  closeSync(fd);
}

function buildHeader(seed: number, inputPrice: number): RunHeader {
  return {
    type: 'run',
    format: 1,
    id: `20261124-15301${seed}-a1b2c3`,
    startedAt: '2026-11-24T15:30:12.000Z',
    tool: { name: 'llmcheck', version: '0.1.0' },
    settings: { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false },
    suites: [
      {
        suite: 'bench',
        path: 'evals/bench.eval.yaml',
        gate: defaultGate,
        outputs: 'full',
        filtered: false,
        variants: [
          {
            prompt: 'v1',
            provider: 'local',
            adapter: 'openai',
            model: 'bench-1',
            price: { input: inputPrice, output: 2 },
            params: { temperature: 0 },
            messages: [{ role: 'user', content: 'How long is this text?\n{{text}}' }],
            contract: {},
            planned: cells,
            observed: 0,
          },
        ],
      },
    ],
  };
}

function buildRow(index: number, passed: boolean, random: () => number): CellRow {
  const hex = (length: number) => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
  const usage = { inputTokens: 40 + Math.floor(random() * 10), outputTokens: 50 };
  const costUsd = (usage.inputTokens + 2 * usage.outputTokens) / 1_000_000;
  const latencyMs = Math.round(random() * 100_000) / 100;
  const requestHash = hex(64);
  const output = hex(answerBytes);
  return {
    type: 'cell',
    suite: 'bench',
    prompt: 'v1',
    provider: 'local',
    caseId: `case-${index}`,
    trial: 0,
    cellHash: `${hex(16)}:${requestHash}`,
    caseHash: `0123456789ab.${String(index).padStart(12, '0')}`,
    status: passed ? 'passed' : 'failed',
    at: { file: 'evals/cases.jsonl', line: index + 1, column: 1 },
    score: passed ? 1 : 0,
    answerHash: hashAnswer({ output }),
    output,
    finishReason: 'stop',
    checks: [
      { assertion: 'equals', pass: passed, score: passed ? 1 : 0, reason: passed ? 'equals "7"' : 'expected "7"' },
    ],
    latencyMs,
    costUsd,
    spentUsd: costUsd,
    judgeCostUsd: 0,
    usage,
    cached: false,
    attempts: 1,
    model: 'bench-1',
    calls: [{ requestHash, cached: false, attempts: 1, latencyMs, costUsd, usage }],
  };
}
