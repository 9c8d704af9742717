import { dirname, resolve } from 'node:path';
import { findAliased } from '../path-aliases.mjs';

export interface FollowedImports {
  /** The file and all that it imports, in the order in which they are found; empty if there is no such file. */
  readonly files: readonly string[];
  /** Paths that were tried for an import but are not files. */
  readonly missing: readonly string[];
  /** Each tsconfig.json that was read for its aliases. */
  readonly configs: ReadonlySet<string>;
}

/** Follows the imports of files, not of packages. `readText` returns undefined if there is no text. */
export function followImports(
  start: string,
  isFile: (path: string) => boolean,
  readText: (path: string) => string | undefined,
): FollowedImports {
  const files = new Set(isFile(start) ? [start] : []);
  const missing: string[] = [];
  const configs = new Set<string>();
  const readConfig = (path: string): string | undefined => {
    const text = isFile(path) ? readText(path) : undefined;
    if (text !== undefined) configs.add(path);
    return text;
  };
  for (const path of files) {
    const text = /\.[cm]?[jt]sx?$/.test(path) ? readText(path) : undefined;
    const targets = findImports(text ?? '').flatMap((specifier) => importedPaths(specifier, path, readConfig));
    for (const target of targets) {
      const names = fileNamesOf(target);
      const found = names.find(isFile);
      missing.push(...names.slice(0, found === undefined ? undefined : names.indexOf(found)));
      if (found !== undefined) files.add(found);
    }
  }
  return { files: [...files], missing, configs };
}

/**
 * The imports of a JavaScript or TypeScript text, and files that it names to read them. Also includes names in
 * comments, because extra ones do no harm.
 */
export function findImports(text: string): readonly string[] {
  const imports = text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*(["'])([^"'\n]{1,500})\1/g);
  const files = text.matchAll(/(["'`])(\.{1,2}\/[^"'`$\n]{1,500})\1/g);
  return [...new Set([...imports, ...files].map(([, , specifier = '']) => specifier))];
}

/** The paths that an import may mean, without the endings that it leaves out: relative ones, and aliases of a tsconfig.json. */
function importedPaths(
  specifier: string,
  file: string,
  readText: (path: string) => string | undefined,
): readonly string[] {
  return /^\.{1,2}\//.test(specifier) ? [resolve(dirname(file), specifier)] : findAliased(specifier, file, readText);
}

const suffixes = ['', '.js', '.ts', '.mjs', '.cjs', '.mts', '.json', '/index.js', '/index.ts'];

/** The files that an imported path may mean: TypeScript may name the one that a compiler would write. */
function fileNamesOf(path: string): readonly string[] {
  const names = suffixes.map((suffix) => path + suffix);
  const source = path.replace(/\.([cm]?)js$/, '.$1ts');
  return source === path ? names : [...names, source];
}
