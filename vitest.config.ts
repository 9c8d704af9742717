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
    // The suite runs on every save: threads start fast, no file loads the program again, and no core is idle.
    pool: 'threads',
    isolate: false,
    maxWorkers: '100%',
  },
});
