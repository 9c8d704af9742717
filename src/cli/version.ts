import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Read from the package, so that it is written in one place. */
export const version: string = readVersion().version;

/** Where the program lies; undefined where that can't be told. */
export const packageFolder: string | undefined = readVersion().folder;

function readVersion(): { readonly version: string; readonly folder?: string } {
  const require = createRequire(import.meta.url);
  for (const path of ['../package.json', '../../package.json']) {
    const found = readPackage(require, path);
    if (found?.name === 'llmcheck') return { version: found.version, folder: dirname(require.resolve(path)) };
  }
  return { version: '0.0.0' };
}

function readPackage(require: NodeJS.Require, path: string): { name: string; version: string } | undefined {
  try {
    return require(path) as { name: string; version: string };
  } catch (error) {
    // The bundle lies one folder higher than the source.
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
