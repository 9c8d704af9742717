/**
 * What llmcheck adds to the calls it makes: CPU, wall time and peak memory beside a bare HTTP loop over the same
 * requests, as ratios of one run. Run by `npm run bench`; `npm run bench -- --quick` takes the small sizes only.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

const root = resolve(process.cwd());
const parts = join(root, 'bench/parts');
const concurrency = 50;
const isQuick = process.argv.includes('--quick');

await main();

async function main(): Promise<void> {
  print('| cases | server | mode | CPU s (bare) | ratio | wall s (bare) | ratio | peak MB (bare) |');
  print('|---|---|---|---|---|---|---|---|');
  const peaks = new Map<number, number>();
  for (const size of isQuick ? [1000] : [1000, 10_000]) {
    for (const delayMs of [0, 50]) {
      const folder = mkdtempSync(join(tmpdir(), 'llmcheck-bench-'));
      const server = await startServer(delayMs);
      try {
        writeSuite(folder, size);
        const bare = await measure(
          [
            join(parts, 'bare-loop.mjs'),
            server.url,
            join(folder, 'cases.jsonl'),
            join(folder, 'out.jsonl'),
            `${concurrency}`,
          ],
          folder,
          server.url,
        );
        const run = () =>
          measure(
            [join(root, 'bin/llmcheck.js'), 'run', 'bench.eval.yaml', '-j', `${concurrency}`, '-q'],
            folder,
            server.url,
          );
        const cold = await run();
        printRow(size, delayMs, 'cold', cold, bare);
        if (delayMs === 0) {
          peaks.set(size, cold.peakMb);
          printRow(size, delayMs, 'cached', await run(), bare);
        }
      } finally {
        server.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    }
  }
  const [small, large] = [...peaks.values()];
  if (small !== undefined && large !== undefined) {
    print(`\nPeak memory of 10,000 cases over that of 1,000: ${(large / small).toFixed(2)}`);
  }
  await compareStart();
}

async function compareStart(): Promise<void> {
  const starts: Record<string, readonly string[]> = {
    'node -e 0': ['-e', '0'],
    '--version': [join(root, 'bin/llmcheck.js'), '--version'],
    '--help': [join(root, 'bin/llmcheck.js'), '--help'],
  };
  const medians = new Map<string, number>();
  const times = new Map<string, number[]>(Object.keys(starts).map((name) => [name, []]));
  // In turn, so that a drift of the machine's speed meets all of them alike.
  for (let round = 0; round < 15; round += 1) {
    for (const [name, args] of Object.entries(starts)) {
      const startedMs = performance.now();
      await wait(spawn(process.execPath, [...args], { stdio: 'ignore' }));
      times.get(name)?.push(performance.now() - startedMs);
    }
  }
  for (const [name, values] of times)
    medians.set(name, values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
  const bare = medians.get('node -e 0') ?? 1;
  print('\n| start | median ms | ratio |\n|---|---|---|');
  for (const [name, ms] of medians) print(`| ${name} | ${ms.toFixed(0)} | ${(ms / bare).toFixed(2)} |`);
}

function writeSuite(folder: string, size: number): void {
  const cases = Array.from({ length: size }, (_, index) => {
    const text = `Case ${index}: ${'lorem ipsum dolor sit amet '.repeat(4 + (index % 5))}`;
    return JSON.stringify({
      id: `case-${index}`,
      vars: { text },
      expected: `${text.length + 'How long is this text?\n'.length}`,
    });
  });
  writeFileSync(join(folder, 'cases.jsonl'), `${cases.join('\n')}\n`);
  writeFileSync(join(folder, 'llmcheck.config.yaml'), 'cache: {}\n');
  writeFileSync(
    join(folder, 'bench.eval.yaml'),
    `suite: bench
prompts:
  - id: v1
    text: "How long is this text?\\n{{text}}"
providers:
  - id: local
    use: openai:bench-1
    params: { temperature: 0 }
    limits: { concurrency: ${concurrency} }
defaults:
  assert:
    - equals: "{{expected}}"
      select: { regex: "Answer: (\\\\d+)", match: last, group: 1 }
cases:
  - file: cases.jsonl
`,
  );
}

async function startServer(delayMs: number): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, [join(parts, 'server.mjs'), `${delayMs}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolvePort) => {
    child.stdout.once('data', (chunk: Buffer) => resolvePort(chunk.toString().trim()));
  });
  return { url: `http://127.0.0.1:${port}/v1`, stop: () => child.kill() };
}

async function measure(args: readonly string[], cwd: string, url: string): Promise<Usage> {
  const usageFile = join(cwd, 'usage.json');
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['--import', join(parts, 'usage-hook.mjs'), ...args], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, OPENAI_BASE_URL: url, OPENAI_API_KEY: 'bench-key-000', BENCH_USAGE_FILE: usageFile },
  });
  const code = await wait(child);
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}`);
  const wallMs = performance.now() - startedMs;
  return { wallMs, ...(JSON.parse(readFileSync(usageFile, 'utf8')) as { cpuMs: number; peakMb: number }) };
}

function wait(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolveCode) => {
    child.once('exit', resolveCode);
  });
}

function printRow(size: number, delayMs: number, mode: string, own: Usage, bare: Usage): void {
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  print(
    `| ${size} | ${delayMs} ms | ${mode} | ${seconds(own.cpuMs)} (${seconds(bare.cpuMs)}) | ${(own.cpuMs / bare.cpuMs).toFixed(2)} ` +
      `| ${seconds(own.wallMs)} (${seconds(bare.wallMs)}) | ${(own.wallMs / bare.wallMs).toFixed(2)} ` +
      `| ${own.peakMb.toFixed(0)} (${bare.peakMb.toFixed(0)}) |`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
