import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/no-network.ts'],
    testTimeout: 20_000,
    // Threads share one process, so the suite starts fast enough to run on every save.
    pool: 'threads',
  },
});
