import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { pageVitePlugin } from './scripts/page-plugin.mjs';

export default defineConfig({
  plugins: [pageVitePlugin],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/temp-folder.ts'],
    setupFiles: ['test/support/no-network.ts'],
    tags: [
      {
        name: 'slow',
        description: 'Takes seconds, or a browser, a package, killed processes: left out by `npm test`.',
        timeout: 180_000,
      },
    ],
    // Only guards against tests that never end: a busy machine must not fail them.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The suite runs on every save: no file loads the program again, and no core is idle. Tests start thousands of
    // programs, and a start copies the memory tables of its process: each worker is a process of its own, and small.
    pool: 'forks',
    isolate: false,
    // One more than there are cores, since tests wait for the programs that they start.
    maxWorkers: availableParallelism() + 1,
  },
});
