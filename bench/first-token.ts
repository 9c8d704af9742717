/**
 * How far the measured time to the first token is from what a local server knows, with 50 calls in flight. The server is a
 * process of its own and says in each answer how long after the request it sent the first text.
 * Run by `node scripts/run-ts.mjs bench/first-token.ts [CELLS] [CONCURRENCY] [MEAN_MS]`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstLine, root } from './parts/measure.ts';

const [cells = 1000, concurrency = 50, meanMs = 300] = process.argv.slice(2).map(Number);

const folder = mkdtempSync(join(tmpdir(), 'llmcheck-first-token-'));
const server = spawn(process.execPath, [join(root, 'bench/parts/streaming-server.mjs'), `${meanMs}`], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const url = `http://127.0.0.1:${await firstLine(server)}`;
  writeSuite(url);
  console.log('| | calls | in flight | least | median | p95 | p99 | most | within 5 ms |');
  console.log('|---|---|---|---|---|---|---|---|---|');
  report('bare loop', await runBareLoop(url));
  await runLlmcheck();
  report('llmcheck', readErrors());
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}

function writeSuite(baseURL: string): void {
  const suite = {
    suite: 'stream',
    prompts: [{ id: 'v1', text: 'Number {{ n }}' }],
    providers: [{ id: 'p', use: 'openai:m', baseURL, stream: true, limits: { concurrency } }],
    cases: [{ file: 'cases.jsonl' }],
  };
  const rows = Array.from({ length: cells }, (_, n) =>
    JSON.stringify({ id: `c${n}`, vars: { n: `${n}` }, assert: [{ contains: 'ms' }] }),
  );
  writeFileSync(join(folder, 'llmcheck.config.yaml'), 'suites: ["*.eval.yaml"]\n');
  writeFileSync(join(folder, 'stream.eval.yaml'), JSON.stringify(suite));
  writeFileSync(join(folder, 'cases.jsonl'), `${rows.join('\n')}\n`);
}

function runLlmcheck(): Promise<void> {
  const args = ['run', '-q', '--no-baseline', '--cache', 'off', '-j', `${concurrency}`];
  const child: ChildProcess = spawn(process.execPath, [join(root, 'bin/llmcheck.js'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((done, fail) => {
    child.on('exit', (code) => (code === 0 ? done() : fail(new Error(`the run ended with ${code}`))));
  });
}

/** The same requests by Node's own client alone: what the machine and its other work add. */
async function runBareLoop(url: string): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true });
  const errors: number[] = [];
  const ask = () =>
    new Promise<void>((done) => {
      const startedMs = performance.now();
      let firstMs: number | undefined;
      let text = '';
      const sent = request(url, { method: 'POST', agent }, (response) => {
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
          if (/"content":"\d/.test(text)) firstMs ??= performance.now() - startedMs;
        });
        response.on('end', () => {
          errors.push((firstMs ?? Number.NaN) - Number(/"content":"([\d.]+)"/.exec(text)?.[1]));
          done();
        });
      });
      sent.end('{}');
    });
  let left = cells;
  const work = async () => {
    for (; left > 0; ) {
      left -= 1;
      await ask();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  agent.destroy();
  return sortLater(errors);
}

/** Without the first calls, which open connections and load code. */
function sortLater(errors: readonly number[]): readonly number[] {
  return errors.slice(concurrency).toSorted((a, b) => a - b);
}

interface CellRow {
  readonly type: string;
  readonly firstTokenMs?: number;
  readonly output?: string;
}

/** Milliseconds by which the measured time is longer than the server's. */
function readErrors(): readonly number[] {
  const runs = join(folder, '.llmcheck/runs');
  const lines = readdirSync(runs).flatMap((name) => readFileSync(join(runs, name), 'utf8').trim().split('\n'));
  const rows = lines.map((line) => JSON.parse(line) as CellRow).filter(({ type }) => type === 'cell');
  const errors = rows.map(({ firstTokenMs, output = '' }) => (firstTokenMs ?? Number.NaN) - Number.parseFloat(output));
  if (errors.length !== cells || errors.some(Number.isNaN)) throw new Error('an answer was not timed');
  return sortLater(errors);
}

function report(name: string, errors: readonly number[]): void {
  const at = (share: number) =>
    (errors[Math.min(errors.length - 1, Math.floor(share * errors.length))] ?? 0).toFixed(2);
  const within = errors.filter((error) => Math.abs(error) <= 5).length / errors.length;
  const figures = [at(0), at(0.5), at(0.95), at(0.99), at(1)].map((ms) => `${ms} ms`);
  console.log(`| ${[name, errors.length, concurrency, ...figures, `${(within * 100).toFixed(1)} %`].join(' | ')} |`);
}
