import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { pageVitePlugin } from './scripts/page-plugin.mjs';

/**
 * First the files that start thousands of programs: a start copies the memory tables of its process, which doubles once other
 * files have loaded models, parsers and browsers. They take the longest, too.
 */
class ProgramsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(startsPrograms(b)) - Number(startsPrograms(a)));
  }
}

function startsPrograms({ moduleId }: TestSpecification): boolean {
  return /\/test\/(?:action|baseline|changes|programs|project|run\/find-loosened|cli\/(?:run|changed|contract|baseline|bisect|verdict|prompts|mcp|agents|skills|workspace))\b/.test(
    moduleId,
  );
}

export default defineConfig({
  plugins: [pageVitePlugin],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/temp-folder.ts'],
    setupFiles: ['test/support/no-network.ts'],
    tags: [
      {
        name: 'slow',
        description:
          'Takes a fifth of a second or more, or a browser, a package, killed processes: left out by `npm test`.',
        timeout: 180_000,
      },
    ],
    // Only guards against tests that never end: a busy machine must not fail them.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    sequence: { sequencer: ProgramsFirst },
    // The suite runs on every save: no file loads the program again, and no core is idle. Each worker is a process of its own,
    // and small.
    pool: 'forks',
    isolate: false,
    // Compiled files stay in node_modules, so that one test file starts in half the time. CI starts without any.
    experimental: { fsModuleCache: true },
    // One more than cores, since tests wait for programs, sockets and time limits.
    maxWorkers: availableParallelism() + 1,
  },
});
