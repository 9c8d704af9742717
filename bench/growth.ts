/**
 * What a run takes as it grows: peak memory and CPU per cell at several sizes, as ratios to the smallest.
 * node scripts/run-ts.mjs bench/growth.ts [--modes=cold,cached,reports,baseline,resume] [--trials=N] [CELLS …]
 * A cell is a case of a JSONL file; with --trials=N a case has N cells on each of two prompt versions.
 */
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BenchCase,
  concurrency,
  makeCases,
  measure,
  print,
  root,
  startServer,
  type Usage,
  writeSuite,
} from './parts/measure.ts';

const reports = ['json', 'junit', 'html'];
const modes = ['cold', 'cached', ...reports, 'reports', 'baseline', 'resume'];

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
    const server = await startServer(0);
    const bin = join(root, 'bin/llmcheck.js');
    const options = { cwd: folder, env: server.env };
    const cases = trials === 0 ? size : size / (2 * trials);
    try {
      writeSuite(folder, makeGrowingCases(cases), {
        suite: 'growth',
        prompts: trials === 0 ? ['v1'] : ['v1', 'v2'],
        defaults: `  trials: ${Math.max(1, trials)}\n`,
        keys: 'gate:\n  passRate: { min: 0.9 }\n  cases: { broken: warn, added: warn }\n',
      });
      // Whatever else is wanted needs a first run, and that has the cold figures.
      for (const mode of ['cold', ...wanted.filter((other) => other !== 'cold')]) {
        if (mode === 'baseline') await measure([bin, 'baseline', 'accept', '--force'], options);
        if (mode === 'resume') breakOff(join(folder, '.llmcheck/runs'));
        const usage = await measure(
          [bin, 'run', 'growth.eval.yaml', '-j', `${concurrency}`, ...flagsOf(mode)],
          options,
        );
        checkTotals(usage.output, size, cases);
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
  if (mode === 'resume') return ['--resume'];
  const names = mode === 'reports' ? reports : reports.filter((name) => name === mode);
  return names.flatMap((name) => ['-r', `${name}=report.${name}`]);
}

/** As if the latest run had been killed halfway. */
function breakOff(folder: string): void {
  const [path = ''] = readdirSync(folder)
    .sort()
    .slice(-1)
    .map((name) => join(folder, name));
  const { size } = statSync(path);
  truncateSync(path, Math.floor(size / 2));
}

function* makeGrowingCases(size: number): Iterable<BenchCase> {
  let index = 0;
  for (const { expected, ...entry } of makeCases(size)) {
    // One in a hundred is wrong, so that there is something to report.
    yield { ...entry, expected: `${Number(expected) + (index % 100 === 99 ? 1 : 0)}` };
    index += 1;
  }
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
