import { pathToFileURL } from 'node:url';
import { resolveModulePath } from 'exsolve';

/** Optional packages, as the project has them, else as they stand beside llmcheck. */
export interface Packages {
  readonly has: (name: string) => boolean;
  /** Undefined where it is not installed. Rejects where it can't be loaded. */
  readonly load: (name: string) => Promise<unknown>;
}

export function openPackages(root: string): Packages {
  // A program that is installed for all projects must still find the project's own packages.
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
    load(name) {
      const known = loaded.get(name) ?? load(name);
      loaded.set(name, known);
      return known;
    },
  };
}
