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
  return {
    has: (name) => find(name) !== undefined,
    async load(name) {
      const path = find(name);
      if (path === undefined) return undefined;
      const loaded: unknown = await import(pathToFileURL(path).href);
      return loaded;
    },
  };
}
