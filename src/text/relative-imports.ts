import { dirname, resolve } from 'node:path';
import { findAliased } from './path-aliases.mjs';

/** What a JavaScript or TypeScript text imports, and files that it names to read them. Also what comments name: one too many does no harm. */
export function findImports(text: string): readonly string[] {
  const imports = text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*(["'])([^"'\n]{1,500})\1/g);
  const files = text.matchAll(/(["'`])(\.{1,2}\/[^"'`$\n]{1,500})\1/g);
  return [...new Set([...imports, ...files].map(([, , specifier = '']) => specifier))];
}

/** The paths that an import may mean, without the endings that it leaves out: relative ones, and aliases of a tsconfig.json. */
export function importedPaths(
  specifier: string,
  file: string,
  readText: (path: string) => string | undefined,
): readonly string[] {
  return /^\.{1,2}\//.test(specifier) ? [resolve(dirname(file), specifier)] : findAliased(specifier, file, readText);
}

/** What may follow an imported path to make it a file's. */
export const importSuffixes = ['', '.js', '.ts', '.mjs', '.cjs', '.mts', '.json', '/index.js', '/index.ts'] as const;
