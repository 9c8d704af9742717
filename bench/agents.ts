/**
 * What agents take beside single answers: CPU of a call in cells of four steps and in cells of one, and memory as the number
 * of agents grows. node scripts/run-ts.mjs bench/agents.ts [CELLS]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concurrency, makeCases, measure, print, root, startServer, type Usage, writeSuite } from './parts/measure.ts';

const steps = 4;
const smallHeapMb = 110;

await main();

async function main(): Promise<void> {
  const cells = Number(process.argv[2] ?? 10_000);
  print('| cells | steps of each | calls | wall s | CPU s | CPU µs a call | peak MB |');
  print('|---|---|---|---|---|---|---|');
  const few = await run(cells / 10, steps);
  const rounds: { readonly single: Usage; readonly many: Usage }[] = [];
  for (let round = 0; round < 3; round += 1) {
    rounds.push({ single: await run(cells * steps, 1), many: await run(cells, steps) });
  }
  // Both made as many calls. Whatever else the machine does only adds to a round, so the least counts.
  const least = (key: 'single' | 'many') => Math.min(...rounds.map((round) => round[key].cpuMs));
  // A heap that grows until it has to be collected says little about what is kept.
  const small = await run(cells, steps, [`--max-old-space-size=${smallHeapMb}`]);
  const peakMb = Math.max(...rounds.map(({ many }) => many.peakMb));
  print(
    `\nCPU of a call in an agent's cell: ${(least('many') / least('single')).toFixed(2)} × that of a single answer.`,
  );
  print(`Peak memory of ${cells} agents: ${(peakMb / few.peakMb).toFixed(2)} × that of ${cells / 10}.`);
  print(`In a heap of at most ${smallHeapMb} MB they finish too, with a peak of ${small.peakMb.toFixed(0)} MB.`);
}

async function run(cells: number, stepsOfEach: number, nodeFlags: readonly string[] = []): Promise<Usage> {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-agents-'));
  const server = await startServer(0, stepsOfEach);
  try {
    writeSuite(folder, makeCases(cells), stepsOfEach === 1 ? {} : { keys: 'tools: { next: { returns: "more" } }\n' });
    const argv = [...nodeFlags, join(root, 'bin/llmcheck.js'), 'run', 'bench.eval.yaml', '-j', `${concurrency}`];
    const usage = await measure(argv, { cwd: folder, env: server.env });
    if (!usage.output.includes(`${cells} passed`)) throw new Error(`not all cells passed:\n${usage.output}`);
    const calls = cells * stepsOfEach;
    print(
      `| ${cells} | ${stepsOfEach} | ${calls} | ${(usage.wallMs / 1000).toFixed(2)} | ${(usage.cpuMs / 1000).toFixed(2)} ` +
        `| ${((usage.cpuMs * 1000) / calls).toFixed(0)} | ${usage.peakMb.toFixed(0)} |`,
    );
    return usage;
  } finally {
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
