import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Read from package.json, its only place. */
export const version: string = readVersion().version;

/** The folder of the package; undefined if it is not found. */
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
    // The bundle is one folder higher than the source.
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
