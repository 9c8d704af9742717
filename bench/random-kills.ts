/**
 * Kills a run (SIGKILL) at random moments and resumes it until it ends, many times over, and compares with a run that was
 * left alone: the report and the exit code must be the same, each cell must stand in the record once, what the record held
 * at a kill must not be asked again, and no more may be paid twice than was in flight. With `--workers` the run goes over
 * a queue, and workers are killed as well as the run. Needs a build; `--workers` needs redis-server. Exits with 1 on a fault.
 * Run by `node scripts/run-ts.mjs bench/random-kills.ts [--kills 100] [--workers] [--restarts]`; `--restarts` restarts
 * Redis in each round, too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

interface Stats {
  readonly asked: Readonly<Record<string, number>>;
  readonly mostInFlight: number;
  readonly mostOf: Readonly<Record<string, number>>;
}

interface Row {
  readonly type: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  readonly trial: number;
  readonly status: string;
  readonly confirmation?: true;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Site {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly serverUrl: string;
  readonly queue?: Queue;
  close(): Promise<void>;
}

/** A Redis server with its workers. */
interface Queue {
  readonly url: string;
  killWorker(): Promise<void>;
  restartRedis(): Promise<void>;
  close(): Promise<void>;
}

const root = resolve(process.cwd());
const bin = join(root, 'bin/llmcheck.js');
const args = process.argv.slice(2);
const withWorkers = args.includes('--workers');
const withRestarts = args.includes('--restarts');
const kills = Number(args[args.indexOf('--kills') + 1] ?? Number.NaN) || 100;
const killsARound = 10;
const cases = 300;
const latencyMs = 30;
/** Of each of the two providers. */
const concurrency = 4;
const workers = 4;
const roundTimeoutMs = 240_000;
/** Two cells wait for each slot at most. */
const maxInWork = 2 * 2 * concurrency;

const faults: string[] = [];
const figures = {
  rounds: 0,
  kills: 0,
  runKills: 0,
  workerKills: 0,
  beforeRecord: 0,
  restarts: 0,
  paid: 0,
  paidTwice: 0,
};
let mostOfAll = 0;

await main();

