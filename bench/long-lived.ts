// Memory and open files of one process that runs many suites: node --expose-gc scripts/run-ts.mjs bench/long-lived.ts [RUNS]
// Each run is of one suite with a baseline, a failing case and confirmation trials, through `runSuites`.

import { readdirSync } from 'node:fs';
import { openGateProject } from './parts/gate-project.ts';

const [runs = 10_000] = process.argv.slice(2).map(Number);
/** Heap that one thousand runs may add, in MB: V8 keeps compiling for a while. One kilobyte a run is a leak. */
const toleratedMb = 1;
const samples = 10;

const project = openGateProject();
try {
  const shapes = [{ cases: 3, trials: 1 }];
  project.write(shapes, 'accepted');
  await project.accept(await project.run(() => false));
  project.write(shapes, 'candidate');
  // What is loaded late is loaded now.
  for (let run = 0; run < 50; run += 1) await runOnce();
  const first = measure();
  console.log(`after 50 runs: heap ${first.heapMb.toFixed(1)} MB, ${first.files} open files`);
  let last = first;
  for (let sample = 1; sample <= samples; sample += 1) {
    for (let run = 0; run < runs / samples; run += 1) await runOnce();
    last = measure();
    console.log(`after ${(sample * runs) / samples} more: heap ${last.heapMb.toFixed(1)} MB, ${last.files} open files`);
  }
  const isFlat = last.heapMb - first.heapMb <= (toleratedMb * runs) / 1000 && last.files <= first.files;
  console.log(isFlat ? 'flat' : 'NOT FLAT');
  process.exitCode = isFlat ? 0 : 1;
} finally {
  project.close();
}

async function runOnce(): Promise<void> {
  const { report } = await project.run((_suite, index, side) => side === 'candidate' && index === 0);
  if (report.exitCode !== 1) throw new Error(`a run ended with ${report.exitCode}`);
  // The folder of runs is not what is measured.
  project.forgetRuns();
}

function measure(): { readonly heapMb: number; readonly files: number } {
  globalThis.gc?.();
  return { heapMb: process.memoryUsage().heapUsed / 2 ** 20, files: readdirSync('/proc/self/fd').length };
}
