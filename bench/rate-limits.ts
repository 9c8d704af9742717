/**
 * What a run gets out of a server that allows 600 requests a minute and 50 at once, with no limit configured: for every
 * way of counting, with and without rate-limit headers, all at the same time. Takes four to six minutes.
 * Run by `node scripts/run-ts.mjs bench/rate-limits.ts [LATENCY_MS]`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { firstLine } from './parts/measure.ts';

interface Stats {
  /** Milliseconds after the first request. */
  readonly admitted: readonly number[];
  readonly refused: readonly number[];
  readonly mostInFlight: number;
}

const root = resolve(process.cwd());
const rpm = 600;
const minutes = 4;
const minuteMs = 60_000;
const latencyMs = Number(process.argv[2] ?? 1500);

await main();

async function main(): Promise<void> {
  print(`${rpm * minutes} cells, ${rpm} requests a minute and 50 at once allowed, ${latencyMs} ms a call`);
  print(
    '| counting | headers | answers a minute after the first | share of what is allowed | of the whole run | 429 after the first minute | 429 in all | most in flight | lost |',
  );
  print('|---|---|---|---|---|---|---|---|---|');
  const kinds = ['bucket', 'fixed', 'sliding'].flatMap((counting) => [true, false].map((told) => ({ counting, told })));
  await Promise.all(kinds.map(({ counting, told }) => measure(counting, told)));
}

async function measure(counting: string, tellsLimits: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-limits-'));
  const server = spawn(
    process.execPath,
    [join(root, 'bench/parts/limited-server.mjs'), counting, `${rpm}`, '50', `${latencyMs}`, tellsLimits ? '1' : '0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const url = `http://127.0.0.1:${await firstLine(server)}`;
    writeSuite(folder, rpm * minutes);
    await runLlmcheck(folder, url);
    const stats = (await (await fetch(`${url}/stats`)).json()) as Stats;
    report(counting, tellsLimits, stats, countAnswered(folder));
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(
  counting: string,
  tellsLimits: boolean,
  { admitted, refused, mostInFlight }: Stats,
  answered: number,
): void {
  const endMs = Math.max(...admitted);
  // The last call of a run has nothing after it; what comes before is at full speed.
  const later = (times: readonly number[]) => times.filter((ms) => ms >= minuteMs && ms <= endMs).length;
  const perMinute = (later(admitted) * minuteMs) / (endMs - minuteMs);
  const refusedShare = later(refused) / (later(refused) + later(admitted));
  const whole = (admitted.length * minuteMs) / endMs / rpm;
  const cells = [
    counting,
    tellsLimits ? 'yes' : 'no',
    perMinute.toFixed(0),
    percent(perMinute / rpm),
    percent(whole),
    percent(refusedShare),
    `${refused.length}`,
    `${mostInFlight}`,
    `${rpm * minutes - answered}`,
  ];
  print(`| ${cells.join(' | ')} |`);
}

function writeSuite(folder: string, cells: number): void {
  const rows = Array.from({ length: cells }, (_, index) =>
    JSON.stringify({ id: `c${index}`, vars: { n: `${index}` } }),
  );
  writeFileSync(join(folder, 'cases.jsonl'), `${rows.join('\n')}\n`);
  writeFileSync(
    join(folder, 'limits.eval.yaml'),
    `suite: limits
prompts: [{ id: v1, text: "Number {{ n }}?" }]
providers: ["openai:test-model"]
defaults: { assert: [{ contains: "yes" }] }
cases: [{ file: cases.jsonl }]
`,
  );
}

function runLlmcheck(folder: string, url: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(root, 'bin/llmcheck.js'), 'run', 'limits.eval.yaml', '-q', '-r', 'json=report.json'],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env['PATH'], OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: 'sk-test-0123456789' },
    },
  );
  return new Promise((done) => {
    child.once('exit', () => done());
  });
}

function countAnswered(folder: string): number {
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as { totals: { passed: number } };
  return report.totals.passed;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
