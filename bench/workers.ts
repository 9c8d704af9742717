/**
 * What workers add: one run over a queue with 1, 2 and 4 workers beside the same run without a queue. Needs redis-server.
 * Run by `node scripts/run-ts.mjs bench/workers.ts [CELLS]`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchServer, makeCases, measure, parts, print, root, startServer, writeSuite } from './parts/measure.ts';

const cells = Number(process.argv[2] ?? 2000);
const latencyMs = 100;
/** Calls in flight of one process; the provider's limit is what all of them have together. */
const callsEach = 50;
const bin = join(root, 'bin/llmcheck.js');

await main();

async function main(): Promise<void> {
  print(`${cells} cells, a server that takes ${latencyMs} ms a call, ${callsEach} calls in flight for each worker.\n`);
  print(
    '| workers | wall s | cells a second | of the most possible | CPU s of the run | CPU s of the workers | peak MB of the run |',
  );
  print('|---|---|---|---|---|---|---|');
  const server = await startServer(latencyMs);
  try {
    for (const workers of [0, 1, 2, 4]) await measureWith(workers, server);
  } finally {
    server.stop();
  }
}

/** With 0 the run makes its calls itself. */
async function measureWith(workers: number, server: BenchServer): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-workers-'));
  const inFlight = callsEach * Math.max(1, workers);
  writeSuite(folder, makeCases(cells), { concurrency: inFlight });
  const redis = workers === 0 ? undefined : await startRedis(folder);
  const usageFile = join(folder, 'workers.jsonl');
  const started: ChildProcess[] = [];
  try {
    const urls = redis === undefined ? [] : Array.from({ length: workers }, () => redis.url);
    for (const url of urls) started.push(startWorker(url, { folder, server, usageFile }));
    await Promise.all(started.map(waitUntilReady));
    const queue = redis === undefined ? [] : ['--queue', redis.url];
    const usage = await measure([bin, 'run', 'bench.eval.yaml', '-j', `${inFlight}`, '-q', ...queue], {
      cwd: folder,
      env: server.env,
    });
    if (!usage.output.includes(`= ${cells} passed`)) throw new Error(usage.output);
    await Promise.all(started.map(stop));
    const ofWorkers = existsSync(usageFile) ? readFileSync(usageFile, 'utf8').trim().split('\n') : [];
    const workersCpuMs = ofWorkers.reduce((sum, line) => sum + (JSON.parse(line) as { cpuMs: number }).cpuMs, 0);
    const aSecond = cells / (usage.wallMs / 1000);
    print(
      `| ${workers === 0 ? 'none' : workers} | ${(usage.wallMs / 1000).toFixed(2)} | ${aSecond.toFixed(0)} ` +
        `| ${Math.round((aSecond / (inFlight / (latencyMs / 1000))) * 100)} % | ${(usage.cpuMs / 1000).toFixed(2)} ` +
        `| ${workers === 0 ? '' : (workersCpuMs / 1000).toFixed(2)} | ${usage.peakMb.toFixed(0)} |`,
    );
  } finally {
    for (const child of started) child.kill('SIGKILL');
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startWorker(
  url: string,
  { folder, server, usageFile }: { folder: string; server: BenchServer; usageFile: string },
): ChildProcess {
  return spawn(process.execPath, [bin, 'worker', 'bench.eval.yaml', '--queue', url, '-j', `${callsEach}`], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...server.env,
      BENCH_USAGE_FILE: usageFile,
      NODE_OPTIONS: `--import=${join(parts, 'usage-hook.mjs')}`,
    },
  });
}

/** Its first line says that it listens. */
function waitUntilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)));
    child.stdout?.once('data', () => resolve());
    child.stderr?.once('data', () => resolve());
  });
}

async function startRedis(folder: string): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await findPort();
  const child = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes('Ready to accept connections')) resolve();
    });
  });
  return { url: `redis://127.0.0.1:${port}/0`, stop: () => stop(child) };
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.kill('SIGTERM');
  });
}

function findPort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
