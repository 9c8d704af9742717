import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { findRelativeImports, importSuffixes } from '../lib/relative-imports.ts';
import { hashFiles } from './hash-files.ts';

export interface HashedModule {
  /** SHA-256 of the file and of all that it imports relatively, in the order in which they are found. */
  readonly hashes: readonly string[];
  /** Those files, and the paths that an import might have meant and where nothing was. */
  readonly files: readonly string[];
}

/** Nothing outside the root is read. */
export function hashModule(start: string, root: string): HashedModule {
  const hashes: string[] = [];
  const missing: string[] = [];
  const seen = new Set([start]);
  for (const path of seen) {
    const [hash] = hashFiles([path], root);
    if (hash === undefined) continue;
    hashes.push(hash);
    if (!/\.[cm]?[jt]sx?$/.test(path)) continue;
    for (const specifier of findRelativeImports(readFileSync(path, 'utf8'))) {
      const target = resolve(dirname(path), specifier);
      const found = importSuffixes.find((suffix) => hashFiles([target + suffix], root).length > 0);
      const tried = found === undefined ? importSuffixes : importSuffixes.slice(0, importSuffixes.indexOf(found));
      missing.push(...tried.map((suffix) => target + suffix));
      if (found !== undefined) seen.add(target + found);
    }
  }
  return { hashes, files: [...seen, ...missing] };
}
