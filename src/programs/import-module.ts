import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resolveModulePath } from 'exsolve';
import { installModuleHooks } from './module-hooks.mjs';

/** Imports a module of the user into this process. TypeScript needs no build step. Rejects with the module's error. */
export async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  installModuleHooks();
  return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
}

/** Optional packages, from the project or else from llmcheck's own installation. */
export interface Packages {
  readonly has: (name: string) => boolean;
  /** Undefined if the package is not installed or has no version. */
  readonly version: (name: string) => string | undefined;
  /** Undefined if the package is not installed. Rejects if loading fails. */
  readonly load: (name: string) => Promise<unknown>;
}

export function openPackages(root: string): Packages {
  // Search the project first: llmcheck may be installed globally.
  const find = (name: string) =>
    resolveModulePath(name, {
      from: [pathToFileURL(`${root}/`), import.meta.url],
      conditions: ['node', 'import'],
      try: true,
    });
  const loaded = new Map<string, Promise<unknown>>();
  const load = async (name: string): Promise<unknown> => {
    const path = find(name);
    return path === undefined ? undefined : import(pathToFileURL(path).href);
  };
  return {
    has: (name) => find(name) !== undefined,
    version(name) {
      // Some packages have no main module.
      const path = find(name) ?? find(`${name}/package.json`);
      return path === undefined ? undefined : readVersion(path, name);
    },
    load(name) {
      const known = loaded.get(name) ?? load(name);
      loaded.set(name, known);
      return known;
    },
  };
}

/**
 * Reads the version from the nearest package.json above the module with the package's name. Nested ones may have no
 * name.
 */
function readVersion(path: string, name: string): string | undefined {
  const folder = dirname(path);
  if (folder === path) return undefined;
  const file = join(folder, 'package.json');
  const manifest = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
  if (manifest['name'] !== name) return readVersion(folder, name);
  return typeof manifest['version'] === 'string' ? manifest['version'] : undefined;
}
