import { existsSync } from 'node:fs';

/**
 * The first of some paths that exists. Tests are skipped where there is none; with LLMCHECK_TEST_REQUIRE=1, as in CI,
 * that is an error.
 */
export function findProgram(name: string, paths: readonly (string | undefined)[]): string | undefined {
  const found = paths.find((path) => path !== undefined && existsSync(path));
  if (found === undefined && process.env['LLMCHECK_TEST_REQUIRE'] === '1') {
    throw new Error(`${name} is not installed, and LLMCHECK_TEST_REQUIRE=1 allows no test to be skipped.`);
  }
  return found;
}
