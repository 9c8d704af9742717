/**
 * What a run makes of a server that fails in every way: whether anything is lost or judged twice, whether attempts are
 * booked as the server counted them, and its time over the ideal one: the sum of what the server took for each request,
 * hangs up to the time limit included, over the calls in flight. Waits for a retry are not in the ideal.
 * Run by `node scripts/run-ts.mjs bench/faulty-server.ts [CELLS] [CONCURRENCY] [LATENCY_MS]`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { firstLine } from './parts/measure.ts';

interface Stats {
  /** By question. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly serviceMs: number;
  readonly mostInFlight: number;
}

interface CellRow {
  readonly type: string;
  readonly caseId?: string;
  readonly key?: { readonly caseId: string };
  readonly status?: string;
  readonly attempts?: number;
}

const root = resolve(process.cwd());
const [cells = 5000, concurrency = 50, latencyMs = 100] = process.argv.slice(2).map(Number);
const timeoutMs = 3000;

await main();

async function main(): Promise<void> {
  for (const seed of [1, 2, 3]) await measure(seed);
}

async function measure(seed: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-faulty-'));
  const server = spawn(
    process.execPath,
    [join(root, 'bench/parts/faulty-server.mjs'), `${seed}`, `${latencyMs}`, `${timeoutMs}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const url = `http://127.0.0.1:${await firstLine(server)}`;
    writeSuite(folder);
    const startedMs = performance.now();
    const exitCode = await runLlmcheck(folder, url);
    const wallMs = performance.now() - startedMs;
    const stats = (await (await fetch(`${url}/stats`)).json()) as Stats;
    report(seed, { exitCode, wallMs, stats, rows: readRows(folder) });
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(
  seed: number,
  {
    exitCode,
    wallMs,
    stats,
    rows,
  }: { exitCode: number | null; wallMs: number; stats: Stats; rows: readonly CellRow[] },
): void {
  const idealMs = stats.serviceMs / concurrency;
  const booked = new Map<string, number[]>();
  for (const { key, caseId = key?.caseId ?? '', attempts = 0 } of rows) {
    booked.set(caseId, [...(booked.get(caseId) ?? []), attempts]);
  }
  const asked = Array.from({ length: cells }, (_, index) => ({
    rows: booked.get(`c${index}`) ?? [],
    counted: stats.attempts[`Number ${index}?`] ?? 0,
  }));
  const statuses: Record<string, number> = {};
  for (const { status = '?' } of rows) statuses[status] = (statuses[status] ?? 0) + 1;
  print(`seed ${seed}: ${cells} cells, ${concurrency} at once, ${JSON.stringify(stats.counts)}`);
  print(`  exit code ${exitCode}, cells ${JSON.stringify(statuses)}, most in flight ${stats.mostInFlight}`);
  print(`  without a row: ${asked.filter((cell) => cell.rows.length === 0).length}`);
  print(`  with more than one row: ${asked.filter((cell) => cell.rows.length > 1).length}`);
  print(`  booked otherwise than counted: ${asked.filter((cell) => cell.rows[0] !== cell.counted).length}`);
  print(
    `  ${(wallMs / 1000).toFixed(1)} s, ideal ${(idealMs / 1000).toFixed(1)} s, ratio ${(wallMs / idealMs).toFixed(2)}`,
  );
}

function writeSuite(folder: string): void {
  const rows = Array.from({ length: cells }, (_, index) =>
    JSON.stringify({ id: `c${index}`, vars: { n: `${index}` } }),
  );
  writeFileSync(join(folder, 'cases.jsonl'), `${rows.join('\n')}\n`);
  writeFileSync(
    join(folder, 'faulty.eval.yaml'),
    `suite: faulty
prompts: [{ id: v1, text: "Number {{ n }}?" }]
providers: ["openai:test-model"]
defaults: { assert: [{ contains: "yes: Number {{ n }}?" }] }
cases: [{ file: cases.jsonl }]
`,
  );
}

function runLlmcheck(folder: string, url: string): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [
      join(root, 'bin/llmcheck.js'),
      'run',
      'faulty.eval.yaml',
      '-q',
      '-j',
      `${concurrency}`,
      '--timeout',
      `${timeoutMs}ms`,
    ],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env['PATH'], OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: 'sk-test-0123456789' },
    },
  );
  return new Promise((done) => {
    child.once('exit', done);
  });
}

/** Of the run's record, which is appended as cells finish. */
function readRows(folder: string): readonly CellRow[] {
  const runs = join(folder, '.llmcheck', 'runs');
  return readdirSync(runs)
    .flatMap((name) => readFileSync(join(runs, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CellRow)
    .filter(({ type }) => type === 'cell');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
