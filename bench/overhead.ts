/**
 * What llmcheck adds to the calls it makes: CPU, wall time and peak memory beside a bare HTTP loop over the same
 * requests, as ratios of medians of five rounds in turn. Run by `npm run bench`; `npm run bench -- --quick` takes the small sizes only.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  concurrency,
  makeCases,
  measure,
  measureStarts,
  parts,
  print,
  root,
  startServer,
  type Usage,
  writeSuite,
} from './parts/measure.ts';

const isQuick = process.argv.includes('--quick');
const memory = '/dev/shm';

await main();

async function main(): Promise<void> {
  const onDisk = mkdtempSync(join(tmpdir(), 'llmcheck-bench-'));
  const inMemory = hasRoomInMemory() ? mkdtempSync(join(memory, 'llmcheck-bench-')) : undefined;
  const folder = inMemory ?? onDisk;
  try {
    print(`Files are in ${inMemory === undefined ? tmpdir() : memory}.\n`);
    print('| cases | server | mode | CPU s (bare) | ratio | wall s (bare) | ratio | peak MB (bare) |');
    print('|---|---|---|---|---|---|---|---|');
    const peaks: number[] = [];
    for (const size of isQuick ? [1000] : [1000, 10_000]) {
      for (const delayMs of [0, 50]) {
        const rounds = await runRounds(size, delayMs, join(folder, `${size}-${delayMs}`));
        const bare = medianOf(rounds.map((round) => round.bare));
        const cold = medianOf(rounds.map((round) => round.cold));
        printRow(size, delayMs, 'cold', cold, bare);
        if (delayMs !== 0) continue;
        peaks.push(cold.peakMb);
        printRow(size, delayMs, 'cached', medianOf(rounds.map((round) => round.cached)), bare);
      }
    }
    if (inMemory !== undefined && !isQuick) await compareOnDisk(onDisk);
    const [small, large] = peaks;
    if (small !== undefined && large !== undefined) {
      print(`\nPeak memory of 10,000 cases over that of 1,000: ${(large / small).toFixed(2)}`);
    }
    await compareStart();
  } finally {
    for (const made of [onDisk, inMemory]) if (made !== undefined) rmSync(made, { recursive: true, force: true });
  }
}

/**
 * ext4 takes 0.03 ms of CPU to create a file, and up to 0.3 ms for minutes after many files were removed. So the figures that
 * are compared with targets are taken in memory, where Linux offers that.
 */
function hasRoomInMemory(): boolean {
  if (process.env['TMPDIR'] !== undefined || !existsSync(memory)) return false;
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= 2e9;
}

/** The same on the disk, as it is now. */
async function compareOnDisk(folder: string): Promise<void> {
  const rounds = await runRounds(10_000, 0, folder);
  printRow(
    10_000,
    0,
    'cold, on disk',
    medianOf(rounds.map(({ cold }) => cold)),
    medianOf(rounds.map(({ bare }) => bare)),
  );
}

interface Round {
  readonly bare: Usage;
  readonly cold: Usage;
  /** A second run over the answers of the first. */
  readonly cached: Usage;
}

/** In turn, so that a drift of the machine's speed, or of the server's as it warms up, meets all alike. */
async function runRounds(size: number, delayMs: number, folder: string): Promise<readonly Round[]> {
  const server = await startServer(delayMs);
  const rounds: Round[] = [];
  try {
    while (rounds.length < (delayMs === 0 ? 5 : 1)) {
      const cwd = join(folder, `${rounds.length}`);
      mkdirSync(cwd, { recursive: true });
      writeSuite(cwd, makeCases(size));
      const options = { cwd, env: server.env };
      const loop = [join(parts, 'bare-loop.mjs'), server.url, 'cases.jsonl', 'out.jsonl', `${concurrency}`];
      const run = [join(root, 'bin/llmcheck.js'), 'run', 'bench.eval.yaml', '-j', `${concurrency}`, '-q'];
      rounds.push({
        bare: await measure(loop, options),
        cold: await measure(run, options),
        cached: await measure(run, options),
      });
    }
  } finally {
    server.stop();
  }
  return rounds;
}

async function compareStart(): Promise<void> {
  const bin = join(root, 'bin/llmcheck.js');
  const programs = { 'node -e 0': ['-e', '0'], '--version': [bin, '--version'], '--help': [bin, '--help'] };
  const medians = await measureStarts(programs, { cwd: root, rounds: 15 });
  const bare = medians.get('node -e 0') ?? 1;
  print('\n| start | median ms | ratio |\n|---|---|---|');
  for (const [name, ms] of medians) print(`| ${name} | ${ms.toFixed(0)} | ${(ms / bare).toFixed(2)} |`);
}

/** Of each figure by itself; an odd number of rounds. */
function medianOf(usages: readonly Usage[]): Usage {
  const median = (pick: (usage: Usage) => number): number =>
    usages.map(pick).toSorted((a, b) => a - b)[Math.floor(usages.length / 2)] ?? Number.NaN;
  return {
    wallMs: median(({ wallMs }) => wallMs),
    cpuMs: median(({ cpuMs }) => cpuMs),
    peakMb: median(({ peakMb }) => peakMb),
  };
}

function printRow(size: number, delayMs: number, mode: string, own: Usage, bare: Usage): void {
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  print(
    `| ${size} | ${delayMs} ms | ${mode} | ${seconds(own.cpuMs)} (${seconds(bare.cpuMs)}) | ${(own.cpuMs / bare.cpuMs).toFixed(2)} ` +
      `| ${seconds(own.wallMs)} (${seconds(bare.wallMs)}) | ${(own.wallMs / bare.wallMs).toFixed(2)} ` +
      `| ${own.peakMb.toFixed(0)} (${bare.peakMb.toFixed(0)}) |`,
  );
}
