import { defineConfig } from 'vitest/config';
import { pageVitePlugin } from './scripts/page-plugin.mjs';

export default defineConfig({
  plugins: [pageVitePlugin],
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/no-network.ts'],
    testTimeout: 20_000,
    // Threads share one process, so the suite starts fast enough to run on every save.
    pool: 'threads',
  },
});
