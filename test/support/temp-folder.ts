import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

const memory = '/dev/shm';
const neededBytes = 1e9;

/** The program as `spawn-cli.ts` bundles it for all workers. */
export const bundleFolder = 'llmcheck-bundle';

/**
 * Puts the temporary files of all tests into one folder that goes with the run. It is in memory where Linux offers that:
 * the tests write tens of thousands of small files, which take half of the time on a disk.
 */
export default function setup(vitest: TestProject): () => void {
  const inMemory = hasRoom() ? makeFolder(memory) : undefined;
  const folder = inMemory !== undefined && runsPrograms(inMemory) ? inMemory : makeFolder(tmpdir());
  process.env['TMPDIR'] = folder;
  // While vitest watches, the program that the tests start is the one that was edited.
  vitest.onTestsRerun(() => rmSync(join(folder, bundleFolder), { recursive: true, force: true }));
  return () => {
    for (const made of [inMemory, folder]) if (made !== undefined) rmSync(made, { recursive: true, force: true });
  };
}

function makeFolder(parent: string): string {
  const folder = mkdtempSync(join(parent, 'llmcheck-tests-'));
  // Open to all, as /tmp is: some tests start programs as another user.
  chmodSync(folder, 0o1777);
  return folder;
}

/** Containers often have 64 MB of it, or none. */
function hasRoom(): boolean {
  if (process.env['TMPDIR'] !== undefined || !existsSync(memory)) return false;
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= neededBytes;
}

/** Tests start programs that they have written; some containers mount memory so that nothing in it runs. */
function runsPrograms(folder: string): boolean {
  const program = join(folder, 'program.sh');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o700 });
  return spawnSync(program).status === 0;
}
