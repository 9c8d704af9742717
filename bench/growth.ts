/**
 * What a run takes as it grows: peak memory and CPU per cell at several sizes, as ratios to the smallest.
 * node scripts/run-ts.mjs bench/growth.ts [--modes=cold,cached,reports,baseline] [--trials=N] [CELLS …]
 * A cell is a case of a JSONL file; with --trials=N a case has N cells on each of two prompt versions.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
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
const reports = ['json', 'junit', 'html'];
const modes = ['cold', 'cached', ...reports, 'reports', 'baseline'];

await main();

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const flag = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const wanted = flag('modes')?.split(',') ?? ['cold', 'cached', 'reports', 'baseline'];
  const unknown = wanted.filter((mode) => !modes.includes(mode));
  if (unknown.length > 0) throw new Error(`no such mode: ${unknown.join(', ')}; there are ${modes.join(', ')}`);
  const trials = Number(flag('trials') ?? 0);
  const given = args.filter((arg) => !arg.startsWith('--')).map(Number);
  const sizes = given.length === 0 ? [1000, 10_000, 100_000] : given;
  const first = new Map<string, { readonly size: number; readonly usage: Usage }>();
  print('| cells | mode | wall s | CPU s | CPU µs a cell | to the smallest | peak MB | to the smallest |');
  print('|---|---|---|---|---|---|---|---|');
  for (const size of sizes) {
    const folder = mkdtempSync(join(tmpdir(), 'llmcheck-growth-'));
    const server = await startServer();
    try {
      writeSuite(folder, size, trials);
      // Whatever else is wanted needs a first run, and that has the cold figures.
      for (const mode of ['cold', ...wanted.filter((other) => other !== 'cold')]) {
        if (mode === 'baseline') await measure(['baseline', 'accept', '--force'], folder, server.url);
        const usage = await measure(
          ['run', 'growth.eval.yaml', '-j', `${concurrency}`, ...flagsOf(mode)],
          folder,
          server.url,
        );
        checkTotals(usage.output, size, trials === 0 ? size : size / (2 * trials));
        if (!first.has(mode)) first.set(mode, { size, usage });
        printRow(size, mode, usage, first.get(mode) ?? { size, usage });
      }
    } finally {
      server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function flagsOf(mode: string): readonly string[] {
  const names = mode === 'reports' ? reports : reports.filter((name) => name === mode);
  return names.flatMap((name) => ['-r', `${name}=report.${name}`]);
}

function writeSuite(folder: string, cells: number, trials: number): void {
  const cases = trials === 0 ? cells : cells / (2 * trials);
  const fd = openSync(join(folder, 'cases.jsonl'), 'w');
  for (let index = 0; index < cases; index += 1) {
    const text = `Case ${index}: ${'lorem ipsum dolor sit amet '.repeat(4 + (index % 5))}`;
    // One in a hundred is wrong, so that there is something to report.
    const length = text.length + 'How long is this text?\n'.length + (index % 100 === 99 ? 1 : 0);
    writeSync(fd, `${JSON.stringify({ id: `case-${index}`, vars: { text }, expected: `${length}` })}\n`);
  }
  closeSync(fd);
  writeFileSync(join(folder, 'llmcheck.config.yaml'), 'cache: {}\n');
  const versions = trials === 0 ? ['v1'] : ['v1', 'v2'];
  writeFileSync(
    join(folder, 'growth.eval.yaml'),
    `suite: growth
prompts:
${versions.map((id) => `  - id: ${id}\n    text: "How long is this text?\\n{{text}}"\n    params: { seed: ${id.slice(1)} }`).join('\n')}
providers:
  - id: local
    use: openai:bench-1
    params: { temperature: 0 }
    limits: { concurrency: ${concurrency} }
defaults:
  trials: ${Math.max(1, trials)}
  assert:
    - equals: "{{expected}}"
      select: { regex: "Answer: (\\\\d+)", match: last, group: 1 }
gate:
  passRate: { min: 0.9 }
  cases: { broken: warn, added: warn }
cases:
  - file: cases.jsonl
`,
  );
}

async function startServer(): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, [join(parts, 'server.mjs'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<string>((resolvePort) => {
    child.stdout.once('data', (chunk: Buffer) => resolvePort(chunk.toString().trim()));
  });
  return { url: `http://127.0.0.1:${port}/v1`, stop: () => child.kill() };
}

async function measure(
  args: readonly string[],
  cwd: string,
  url: string,
): Promise<Usage & { readonly output: string }> {
  const usageFile = join(cwd, 'usage.json');
  // Each process adds a line.
  rmSync(usageFile, { force: true });
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', join(parts, 'usage-hook.mjs'), join(root, 'bin/llmcheck.js'), ...args],
    {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, OPENAI_BASE_URL: url, OPENAI_API_KEY: 'bench-key-000', BENCH_USAGE_FILE: usageFile },
    },
  );
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolveCode) => {
    child.once('close', resolveCode);
  });
  const output = Buffer.concat(chunks).toString();
  if (code !== 0) throw new Error(`llmcheck ${args.join(' ')} ended with ${code}\n${output}`);
  const wallMs = performance.now() - startedMs;
  return { ...(JSON.parse(readFileSync(usageFile, 'utf8')) as { cpuMs: number; peakMb: number }), wallMs, output };
}

/** Fast and small is worth nothing where the counts are wrong. */
function checkTotals(output: string, cells: number, cases: number): void {
  const wrong = Math.floor(cases / 100) * (cells / cases);
  const expected = `${cells - wrong} passed`;
  if (!output.includes(expected)) throw new Error(`"${expected}" is not in the report:\n${output}`);
}

function printRow(
  size: number,
  mode: string,
  own: Usage,
  first: { readonly size: number; readonly usage: Usage },
): void {
  const perCell = (usage: Usage, cells: number) => (usage.cpuMs * 1000) / cells;
  print(
    `| ${size} | ${mode} | ${(own.wallMs / 1000).toFixed(2)} | ${(own.cpuMs / 1000).toFixed(2)} ` +
      `| ${perCell(own, size).toFixed(0)} | ${(perCell(own, size) / perCell(first.usage, first.size)).toFixed(2)} ` +
      `| ${own.peakMb.toFixed(0)} | ${(own.peakMb / first.usage.peakMb).toFixed(2)} |`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