async function main(): Promise<void> {
  const reference = await openSite();
  const startedMs = performance.now();
  const expected = await startRun(reference, []).ended;
  const wholeMs = performance.now() - startedMs;
  const paidOnce = await readStats(reference);
  await reference.close();
  if (expected.code !== 1)
    throw new Error(`the run that is left alone ended with ${expected.code}: ${expected.stderr}`);
  console.log(
    `a run that is left alone: ${(wholeMs / 1000).toFixed(1)} s, exit code ${expected.code}, ${sumOf(paidOnce.asked)} calls`,
  );
  while (figures.kills < kills) {
    const roundKills = Math.min(killsARound, kills - figures.kills);
    await playRound({ expected, paidOnce, wholeMs, roundKills });
  }
  const { rounds, runKills, workerKills, beforeRecord, restarts, paid, paidTwice } = figures;
  console.log(
    [
      `${figures.kills} kills in ${rounds} rounds: ${runKills} of the run (${beforeRecord} before it had a record)`,
      ...(withWorkers ? [`${workerKills} of workers`, `${restarts} restarts of Redis`] : []),
      `${paid} calls paid, ${paidTwice} of them twice`,
      `at most ${mostOfAll} calls of a provider in flight (limit ${concurrency})`,
      `${faults.length} faults`,
    ].join('; '),
  );
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

interface Round {
  readonly expected: Ended;
  readonly paidOnce: Stats;
  readonly wholeMs: number;
  readonly roundKills: number;
}

async function playRound({ expected, paidOnce, wholeMs, roundKills }: Round): Promise<void> {
  const site = await openSite();
  figures.rounds += 1;
  const round = figures.rounds;
  const fault = (text: string) => faults.push(`round ${round}: ${text}`);
  /** By cell: how often it had been asked when it was found in the record. */
  const settled = new Map<string, number>();
  let killed = 0;
  let runKills = 0;
  let isResumed = false;
  const stopWatch = setTimeout(() => {
    console.error(`round ${round} does not end`);
    process.exit(1);
  }, roundTimeoutMs);
  try {
    let ended: Ended | undefined;
    while (ended === undefined || ended.signal === 'SIGKILL') {
      const run = startRun(site, isResumed ? ['--resume'] : []);
      isResumed = true;
      // Restarts of the program take part of each time; the rest is shared by the kills of the round.
      while (killed < roundKills && isRunning(run.child)) {
        await sleep(Math.random() * Math.min(wholeMs, 800 + (wholeMs * 4) / roundKills));
        if (!isRunning(run.child)) break;
        killed += 1;
        if (withRestarts && site.queue !== undefined && killed === Math.ceil(roundKills / 2)) {
          figures.restarts += 1;
          await site.queue.restartRedis();
        }
        if (site.queue !== undefined && Math.random() < 0.5) {
          figures.workerKills += 1;
          await site.queue.killWorker();
          continue;
        }
        figures.runKills += 1;
        runKills += 1;
        run.child.kill('SIGKILL');
        await run.ended;
        await noteSettled(site, settled);
        break;
      }
      ended = await run.ended;
    }
    figures.kills += killed;
    await check(site, { ended, expected, paidOnce, settled, killed, runKills, fault });
  } finally {
    clearTimeout(stopWatch);
    await site.close();
  }
}

async function noteSettled(site: Site, settled: Map<string, number>): Promise<void> {
  const { asked } = await readStats(site);
  const rows = readRows(site.folder);
  if (rows.length === 0) figures.beforeRecord += 1;
  for (const row of rows) {
    // Confirmation trials ask the same question again.
    if ((row.status !== 'passed' && row.status !== 'failed') || row.caseId.endsWith('7')) continue;
    const cell = `${row.provider.replace('openai:', '')} ${row.caseId}`;
    if (!settled.has(cell)) settled.set(cell, asked[cell] ?? 0);
  }
}

interface Outcome {
  readonly ended: Ended;
  readonly expected: Ended;
  readonly paidOnce: Stats;
  readonly settled: ReadonlyMap<string, number>;
  readonly killed: number;
  readonly runKills: number;
  readonly fault: (text: string) => void;
}

async function check(site: Site, outcome: Outcome): Promise<void> {
  const { ended, expected, paidOnce, settled, killed, fault } = outcome;
  const stats = await readStats(site);
  if (ended.code !== expected.code) fault(`exit code ${ended.code} instead of ${expected.code}: ${ended.stderr}`);
  if (!isDeepStrictEqual(withoutTimes(ended.stdout), withoutTimes(expected.stdout))) {
    mkdirSync(join(root, 'node_modules/.cache/random-kills'), { recursive: true });
    const path = join(root, `node_modules/.cache/random-kills/round-${figures.rounds}.json`);
    writeFileSync(path, ended.stdout);
    writeFileSync(path.replace('.json', '.expected.json'), expected.stdout);
    fault(`another report, see ${path}`);
  }
  const counts = new Map<string, number>();
  for (const { provider, caseId, prompt, trial } of readRows(site.folder)) {
    const key = `${provider} ${prompt} ${caseId} ${trial}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const planned = cases * 2;
  if (counts.size < planned) fault(`${counts.size} of ${planned} cells in the record`);
  for (const [key, count] of counts) if (count !== 1) fault(`${key} stands ${count} times in the record`);
  for (const [cell, count] of settled) {
    if (stats.asked[cell] !== count) fault(`${cell} was in the record and was asked again`);
  }
  const paid = sumOf(stats.asked);
  const needed = sumOf(paidOnce.asked);
  // An errored cell runs again with each resumption.
  const retried = Object.entries(stats.asked)
    .filter(([cell]) => /^second .*99$/.test(cell))
    .reduce((sum, [cell, count]) => sum + count - (paidOnce.asked[cell] ?? 0), 0);
  const paidTwice = paid - needed - retried;
  figures.paid += paid;
  figures.paidTwice += paidTwice;
  if (paidTwice > killed * maxInWork) fault(`${paidTwice} calls were paid twice, after ${killed} kills`);
  for (const [model, most] of Object.entries(stats.mostOf)) {
    mostOfAll = Math.max(mostOfAll, most);
    if (most > concurrency) fault(`${most} calls of ${model} in flight, over its limit of ${concurrency}`);
  }
  console.log(
    `round ${figures.rounds}: ${killed} kills, ${outcome.runKills} of the run; ${paid} calls for ${needed}, ${paidTwice} paid twice; exit code ${ended.code}`,
  );
}

/** What two runs of the same thing have in common: no id, times and spend. */
function withoutTimes(text: string): unknown {
  const left: ReadonlySet<string> = new Set(['run', 'latencyMs', 'cached', 'spentUsd']);
  // Each round has a server of its own.
  return JSON.parse(text.replaceAll(/127\.0\.0\.1:\d+/g, 'server'), (key, value: unknown) =>
    left.has(key) ? undefined : value,
  );
}

function startRun({ folder, env, queue }: Site, flags: readonly string[]) {
  const over = queue === undefined ? [] : ['--queue', queue.url];
  return start([bin, 'run', '--cache', 'off', '--max-errors', '5', '-r', 'json', ...flags, ...over], { folder, env });
}

function start(argv: readonly string[], { folder, env }: Pick<Site, 'folder' | 'env'>) {
  const child = spawn(process.execPath, argv, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<Ended>((done) => {
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

async function openSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-kills-'));
  const server = spawn(process.execPath, [join(root, 'bench/parts/known-server.mjs'), `${latencyMs}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const serverUrl = `http://127.0.0.1:${await firstLine(server)}`;
  writeSuite(folder);
  const env = { OPENAI_BASE_URL: `${serverUrl}/v1`, OPENAI_API_KEY: 'sk-test-0123456789abcdef' };
  const queue = withWorkers ? await openQueue(folder, env) : undefined;
  return {
    folder,
    env,
    serverUrl,
    ...(queue === undefined ? {} : { queue }),
    async close() {
      await queue?.close();
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openQueue(folder: string, env: Site['env']): Promise<Queue> {
  const data = mkdtempSync(join(tmpdir(), 'llmcheck-redis-'));
  const port = await findPort();
  const url = `redis://127.0.0.1:${port}/0`;
  let redis = await startRedis(port, data);
  const startWorker = () => start([bin, 'worker', '--queue', url, '--lease', '2s'], { folder, env });
  const running = Array.from({ length: workers }, startWorker);
  return {
    url,
    async killWorker() {
      const index = Math.floor(Math.random() * running.length);
      running[index]?.child.kill('SIGKILL');
      await running[index]?.ended;
      running[index] = startWorker();
    },
    async restartRedis() {
      redis.kill('SIGTERM');
      await new Promise((done) => redis.once('close', done));
      redis = await startRedis(port, data);
    },
    async close() {
      for (const { child } of running) child.kill('SIGKILL');
      await Promise.all(running.map(({ ended }) => ended));
      redis.kill('SIGKILL');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function startRedis(port: number, dir: string): Promise<ChildProcess> {
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'yes', '--save', ''];
  const redis = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((done) => {
    redis.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes('Ready to accept connections')) done();
    });
  });
  return redis;
}

function findPort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function writeSuite(folder: string): void {
  mkdirSync(join(folder, 'evals'));
  const rows = Array.from({ length: cases }, (_, index) => {
    const word = `w${index}`;
    // One that fails and must not: it is confirmed by confirmation trials.
    const mustPass = word === 'w17' ? { mustPass: true } : {};
    return JSON.stringify({ id: word, vars: { word }, expected: word, ...mustPass });
  });
  writeFileSync(join(folder, 'evals/cases.jsonl'), `${rows.join('\n')}\n`);
  const limits = `limits: { concurrency: ${concurrency} }`;
  writeFileSync(
    join(folder, 'evals/known.eval.yaml'),
    `suite: known
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers:
  - { id: first, use: openai:first, ${limits} }
  - { id: second, use: openai:second, ${limits} }
defaults: { assert: [{ equals: "{{expected}}" }] }
cases: [{ file: cases.jsonl }]
`,
  );
}

function readRows(folder: string): readonly Row[] {
  const runs = join(folder, '.llmcheck/runs');
  if (!existsSync(runs)) return [];
  const files = readdirSync(runs).filter((name) => name.endsWith('.jsonl'));
  if (files.length > 1) faults.push(`${files.length} records instead of one`);
  return files.flatMap((file) =>
    readFileSync(join(runs, file), 'utf8')
      .split('\n')
      .flatMap((line) => {
        try {
          const row = JSON.parse(line) as Row;
          return row.type === 'cell' ? [row] : [];
        } catch {
          // A line that a kill cut off.
          return [];
        }
      }),
  );
}

async function readStats({ serverUrl }: Site): Promise<Stats> {
  return (await (await fetch(`${serverUrl}/stats`)).json()) as Stats;
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((done) => {
    child.stdout?.once('data', (chunk: Buffer) => done(chunk.toString('utf8').trim()));
  });
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
